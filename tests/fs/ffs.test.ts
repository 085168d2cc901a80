// FFS in V8: newfs, files and directories through the kernel half of the system
// calls, the allocator, mount and unmount. Every history ends with the host's fsck,
// which was written against the format, not against this code.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { FfsImage, check } from "../../tools/ffs/index.js";
import { absent } from "../lib/boot.js";
import { GuestPanic } from "../lib/hosted.js";
import { damages, geometries, offsets, refusals, renames, sizes } from "./ffs_cases.js";
import { ERRNO, FfsKernel, MNT, pattern } from "./ffs_kernel.js";
import type { NewfsOptions } from "./ffs_kernel.js";
import { History, Random } from "./ffs_model.js";

const SEED = Number(process.env["SEED"] ?? 20000527);

/** A kernel with a fresh file system mounted as the root. */
function mounted(options: NewfsOptions = {}, flags = 0, vnodes = 64): FfsKernel {
  const k = new FfsKernel(vnodes);
  if (k.newfs(options) !== 0) throw new Error(`newfs failed: ${k.console}`);
  if (k.mount(flags) !== 0) throw new Error(`mount failed: ${k.console}`);
  return k;
}

/** Did a read give these bytes? */
function same(got: Uint8Array | number, expected: Uint8Array): boolean {
  return typeof got !== "number" && Buffer.compare(got, expected) === 0;
}

t.test("newfs lays file systems out as the algorithm says", (t) => {
  for (const { options, expected } of geometries) {
    const k = new FfsKernel();
    t.equal(k.newfs(options), 0, JSON.stringify(options));
    const report = check(k.image());
    t.same(report.findings, [], "fsck finds nothing");
    t.ok(report.summary?.markedClean, "and it is marked clean");
    const fs = new FfsImage(k.image()).superblock;
    const got = { size: fs.size, ncyl: fs.ncyl, ncg: fs.ncg, ipg: fs.ipg, dblkno: fs.dblkno, cgsize: fs.cgsize };
    t.match(got, expected);
  }
  t.end();
});

t.test("structs lie as they do on the disk", (t) => {
  const k = new FfsKernel();
  for (const [struct, field, offset] of offsets) t.equal(k.offset(struct, field), offset, `${struct}.${field}`);
  t.end();
});

t.test("newfs refuses what it cannot do with one line", (t) => {
  for (const { options, says } of refusals) {
    const k = new FfsKernel();
    const before = k.console.length;
    t.equal(k.newfs(options), ERRNO.EINVAL, JSON.stringify(options));
    t.match(k.console.slice(before), new RegExp(`^newfs: ${says}.*\\n$`));
  }
  t.end();
});

t.test("sleuthkit reads what newfs made and the kernel wrote", { skip: absent("fsstat") }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-ffs-"));
  const file = join(folder, "image");
  for (const options of [{}, { bytes: 1 << 20, bsize: 4096, fsize: 512 }, { bytes: 40 << 20 }]) {
    const k = mounted(options);
    k.mkdir("/d");
    k.write("/d/file", pattern(3, 150_000));
    k.unmount();
    writeFileSync(file, k.image());
    const run = (tool: string, ...flags: string[]) => spawnSync(tool, [...flags, "-f", "ufs1", file]).stdout.toString();
    t.match(run("fsstat"), /File System Type: UFS 1/);
    const found = /^r\/r (\d+):\td\/file$/m.exec(run("fls", "-r", "-p"));
    t.ok(found, "fls lists the file");
    const content = spawnSync("icat", ["-f", "ufs1", file, found![1]!], { encoding: "buffer" }).stdout;
    t.equal(Buffer.compare(content, pattern(3, 150_000)), 0, "icat gives its bytes");
  }
  rmSync(folder, { recursive: true });
  t.end();
});

t.test("an image of makefs is mounted, read and written", { skip: absent("makefs") }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-makefs-"));
  mkdirSync(join(folder, "tree", "d"), { recursive: true });
  writeFileSync(join(folder, "tree", "d", "file"), pattern(5, 130_000));
  for (const shape of ["bsize=8192,fsize=1024", "bsize=4096,fsize=512", "bsize=16384,fsize=2048"]) {
    const image = join(folder, "image");
    const argv = ["-t", "ffs", "-o", `version=1,${shape}`, "-s", "6m", image, join(folder, "tree")];
    t.equal(spawnSync("makefs", argv).status, 0, shape);
    const k = new FfsKernel();
    k.insert(readFileSync(image));
    t.equal(k.mount(), 0);
    t.ok(same(k.read("/d/file"), pattern(5, 130_000)));
    t.equal(k.write("/d/new", pattern(6, 70_000)), 0);
    t.equal(k.unlink("/d/file"), 0);
    t.ok(same(k.read("/d/new"), pattern(6, 70_000)));
    t.equal(k.unmount(), 0);
    t.equal(k.mount(), 0);
    t.ok(same(k.read("/d/new"), pattern(6, 70_000)));
    t.same(k.fsck().map((finding) => finding.text), []);
  }
  rmSync(folder, { recursive: true });
  t.end();
});

t.test("files of every size around fragments, blocks and indirect blocks keep their bytes", (t) => {
  for (const [bsize, fsize] of [[4096, 512], [8192, 1024], [8192, 8192], [16384, 4096]] as const) {
    const k = mounted({ bytes: 32 << 20, bsize, fsize });
    const before = k.free();
    let serial = 0;
    for (const size of sizes(bsize, fsize)) {
      const data = pattern(++serial, size);
      t.equal(k.write("/f", data), 0, `${bsize}/${fsize}: ${size} bytes`);
      t.ok(same(k.read("/f"), data), "read back");
      t.same(k.fsck(), []);
      t.equal(k.unlink("/f"), 0);
    }
    t.same(k.free(), before, "everything is free again");
  }
  t.end();
});

t.test("a file that grows and shrinks piece by piece keeps its bytes", (t) => {
  const k = mounted({ bytes: 8 << 20, bsize: 4096, fsize: 512 });
  let size = 0;
  for (const step of [1, 511, 1, 700, 3000, 4096, 40000, 13, 500000]) {
    t.equal(k.write("/f", pattern(9, step, size), -1), 0, `append ${step} at ${size}`);
    size += step;
    t.same(k.fsck(), []);
  }
  t.ok(same(k.read("/f"), pattern(9, size)));
  for (const shorter of [500_001, 53_248, 53_247, 49_152, 4097, 4096, 513, 512, 1, 0]) {
    t.equal(k.truncate("/f", shorter), 0, `truncate to ${shorter}`);
    t.ok(same(k.read("/f"), pattern(9, shorter)));
    t.same(k.fsck(), []);
  }
  t.equal(k.truncate("/f", 10_000), 0, "a longer length");
  t.ok(same(k.read("/f"), new Uint8Array(10_000)), "reads as zeros");
  t.end();
});

t.test("sparse files reach through three levels of indirect blocks", (t) => {
  const k = mounted({ bytes: 8 << 20, bsize: 4096, fsize: 512 });
  const before = k.free();
  // One block behind the direct, the single, the double and the triple indirect pointers.
  const offsets = [5 * 4096, 20 * 4096, (12 + 1024 + 7) * 4096, (12 + 1024 + 1024 * 1024 + 99) * 4096 + 17];
  for (const offset of offsets) {
    t.equal(k.write("/sparse", pattern(7, 100), offset), 0, `write at ${offset}`);
    t.ok(same(k.read("/sparse", offset, 100), pattern(7, 100)));
    t.same(k.fsck(), []);
  }
  t.ok(same(k.read("/sparse", 6 * 4096, 5000), new Uint8Array(5000)), "holes are zero");
  t.equal(k.write("/sparse", pattern(7, 10), 2 ** 44), ERRNO.EFBIG, "no further than the file system can name");
  for (const offset of offsets.slice(0, 3).reverse()) {
    t.equal(k.truncate("/sparse", offset + 50), 0, `truncate to ${offset + 50}`);
    t.ok(same(k.read("/sparse", offset, 100), pattern(7, 50)));
    t.same(k.fsck(), []);
  }
  t.equal(k.unlink("/sparse"), 0);
  t.same(k.free(), before, "everything is free again");
  t.end();
});

t.test("rename follows the rules", (t) => {
  for (const { what, from, to, error, after } of renames) {
    const k = mounted({ bytes: 1 << 20 });
    for (const path of ["/a", "/a/b", "/a/b/c", "/e", "/full", "/full/x"]) k.mkdir(path);
    k.write("/f", pattern(1, 10));
    k.write("/g", pattern(2, 20));
    k.write("/a/h", pattern(3, 30));
    k.link("/f", "/flink");
    k.symlink("f", "/s");
    t.equal(k.rename(from, to), error, what);
    for (const [path, present] of after) {
      t.equal(typeof k.stat(path) !== "number", present, `${path} ${present ? "is" : "is not"} there`);
    }
    t.same(k.fsck(), [], "fsck finds nothing");
    t.equal(k.unmount(), 0, "nothing stays referenced");
  }
  t.end();
});

t.test("names of 1 to 255 bytes come and go in one directory", (t) => {
  const k = mounted({ bytes: 4 << 20 }, MNT.ASYNC);
  const random = new Random(SEED);
  t.comment(`seed ${SEED}`);
  const present = new Set<string>();
  for (let i = 0; i < 900; i++) {
    const length = 1 + random.below(255);
    const name = `${i}`.padEnd(length, "n").slice(0, 255);
    if (present.size > 0 && random.below(5) < 2) {
      const old = random.pick([...present]);
      if (k.unlink(`/${old}`) !== 0) t.fail(`unlink ${old}`);
      present.delete(old);
    } else {
      if (k.write(`/${name}`, new Uint8Array(0)) !== 0) t.fail(`create ${name}`);
      present.add(name);
    }
  }
  const listed = k.readdir("/");
  t.same(Array.isArray(listed) && listed.map((e) => e.name).sort(), [...present].sort());
  t.same(k.fsck(), []);
  for (const name of present) if (k.unlink(`/${name}`) !== 0) t.fail(`unlink ${name}`);
  t.same(k.readdir("/"), []);
  k.write("/last", new Uint8Array(0));
  t.equal((k.stat("/") as { size: number }).size, 512, "an empty directory is cut when something is entered");
  t.same(k.fsck(), []);
  t.end();
});

t.test("any history leaves what a plain tree leaves", (t) => {
  const shapes: NewfsOptions[] = [
    { bytes: 16 << 20, bsize: 4096, fsize: 512 }, { bytes: 24 << 20 }, { bytes: 24 << 20, bsize: 8192, fsize: 8192 },
  ];
  shapes.forEach((options, n) => {
    const seed = SEED + n;
    const k = mounted(options, n === 1 ? MNT.ASYNC : 0, 40);
    const empty = k.free();
    const history = new History(k, new Random(seed), 120_000);
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 150; i++) {
        const problem = history.step();
        if (problem) t.fail(`seed ${seed}, round ${round}: ${problem}`);
      }
      t.same(history.compare(), [], `seed ${seed}, round ${round}: the trees are equal`);
      t.same(k.fsck(), [], "fsck finds nothing");
    }
    t.equal(k.unmount(), 0);
    t.ok(check(k.image()).summary?.markedClean, "it is marked clean after unmount");
    t.equal(k.mount(), 0, "and mounted again");
    t.same(history.compare(), [], "the trees are still equal");
    t.notOk(check(k.image()).summary === undefined);
    for (const { path } of [...history.model.places()].reverse()) {
      if (k.unlink(path) !== 0 && k.rmdir(path) !== 0) t.fail(`cannot remove ${path}`);
    }
    k.write("/x", new Uint8Array(0));
    k.unlink("/x");
    t.same({ ...k.free(), available: 0 }, { ...empty, available: 0 }, "removing all gives all the space back");
    t.same(k.fsck(), []);
  });
  t.end();
});

t.test("a full file system says so and loses nothing", (t) => {
  for (const [bsize, fsize] of [[4096, 512], [8192, 1024]] as const) {
    const k = mounted({ bytes: 2 << 20, bsize, fsize }, MNT.ASYNC);
    const written: number[] = [];
    let error = 0;
    for (let i = 0; error === 0 && i < 2000; i++) {
      const size = (i * 7919) % 60_000;
      const before = k.free();
      error = k.write(`/f${i}`, pattern(i, size));
      if (error === 0) {
        written.push(i);
        continue;
      }
      t.equal((k.stat(`/f${i}`) as { size: number }).size, 0, "the file that did not fit is empty");
      t.ok(k.free().fragments >= before.fragments - 8, "what it had taken is free again");
    }
    t.equal(error, ERRNO.ENOSPC);
    t.match(k.console, /uid 0 on \/: file system full\n\n\/: write failed, file system is full\n/);
    for (const i of written) {
      if (!same(k.read(`/f${i}`), pattern(i, (i * 7919) % 60_000))) t.fail(`f${i} is damaged`);
    }
    t.same(k.fsck(), []);
  }
  t.end();
});

t.test("space runs out between indirect blocks: all of them are given back", (t) => {
  const k = mounted({ bytes: 1 << 20, bsize: 4096, fsize: 4096, minfree: 0 });
  k.write("/big", new Uint8Array(0));
  let size = 0;
  while (k.write("/filler", pattern(1, 4096), size) === 0) size += 4096;
  for (let spare = 0; spare < 5; spare++) {
    const before = k.free();
    // Needs three indirect blocks and one for data.
    const error = k.write("/big", pattern(2, 10), (12 + 1024 + 1024 * 1024 + 5) * 4096);
    if (spare < 4) {
      t.equal(error, ERRNO.ENOSPC, `${spare} blocks free`);
      t.same(k.free(), before);
      t.equal((k.stat("/big") as { blocks: number }).blocks, 0, "the file holds nothing");
    } else {
      t.equal(error, 0, "four blocks are enough");
    }
    t.same(k.fsck(), []);
    size -= 4096;
    k.truncate("/filler", size);
  }
  t.end();
});

t.test("the reserve is for uid 0, and inodes run out, too", (t) => {
  const k = mounted({ bytes: 1 << 20, minfree: 20 });
  k.chmod("/", 0o777);
  k.setuid(7);
  let i = 0;
  while (k.write(`/u${i}`, pattern(i, 8192)) === 0) i++;
  t.ok(k.free().available <= 0 && k.free().fragments > 100, "a user stops at the reserve");
  t.match(k.console, /uid 7 on \/: file system full/);
  t.equal(k.unlink("/u0"), 0);
  k.setuid(0);
  t.equal(k.write("/root", pattern(1, 100_000)), 0, "uid 0 does not");
  while (k.write(`/z${i}`, new Uint8Array(0)) === 0) i++;
  t.match(k.console, /uid 0 on \/: out of inodes\n\n\/: create\/symlink failed, no inodes free\n/);
  t.equal(k.free().inodes, 0);
  t.same(k.fsck(), []);
  t.end();
});

t.test("a fragmented file system switches its optimization and back", (t) => {
  const k = mounted({ bytes: 4 << 20, minfree: 5 }, MNT.ASYNC);
  for (let i = 0; i < 200; i++) k.write(`/f${i}`, pattern(i, 4500));
  for (let i = 0; i < 200; i++) k.write(`/f${i}`, pattern(i, 600), -1);
  t.match(k.console, /\/: optimization changed from TIME to SPACE\n/);
  for (let i = 0; i < 199; i++) k.unlink(`/f${i}`);
  for (let i = 0; i < 9; i++) k.write("/f199", pattern(i, 1100), -1);
  t.match(k.console, /\/: optimization changed from SPACE to TIME\n/);
  t.same(k.fsck(), []);
  t.end();
});

t.test("directories, links and permissions obey", (t) => {
  const k = mounted({ bytes: 1 << 20 });
  t.equal(k.mkdir("/d"), 0);
  t.match(k.stat("/d"), { nlink: 2, size: 512 });
  t.match(k.stat("/"), { nlink: 3 });
  t.equal(k.mkdir("/d"), ERRNO.EEXIST);
  t.equal(k.mkdir("/no/d"), ERRNO.ENOENT);
  k.write("/d/f", pattern(1, 10));
  t.equal(k.rmdir("/d"), ERRNO.ENOTEMPTY);
  t.equal(k.rmdir("/d/f"), ERRNO.ENOTDIR);
  t.equal(k.rmdir("/d/."), ERRNO.EINVAL);
  t.equal(k.rmdir("/d/.."), ERRNO.EBUSY, "the root of a file system stays");
  t.equal(k.unlink("/d"), ERRNO.EPERM);
  t.equal(k.link("/d/f", "/f2"), 0);
  t.match(k.stat("/f2"), { nlink: 2 });
  t.equal(k.link("/d", "/d2"), ERRNO.EPERM);
  t.equal(k.unlink("/d/f"), 0);
  t.match(k.stat("/f2"), { nlink: 1 });
  for (const length of [1, 59, 60, 61, 1000]) {
    const target = "l".repeat(length);
    t.equal(k.symlink(target, `/s${length}`), 0);
    t.equal(k.readlink(`/s${length}`), target);
    t.match(k.stat(`/s${length}`), { size: length, blocks: length < 60 ? 0 : 2 });
  }
  t.equal(k.mknod("/dev", 0o60644, 0x1105), 0);
  t.match(k.stat("/dev"), { mode: 0o60644, rdev: 0x1105 });
  k.setuid(5);
  t.equal(k.write("/mine", pattern(1, 1)), ERRNO.EACCES, "others may not write the root directory");
  t.equal(k.write("/f2", pattern(1, 1)), ERRNO.EACCES);
  k.setuid(0);
  k.chmod("/", 0o1777);
  k.setuid(5);
  t.equal(k.write("/mine", pattern(1, 1)), 0);
  t.equal(k.unlink("/f2"), ERRNO.EPERM, "in a sticky directory others' files stay");
  t.equal(k.unlink("/mine"), 0);
  k.setuid(0);
  t.same(k.fsck(), []);
  t.equal(k.unmount(), 0);
  t.end();
});

t.test("a read-only mount changes nothing", (t) => {
  const k = mounted();
  k.write("/f", pattern(1, 3000));
  k.mkdir("/d");
  k.unmount();
  const before = k.image();
  t.equal(k.mount(MNT.RDONLY), 0);
  t.ok(same(k.read("/f"), pattern(1, 3000)));
  t.equal(k.write("/f", pattern(2, 10)), ERRNO.EROFS);
  t.equal(k.write("/g", pattern(2, 10)), ERRNO.EROFS);
  t.equal(k.mkdir("/e"), ERRNO.EROFS);
  t.equal(k.rmdir("/d"), ERRNO.EROFS);
  t.equal(k.rename("/f", "/g"), ERRNO.EROFS);
  t.equal(k.truncate("/f", 0), ERRNO.EROFS);
  t.equal(k.unmount(), 0);
  t.equal(Buffer.compare(k.image(), before), 0, "the disk is as it was");
  t.end();
});

t.test("a super block that makes no sense is refused with one line", (t) => {
  const k = new FfsKernel();
  k.newfs({ bytes: 4 << 20 });
  const good = k.image();
  for (const { what, at, value } of damages) {
    const bad = good.slice();
    new DataView(bad.buffer).setInt32(8192 + at, value, true);
    k.insert(bad);
    const before = k.console.length;
    t.equal(k.mount(), ERRNO.EINVAL, `${what} ${value}`);
    t.match(k.console.slice(before), /^[^\n]+: not a usable file system: [^\n]+ \(-?\d+\)\n$/);
  }
  k.insert(good);
  t.equal(k.mount(), 0, "the good one is still mounted");
  t.end();
});

t.test("damaged directories and bitmaps stop the kernel with the known words", (t) => {
  const root = (k: FfsKernel): number => {
    const image = new FfsImage(k.image());
    return image.inode(2).db[0]! * image.superblock.fsize;
  };
  const damaged = (change: (image: Uint8Array, at: number) => void): FfsKernel => {
    const k = mounted({ bytes: 1 << 20 });
    k.write("/f", pattern(1, 9000));
    k.write("/g", pattern(1, 9000));
    k.unmount();
    const image = k.image();
    change(image, root(k));
    k.insert(image);
    t.equal(k.mount(), 0);
    return k;
  };
  const words = (action: () => void): string => {
    try {
      action();
    } catch (error) {
      if (error instanceof GuestPanic) return error.message;
      throw error;
    }
    return "no panic";
  };
  const mangled = damaged((image, at) => void (image[at + 4] = 7));
  t.equal(words(() => void mangled.stat("/f")), "bad dir");
  t.match(mangled.console, /\/: bad dir ino 2 at offset 0: mangled entry\n/);
  const free = damaged((image) => {
    const fs = new FfsImage(image).superblock;
    const cg = fs.cblkno * fs.fsize;
    const map = cg + new DataView(image.buffer).getInt32(cg + 96, true);
    image.fill(0xff, map + fs.dblkno / 8, map + fs.dblkno / 8 + 8);
  });
  t.match(words(() => void free.unlink("/f")), /^blkfree: freeing free (block|frag)$/);
  t.end();
});

t.test("I/O errors come back as errors", (t) => {
  const k = mounted({ bytes: 2 << 20 });
  k.write("/f", pattern(1, 30_000));
  k.mkdir("/d");
  k.unmount();
  t.equal(k.mount(), 0);
  k.call("test_set_failing", 1);
  t.equal(k.read("/f"), -5, "EIO");
  t.equal(k.readdir("/d"), -5);
  k.call("test_set_failing", 0);
  t.ok(same(k.read("/f"), pattern(1, 30_000)), "and nothing stays of them");
  t.same(k.fsck(), []);
  t.end();
});
