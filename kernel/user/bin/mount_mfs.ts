// mount_mfs(8): makes a file system in memory and mounts it.
//
// `mount_mfs [-s size] [-b bsize] [-f fsize] [-i density] [-o option,...] special node`; a size is in sectors of 512
// bytes, or in bytes with a suffix k, m or g. Options: those of mount(8), a way of I/O (fs/mfs/mfs_names.ts),
// window=N, and repair=NAME:NAME for a way that needs repairs. `special` is `swap`, for its name only.
//
// A child builds the file system in its own memory and calls mount(2). With a served way that call lasts until the
// unmount, so the parent returns as soon as the mount has the child's name; with the others the child ends at once.
// If mount(2) fails, the child's status is the error number, and the parent says it.
import { frame_alloc } from "../../i386/cpufunc";
import { strcmp, strcpy, strlen, strncmp } from "../../libkern";
import { MKFS_MIN_SECTORS, Mkfsargs, mkfs } from "../../../fs/mfs/mkfs";
import {
  MFS_MAX_WINDOWS, MFS_NREPAIRS, MFS_NWAYS, MFS_WINDOW, mfs_repair_name, mfs_repairs_named, mfs_way_name, mfs_way_named,
  mfs_way_repairs, mfs_way_served,
} from "../../../fs/mfs/mfs_names";
import { MfsArgs } from "../../../fs/mfs/mfsnode";
import { err, errx, last_error, progname, set_progname, strerror, usage, warnx } from "../lib/errors";
import { SIZEOF_STATFS, Statfs } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { MNT_UPDATE, mount_option, next_option } from "../lib/mntopts";
import { exited, shell_status } from "../lib/process";
import { eprintf, exit, flush, snprintf } from "../lib/stdio";
import { is_number, malloc, parse_long, parse_size } from "../lib/stdlib";
import {
  __getcwd, chdir, close, fork, getgid, getuid, mmap, mount, nanosleep, setsid, statfs, wait4,
} from "../lib/syscalls";
import { now } from "../lib/time";

const MINFREE: u32 = 5;
const ROOT_MODE: u32 = 0o1777;
const SECTOR: u32 = 512;
const PROT_RW: u32 = 3;
const MAP_ANON_PRIVATE: u32 = 0x1002;
const WNOHANG: i32 = 1;
const POLL_NANOSECONDS: u32 = 10000000;
/** Descriptors that the shell may have left open. */
const DESCRIPTORS: i32 = 64;
/** Status of a child that has said itself what is wrong. */
const TOLD: i32 = 255;
/** What mmap(2) gives in one piece. */
const MOST_BYTES: i64 = 0x7fffffff;
const PATH_SIZE: u32 = 1024;

const mkfs_arguments = changetype<Mkfsargs>(memory.data(40));
const mount_arguments = changetype<MfsArgs>(memory.data(24));

/** What mount(2) is to be given besides. */
@unmanaged
class MountFlags {
  flags: u32;
  /** The word of -o that asked for repairs, or 0. */
  repair: usize;
}
const mount_flags = changetype<MountFlags>(memory.data(8));

/** Ends the program: what -o may be. */
function no_such_option(word: usize): void {
  eprintf(cs("%s: -o %s: neither an option of mount nor a way (there are"), progname(), word);
  for (let way: u32 = 0; way < MFS_NWAYS; way++) eprintf(cs(" %s"), mfs_way_name(way));
  eprintf(cs(")\n"));
  exit(1);
}

/** Ends the program: what a repair may be. */
function no_such_repair(word: usize): void {
  eprintf(cs("%s: -o %s: no such repair (there are"), progname(), word);
  for (let n: u32 = 0; n < MFS_NREPAIRS; n++) eprintf(cs(" %s"), mfs_repair_name(n));
  eprintf(cs(")\n"));
  exit(1);
}

/** One word of -o. */
function option(word: usize): void {
  const args = mount_arguments;
  if (strncmp(word, cs("window="), 7) == 0) {
    const count = is_number(word + 7) ? parse_long(word + 7, 0) : 0;
    if (count < 1 || count > i64(MFS_MAX_WINDOWS)) errx(1, cs("-o %s: from 1 to %u windows"), word, MFS_MAX_WINDOWS);
    args.way = MFS_WINDOW;
    args.window = u32(count);
  } else if (strncmp(word, cs("repair="), 7) == 0) {
    const repairs = mfs_repairs_named(word + 7);
    if (repairs < 0) no_such_repair(word);
    mount_flags.repair = word;
    args.repair = u32(repairs);
  } else if (!mount_option(word, changetype<usize>(mount_flags))) {
    const way = mfs_way_named(word, strlen(word));
    if (way < 0) no_such_option(word);
    args.way = u32(way);
  }
}

/** The list of -o. */
function options(text: usize): void {
  const textp = frame_alloc(4);
  store<usize>(textp, text);
  for (let word = next_option(textp); word != 0; word = next_option(textp)) option(word);
}

/** Ends the program when the options do not fit together. */
function check_options(): void {
  const args = mount_arguments;
  const name = mfs_way_name(args.way);
  if ((mount_flags.flags & MNT_UPDATE) != 0) errx(1, cs("-o update: a mounted file system is changed by mount -u"));
  if (args.window != 0 && args.way != MFS_WINDOW) errx(1, cs("-o window=%u: the way %s has no windows"), args.window, name);
  if ((args.repair & ~mfs_way_repairs(args.way)) == 0) return;
  errx(1, cs("-o %s: the way %s has nothing to repair"), mount_flags.repair, name);
}

/** `node` from the root, since the process of the file system leaves its folder. */
function absolute(node: usize): usize {
  if (load<u8>(node) == 0x2f) return node;
  const path = malloc(PATH_SIZE + strlen(node) + 1);
  if (__getcwd(path, PATH_SIZE) < 0) err(1, cs("."));
  const length = strlen(path);
  store<u8>(path + length, 0x2f);
  strcpy(path + length + 1, node);
  return path;
}

/** Whether the text ends in a unit of bytes. */
function has_unit(text: usize): bool {
  while (load<u8>(text) >= 0x30 && load<u8>(text) <= 0x39) text++;
  return load<u8>(text) != 0;
}

/** Bytes of the number after -letter, in sectors when it has no unit; ends the program when it is silly. */
function size_of(text: usize, plain: u32): u32 {
  const bytes = parse_size(text) * (has_unit(text) ? 1 : i64(plain));
  if (bytes > MOST_BYTES) errx(1, cs("%s: less than 2 GB, please"), text);
  return u32(bytes);
}

/** Builds the file system in memory of this process; ends the process when there is none or the sizes do not fit. */
function build(): void {
  const size = mkfs_arguments.sectors * SECTOR;
  const base = mmap(0, size, PROT_RW, MAP_ANON_PRIVATE, -1, 0, 0);
  if (base == -1) err(TOLD, cs("memory for the file system"));
  mkfs_arguments.base = base;
  // mkfs says what is wrong.
  if (mkfs(mkfs_arguments) != 0) exit(TOLD);
  mount_arguments.base = base;
  mount_arguments.size = size;
}

/** The child: builds, leaves everything of its parent behind, mounts, and lives as long as mount(2) does. */
function serve(special: usize, node: usize): void {
  build();
  flush();
  mount_arguments.fspec = mfs_way_served(mount_arguments.way) ? 0 : special;
  setsid();
  for (let fd = 0; fd < DESCRIPTORS; fd++) close(fd);
  chdir(cs("/"));
  exit(mount(cs("mfs"), node, mount_flags.flags, changetype<usize>(mount_arguments)) == 0 ? 0 : last_error());
}

/** Whether the file system at `node` is the one of this child. */
function is_mounted(node: usize, pid: i32): bool {
  const fs = changetype<Statfs>(frame_alloc(SIZEOF_STATFS));
  const name = frame_alloc(20);
  snprintf(name, 20, cs("mfs:%d"), pid);
  return statfs(node, changetype<usize>(fs)) == 0 && strcmp(fs.mntfromname, name) == 0;
}

/** The exit status for a child that has ended, after a line if it has not mounted. */
function ended(node: usize, status: i32): i32 {
  const code = shell_status(status);
  if (code == 0 || code == TOLD) return code == 0 ? 0 : 1;
  if (exited(status)) warnx(cs("%s: %s"), node, strerror(code));
  else warnx(cs("%s: the process of the file system died of signal %d"), node, status & 0x7f);
  return 1;
}

/** The parent: the exit status, when the mount is there or cannot be. */
function wait_for_mount(node: usize, pid: i32): i32 {
  const status = frame_alloc(4);
  const pause = frame_alloc(8);
  const served = mfs_way_served(mount_arguments.way);
  store<u32>(pause, 0);
  store<u32>(pause, POLL_NANOSECONDS, 4);
  while (true) {
    if (wait4(pid, status, served ? WNOHANG : 0, 0) == pid) return ended(node, load<i32>(status));
    if (served && is_mounted(node, pid)) return 0;
    nanosleep(pause, 0);
  }
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const how = cs("mount_mfs [-s size] [-b bsize] [-f fsize] [-i density] [-o options] special node");
  const args = mkfs_arguments;
  set_progname(cs("mount_mfs"));
  let size_text = cs("8m");
  args.bsize = 8192;
  args.fsize = 1024;
  args.minfree = MINFREE;
  args.mode = ROOT_MODE;
  args.uid = getuid();
  args.gid = getgid();
  args.time = now();
  for (let letter = getopt(argc, argv, cs("b:f:i:o:s:")); letter != -1; letter = getopt(argc, argv, cs("b:f:i:o:s:"))) {
    if (letter == 0x62) args.bsize = size_of(optarg(), 1);
    else if (letter == 0x66) args.fsize = size_of(optarg(), 1);
    else if (letter == 0x69) args.density = size_of(optarg(), 1);
    else if (letter == 0x6f) options(optarg());
    else if (letter == 0x73) size_text = optarg();
    else usage(how);
  }
  if (argc - optind() != 2) usage(how);
  check_options();
  args.sectors = size_of(size_text, SECTOR) / SECTOR;
  if (args.sectors < MKFS_MIN_SECTORS) {
    errx(1, cs("-s %s: a file system has at least %u sectors (64 KB)"), size_text, MKFS_MIN_SECTORS);
  }
  const special = load<usize>(argv + 4 * optind());
  const node = absolute(load<usize>(argv + 4 * (optind() + 1)));
  flush();
  const pid = fork();
  if (pid < 0) err(1, cs("fork"));
  if (pid == 0) serve(special, node);
  return wait_for_mount(node, pid);
}
