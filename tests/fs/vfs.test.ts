// The VFS layer in V8: path name lookup and the name cache over a small file
// system, the buffer cache over a disk whose requests end when the test says.
import t from "tap";
import { GuestPanic } from "../lib/hosted.js";
import { B, DISK, ERRNO, FLAG, OP, TYPE, VfsKernel } from "./vfs_kernel.js";

/** One file system on another: /usr/lib/x, /etc/passwd, links, and /mnt with a/b of the second. */
function twoFileSystems(): VfsKernel {
  const k = new VfsKernel();
  k.node(0, 0, TYPE.DIR, 0, "");
  k.node(1, 0, TYPE.DIR, 0, "usr");
  k.node(2, 1, TYPE.DIR, 0, "lib");
  k.node(3, 2, TYPE.REG, 0, "x");
  k.node(4, 0, TYPE.DIR, 0, "etc");
  k.node(5, 4, TYPE.REG, 0, "passwd");
  k.node(6, 0, TYPE.DIR, 0, "mnt");
  k.node(7, 0, TYPE.LNK, 0, "lib", "usr/lib");
  k.node(8, 1, TYPE.LNK, 0, "up", "../etc/passwd");
  k.node(9, 0, TYPE.LNK, 0, "abs", "/usr/up");
  k.node(10, 0, TYPE.LNK, 0, "loop", "loop");
  k.node(11, 0, TYPE.LNK, 0, "none", "nowhere");
  k.node(12, 0, TYPE.REG, 0, "n".repeat(200));
  k.node(20, 20, TYPE.DIR, 1, "");
  k.node(21, 20, TYPE.DIR, 1, "a");
  k.node(22, 21, TYPE.REG, 1, "b");
  k.node(23, 20, TYPE.LNK, 1, "home", "/etc");
  k.call("test_mount", 0, 0, -1, 0);
  k.call("test_mount", 1, 20, 6, 0);
  return k;
}

t.test("a path is looked up", (t) => {
  const k = twoFileSystems();
  const cases: [string, number][] = [
    ["/", 0], ["//", 0], [".", 0], ["/usr", 1], ["usr/", 1], ["//usr//lib///x", 3], ["/usr/./lib/../lib/x", 3],
    ["/..", 0], ["/../../usr", 1], ["/lib", 2], ["/lib/x", 3], ["/lib/", 2], ["/usr/up", 5], ["/abs", 5],
    ["/mnt", 20], ["/mnt/a/b", 22], ["/mnt/a/../..", 0], ["/mnt/../usr", 1], ["/mnt/.", 20], ["/mnt/home/passwd", 5],
    [`/${"n".repeat(200)}`, 12],
    ["", -ERRNO.ENOENT], ["/nowhere", -ERRNO.ENOENT], ["/usr/nowhere/x", -ERRNO.ENOENT], ["/none", -ERRNO.ENOENT],
    ["/etc/passwd/", -ERRNO.ENOTDIR], ["/etc/passwd/x", -ERRNO.ENOTDIR], ["/usr/up/", -ERRNO.ENOTDIR],
    ["/loop", -ERRNO.ELOOP], [`/${"m".repeat(256)}`, -ERRNO.ENAMETOOLONG], ["/x".repeat(600), -ERRNO.ENAMETOOLONG],
  ];
  for (let round = 0; round < 3; round++) {
    for (const [path, node] of cases) t.equal(k.resolve(path), node, `round ${round}: "${path.slice(0, 40)}"`);
  }
  t.equal(k.resolve("/lib", 0), 7, "a link that is not to be followed is the link");
  t.equal(k.resolve("/lib/", 0), 2, "unless a slash follows");
  const root = k.call("rootvnode");
  t.equal(k.locked(root), false, "nothing stays locked");
  t.end();
});

t.test("lookups leave the locks and references they promise", (t) => {
  const k = twoFileSystems();
  const root = k.call("rootvnode");
  const before = k.usecount(root);
  const leaf = k.namei("/etc/passwd", OP.LOOKUP, FLAG.LOCKLEAF | FLAG.LOCKPARENT);
  t.equal(leaf.error, 0);
  t.ok(k.locked(leaf.vp) && k.locked(leaf.dvp), "LOCKLEAF and LOCKPARENT lock both");
  t.same([k.usecount(leaf.vp), k.usecount(leaf.dvp)], [1, 1]);
  k.call("vput", leaf.vp);
  k.call("vput", leaf.dvp);
  const missing = k.namei("/etc/group", OP.CREATE, FLAG.LOCKPARENT);
  t.same([missing.error, missing.vp], [0, 0], "a missing last component is no error for CREATE");
  t.ok(k.locked(missing.dvp), "its directory is locked");
  t.ok((missing.flags & FLAG.HASBUF) !== 0, "and the path stays");
  k.freePath();
  k.call("vput", missing.dvp);
  t.equal(k.namei("/nowhere/group", OP.CREATE, FLAG.LOCKPARENT).error, ERRNO.ENOENT, "but a missing directory is");
  t.equal(k.namei("/etc/new/", OP.CREATE, FLAG.LOCKPARENT).error, ERRNO.ENOENT, "and a slash behind a missing name");
  const dir = k.namei("/etc/new/", OP.CREATE, FLAG.LOCKPARENT | FLAG.CREATEDIR);
  t.equal(dir.error, 0, "unless a directory is to be made");
  k.freePath();
  k.call("vput", dir.dvp);
  t.equal(k.namei("/", OP.CREATE, FLAG.LOCKPARENT).error, ERRNO.EISDIR, "the root cannot be made");
  const saved = k.namei("/usr/lib/x", OP.DELETE, FLAG.WANTPARENT | FLAG.SAVESTART);
  t.equal(saved.error, 0);
  t.equal(k.usecount(saved.dvp), 2, "SAVESTART has a reference of its own");
  t.notOk(k.locked(saved.dvp), "WANTPARENT does not lock");
  k.freePath();
  k.call("vrele", saved.vp);
  k.call("vrele", saved.dvp);
  k.call("vrele", saved.dvp);
  t.equal(k.usecount(root), before, "the root has the references it had");
  t.notOk(k.locked(root), "and is not locked");
  t.end();
});

t.test("a read-only file system refuses new names", (t) => {
  const k = new VfsKernel();
  k.node(0, 0, TYPE.DIR, 0, "");
  k.node(1, 0, TYPE.REG, 0, "x");
  k.call("test_mount", 0, 0, -1, 1);
  t.equal(k.namei("/new", OP.CREATE, FLAG.LOCKPARENT).error, ERRNO.EROFS);
  t.equal(k.namei("/x", OP.DELETE, FLAG.LOCKPARENT | FLAG.LOCKLEAF).error, ERRNO.EROFS);
  t.equal(k.resolve("/x"), 1);
  t.end();
});

t.test("the name cache spares directory scans and never lies", (t) => {
  const k = twoFileSystems();
  k.resolve("/usr/lib/x");
  const scans = k.state("scans");
  t.equal(k.resolve("/usr/lib/x"), 3);
  t.equal(k.state("scans"), scans, "a known path needs no directory");
  t.equal(k.resolve("/usr/new"), -ERRNO.ENOENT);
  const missed = k.state("scans");
  t.equal(k.resolve("/usr/new"), -ERRNO.ENOENT);
  t.equal(k.state("scans"), missed, "nor does a name known not to exist");
  t.ok(k.namecache("ncs_neghits") > 0);
  k.node(30, 1, TYPE.REG, 0, "new");
  const usr = k.namei("/usr", OP.LOOKUP, FLAG.FOLLOW);
  k.call("cache_purge", usr.vp);
  k.call("vrele", usr.vp);
  t.equal(k.resolve("/usr/new"), 30, "purging the directory forgets that");
  const x = k.namei("/usr/lib/x", OP.LOOKUP, FLAG.FOLLOW);
  const id = k.get("Vnode", x.vp, "v_id");
  k.call("vrele", x.vp);
  k.call("vgone", x.vp);
  t.not(k.get("Vnode", x.vp, "v_id"), id, "a vnode taken from its file has another id");
  t.equal(k.resolve("/usr/lib/x"), 3, "and its name leads to a new one");
  k.resolve("/usr/" + "l".repeat(40));
  t.ok(k.namecache("ncs_long") > 0, "long names are not cached");
  t.end();
});

t.test("vnodes are taken again when there are enough", (t) => {
  const k = new VfsKernel(8);
  k.node(0, 0, TYPE.DIR, 0, "");
  for (let id = 1; id < 40; id++) k.node(id, 0, TYPE.REG, 0, `file${id}`);
  k.call("test_mount", 0, 0, -1, 0);
  for (let round = 0; round < 3; round++) {
    for (let id = 1; id < 40; id++) t.equal(k.resolve(`/file${id}`), id);
  }
  t.equal(k.get("Vnodestat", k.constant("vnodestat"), "numvnodes"), 8, "no more than the limit");
  t.ok(k.get("Vnodestat", k.constant("vnodestat"), "recycled") > 60);
  const held = [];
  for (let id = 1; id < 12; id++) held.push(k.namei(`/file${id}`, OP.LOOKUP, FLAG.FOLLOW).vp);
  t.equal(new Set(held).size, 11, "vnodes in use are never taken");
  for (const vp of held) k.call("vrele", vp);
  t.end();
});

t.test("file systems are mounted and unmounted", (t) => {
  const k = twoFileSystems();
  k.node(40, 40, TYPE.DIR, 2, "");
  k.node(41, 40, TYPE.REG, 2, "file");
  const mount = (path: string, data: number, type = "testfs"): number =>
    k.callSigned("do_mount", k.text(type), k.text(path), 0, data, k.call("curproc"));
  const unmount = (path: string, flags = 0): number =>
    k.callSigned("do_unmount", k.text(path), flags, k.call("curproc"));
  t.equal(mount("/etc", 40, "nofs"), ERRNO.ENODEV, "an unknown type is refused");
  t.equal(mount("/etc/passwd", 40), ERRNO.ENOTDIR, "and a file as mount point");
  t.equal(mount("/etc", 0), ERRNO.EIO, "the file system's own error comes through");
  t.equal(k.resolve("/etc/passwd"), 5, "and leaves everything as it was");
  const covered = k.namei("/etc", OP.LOOKUP, FLAG.FOLLOW).vp;
  t.equal(mount("/etc", 40), 0);
  t.equal(k.resolve("/etc"), 40, "the mount covers the directory");
  t.equal(k.resolve("/etc/file"), 41);
  t.equal(k.resolve("/etc/passwd"), -ERRNO.ENOENT);
  t.equal(k.resolve("/etc/../usr"), 1);
  t.equal(unmount("/etc/file"), ERRNO.EINVAL, "only the root of a file system is unmounted");
  t.equal(unmount("/"), ERRNO.EBUSY, "not the root file system");
  const file = k.namei("/etc/file", OP.LOOKUP, FLAG.FOLLOW).vp;
  t.equal(unmount("/etc"), ERRNO.EBUSY, "not while a file is in use");
  t.equal(k.resolve("/etc/file"), 41, "which goes on being so");
  const syncs = k.state("syncs");
  k.call("do_sync", k.call("curproc"));
  t.equal(k.state("syncs") - syncs, 3, "sync reaches every mount");
  t.equal(unmount("/etc", 0x80000), 0, "unless by force");
  t.equal(k.get("Vnode", file, "v_type"), TYPE.BAD, "the file is dead then");
  k.call("vrele", file);
  t.equal(k.resolve("/etc/passwd"), 5, "the directory is to be seen again");
  t.equal(k.usecount(covered), 1, "and has the references it had");
  t.equal(mount("/etc", 40), 0, "another mount is possible");
  t.equal(unmount("/etc"), 0);
  t.end();
});

/** Checks what holds between any two calls: queues, memory, hash, lists. */
function checkCache(k: VfsKernel, disk: number, owned: ReadonlySet<number>): void {
  const queued = k.queues();
  const seen = new Set<number>();
  for (const bp of queued.flat()) {
    if (seen.has(bp)) throw new Error("a buffer is on two queues");
    seen.add(bp);
    if (owned.has(bp)) throw new Error("a buffer in use is on a queue");
    if ((k.flags(bp) & B.BUSY) !== 0) throw new Error("a queued buffer is busy");
  }
  const blocks = new Set<number>();
  let bytes = 0;
  for (const bp of k.buffers()) {
    bytes += k.buf(bp, "b_bufsize");
    const flags = k.flags(bp);
    if ((flags & B.BUSY) === 0 && !seen.has(bp)) throw new Error("an idle buffer is on no queue");
    if (k.buf(bp, "b_vp") === 0 || (flags & B.INVAL) !== 0) continue;
    const lbn = k.buf(bp, "b_lblkno");
    if (blocks.has(lbn)) throw new Error(`two buffers hold block ${lbn}`);
    blocks.add(lbn);
  }
  const total = k.get("Biomem", k.constant("biomem"), "bufpages") * 4096;
  if (bytes !== total) throw new Error(`the cache has ${bytes} bytes instead of ${total}`);
  for (const bp of k.list(disk, "v_dirtyblkhd")) {
    if ((k.flags(bp) & B.DELWRI) === 0) throw new Error("a buffer of the dirty list is clean");
  }
  for (const bp of k.list(disk, "v_cleanblkhd")) {
    if ((k.flags(bp) & B.DELWRI) !== 0) throw new Error("a buffer of the clean list is dirty");
  }
}

t.test("blocks are read once, written when asked and late when not", (t) => {
  const k = new VfsKernel();
  const disk = k.call("test_disk", 0x0100, DISK);
  for (let i = 0; i < 64 * 512; i++) k.bytes[DISK + i] = i % 251;
  const first = k.bread(disk, 0, 8192);
  t.equal(first.error, 0);
  const data = k.buf(first.bp, "b_data");
  t.same(k.bytes.subarray(data, data + 8192), k.bytes.subarray(DISK, DISK + 8192));
  k.call("brelse", first.bp);
  const strategies = k.bufstat("strategies");
  k.call("brelse", k.bread(disk, 0, 8192).bp);
  t.equal(k.bufstat("strategies"), strategies, "a cached block needs no request");
  const again = k.bread(disk, 0, 8192).bp;
  k.bytes[k.buf(again, "b_data")] = 0xaa;
  k.call("bdwrite", again);
  t.equal(k.bytes[DISK], 0, "a delayed write waits");
  t.same(k.list(disk, "v_dirtyblkhd"), [again]);
  k.call("vflushbuf", disk, 1);
  t.equal(k.bytes[DISK], 0xaa, "until the vnode is flushed");
  t.same(k.list(disk, "v_dirtyblkhd"), []);
  const sync = k.bread(disk, 16, 1024).bp;
  k.bytes[k.buf(sync, "b_data")] = 0xbb;
  t.equal(k.callSigned("bwrite", sync), 0);
  t.equal(k.bytes[DISK + 16 * 512], 0xbb);
  t.notOk((k.flags(sync) & B.BUSY) !== 0, "bwrite releases the buffer");
  k.setState("failing", 1);
  const bad = k.bread(disk, 32, 1024);
  t.equal(bad.error, ERRNO.EIO);
  k.call("brelse", bad.bp);
  k.setState("failing", 0);
  t.equal(k.call("incore", disk, 32), 0, "a block that could not be read is not cached");
  const twice = k.bread(disk, 48, 1024).bp;
  t.throws(() => k.call("biodone", twice), new GuestPanic("biodone already"));
  t.end();
});

t.test("a busy block is waited for", (t) => {
  const k = new VfsKernel();
  const disk = k.call("test_disk", 0x0100, DISK);
  k.setState("queued", 1);
  const waits: string[] = [];
  k.onSleep = (_ident, why) => {
    waits.push(why);
    if (k.nested("test_complete") === 0) throw new Error("a sleep that nothing ends");
    return 0;
  };
  const bp = k.bread(disk, 8, 4096).bp;
  t.same(waits, ["biowait"]);
  k.call("bawrite", bp);
  t.ok((k.flags(bp) & B.BUSY) !== 0, "a buffer that is being written is busy");
  const again = k.bread(disk, 8, 4096).bp;
  t.equal(again, bp);
  t.same(waits, ["biowait", "getblk"]);
  t.equal(k.get("Vnode", disk, "v_numoutput"), 0);
  k.call("bdwrite", again);
  k.call("vinvalbuf", disk, 1, 0, 0, 0, 0);
  t.same(waits, ["biowait", "getblk", "vbwait"], "vinvalbuf writes and waits");
  t.same([k.list(disk, "v_cleanblkhd"), k.list(disk, "v_dirtyblkhd")], [[], []]);
  t.end();
});

t.test("any history of reads and writes ends with the right bytes on the disk", (t) => {
  for (const seed of [1, 2, 3, 4]) {
    const k = new VfsKernel(64, 4);
    const disk = k.call("test_disk", 0x0100, DISK);
    const blocks = 40;
    let state = seed;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % below;
    };
    // Blocks of the file system's sizes, 16 sectors apart, each always of its own size.
    const size = (block: number): number => [8192, 1024, 3072, 8192, 512][block % 5]!;
    const model = new Map<number, Uint8Array>();
    for (let block = 0; block < blocks; block++) model.set(block, new Uint8Array(size(block)));
    const owned = new Map<number, number>();
    k.setState("queued", 1);
    k.onSleep = (_ident, why) => {
      if (k.nested("test_complete") === 0) throw new Error(`seed ${seed}: nothing ends a sleep in ${why}`);
      return 0;
    };
    for (let step = 0; step < 1500; step++) {
      const block = random(blocks);
      const action = random(6);
      if (action === 0 && k.call("test_complete") !== 0) continue;
      if (owned.size >= 3) {
        const [held, bp] = [...owned][0]!;
        owned.delete(held);
        k.call("bdwrite", bp);
      }
      if (owned.has(block)) continue;
      const { bp } = k.bread(disk, block * 16, size(block));
      const data = k.buf(bp, "b_data");
      const expected = model.get(block)!;
      if (Buffer.compare(k.bytes.subarray(data, data + expected.length), expected) !== 0) {
        throw new Error(`seed ${seed}, step ${step}: block ${block} is wrong`);
      }
      if (action < 2) {
        k.call("brelse", bp);
      } else {
        const at = random(expected.length);
        expected[at] = k.bytes[data + at] = random(256);
        if (action === 5) owned.set(block, bp);
        else k.call(["bdwrite", "bawrite", "bwrite"][action - 2]!, bp);
      }
      if (step % 50 === 0) checkCache(k, disk, new Set(owned.values()));
    }
    for (const bp of owned.values()) k.call("bdwrite", bp);
    k.call("vflushbuf", disk, 1);
    checkCache(k, disk, new Set());
    let wrong = 0;
    for (const [block, expected] of model) {
      const at = DISK + block * 16 * 512;
      if (Buffer.compare(k.bytes.subarray(at, at + expected.length), expected) !== 0) wrong++;
    }
    t.equal(wrong, 0, `seed ${seed}: ${k.bufstat("readios")} reads, ${k.bufstat("writeios")} writes`);
  }
  t.end();
});
