// newfs(8): makes a file system on a disk.
//
// The file system is built by the code of memory file systems (fs/mfs/mkfs.ts) in zeroed memory of its size, of which
// only the pages that are written exist. Then what a file system consists of goes to the disk, in each group: the copy
// of the super block, the maps, the inodes, which are zero; in the first group also the summary and the root directory.
import { frame_alloc } from "../../i386/cpufunc";
import { strchr, strcmp, strncmp } from "../../libkern";
import { DIOCGDINFO, Disklabel, FS_BSDFFS, SIZEOF_DISKLABEL } from "../../sys/disklabel";
import { Mkfsargs, mkfs } from "../../../fs/mfs/mkfs";
import { FS_OPTSPACE, FS_OPTTIME, Fs, SBOFF, SBSIZE, cgdmin, cgimin, cgsblock, cgtod } from "../../../fs/ffs/fs";
import { DIRBLKSIZ } from "../../../fs/ufs/dir";
import { DINODE_SIZE, Dinode, ROOTINO } from "../../../fs/ufs/dinode";
import { err, errx, last_error, set_progname, strerror, warnx } from "../lib/errors";
import { O_RDONLY, O_RDWR, SIZEOF_STATFS, S_IFBLK, S_IFCHR, SIZEOF_STAT, Stat, Statfs } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { eprintf, exit, flush, printf, snprintf } from "../lib/stdio";
import { malloc, parse_size, strrchr, zalloc } from "../lib/stdlib";
import { __fstat13, getfsstat, getgid, getuid, ioctl, mmap, open, pwrite } from "../lib/syscalls";
import { now } from "../lib/time";

const SECTOR: u32 = 512;
const ROOT_MODE: u32 = 0o755;
const MINFREE: u32 = 5;
/** Below this much free space newfs prefers to save space. */
const MINFREE_FOR_TIME: u32 = 5;
const PROT_RW: u32 = 3;
const MAP_ANON_PRIVATE: u32 = 0x1002;
const MNT_NOWAIT: i32 = 2;
const MOST_MOUNTS: u32 = 64;
/** Inodes are zeroed by so many bytes at a time. */
const CHUNK: u32 = 65536;
const PATH_SIZE: u32 = 128;
const COLUMNS: i32 = 8;

@unmanaged
class Target {
  fd: i32;
  /** -N: nothing is written. */
  dry: u32;
  special: usize;
  /** The image in memory. */
  base: usize;
  zeros: usize;
  /** -o, or -1. */
  optimization: i32;
}
const target = changetype<Target>(memory.data(offsetof<Target>()));
const mkfs_arguments = changetype<Mkfsargs>(memory.data(offsetof<Mkfsargs>()));

function usage_lines(): void {
  eprintf(cs(
    "usage: newfs [ -fsoptions ] special-device\n" +
    "where fsoptions are:\n" +
    "\t-N do not create file system, just print out parameters\n" +
    "\t-b block size\n" +
    "\t-f frag size\n" +
    "\t-i number of bytes per inode\n" +
    "\t-m minimum free space %%\n" +
    "\t-o optimization preference (`space' or `time')\n" +
    "\t-s file system size (sectors)\n",
  ));
  exit(1);
}

/** Opens `name`, `/dev/rname` or `/dev/name`. */
function open_special(name: usize): void {
  const path = malloc(PATH_SIZE);
  const flags = target.dry != 0 ? O_RDONLY : O_RDWR;
  target.special = name;
  if (strchr(name, 0x2f) == 0) {
    target.special = path;
    snprintf(path, PATH_SIZE, cs("/dev/r%s"), name);
    target.fd = open(path, flags, 0);
    if (target.fd >= 0) return;
    snprintf(path, PATH_SIZE, cs("/dev/%s"), name);
  }
  target.fd = open(target.special, flags, 0);
  if (target.fd < 0) err(1, target.special);
}

/** The name of a disk without `/dev/` and, of a raw one, without its r. */
function disk_name(path: usize): usize {
  const slash = strrchr(path, 0x2f);
  const name = slash == 0 ? path : slash + 1;
  return load<u8>(name) == 0x72 ? name + 1 : name;
}

/** A file system in use is not overwritten. */
function refuse_mounted(): void {
  const list = malloc(MOST_MOUNTS * SIZEOF_STATFS);
  const count = getfsstat(list, MOST_MOUNTS * SIZEOF_STATFS, MNT_NOWAIT);
  for (let i = 0; i < count; i++) {
    const fs = changetype<Statfs>(list + u32(i) * SIZEOF_STATFS);
    if (strcmp(disk_name(fs.mntfromname), disk_name(target.special)) == 0) {
      errx(1, cs("%s is mounted on %s"), target.special, fs.mntonname);
    }
  }
}

/** Sectors of the partition, from the disk's label. */
function partition_size(): u32 {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const label = changetype<Disklabel>(zalloc(SIZEOF_DISKLABEL));
  if (__fstat13(target.fd, changetype<usize>(st)) != 0) err(1, target.special);
  if (st.type != S_IFCHR && st.type != S_IFBLK) errx(1, cs("%s: not a special device"), target.special);
  if (st.type == S_IFBLK) warnx(cs("%s: not a character-special device"), target.special);
  if (ioctl(target.fd, DIOCGDINFO, changetype<usize>(label)) != 0) {
    errx(1, cs("%s: can't read disk label: %s"), target.special, strerror(last_error()));
  }
  const index = st.st_rdev & 7;
  const letter = 0x61 + index;
  if (index >= label.d_npartitions || label.partition(index).p_size == 0) {
    errx(1, cs("%s: `%c' partition is unavailable"), target.special, letter);
  }
  if (label.partition(index).p_fstype != FS_BSDFFS) {
    errx(1, cs("%s: `%c' partition type is not `4.2BSD'"), target.special, letter);
  }
  return label.partition(index).p_size;
}

function super_block(): Fs {
  return changetype<Fs>(target.base + SBOFF);
}

/** Writes `size` bytes at `from` to the fragment's place on the disk. */
function write_at(fragment: i32, from: usize, size: u32): void {
  const offset = i64(fragment) * i64(super_block().fs_fsize);
  if (target.dry != 0) return;
  const done = pwrite(target.fd, from, size, 0, offset);
  if (done == i32(size)) return;
  const sector = u32(offset >> 9);
  if (done < 0) errx(1, cs("%s: write error at sector %u: %s"), target.special, sector, strerror(last_error()));
  errx(1, cs("%s: write error at sector %u: end of the disk"), target.special, sector);
}

/** Writes a part of the image, in whole sectors. */
function write_image(fragment: i32, size: u32): void {
  const from = target.base + usize(fragment) * usize(super_block().fs_fsize);
  write_at(fragment, from, (size + SECTOR - 1) & ~(SECTOR - 1));
}

/** Zeroes fragments from `first` to before `end`. */
function write_zeros(first: i32, end: i32): void {
  const most = i32(CHUNK) / super_block().fs_fsize;
  while (first < end) {
    const count = end - first < most ? end - first : most;
    write_at(first, target.zeros, u32(count * super_block().fs_fsize));
    first += count;
  }
}

/** The first group's inodes, the summary and the root directory. */
function write_root(fs: Fs): void {
  const inodes = cgimin(fs, 0);
  write_image(inodes, u32(fs.fs_bsize));
  write_zeros(inodes + fs.fs_frag, cgdmin(fs, 0));
  write_image(fs.fs_csaddr, u32(fs.fs_cssize));
  const root = changetype<Dinode>(target.base + usize(inodes) * usize(fs.fs_fsize) + ROOTINO * DINODE_SIZE);
  write_image(root.di_db(0), DIRBLKSIZ);
}

/** Writes the groups; the first super block comes last, so that nothing half done looks like a file system. */
function write_groups(fs: Fs): void {
  for (let c = 0; c < fs.fs_ncg; c++) {
    if (c % COLUMNS == 0) printf(cs("\n"));
    printf(cs(" %d,"), cgsblock(fs, c) << fs.fs_fsbtodb);
    flush();
    write_image(cgsblock(fs, c), SBSIZE);
    write_image(cgtod(fs, c), u32(fs.fs_bsize));
    if (c == 0) write_root(fs);
    else write_zeros(cgimin(fs, c), cgdmin(fs, c));
  }
  write_image(i32(SBOFF) / fs.fs_fsize, SBSIZE);
  printf(cs("\n"));
}

/** ` 12.3` of a number of bytes in megabytes, with `digits` (1 or 2) behind the point. */
function print_megabytes(bytes: u64, digits: u32): void {
  const unit: u32 = digits == 1 ? 10 : 100;
  const value = u32((bytes * u64(unit) + 524288) >> 20);
  printf(digits == 1 ? cs("%u.%u") : cs("%u.%02u"), value / unit, value % unit);
}

function print_parameters(fs: Fs): void {
  const sectors = u32(fs.fs_size) << fs.fs_fsbtodb;
  const rest = sectors % u32(fs.fs_spc);
  if (rest != 0) printf(cs("Warning: %d sector(s) in last cylinder unallocated\n"), u32(fs.fs_spc) - rest);
  printf(
    cs("%s:\t%d sectors in %d cylinders of %d tracks, %d sectors\n\t"), target.special, sectors, fs.fs_ncyl, fs.fs_ntrak,
    fs.fs_nsect,
  );
  print_megabytes(u64(fs.fs_size) * u64(fs.fs_fsize), 1);
  printf(cs("MB in %d cyl groups (%d c/g, "), fs.fs_ncg, fs.fs_cpg);
  print_megabytes(u64(fs.fs_fpg) * u64(fs.fs_fsize), 2);
  printf(cs("MB/g, %d i/g)\n"), fs.fs_ipg);
  printf(cs("super-block backups (for fsck -b #) at:"));
}

/** The preference of -o, else the one that goes with the free space. */
function set_optimization(fs: Fs): void {
  if (target.optimization >= 0) fs.fs_optim = target.optimization;
  else fs.fs_optim = u32(fs.fs_minfree) < MINFREE_FOR_TIME ? FS_OPTSPACE : FS_OPTTIME;
}

function parse_optimization(text: usize): i32 {
  if (strcmp(text, cs("space")) == 0) return FS_OPTSPACE;
  if (strcmp(text, cs("time")) != 0) errx(1, cs("%s: unknown optimization preference: use `space' or `time'"), text);
  return FS_OPTTIME;
}

function parse_options(argc: i32, argv: usize): void {
  const args = mkfs_arguments;
  const letters = cs("Nb:f:i:m:o:s:");
  for (let letter = getopt(argc, argv, letters); letter != -1; letter = getopt(argc, argv, letters)) {
    if (letter == 0x4e) target.dry = 1;
    else if (letter == 0x62) args.bsize = u32(parse_size(optarg()));
    else if (letter == 0x66) args.fsize = u32(parse_size(optarg()));
    else if (letter == 0x69) args.density = u32(parse_size(optarg()));
    else if (letter == 0x6d) args.minfree = u32(parse_size(optarg()));
    else if (letter == 0x6f) target.optimization = parse_optimization(optarg());
    else if (letter == 0x73) args.sectors = u32(parse_size(optarg()));
    else usage_lines();
  }
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const args = mkfs_arguments;
  set_progname(cs("newfs"));
  target.optimization = -1;
  args.bsize = 8192;
  args.fsize = 1024;
  args.minfree = MINFREE;
  args.mode = ROOT_MODE;
  args.uid = getuid();
  args.gid = getgid();
  args.time = now();
  parse_options(argc, argv);
  if (argc - optind() != 1) usage_lines();
  open_special(load<usize>(argv + 4 * optind()));
  if (target.dry == 0) refuse_mounted();
  const room = partition_size();
  if (args.sectors == 0) args.sectors = room;
  if (args.sectors > room) {
    errx(1, cs("%s: maximum file system size on the partition is %u sectors"), target.special, room);
  }
  target.base = mmap(0, args.sectors * SECTOR, PROT_RW, MAP_ANON_PRIVATE, -1, 0, 0);
  if (target.base == -1) err(1, cs("memory for the file system"));
  args.base = target.base;
  target.zeros = zalloc(CHUNK);
  if (mkfs(args) != 0) return 1;
  const fs = super_block();
  set_optimization(fs);
  for (let c = 0; c < fs.fs_ncg; c++) {
    changetype<Fs>(target.base + usize(cgsblock(fs, c)) * usize(fs.fs_fsize)).fs_optim = fs.fs_optim;
  }
  print_parameters(fs);
  write_groups(fs);
  return 0;
}
