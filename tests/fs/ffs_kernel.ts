// FFS under test: a hosted kernel whose root file system is an FFS on a disk in
// memory (tests/hosted/test/test_ffs.as), driven by paths, with the host's own
// fsck at hand.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../tools/ffs/index.js";
import type { Finding } from "../../tools/ffs/index.js";
import { PROJECT_ROOT } from "../../tools/kcc/asc.js";
import { Hosted, compileHosted, vmFiles } from "../lib/hosted.js";

function sources(folder: string): string[] {
  const names = readdirSync(join(PROJECT_ROOT, folder)).filter((name) => name.endsWith(".ts"));
  return names.map((name) => `${folder}/${name}`);
}

const FOLDERS = ["fs", "fs/ufs", "fs/ffs", "fs/mfs", "fs/specfs"];
const compiled = await compileHosted([
  ...vmFiles(), ...FOLDERS.flatMap(sources), "kernel/kern_malloc.ts", "test/test_fs.ts", "test/test_ffs.ts",
]);

const PAGE = 4096;
const FIRST_FRAME = 0x100;
const ARGS = 0x79000000;
const NAMES = 0x79001000;
const BUFFER = 0x70000000;
const DISK = 0x60000000;
const TIME = 959466655;

export const ERRNO = {
  EPERM: 1, ENOENT: 2, EACCES: 13, EBUSY: 16, EEXIST: 17, ENOTDIR: 20, EISDIR: 21, EINVAL: 22, EFBIG: 27, ENOSPC: 28,
  EROFS: 30, EMLINK: 31, ENOTEMPTY: 66,
};
export const MNT = { RDONLY: 1, ASYNC: 0x40 };

export interface NewfsOptions {
  readonly bytes?: number;
  readonly bsize?: number;
  readonly fsize?: number;
  readonly minfree?: number;
  readonly density?: number;
}

export interface Stat {
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly size: number;
  readonly blocks: number;
  readonly rdev: number;
}

export interface Dirent {
  readonly ino: number;
  readonly type: number;
  readonly name: string;
}

export class FfsKernel extends Hosted {
  diskBytes = 0;

  /** `vnodes`: vnodes before reuse begins; `megabytes` of memory, a tenth of which is the buffer cache. */
  constructor(vnodes = 64, megabytes = 8) {
    super(compiled);
    const frames = (megabytes << 20) / PAGE;
    this.call("uvm_page_physload", FIRST_FRAME, FIRST_FRAME + frames, FIRST_FRAME, FIRST_FRAME + frames, 0);
    this.call("uvm_init");
    this.call("test_vfsinit", vnodes);
    this.call("ffs_start_test");
  }

  /** newfs on the disk; 0 or an errno. */
  newfs({ bytes = 8 << 20, bsize = 8192, fsize = 1024, minfree = 5, density = 0 }: NewfsOptions = {}): number {
    this.diskBytes = bytes;
    this.bytes.fill(0, DISK, DISK + bytes);
    const words = [DISK, bytes / 512, bsize, fsize, minfree, density, 0o755, 0, 0, TIME];
    words.forEach((word, i) => this.setWord(ARGS + 4 * i, word));
    return this.callSigned("ffs_newfs", ARGS);
  }

  /** The disk's bytes now, a copy: buffers that are not written yet are missing. */
  image(): Uint8Array {
    return this.bytes.slice(DISK, DISK + this.diskBytes);
  }

  /** Puts an image on the disk. */
  insert(image: Uint8Array): void {
    this.diskBytes = image.length;
    this.bytes.set(image, DISK);
  }

  mount(flags = 0): number {
    return this.callSigned("ffs_mount_test", DISK, flags);
  }

  sync(): number {
    return this.callSigned("ffs_sync_test");
  }

  unmount(): number {
    return this.callSigned("ffs_unmount_test");
  }

  /** What fsck finds wrong, after a sync. */
  fsck(): Finding[] {
    if (this.sync() !== 0) throw new Error("sync failed");
    return [...check(this.image()).findings];
  }

  private path(text: string, slot = 0): number {
    const at = NAMES + slot * 8192;
    this.bytes.set(Buffer.from(`${text}\0`, "latin1"), at);
    return at;
  }

  write(path: string, data: Uint8Array, offset = 0, truncate = false): number {
    this.bytes.set(data, BUFFER);
    return this.callSigned("ffs_write_test", this.path(path), BUFFER, data.length, BigInt(offset), truncate ? 1 : 0);
  }

  /** Up to `length` bytes from `offset`, or a negative errno. */
  read(path: string, offset = 0, length = 1 << 24): Uint8Array | number {
    const count = this.callSigned("ffs_read_test", this.path(path), BUFFER, length, BigInt(offset));
    return count < 0 ? count : this.bytes.slice(BUFFER, BUFFER + count);
  }

  mkdir(path: string): number {
    return this.callSigned("ffs_mkdir_test", this.path(path));
  }

  rmdir(path: string): number {
    return this.callSigned("ffs_rmdir_test", this.path(path));
  }

  unlink(path: string): number {
    return this.callSigned("ffs_unlink_test", this.path(path));
  }

  rename(from: string, to: string): number {
    return this.callSigned("ffs_rename_test", this.path(from), this.path(to, 1));
  }

  link(path: string, name: string): number {
    return this.callSigned("ffs_link_test", this.path(path), this.path(name, 1));
  }

  symlink(target: string, path: string): number {
    return this.callSigned("ffs_symlink_test", this.path(target), this.path(path, 1));
  }

  readlink(path: string): string | number {
    const length = this.callSigned("ffs_readlink_test", this.path(path), BUFFER, 4096);
    return length < 0 ? length : Buffer.from(this.bytes.subarray(BUFFER, BUFFER + length)).toString("latin1");
  }

  truncate(path: string, length: number): number {
    return this.callSigned("ffs_truncate_test", this.path(path), BigInt(length));
  }

  mknod(path: string, mode: number, dev: number): number {
    return this.callSigned("ffs_mknod_test", this.path(path), mode, dev);
  }

  chmod(path: string, mode: number): number {
    return this.callSigned("ffs_chmod_test", this.path(path), mode);
  }

  setuid(uid: number): void {
    this.call("ffs_setuid_test", uid);
  }

  stat(path: string): Stat | number {
    const error = this.callSigned("ffs_lstat_test", this.path(path), ARGS);
    if (error !== 0) return -error;
    const field = (name: string) => this.get("Stat", ARGS, name);
    return {
      ino: field("st_ino"), mode: field("st_mode"), nlink: field("st_nlink"), size: field("st_size_low"),
      blocks: field("st_blocks_low"), rdev: field("st_rdev"),
    };
  }

  /** The entries of a directory but "." and "..", or a negative errno. */
  readdir(path: string): Dirent[] | number {
    const entries: Dirent[] = [];
    for (let offset = 0; ; ) {
      const count = this.callSigned("ffs_readdir_test", this.path(path), BUFFER, 4096, offset);
      if (count < 0) return count;
      if (count === 0) return entries;
      this.addEntries(entries, count);
      offset += count;
    }
  }

  private addEntries(entries: Dirent[], count: number): void {
    for (let at = BUFFER; at < BUFFER + count; at += this.view.getUint16(at + 4, true)) {
      const ino = this.word(at);
      const name = Buffer.from(this.bytes.subarray(at + 8, at + 8 + this.bytes[at + 7]!)).toString("latin1");
      if (ino !== 0 && name !== "." && name !== "..") entries.push({ ino, type: this.bytes[at + 6]!, name });
    }
  }

  /** Free fragments as statfs gives them, and free inodes. */
  free(): { fragments: number; available: number; inodes: number } {
    this.call("ffs_statfs_test", ARGS);
    const field = (name: string) => this.get("Statfs", ARGS, name);
    return { fragments: field("f_bfree"), available: field("f_bavail"), inodes: field("f_ffree") };
  }
}

/** Repeatable bytes: file `seed`, the bytes from `offset` on. */
export function pattern(seed: number, length: number, offset = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const at = offset + i;
    bytes[i] = (seed * 131 + at * 7 + (at >> 8) * 3 + (at >> 16)) & 0xff;
  }
  return bytes;
}
