// Cases of usertests: modes, owners, flags and times of files, and what they permit.
import { frame_alloc } from "../../../i386/cpufunc";
import { O_APPEND, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from "../../lib/files";
import {
  __fstat13, __lstat13, __stat13, chflags, chmod, chown, close, fchflags, fchmod, fchown, futimes, geteuid, getuid,
  issetugid, link, mkdir, open, read, rename, setegid, seteuid, setgid, setuid, truncate, umask, unlink, utimes, write,
} from "../../lib/syscalls";
import { EACCES, EBADF, EFAULT, EINVAL, ENOENT, EPERM } from "../../../sys/errno";
import { become, fails, group, in_child, make_file, make_pipe, put_file, scratch, stat_of, test } from "./harness";

const KERNEL: usize = 0xc0100000;
const UF_NODUMP: u32 = 1;
const UF_IMMUTABLE: u32 = 2;
const UF_APPEND: u32 = 4;
const SF_IMMUTABLE: u32 = 0x20000;
const SF_APPEND: u32 = 0x40000;
/** -1: an owner or a group stays. */
const KEEP: u32 = 0xffffffff;

function mode_of(path: usize): u32 {
  return stat_of(path).st_mode & 0o7777;
}

function change_mode(): void {
  const fd = make_file(cs("f"), cs("x"));
  assert(chmod(cs("f"), 0o4751) == 0 && mode_of(cs("f")) == 0o4751);
  assert(fchmod(fd, 0o17600) == 0 && mode_of(cs("f")) == 0o7600);
  assert(fails(chmod(cs("none"), 0), ENOENT) && fails(chmod(KERNEL, 0), EFAULT) && fails(fchmod(55, 0), EBADF));
  const fds = frame_alloc(8);
  make_pipe(fds);
  assert(fails(fchmod(load<i32>(fds), 0), EINVAL));
  become(1000);
  assert(fails(chmod(cs("f"), 0), EPERM) && fails(fchmod(fd, 0), EPERM));
}

function change_owner(): void {
  const fd = make_file(cs("f"), cs("x"));
  assert(chown(cs("f"), 12, 34) == 0 && stat_of(cs("f")).st_uid == 12 && stat_of(cs("f")).st_gid == 34);
  assert(chown(cs("f"), KEEP, 5) == 0 && stat_of(cs("f")).st_uid == 12 && stat_of(cs("f")).st_gid == 5);
  assert(fchown(fd, 1000, KEEP) == 0 && stat_of(cs("f")).st_uid == 1000 && stat_of(cs("f")).st_gid == 5);
  assert(fails(chown(cs("none"), 0, 0), ENOENT) && fails(chown(0, 0, 0), EFAULT) && fails(fchown(99, 0, 0), EBADF));
  become(1000);
  // The owner may not give the file away.
  assert(fails(chown(cs("f"), 1001, KEEP), EPERM) && fails(fchown(fd, 0, 0), EPERM) && chown(cs("f"), 1000, KEEP) == 0);
  assert(chmod(cs("f"), 0o700) == 0 && mode_of(cs("f")) == 0o700);
}

/** Owner, group and others each have their bits, and nobody gets another's. */
function permission_classes(): void {
  put_file(cs("f"), cs("x"));
  assert(chown(cs("f"), 1000, 2000) == 0 && chmod(cs("f"), 0o640) == 0);
  assert(setegid(3000) == 0);
  become(1000);
  const fd = open(cs("f"), O_RDWR, 0);
  assert(fd >= 0 && close(fd) == 0);
  become(1001);
  assert(fails(open(cs("f"), O_RDONLY, 0), EACCES));
  become(0);
  assert(setegid(2000) == 0);
  become(1001);
  const reader = open(cs("f"), O_RDONLY, 0);
  assert(reader >= 0 && close(reader) == 0 && fails(open(cs("f"), O_WRONLY, 0), EACCES));
  become(0);
  // The owner's bits count for the owner even if the group has more.
  assert(chmod(cs("f"), 0o077) == 0);
  become(1000);
  assert(fails(open(cs("f"), O_RDONLY, 0), EACCES));
}

function search_permission(): void {
  assert(mkdir(cs("d"), 0o755) == 0);
  put_file(cs("d/f"), cs("x"));
  assert(chmod(cs("d"), 0o744) == 0);
  become(1000);
  const dir = open(cs("d"), O_RDONLY, 0);
  assert(dir >= 0 && fails(open(cs("d/f"), O_RDONLY, 0), EACCES));
  become(0);
  assert(chmod(cs("d"), 0o711) == 0);
  become(1000);
  assert(fails(open(cs("d"), O_RDONLY, 0), EACCES));
  const fd = open(cs("d/f"), O_RDONLY, 0);
  assert(fd >= 0);
  become(0);
  // What is open stays so.
  assert(chmod(cs("d"), 0) == 0 && chmod(cs("d/f"), 0) == 0);
  become(1000);
  assert(read(fd, scratch(), 1) == 1);
}

function users(): void {
  assert(getuid() == 0 && geteuid() == 0);
  assert(seteuid(1000) == 0 && getuid() == 0 && geteuid() == 1000);
  assert(fails(seteuid(1001), EPERM) && fails(setuid(1001), EPERM) && fails(setegid(7), EPERM));
  assert(seteuid(0) == 0 && geteuid() == 0);
  in_child(drop_user.index);
}

function drop_user(): void {
  assert(setgid(100) == 0 && setuid(1000) == 0 && getuid() == 1000 && geteuid() == 1000);
  assert(fails(setuid(0), EPERM) && fails(seteuid(0), EPERM) && fails(setgid(0), EPERM));
  assert(setuid(1000) == 0 && issetugid() == 1);
}

function flags_of_files(): void {
  const fd = make_file(cs("f"), cs("x"));
  assert(chflags(cs("f"), UF_NODUMP) == 0 && stat_of(cs("f")).st_flags == UF_NODUMP);
  assert(fchflags(fd, 0) == 0 && stat_of(cs("f")).st_flags == 0);
  assert(fails(chflags(cs("none"), 0), ENOENT) && fails(chflags(0, 0), EFAULT) && fails(fchflags(66, 0), EBADF));
  become(1000);
  assert(fails(chflags(cs("f"), UF_NODUMP), EPERM));
  become(0);
  assert(chown(cs("f"), 1000, KEEP) == 0);
  become(1000);
  assert(chflags(cs("f"), UF_NODUMP) == 0 && fails(chflags(cs("f"), SF_IMMUTABLE), EPERM));
}

function immutable_file(): void {
  put_file(cs("f"), cs("x"));
  assert(chflags(cs("f"), UF_IMMUTABLE) == 0);
  assert(fails(open(cs("f"), O_RDWR, 0), EPERM) && fails(open(cs("f"), O_WRONLY | O_TRUNC, 0), EPERM));
  assert(fails(truncate(cs("f"), 0, 0), EPERM) && fails(unlink(cs("f")), EPERM) && fails(chmod(cs("f"), 0), EPERM));
  assert(fails(rename(cs("f"), cs("g")), EPERM) && fails(link(cs("f"), cs("g")), EPERM));
  assert(fails(chown(cs("f"), 1, 1), EPERM) && fails(utimes(cs("f"), 0), EPERM));
  const fd = open(cs("f"), O_RDONLY, 0);
  assert(fd >= 0 && read(fd, scratch(), 1) == 1 && chflags(cs("f"), 0) == 0 && unlink(cs("f")) == 0);
}

function append_only_file(): void {
  put_file(cs("f"), cs("x"));
  assert(chflags(cs("f"), UF_APPEND) == 0);
  assert(fails(open(cs("f"), O_WRONLY, 0), EPERM) && fails(truncate(cs("f"), 0, 0), EPERM));
  const fd = open(cs("f"), O_WRONLY | O_APPEND, 0);
  assert(fd >= 0 && write(fd, cs("y"), 1) == 1 && stat_of(cs("f")).st_size_low == 2);
  assert(fails(unlink(cs("f")), EPERM) && fails(rename(cs("f"), cs("g")), EPERM));
  assert(chflags(cs("f"), SF_APPEND) == 0 && fails(unlink(cs("f")), EPERM) && chflags(cs("f"), 0) == 0);
}

function immutable_folder(): void {
  assert(mkdir(cs("d"), 0o755) == 0);
  put_file(cs("d/f"), cs("x"));
  put_file(cs("g"), cs("x"));
  assert(chflags(cs("d"), UF_IMMUTABLE) == 0);
  assert(fails(unlink(cs("d/f")), EPERM) && fails(rename(cs("g"), cs("d/g")), EPERM));
  assert(fails(mkdir(cs("d/e"), 0o755), EPERM) && fails(rename(cs("d/f"), cs("h")), EPERM));
  const fd = open(cs("d/f"), O_RDWR, 0);
  assert(fd >= 0 && chflags(cs("d"), 0) == 0 && unlink(cs("d/f")) == 0);
}

function times_of_files(): void {
  const tv = frame_alloc(16);
  const fd = make_file(cs("f"), cs("x"));
  store<u32>(tv, 1000000);
  store<u32>(tv, 500000, 4);
  store<u32>(tv, 2000000, 8);
  store<u32>(tv, 250000, 12);
  assert(utimes(cs("f"), tv) == 0);
  assert(stat_of(cs("f")).st_atime == 1000000 && stat_of(cs("f")).st_mtime == 2000000);
  assert(stat_of(cs("f")).st_atimensec == 500000000 && stat_of(cs("f")).st_mtimensec == 250000000);
  assert(stat_of(cs("f")).st_ctime > 900000000);
  store<u32>(tv, 3000000);
  assert(futimes(fd, tv) == 0 && stat_of(cs("f")).st_atime == 3000000);
  assert(utimes(cs("f"), 0) == 0 && stat_of(cs("f")).st_mtime > 900000000);
  assert(fails(utimes(cs("none"), tv), ENOENT) && fails(utimes(cs("f"), KERNEL), EFAULT));
  assert(fails(futimes(91, tv), EBADF));
  become(1000);
  assert(fails(utimes(cs("f"), tv), EPERM));
}

function times_change(): void {
  const tv = frame_alloc(16);
  const fd = make_file(cs("f"), cs("x"));
  memory.fill(tv, 0, 16);
  store<u32>(tv, 1000);
  store<u32>(tv, 1000, 8);
  assert(utimes(cs("f"), tv) == 0 && write(fd, cs("y"), 1) == 1);
  assert(stat_of(cs("f")).st_mtime > 1000 && stat_of(cs("f")).st_atime == 1000);
  const reader = open(cs("f"), O_RDONLY, 0);
  assert(read(reader, scratch(), 1) == 1 && stat_of(cs("f")).st_atime > 1000);
  assert(mkdir(cs("d"), 0o755) == 0 && utimes(cs("d"), tv) == 0);
  put_file(cs("d/f"), cs(""));
  assert(stat_of(cs("d")).st_mtime > 1000);
}

function stat_errors(): void {
  const st = scratch();
  assert(fails(__stat13(cs("none"), st), ENOENT) && fails(__stat13(cs("."), KERNEL), EFAULT));
  assert(fails(__lstat13(0, st), EFAULT) && fails(__fstat13(120, st), EBADF) && fails(__fstat13(0, 0), EFAULT));
  const fds = frame_alloc(8);
  make_pipe(fds);
  assert(__fstat13(load<i32>(fds), st) == 0 && (load<u32>(st, 8) & 0xf000) == 0x1000);
}

function masks(): void {
  assert(umask(0o77) == 0o22 && umask(0) == 0o77 && umask(0o177777) == 0 && umask(0o22) == 0o777);
}

function group_of_new_file(): void {
  assert(mkdir(cs("d"), 0o755) == 0 && chown(cs("d"), KEEP, 77) == 0);
  put_file(cs("d/f"), cs("x"));
  assert(stat_of(cs("d/f")).st_gid == 77 && stat_of(cs("d/f")).st_uid == 0);
}

/** Adds the cases of this file. */
export function attribute_cases(): void {
  group(cs("attributes"));
  test(cs("chmod"), change_mode.index);
  test(cs("chown"), change_owner.index);
  test(cs("owner, group and others"), permission_classes.index);
  test(cs("permission to search"), search_permission.index);
  test(cs("setuid and seteuid"), users.index);
  test(cs("chflags"), flags_of_files.index);
  test(cs("immutable file"), immutable_file.index);
  test(cs("append-only file"), append_only_file.index);
  test(cs("immutable directory"), immutable_folder.index);
  test(cs("utimes"), times_of_files.index);
  test(cs("times that change by themselves"), times_change.index);
  test(cs("stat errors"), stat_errors.index);
  test(cs("umask"), masks.index);
  test(cs("group of a new file"), group_of_new_file.index);
}
