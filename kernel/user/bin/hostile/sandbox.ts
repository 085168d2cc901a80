// Where hostile's children live: a root directory of their own with files of every kind, descriptors of every kind, a
// session of their own, and nothing else.
import { frame_alloc } from "../../../i386/cpufunc";
import { strcmp, strlen, strncmp } from "../../../libkern";
import { O_CREAT, O_RDONLY, O_RDWR, SIZEOF_STATFS, S_IFCHR, Statfs } from "../../lib/files";
import { remove_tree } from "../../lib/remove";
import { free, malloc } from "../../lib/stdlib";
import {
  chdir, chmod, chroot, close, dup2, fcntl, getfsstat, mkdir, mknod, open, pipe, setgid, setrlimit, setsid, setuid,
  symlink, umask, unmount, write,
} from "../../lib/syscalls";

const F_SETFL: i32 = 4;
const O_NONBLOCK: u32 = 4;
const RLIMIT_FSIZE: u32 = 1;
const RLIMIT_CORE: u32 = 4;
const MNT_FORCE: u32 = 0x80000;
const MAXFILES: i32 = 128;
/** Bytes up to which the children's files grow. */
const FILE_LIMIT: u32 = 1 << 20;

function make_text(name: usize): void {
  const fd = open(name, O_RDWR | O_CREAT, 0o666);
  if (fd < 0) return;
  for (let i: u32 = 0; i < 500; i++) write(fd, cs("twenty bytes of text"), 20);
  close(fd);
}

/** Makes the directory and what is in it, and goes there. False when that fails. */
export function sandbox_make(folder: usize): bool {
  umask(0);
  if (mkdir(folder, 0o777) != 0 || chdir(folder) != 0) return false;
  make_text(cs("a"));
  make_text(cs("b"));
  close(open(cs("empty"), O_RDWR | O_CREAT, 0o666));
  mkdir(cs("dir"), 0o777);
  mkdir(cs("dir/sub"), 0o777);
  make_text(cs("dir/x"));
  symlink(cs("loop"), cs("loop"));
  symlink(cs("dir/x"), cs("link"));
  mknod(cs("null"), S_IFCHR | 0o666, 0x202);
  mknod(cs("zero"), S_IFCHR | 0o666, 0x20c);
  return chmod(cs("."), 0o777) == 0;
}

/** Unmounts what the children mounted below the folder, and removes it. */
export function sandbox_remove(folder: usize): void {
  const list = malloc(64 * SIZEOF_STATFS);
  chdir(cs("/"));
  for (let n = getfsstat(list, 64 * SIZEOF_STATFS, 2); n > 0; n--) {
    const fs = changetype<Statfs>(list + u32(n - 1) * SIZEOF_STATFS);
    // A path of a mount is as its caller saw it, so inside the sandbox; only the root is not the children's.
    if (strcmp(fs.mntonname, cs("/")) == 0) continue;
    unmount_below(folder, fs.mntonname);
  }
  free(list);
  remove_tree(folder);
}

function unmount_below(folder: usize, name: usize): void {
  const path = malloc(256);
  const n = strlen(folder);
  memory.copy(path, folder, n);
  const slash: u32 = load<u8>(name) == 0x2f ? 0 : 1;
  store<u8>(path + n, 0x2f);
  memory.copy(path + n + slash, name, strlen(name) + 1);
  if (strncmp(name, folder, n) == 0) unmount(name, MNT_FORCE);
  else unmount(path, MNT_FORCE);
  free(path);
}

/** Opens the descriptors 0 to 9: devices, files for both and for one way, a directory, a pipe. */
function open_all(): void {
  const fds = frame_alloc(8);
  for (let fd = 0; fd < MAXFILES; fd++) close(fd);
  open(cs("null"), O_RDWR | O_NONBLOCK, 0);
  open(cs("zero"), O_RDWR | O_NONBLOCK, 0);
  open(cs("null"), O_RDONLY | O_NONBLOCK, 0);
  // Earlier children may have put FIFOs in the place of files.
  open(cs("a"), O_RDWR | O_NONBLOCK, 0);
  open(cs("dir"), O_RDONLY | O_NONBLOCK, 0);
  pipe(fds);
  fcntl(load<i32>(fds), F_SETFL, O_NONBLOCK);
  fcntl(load<i32>(fds, 4), F_SETFL, O_NONBLOCK);
  open(cs("b"), O_RDONLY | O_NONBLOCK, 0);
  open(cs("empty"), 1 | O_NONBLOCK, 0);
  dup2(3, 9);
}

/** The child goes into the sandbox, as user `uid`. False when that fails. */
export function sandbox_enter(uid: u32): bool {
  const limit = frame_alloc(16);
  memory.fill(limit, 0, 16);
  setrlimit(RLIMIT_CORE, limit);
  store<u64>(limit, FILE_LIMIT);
  store<u64>(limit, FILE_LIMIT, 8);
  setrlimit(RLIMIT_FSIZE, limit);
  setsid();
  open_all();
  if (chroot(cs(".")) != 0 || chdir(cs("/")) != 0) return false;
  return uid == 0 || (setgid(uid) == 0 && setuid(uid) == 0);
}
