// df(1): free space of file systems, in blocks of 512 bytes; -k in kilobytes, -i also inodes, -t type only those of a type.
import { frame_alloc } from "../../i386/cpufunc";
import { strcmp } from "../../libkern";
import { err, set_progname, usage, warn } from "../lib/errors";
import { SIZEOF_STATFS, Statfs } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { printf } from "../lib/stdio";
import { malloc } from "../lib/stdlib";
import { getfsstat, statfs } from "../lib/syscalls";

const MOST_MOUNTS: u32 = 64;
const MNT_NOWAIT: i32 = 2;

@unmanaged
class Options {
  unit: u32;
  inodes: u32;
  /** -t, or 0. */
  type: usize;
}
const options = changetype<Options>(memory.data(offsetof<Options>()));

function percent(used: u32, total: u32): u32 {
  return total == 0 ? 100 : u32((u64(used) * 100 + u64(total) / 2) / u64(total));
}

function in_units(blocks: u32, size: u32): u32 {
  return u32(u64(blocks) * u64(size) / u64(options.unit));
}

function print(fs: Statfs): void {
  if (options.type != 0 && strcmp(fs.typename, options.type) != 0) return;
  const used = fs.f_blocks - fs.f_bfree;
  const available = fs.f_bavail < 0 ? 0 : u32(fs.f_bavail);
  printf(cs("%-12s %9u %9u %9u"), fs.mntfromname, in_units(fs.f_blocks, fs.f_bsize), in_units(used, fs.f_bsize),
    in_units(available, fs.f_bsize));
  printf(cs("   %4u%%"), percent(used, used + available));
  if (options.inodes != 0) {
    const taken = fs.f_files - fs.f_ffree;
    printf(cs(" %7u %7u   %3u%% "), taken, fs.f_ffree, percent(taken, fs.f_files));
  }
  printf(cs("    %s\n"), fs.mntonname);
}

function print_title(): void {
  const unit = options.unit == 512 ? cs("512-blocks") : cs(" 1K-blocks");
  printf(cs("%-12s %s      Used     Avail Capacity"), cs("Filesystem"), unit);
  if (options.inodes != 0) printf(cs("   iused   ifree  %%iused"));
  printf(cs("  Mounted on\n"));
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("df"));
  options.unit = 512;
  for (let letter = getopt(argc, argv, cs("aiklnt:")); letter != -1; letter = getopt(argc, argv, cs("aiklnt:"))) {
    if (letter == 0x6b) options.unit = 1024;
    else if (letter == 0x69) options.inodes = 1;
    else if (letter == 0x74) options.type = optarg();
    // All file systems are local, none is hidden, and their counts are at hand.
    else if (letter == 0x3f) usage(cs("df [-aikln] [-t type] [file | file_system ...]"));
  }
  let status = 0;
  if (optind() >= argc) {
    const list = malloc(MOST_MOUNTS * SIZEOF_STATFS);
    const count = getfsstat(list, MOST_MOUNTS * SIZEOF_STATFS, MNT_NOWAIT);
    if (count < 0) err(1, cs("getfsstat"));
    print_title();
    for (let i = 0; i < count; i++) print(changetype<Statfs>(list + u32(i) * SIZEOF_STATFS));
    return 0;
  }
  print_title();
  const fs = changetype<Statfs>(frame_alloc(SIZEOF_STATFS));
  for (let i = optind(); i < argc; i++) {
    if (statfs(load<usize>(argv + 4 * i), changetype<usize>(fs)) == 0) print(fs);
    else {
      warn(load<usize>(argv + 4 * i));
      status = 1;
    }
  }
  return status;
}
