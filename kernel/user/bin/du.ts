// du(1): space that trees take, in blocks of 512 bytes; -k kilobytes, -s only the operands, -a also files, -c the sum of
// all operands, -x stays on one file system.
import { frame_alloc } from "../../i386/cpufunc";
import { set_progname, usage, warn } from "../lib/errors";
import { SIZEOF_STAT, S_IFDIR, Stat } from "../lib/files";
import { getopt, optind } from "../lib/getopt";
import { printf } from "../lib/stdio";
import { malloc, realloc } from "../lib/stdlib";
import { __lstat13 } from "../lib/syscalls";
import {
  Path, extend_path, free_listing, list_folder, listing_name, new_path, path_text, shorten_path,
} from "../lib/walk";

@unmanaged
class State {
  all: u32;
  summary: u32;
  kilobytes: u32;
  status: i32;
  /** Files with several links that have been counted: device and inode number. */
  seen: usize;
  seen_count: u32;
  /** -c; what it has come to. */
  grand: u32;
  total: u32;
  /** -x; the device of the operand. */
  same_device: u32;
  device: u32;
}
const state = changetype<State>(memory.data(offsetof<State>()));

/** Whether a file with several links comes for the first time. */
function is_new(st: Stat): bool {
  for (let i: u32 = 0; i < state.seen_count; i++) {
    const at = state.seen + 8 * i;
    if (load<u32>(at) == st.st_dev && load<u32>(at, 4) == st.st_ino) return false;
  }
  const size = 8 * (state.seen_count + 1);
  state.seen = state.seen == 0 ? malloc(size) : realloc(state.seen, size);
  store<u32>(state.seen + size - 8, st.st_dev);
  store<u32>(state.seen + size - 4, st.st_ino);
  state.seen_count++;
  return true;
}

function print(blocks: u32, path: usize): void {
  printf(cs("%u\t%s\n"), state.kilobytes != 0 ? (blocks + 1) / 2 : blocks, path);
}

/** Blocks of the tree. */
function count(path: Path, top: bool): u32 {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const text = path_text(path);
  if (__lstat13(text, changetype<usize>(st)) != 0) {
    warn(text);
    state.status = 1;
    return 0;
  }
  if (top) state.device = st.st_dev;
  if (state.same_device != 0 && st.st_dev != state.device) return 0;
  let blocks = st.st_blocks_low;
  if (st.type != S_IFDIR) {
    if (st.st_nlink > 1 && !is_new(st)) return 0;
    if (top || state.all != 0) print(blocks, text);
    return blocks;
  }
  const listing = list_folder(text, true);
  if (changetype<usize>(listing) == 0) {
    warn(text);
    state.status = 1;
    return blocks;
  }
  for (let i: u32 = 0; i < listing.count; i++) {
    const length = extend_path(path, listing_name(listing, i));
    blocks += count(path, false);
    shorten_path(path, length);
  }
  free_listing(listing);
  if (top || state.summary == 0) print(blocks, text);
  return blocks;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("du"));
  for (let letter = getopt(argc, argv, cs("acksx")); letter != -1; letter = getopt(argc, argv, cs("acksx"))) {
    if (letter == 0x61) state.all = 1;
    else if (letter == 0x6b) state.kilobytes = 1;
    else if (letter == 0x73) state.summary = 1;
    else if (letter == 0x63) state.grand = 1;
    else if (letter == 0x78) state.same_device = 1;
    else usage(cs("du [-a | -s] [-ckx] [file ...]"));
  }
  if (optind() >= argc) state.total = count(new_path(cs(".")), true);
  for (let i = optind(); i < argc; i++) state.total += count(new_path(load<usize>(argv + 4 * i)), true);
  if (state.grand != 0) print(state.total, cs("total"));
  return state.status;
}
