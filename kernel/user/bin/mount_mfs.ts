// mount_mfs(8): makes a file system in memory and mounts it.
//
// `mount_mfs [-s size] [-b bsize] [-f fsize] [-i density] [-o option,...] special node`; a size is in sectors of 512
// bytes, or in bytes with a suffix k, m or g. Options: a way of I/O of fs/mfs (process, uvm_io, aobj, window,
// window=N, direct …), repair=NAME:NAME for one that needs repairs. `special` is `swap`, for its name only.
//
// A child builds the file system in its own memory and calls mount(2). With the ways `process` and `uvm_io` that
// call lasts until the unmount, so the parent returns as soon as the mount has the child's name; with the others the
// child ends at once and its status tells how it went.
import { frame_alloc } from "../../i386/cpufunc";
import { strcmp, strncmp } from "../../libkern";
import { Mkfsargs, mkfs } from "../../../fs/mfs/mkfs";
import { MfsArgs } from "../../../fs/mfs/mfsnode";
import { err, errx, set_progname, strerror, usage, warnx } from "../lib/errors";
import { SIZEOF_STATFS, Statfs } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { exited, shell_status } from "../lib/process";
import { exit, flush, snprintf } from "../lib/stdio";
import { atoi, parse_size } from "../lib/stdlib";
import { fork, getgid, getuid, mmap, mount, nanosleep, setsid, statfs, wait4 } from "../lib/syscalls";
import { now } from "../lib/time";

const MINFREE: u32 = 5;
const ROOT_MODE: u32 = 0o1777;
const SECTOR: u32 = 512;
const DEFAULT_SECTORS: u32 = 16384;
const SMALLEST: u32 = 65536;
const MNT_ASYNC: u32 = 0x40;
const PROT_RW: u32 = 3;
const MAP_ANON_PRIVATE: u32 = 0x1002;
const WNOHANG: i32 = 1;
const POLL_NANOSECONDS: u32 = 10000000;

const mkfs_arguments = changetype<Mkfsargs>(memory.data(40));
const mount_arguments = changetype<MfsArgs>(memory.data(24));

/** One word of -o. */
function option(word: usize): void {
  if (strncmp(word, cs("window="), 7) == 0) {
    mount_arguments.way = cs("window");
    mount_arguments.window = u32(atoi(word + 7));
  } else if (strncmp(word, cs("repair="), 7) == 0) {
    for (let at = word; load<u8>(at) != 0; at++) if (load<u8>(at) == 0x3a) store<u8>(at, 0x2c);
    mount_arguments.repair = word + 7;
  } else mount_arguments.way = word;
}

function options(text: usize): void {
  while (true) {
    let end = text;
    while (load<u8>(end) != 0 && load<u8>(end) != 0x2c) end++;
    const last = load<u8>(end) == 0;
    store<u8>(end, 0);
    if (end != text) option(text);
    if (last) return;
    text = end + 1;
  }
}

/** Whether the text ends in a unit of bytes. */
function has_unit(text: usize): bool {
  while (load<u8>(text) >= 0x30 && load<u8>(text) <= 0x39) text++;
  return load<u8>(text) != 0;
}

function is_served(): bool {
  const way = mount_arguments.way;
  return way != 0 && (strcmp(way, cs("process")) == 0 || strcmp(way, cs("uvm_io")) == 0);
}

/** The child: builds, mounts, and lives as long as mount(2) does. */
function serve(special: usize, node: usize): void {
  const size = mkfs_arguments.sectors * SECTOR;
  const base = mmap(0, size, PROT_RW, MAP_ANON_PRIVATE, -1, 0, 0);
  if (base == -1) err(1, cs("memory for the file system"));
  mkfs_arguments.base = base;
  const error = mkfs(mkfs_arguments);
  if (error != 0) errx(1, cs("cannot make the file system: %s"), strerror(error));
  mount_arguments.fspec = is_served() ? 0 : special;
  mount_arguments.base = base;
  mount_arguments.size = size;
  if (mount_arguments.repair == 0) mount_arguments.repair = cs("");
  if (is_served()) setsid();
  flush();
  if (mount(cs("mfs"), node, MNT_ASYNC, changetype<usize>(mount_arguments)) != 0) err(1, node);
  exit(0);
}

/** Whether the file system at `node` is the one of this child. */
function is_mounted(node: usize, pid: i32): bool {
  const fs = changetype<Statfs>(frame_alloc(SIZEOF_STATFS));
  const name = frame_alloc(20);
  snprintf(name, 20, cs("mfs:%d"), pid);
  return statfs(node, changetype<usize>(fs)) == 0 && strcmp(fs.mntfromname, name) == 0;
}

/** The parent: returns 0 when the mount is there, or the child's status. */
function wait_for_mount(node: usize, pid: i32): i32 {
  const status = frame_alloc(4);
  const pause = frame_alloc(8);
  store<u32>(pause, 0);
  store<u32>(pause, POLL_NANOSECONDS, 4);
  while (true) {
    const done = wait4(pid, status, is_served() ? WNOHANG : 0, 0);
    if (done == pid) {
      if (!exited(load<i32>(status))) warnx(cs("%s: the process of the file system died"), node);
      return shell_status(load<i32>(status));
    }
    if (is_served() && is_mounted(node, pid)) return 0;
    nanosleep(pause, 0);
  }
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const how = cs("mount_mfs [-s size] [-b bsize] [-f fsize] [-i density] [-o way] special node");
  const args = mkfs_arguments;
  set_progname(cs("mount_mfs"));
  args.sectors = DEFAULT_SECTORS;
  args.bsize = 8192;
  args.fsize = 1024;
  args.minfree = MINFREE;
  args.mode = ROOT_MODE;
  args.uid = getuid();
  args.gid = getgid();
  args.time = now();
  for (let letter = getopt(argc, argv, cs("b:f:i:o:s:")); letter != -1; letter = getopt(argc, argv, cs("b:f:i:o:s:"))) {
    if (letter == 0x62) args.bsize = u32(parse_size(optarg()));
    else if (letter == 0x66) args.fsize = u32(parse_size(optarg()));
    else if (letter == 0x69) args.density = u32(parse_size(optarg()));
    else if (letter == 0x6f) options(optarg());
    else if (letter == 0x73) args.sectors = u32(parse_size(optarg())) / (has_unit(optarg()) ? SECTOR : 1);
    else usage(how);
  }
  if (argc - optind() != 2) usage(how);
  if (args.sectors < SMALLEST / SECTOR) {
    errx(1, cs("-s %u: a file system has at least 128 sectors (64 KB)"), args.sectors);
  }
  const special = load<usize>(argv + 4 * optind());
  const node = load<usize>(argv + 4 * (optind() + 1));
  flush();
  const pid = fork();
  if (pid < 0) err(1, cs("fork"));
  if (pid == 0) serve(special, node);
  return wait_for_mount(node, pid);
}
