// mount(8): lists what is mounted; `mount -u [-rw] node` changes a mounted file system; `mount [-t type]
// [-r] special node` mounts one.
import { frame_alloc } from "../../i386/cpufunc";
import { strcmp } from "../../libkern";
import { err, set_progname, usage } from "../lib/errors";
import { SIZEOF_STATFS, Statfs } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { printf } from "../lib/stdio";
import { malloc } from "../lib/stdlib";
import { getfsstat, mount } from "../lib/syscalls";

const MNT_RDONLY: u32 = 0x1;
const MNT_SYNCHRONOUS: u32 = 0x2;
const MNT_ASYNC: u32 = 0x40;
const MNT_LOCAL: u32 = 0x1000;
const MNT_UPDATE: u32 = 0x10000;
const MOST_MOUNTS: u32 = 64;
const MNT_NOWAIT: i32 = 2;

function list_mounts(): i32 {
  const list = malloc(MOST_MOUNTS * SIZEOF_STATFS);
  const count = getfsstat(list, MOST_MOUNTS * SIZEOF_STATFS, MNT_NOWAIT);
  if (count < 0) err(1, cs("getfsstat"));
  for (let i = 0; i < count; i++) {
    const fs = changetype<Statfs>(list + u32(i) * SIZEOF_STATFS);
    printf(cs("%s on %s type %s"), fs.mntfromname, fs.mntonname, fs.typename);
    let before = cs(" (");
    if ((fs.f_flags & MNT_ASYNC) != 0) {
      printf(cs("%sasynchronous"), before);
      before = cs(", ");
    }
    if ((fs.f_flags & MNT_LOCAL) != 0) {
      printf(cs("%slocal"), before);
      before = cs(", ");
    }
    if ((fs.f_flags & MNT_RDONLY) != 0) {
      printf(cs("%sread-only"), before);
      before = cs(", ");
    }
    if ((fs.f_flags & MNT_SYNCHRONOUS) != 0) {
      printf(cs("%ssynchronous"), before);
      before = cs(", ");
    }
    printf(strcmp(before, cs(", ")) == 0 ? cs(")\n") : cs("\n"));
  }
  return 0;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("mount"));
  let flags: u32 = 0;
  let type = cs("ffs");
  for (let letter = getopt(argc, argv, cs("rt:uw")); letter != -1; letter = getopt(argc, argv, cs("rt:uw"))) {
    if (letter == 0x72) flags |= MNT_RDONLY;
    else if (letter == 0x77) flags &= ~MNT_RDONLY;
    else if (letter == 0x75) flags |= MNT_UPDATE;
    else if (letter == 0x74) type = optarg();
    else usage(cs("mount [-ruw] [-t type] [special] node"));
  }
  const left = argc - optind();
  if (left == 0) return list_mounts();
  const update = (flags & MNT_UPDATE) != 0;
  if (update ? left != 1 : left != 2) usage(cs("mount [-ruw] [-t type] [special] node"));
  const node = load<usize>(argv + 4 * (argc - 1));
  // The arguments of ffs and md begin with the special file.
  const args = frame_alloc(32);
  memory.fill(args, 0, 32);
  if (!update) store<usize>(args, load<usize>(argv + 4 * optind()));
  if (mount(type, node, flags, update ? 0 : args) != 0) err(1, node);
  return 0;
}
