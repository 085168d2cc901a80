// cksum: the CRC-32 of a file, and the comparison of a copied tree with its
// source, every byte of both sides read again.
//
// After the change pass of the cycle some copies have another name or length or
// are gone; which ones is a function of the file's number in the walk
// (change_of), so the comparison knows what to expect without a list.

import { DT_LNK, DT_REG } from "../../fs/ufs/dir";
import { do_readlink } from "../../fs/vfs_syscalls";
import { Vattr, Vnode } from "../../fs/vnode";
import { frame_alloc } from "../i386/cpufunc";
import { free, malloc } from "../kern_malloc";
import { curproc } from "../kern_proc";
import { memcpy, strcmp, strlen } from "../libkern";
import { printf } from "../subr_prf";
import { EIO, ENOENT } from "../sys/errno";
import { M_TEMP, M_WAITOK } from "../sys/malloc";
import { MAXPATHLEN } from "../sys/param";
import { CHANGE_REMOVE, CHANGE_RENAME, CHANGE_TRUNCATE, change_of, changed_name } from "./change";
import { map_path } from "./cp";
import { crc32, crc32_init } from "./crc32";
import { close_file, exit_program, lstat_file, open_file, read_file } from "./unistd";
import { walk_tree } from "./walk";

const CHUNK: u32 = 16384;
/** More than any file: the whole of it. */
const WHOLE: u64 = 0xffffffffffff;

@unmanaged export class CksumArgs {
  bytes: u64;
  from: usize;
  to: usize;
  skip: usize;
  /** The change pass has been over the copy. */
  changed: u32;
  files: u32;
  links: u32;
  differ: u32;
  /** CRC-32 over the checksums of all files, in the order of the walk. */
  total: u32;
  error: i32;
}

/** CRC-32 of the first `limit` bytes of `path` at `crcp`, the bytes read at `lengthp` (u64). */
function checksum(path: usize, limit: u64, crcp: usize, lengthp: usize): i32 {
  const vpp = frame_alloc(4);
  const countp = frame_alloc(4);
  let error = open_file(path, false, 0, vpp);
  if (error != 0) return error;
  const vp = changetype<Vnode>(load<usize>(vpp));
  const buf = malloc(CHUNK, M_TEMP, M_WAITOK);
  let offset: u64 = 0;
  let crc: u32 = 0;
  while (offset < limit) {
    const left = limit - offset;
    error = read_file(vp, buf, left < u64(CHUNK) ? u32(left) : CHUNK, offset, countp);
    const count = load<u32>(countp);
    if (error != 0 || count == 0) break;
    crc = crc32(crc, buf, count);
    offset += u64(count);
  }
  free(buf, M_TEMP);
  close_file(vp, false);
  store<u32>(crcp, crc);
  store<u64>(lengthp, offset);
  return error;
}

/** Is the copy at `to` as long as it should be, and equal to that much of `path`? */
function same_contents(path: usize, to: usize, truncated: bool, args: CksumArgs): i32 {
  const vap = changetype<Vattr>(frame_alloc(offsetof<Vattr>()));
  const crcs = frame_alloc(8);
  const lengths = frame_alloc(16);
  let error = lstat_file(path, vap);
  if (error != 0) return error;
  const expected = truncated ? vap.va_size >> 1 : vap.va_size;
  error = checksum(path, expected, crcs, lengths);
  if (error != 0) return error;
  error = checksum(to, WHOLE, crcs + 4, lengths + 8);
  if (error != 0) return error;
  args.bytes += load<u64>(lengths);
  args.total = crc32(args.total, crcs, 4);
  if (load<u64>(lengths) != expected || load<u64>(lengths + 8) != expected) return EIO;
  return load<u32>(crcs) == load<u32>(crcs + 4) ? 0 : EIO;
}

/** Does nothing answer to `path`? */
function is_absent(path: usize): i32 {
  const vap = changetype<Vattr>(frame_alloc(offsetof<Vattr>()));
  const error = lstat_file(path, vap);
  if (error == ENOENT) return 0;
  return error == 0 ? EIO : error;
}

function compare_file(path: usize, to: usize, args: CksumArgs): i32 {
  const change = args.changed != 0 ? change_of(args.files) : 0;
  if (change == CHANGE_REMOVE) return is_absent(to);
  if (change == CHANGE_RENAME) {
    const error = is_absent(to);
    if (error != 0) return error;
    changed_name(to, args.files);
  }
  return same_contents(path, to, change == CHANGE_TRUNCATE, args);
}

function compare_link(path: usize, to: usize): i32 {
  const text = malloc(2 * MAXPATHLEN, M_TEMP, M_WAITOK);
  const other = text + MAXPATHLEN;
  const lengthp = frame_alloc(4);
  let error = do_readlink(path, text, MAXPATHLEN - 1, lengthp, curproc());
  store<u8>(text + load<u32>(lengthp), 0);
  if (error == 0) error = do_readlink(to, other, MAXPATHLEN - 1, lengthp, curproc());
  store<u8>(other + load<u32>(lengthp), 0);
  if (error == 0 && strcmp(text, other) != 0) error = EIO;
  free(text, M_TEMP);
  return error;
}

function compare_one(path: usize, type: u32, arg: usize): i32 {
  const args = changetype<CksumArgs>(arg);
  if (type != DT_REG && type != DT_LNK) return 0;
  const to = malloc(MAXPATHLEN, M_TEMP, M_WAITOK);
  let error = map_path(path, args.from, args.to, to);
  if (error == 0) error = type == DT_REG ? compare_file(path, to, args) : compare_link(path, to);
  if (type == DT_REG) args.files++;
  else args.links++;
  if (error != 0) {
    args.differ++;
    printf(cs("cksum: %s: error %d\n"), to, error);
  }
  free(to, M_TEMP);
  return 0;
}

/** Compares the trees; differences are counted and named. */
export function cksum_main(arg: usize): void {
  const args = changetype<CksumArgs>(arg);
  crc32_init();
  const path = malloc(MAXPATHLEN, M_TEMP, M_WAITOK);
  memcpy(path, args.from, strlen(args.from) + 1);
  args.error = walk_tree(path, args.skip, compare_one.index, arg);
  free(path, M_TEMP);
  if (args.error == 0 && args.differ != 0) args.error = EIO;
  exit_program(args.error);
}
