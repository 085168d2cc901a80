// The VFS layer under test: a hosted kernel with UVM, the buffer cache, vnodes and
// names started, a small file system and a disk (tests/hosted/test/test_fs.as).
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../tools/kcc/asc.js";
import { Hosted, compileHosted, vmFiles } from "../lib/hosted.js";

const FS_NAMES = readdirSync(join(PROJECT_ROOT, "fs")).filter((name) => name.endsWith(".ts"));
const FS_FILES = FS_NAMES.map((name) => `fs/${name}`);
const compiled = await compileHosted([...vmFiles(), ...FS_FILES, "kernel/kern_malloc.ts", "kernel/kern_proc.ts",
  "test/test_fs.ts"]);

const PAGE = 4096;
const FIRST_FRAME = 0x100;
const STRINGS = 0x7b000000;
const ND = 0x7a000000;
const WORD = 0x7a001000;
export const DISK = 0x60000000;

export const B = { ASYNC: 4, BUSY: 0x10, DELWRI: 0x80, DONE: 0x200, ERROR: 0x800, INVAL: 0x2000, READ: 0x100000 };
export const TYPE = { REG: 1, DIR: 2, LNK: 5, BAD: 8 };
export const OP = { LOOKUP: 0, CREATE: 1, DELETE: 2, RENAME: 3 };
export const FLAG = {
  LOCKLEAF: 4, LOCKPARENT: 8, WANTPARENT: 0x10, FOLLOW: 0x40, HASBUF: 0x400, SAVESTART: 0x1000, CREATEDIR: 0x200000,
};
export const ERRNO = {
  ENOENT: 2, EIO: 5, EBUSY: 16, ENODEV: 19, ENOTDIR: 20, EISDIR: 21, EINVAL: 22, EROFS: 30, ELOOP: 62, ENAMETOOLONG: 63,
};

export class VfsKernel extends Hosted {
  private strings = STRINGS;

  /** `vnodes`: vnodes and names before reuse begins; `megabytes` of memory. */
  constructor(vnodes = 64, megabytes = 4) {
    super(compiled);
    const frames = (megabytes << 20) / PAGE;
    this.call("uvm_page_physload", FIRST_FRAME, FIRST_FRAME + frames, FIRST_FRAME, FIRST_FRAME + frames, 0);
    this.call("uvm_init");
    this.call("test_vfsinit", vnodes);
  }

  /** A NUL-terminated string in guest memory. */
  text(value: string): number {
    const at = this.strings;
    const bytes = Buffer.from(`${value}\0`, "latin1");
    this.bytes.set(bytes, at);
    this.strings += bytes.length;
    return at;
  }

  node(id: number, parent: number, type: number, fs: number, name: string, link = ""): void {
    this.call("test_node", id, parent, type, fs, this.text(name), this.text(link));
  }

  state(field: string): number {
    return this.get("TestState", this.constant("test_state"), field);
  }

  setState(field: string, value: number): void {
    this.setWord(this.constant("test_state") + this.offset("TestState", field), value);
  }

  namecache(field: string): number {
    return this.get("Nchstats", this.constant("nchstats"), field);
  }

  bufstat(field: string): number {
    return this.get("Bufstat", this.constant("bufstat"), field);
  }

  /** namei: the error and, on success, what it left in the Nameidata. */
  namei(path: string, op = OP.LOOKUP, flags = FLAG.FOLLOW): { error: number; vp: number; dvp: number; flags: number } {
    const error = this.callSigned("test_namei", ND, op, flags, this.text(path));
    return {
      error,
      vp: this.get("Nameidata", ND, "ni_vp"),
      dvp: this.get("Nameidata", ND, "ni_dvp"),
      flags: this.get("Nameidata", ND, "cn_flags"),
    };
  }

  /** The node that a path leads to (its vnode is let go again), or the error as a negative number. */
  resolve(path: string, flags = FLAG.FOLLOW): number {
    const found = this.namei(path, OP.LOOKUP, flags);
    if (found.error !== 0) return -found.error;
    const node = this.callSigned("test_node_of", found.vp);
    this.call("vrele", found.vp);
    return node;
  }

  usecount(vp: number): number {
    return this.get("Vnode", vp, "v_usecount");
  }

  locked(vp: number): boolean {
    return this.call("VOP_ISLOCKED", vp) !== 0;
  }

  /** Frees the path buffer that a lookup left. */
  freePath(): void {
    this.call("PNBUF_PUT", ND);
  }

  // The buffer cache.

  nbuf(): number {
    return this.get("Biomem", this.constant("biomem"), "nbuf");
  }

  buffers(): number[] {
    return Array.from({ length: this.nbuf() }, (_, i) => this.call("buffer", i));
  }

  buf(bp: number, field: string): number {
    return this.get("Buf", bp, field);
  }

  flags(bp: number): number {
    return this.buf(bp, "b_flags");
  }

  bread(vp: number, lbn: number, size: number): { error: number; bp: number } {
    const error = this.callSigned("bread", vp, lbn, size, 0xffffffff, WORD);
    return { error, bp: this.word(WORD) };
  }

  /** All buffers of the free queues, by queue. */
  queues(): number[][] {
    const link = this.offset("Buf", "b_freelist_next");
    return [0, 1, 2, 3].map((queue) => {
      const members: number[] = [];
      let bp = this.word(this.call("bufqueue", queue));
      while (bp !== 0) {
        members.push(bp);
        if (members.length > this.nbuf()) throw new Error(`queue ${queue} is circular`);
        bp = this.word(bp + link);
      }
      return members;
    });
  }

  /** The buffers of a vnode's clean or dirty list. */
  list(vp: number, head: "v_cleanblkhd" | "v_dirtyblkhd"): number[] {
    const members: number[] = [];
    for (let bp = this.get("Vnode", vp, head); bp !== 0; bp = this.buf(bp, "b_vnbufs_next")) members.push(bp);
    return members;
  }
}
