// Cases of usertests: sysctl, mounts, devices, and calls that there are not.
import { bss, frame_alloc } from "../../../i386/cpufunc";
import { strcmp } from "../../../libkern";
import {
  EBADF, EBUSY, EEXIST, EFAULT, EINVAL, EIO, ENOENT, ENOMEM, ENOTBLK, ENOTDIR, ENXIO, EOPNOTSUPP, EPERM, EROFS,
} from "../../../sys/errno";
import { last_error } from "../../lib/errors";
import { O_CREAT, O_RDONLY, O_RDWR, S_IFBLK, S_IFCHR } from "../../lib/files";
import {
  __fstat13, __sysctl, _exit, chdir, chflags, chmod, chroot, close, execve, fchdir, fchmod, fchown, fstatfs, fsync,
  ftruncate, futimes, getdents, getpid, getppid, ioctl, link, lseek, mkdir, mknod, mmap, mount, open, poll, pread,
  pwrite, read, reboot, rename, revoke, rmdir, select, setegid, setgroups, statfs, syscall, unlink, unmount, utimes, write,
} from "../../lib/syscalls";
import {
  PAGE, all_bytes, become, child, death, fails, file_is, finish, group, make_file, make_pipe, put_file, same, scratch,
  start, stat_of, test,
} from "./harness";

const KERNEL: usize = 0xc0100000;
const SIGSYS: i32 = 12;
const MNT_RDONLY: u32 = 1;
const MNT_UPDATE: u32 = 0x10000;
const MNT_FORCE: u32 = 0x80000;
const POLLIN: u32 = 1;
const POLLOUT: u32 = 4;
const FIONREAD: u32 = 0x4004667f;

/** sysctl of a name of two or three numbers; -1 with errno. */
function ask(first: u32, second: u32, old: usize, room: u32): i32 {
  const name = frame_alloc(8);
  const length = lengthp();
  store<u32>(name, first);
  store<u32>(name, second, 4);
  store<u32>(length, room);
  return __sysctl(name, 2, old, length, 0, 0);
}

function lengthp(): usize {
  return bss(16, 4);
}

function values(): void {
  const b = scratch();
  assert(ask(6, 7, b, 4) == 0 && load<u32>(b) == PAGE && load<u32>(lengthp()) == 4);
  assert(ask(1, 1, b, 100) == 0 && strcmp(b, cs("ptmap")) == 0 && load<u32>(lengthp()) == 6);
  // Only the length is asked for.
  assert(ask(1, 1, 0, 0) == 0 && load<u32>(lengthp()) == 6);
  assert(fails(ask(1, 1, b, 3), ENOMEM) && load<u32>(lengthp()) >= 3);
  assert(ask(2, 3, b, PAGE) == 0 && load<u32>(b) == PAGE && load<u32>(lengthp()) > 300);
}

function sysctl_errors(): void {
  const b = scratch();
  const name = frame_alloc(8);
  assert(fails(ask(77, 1, b, 4), EOPNOTSUPP) && fails(ask(6, 77, b, 4), EOPNOTSUPP));
  assert(fails(ask(6, 7, KERNEL, 4), EFAULT));
  store<u32>(name, 6);
  store<u32>(name, 7, 4);
  assert(fails(__sysctl(KERNEL, 2, b, 0, 0, 0), EFAULT) && fails(__sysctl(name, 2, b, KERNEL, 0, 0), EFAULT));
  assert(__sysctl(name, 1, b, 0, 0, 0) == -1 && __sysctl(name, 100, b, 0, 0, 0) == -1);
  assert(__sysctl(name, 0, b, 0, 0, 0) == -1);
  // hw.pagesize is not to be written.
  assert(fails(__sysctl(name, 2, 0, 0, b, 4), EPERM));
}

function host_name(): void {
  const b = scratch();
  const name = frame_alloc(8);
  store<u32>(name, 1);
  store<u32>(name, 10, 4);
  assert(ask(1, 10, b, 256) == 0);
  const length = load<u32>(lengthp());
  assert(__sysctl(name, 2, 0, 0, cs("tests.example"), 13) == 0 && ask(1, 10, b + 256, 256) == 0);
  assert(strcmp(b + 256, cs("tests.example")) == 0 && __sysctl(name, 2, 0, 0, b, length - 1) == 0);
  assert(__sysctl(name, 2, 0, 0, KERNEL, 5) == -1 && __sysctl(name, 2, 0, 0, b, 100000) == -1);
  become(1000);
  assert(fails(__sysctl(name, 2, 0, 0, cs("mine"), 4), EPERM));
}

/** kern.proc.all, by both lengths of its name, has this process in it. */
function processes(): void {
  const b = bss(65536, 4);
  const name = frame_alloc(12);
  store<u32>(name, 1);
  store<u32>(name, 14, 4);
  store<u32>(name, 0, 8);
  store<u32>(lengthp(), 65536);
  assert(__sysctl(name, 3, b, lengthp(), 0, 0) == 0);
  const size = load<u32>(lengthp());
  assert(size >= 5 * 128 && size % 128 == 0);
  let found = false;
  for (let at: u32 = 0; at < size; at += 128) {
    if (load<i32>(b + at) == getpid()) found = load<i32>(b + at, 4) == getppid();
  }
  assert(found);
}

function device_nodes(): void {
  assert(mknod(cs("null"), S_IFCHR | 0o666, 0x202) == 0 && stat_of(cs("null")).st_rdev == 0x202);
  assert((stat_of(cs("null")).st_mode & 0xf000) == S_IFCHR && fails(mknod(cs("null"), S_IFCHR, 0), EEXIST));
  const fd = open(cs("null"), O_RDWR, 0);
  assert(fd >= 0 && write(fd, cs("x"), 1) == 1 && read(fd, scratch(), 1) == 0 && close(fd) == 0);
  assert(mknod(cs("blk"), S_IFBLK | 0o600, 0x6363) == 0 && fails(open(cs("blk"), O_RDONLY, 0), ENXIO));
  assert(mknod(cs("chr"), S_IFCHR | 0o600, 0xfe00) == 0 && fails(open(cs("chr"), O_RDONLY, 0), ENXIO));
  assert(fails(mknod(cs("reg"), 0x8000, 0), EINVAL) && fails(mknod(KERNEL, S_IFCHR, 0), EFAULT));
  become(1000);
  assert(fails(mknod(cs("mine"), S_IFCHR | 0o666, 0x202), EPERM));
}

function null_device(): void {
  const fd = open(cs("/dev/null"), O_RDWR, 0);
  assert(write(fd, KERNEL, 100) == 100 && read(fd, KERNEL, 100) == 0 && lseek(fd, 0, 10, 0) == 10);
}

function zero_device(): void {
  const fd = open(cs("/dev/zero"), O_RDWR, 0);
  memory.fill(scratch(), 0xff, 3 * PAGE);
  assert(read(fd, scratch() + 1, 2 * PAGE) == i32(2 * PAGE) && all_bytes(scratch() + 1, 2 * PAGE, 0));
  assert(load<u8>(scratch()) == 0xff && load<u8>(scratch() + 2 * PAGE + 1) == 0xff && write(fd, scratch(), 50) == 50);
  assert(fails(read(fd, KERNEL, 1), EFAULT) && fails(read(fd, 0, 100000), EFAULT));
}

function memory_devices(): void {
  const mem = open(cs("/dev/mem"), O_RDONLY, 0);
  const kmem = open(cs("/dev/kmem"), O_RDONLY, 0);
  const b = scratch();
  // The kernel's Multiboot header, by its physical and by its virtual address.
  assert(pread(mem, b, 4, 0, 0x100000) == 4 && load<u32>(b) == 0x1badb002);
  assert(pread(kmem, b, 2 * PAGE, 0, 0xc0100000) == i32(2 * PAGE) && load<u32>(b) == 0x1badb002);
  assert(fails(pread(kmem, b, 4, 0, 0xff000000), EFAULT) && fails(pread(kmem, b, 4, 0, 0x1000), EFAULT));
  assert(fails(pread(kmem, b, 4, 0, 0x100000000), EFAULT) && fails(pread(mem, b, 4, 0, 0xf0000000), EFAULT));
  assert(fails(pread(kmem, KERNEL, 4, 0, 0xc0100000), EFAULT));
  assert(fails(pread(kmem, b, 4, 0, 0xfffffffe), EFAULT));
  assert(setegid(1000) == 0 && setgroups(0, 0) == 0);
  become(1000);
  assert(open(cs("/dev/mem"), O_RDONLY, 0) == -1 && open(cs("/dev/kmem"), O_RDONLY, 0) == -1);
}

function disk_devices(): void {
  const b = scratch();
  const fd = open(cs("/dev/md0d"), O_RDONLY, 0);
  assert(fd >= 0 && pread(fd, b, 8192, 0, 8192) == 8192 && load<u32>(b, 1372) == 0x00011954);
  // A block device takes any offset and length.
  assert(pread(fd, b, 3, 0, 8192 + 1373) == 3 && load<u8>(b) == 0x19);
  assert(mknod(cs("raw"), S_IFCHR | 0o600, 0x2f03) == 0);
  const raw = open(cs("raw"), O_RDONLY, 0);
  assert(raw >= 0 && pread(raw, b, 512, 0, 9216) == 512 && load<u32>(b, 348) == 0x00011954);
  assert(fails(pread(raw, b, 100, 0, 0), EINVAL) && fails(pread(raw, b, 512, 0, 100), EINVAL));
  assert(pread(raw, b, 512, 0, 0x7ffffe00) == 0 && fails(pread(raw, KERNEL, 512, 0, 0), EFAULT));
}

function mount_errors(): void {
  const args = frame_alloc(32);
  memory.fill(args, 0, 32);
  assert(mkdir(cs("d"), 0o755) == 0);
  put_file(cs("f"), cs("x"));
  assert(mount(cs("nonsense"), cs("d"), 0, args) == -1 && fails(mount(cs("ffs"), cs("none"), 0, args), ENOENT));
  assert(fails(mount(KERNEL, cs("d"), 0, args), EFAULT) && fails(mount(cs("ffs"), KERNEL, 0, args), EFAULT));
  assert(fails(mount(cs("ffs"), cs("f"), 0, args), ENOTDIR) && fails(mount(cs("ffs"), cs("d"), 0, KERNEL), EFAULT));
  store<usize>(args, cs("/none"));
  assert(fails(mount(cs("ffs"), cs("d"), 0, args), ENOENT));
  store<usize>(args, cs("/etc/rc"));
  assert(fails(mount(cs("ffs"), cs("d"), 0, args), ENOTBLK));
  // The device's path may lead through the directory that is to be covered.
  store<usize>(args, cs("d/../f"));
  assert(fails(mount(cs("ffs"), cs("d"), 0, args), ENOTBLK));
  store<usize>(args, cs("d"));
  assert(fails(mount(cs("ffs"), cs("d"), 0, args), ENOTBLK));
  store<usize>(args, cs("/dev/md0a"));
  assert(fails(mount(cs("ffs"), cs("d"), 0, args), EBUSY));
  assert(fails(mount(cs("ffs"), cs("d"), MNT_UPDATE, args), EINVAL));
  assert(fails(unmount(cs("d"), 0), EINVAL) && fails(unmount(cs("none"), 0), ENOENT));
  assert(fails(unmount(KERNEL, 0), EFAULT));
  assert(fails(unmount(cs("/"), 0), EINVAL) || last_error() == EBUSY);
  become(1000);
  assert(fails(mount(cs("ffs"), cs("d"), 0, args), EPERM) && fails(unmount(cs("d"), 0), EPERM));
}

/** Runs a command line with the shell; whether it succeeded. */
function shell(text: usize): bool {
  store<usize>(lengthp(), text);
  return child(shell_body.index) == 0;
}

function shell_body(): void {
  const argv = frame_alloc(16);
  const envp = frame_alloc(8);
  store<usize>(envp, cs("PATH=/bin:/sbin"));
  store<usize>(envp, 0, 4);
  store<usize>(argv, cs("sh"));
  store<usize>(argv, cs("-c"), 4);
  store<usize>(argv, load<usize>(lengthp()), 8);
  store<usize>(argv, 0, 12);
  execve(cs("/bin/sh"), argv, envp);
  _exit(98);
}

function mounted(): void {
  assert(mkdir(cs("m"), 0o755) == 0 && shell(cs("mount_mfs -s 512k -o aobj swap m")));
  const fs = scratch();
  assert(statfs(cs("m"), fs) == 0 && same(fs + 60, cs("mfs"), 4));
  put_file(cs("m/f"), cs("inside"));
  put_file(cs("outside"), cs("x"));
  const crosses: i32 = 18;
  assert(fails(rename(cs("m/f"), cs("g")), crosses) && fails(link(cs("outside"), cs("m/g")), crosses));
  assert(fails(rmdir(cs("m")), EBUSY) && fails(rename(cs("m"), cs("n")), EBUSY) || last_error() == crosses);
  const ino = stat_of(cs(".")).st_ino;
  assert(stat_of(cs("m/..")).st_ino == ino && stat_of(cs("m")).st_ino == 2);
  const fd = open(cs("m/f"), O_RDONLY, 0);
  assert(fails(unmount(cs("m"), 0), EBUSY) && read(fd, fs, 6) == 6 && same(fs, cs("inside"), 6) && close(fd) == 0);
  assert(chdir(cs("m")) == 0 && fails(unmount(cs("../m"), 0), EBUSY) && chdir(cs("..")) == 0);
  assert(unmount(cs("m"), 0) == 0 && fails(open(cs("m/f"), O_RDONLY, 0), ENOENT) && rmdir(cs("m")) == 0);
}

function forced_unmount(): void {
  assert(mkdir(cs("m"), 0o755) == 0 && shell(cs("mount_mfs -s 512k -o aobj swap m")));
  const fd = make_file(cs("m/f"), cs("inside"));
  assert(unmount(cs("m"), MNT_FORCE) == 0);
  // The file is dead: what is asked of it is an error or nothing.
  assert(write(fd, cs("x"), 1) == -1 && read(fd, scratch(), 1) <= 0 && close(fd) <= 0);
  assert(rmdir(cs("m")) == 0);
}

/** Waits in a directory, as its root, until the parent has taken the file system away. */
function live_on_dead_root(): void {
  if (chdir(cs("m")) != 0 || chroot(cs(".")) != 0) _exit(1);
  write(load<i32>(lengthp(), 4), cs("x"), 1);
  if (read(load<i32>(lengthp(), 8), scratch(), 1) != 1) _exit(2);
  if (!fails(chdir(cs("..")), ENOTDIR) || !fails(chdir(cs("/")), ENOTDIR)) _exit(3);
  if (!fails(open(cs("."), O_RDONLY, 0), ENOTDIR) || !fails(chmod(cs("/"), 0), ENOTDIR)) _exit(4);
  if (statfs(cs("/"), scratch()) != -1 || statfs(cs(".."), scratch()) != -1 || unlink(cs("..")) != -1) _exit(5);
}

function dead_root(): void {
  const fds = frame_alloc(16);
  assert(mkdir(cs("m"), 0o755) == 0 && shell(cs("mount_mfs -s 512k -o aobj swap m")));
  make_pipe(fds);
  make_pipe(fds + 8);
  store<i32>(lengthp(), load<i32>(fds, 4), 4);
  store<i32>(lengthp(), load<i32>(fds, 8), 8);
  const pid = start(live_on_dead_root.index);
  assert(read(load<i32>(fds), scratch(), 1) == 1 && unmount(cs("m"), MNT_FORCE) == 0);
  assert(write(load<i32>(fds, 12), cs("x"), 1) == 1 && finish(pid) == 0);
}

/** What can be asked of descriptors whose file system was unmounted by force, and of a current folder there. */
function dead_files(): void {
  const b = scratch();
  assert(mkdir(cs("m"), 0o755) == 0 && shell(cs("mount_mfs -s 512k -o aobj swap m")));
  const file = make_file(cs("m/f"), cs("inside"));
  const folder = open(cs("m"), O_RDONLY, 0);
  assert(folder >= 0 && chdir(cs("m")) == 0 && unmount(cs("../m"), MNT_FORCE) == 0);
  for (let fd = file; fd <= folder; fd++) {
    store<i32>(b, fd);
    store<u32>(b, POLLIN | POLLOUT, 4);
    const ready = poll(b, 1, 0);
    assert(ready == 0 || ready == 1);
    assert(lseek(fd, 0, 0, 0) <= 0 && lseek(fd, 0, 0, 2) <= 0);
    assert(fails(__fstat13(fd, b), EBADF) && fails(ftruncate(fd, 0, 0), EINVAL) || last_error() == EBADF);
    assert(getdents(fd, b, 512) == -1 && ioctl(fd, FIONREAD, b) == -1 && fchdir(fd) == -1 && fchmod(fd, 0o600) == -1);
    assert(mmap(0, PAGE, 1, 1, fd, 0, 0) == -1 && fstatfs(fd, b) <= 0 && fsync(fd) <= 0);
    assert(pread(fd, b, 1, 0, 0) <= 0 && pwrite(fd, b, 1, 0, 0) == -1);
  }
  assert(open(cs("f"), O_RDONLY, 0) == -1 && open(cs("new"), O_RDWR | O_CREAT, 0o644) == -1);
  assert(open(cs("."), O_RDONLY, 0) == -1);
  assert(mkdir(cs("d"), 0o755) == -1 && rmdir(cs(".")) == -1 && unlink(cs("f")) == -1);
  assert(link(cs("/etc/rc"), cs("rc")) == -1);
  assert(rename(cs("f"), cs("g")) == -1 && rename(cs("/etc/rc"), cs("rc")) == -1 && chdir(cs("..")) == -1);
  assert(mknod(cs("n"), S_IFCHR | 0o600, 0x202) == -1 && utimes(cs("."), 0) == -1 && statfs(cs("."), b) == -1);
  assert(close(file) <= 0 && close(folder) <= 0 && chdir(cs("/")) == 0);
}

function read_only(): void {
  const update = frame_alloc(32);
  memory.fill(update, 0, 32);
  assert(mkdir(cs("m"), 0o755) == 0 && shell(cs("mount_mfs -s 512k -o aobj swap m")));
  put_file(cs("m/f"), cs("x"));
  assert(mkdir(cs("m/d"), 0o755) == 0 && mount(cs("mfs"), cs("m"), MNT_UPDATE | MNT_RDONLY, update) == 0);
  assert(fails(open(cs("m/f"), O_RDWR, 0), EROFS) && fails(open(cs("m/new"), O_RDWR | O_CREAT, 0o644), EROFS));
  assert(fails(unlink(cs("m/f")), EROFS) && fails(mkdir(cs("m/e"), 0o755), EROFS) && fails(rmdir(cs("m/d")), EROFS));
  assert(fails(rename(cs("m/f"), cs("m/g")), EROFS) && fails(link(cs("m/f"), cs("m/g")), EROFS));
  assert(fails(chflags(cs("m/f"), 0), EROFS) && fails(utimes(cs("m/f"), 0), EROFS) && file_is(cs("m/f"), cs("x")));
  assert(unmount(cs("m"), 0) == 0);
}

function revoked_device(): void {
  assert(mknod(cs("zero"), S_IFCHR | 0o666, 0x20c) == 0);
  const fd = open(cs("zero"), O_RDWR, 0);
  assert(fd >= 0 && read(fd, scratch(), 10) == 10 && revoke(cs("zero")) == 0);
  const n = read(fd, scratch(), 10);
  assert(n == 0 || fails(n, EIO));
  // The vnode is dead, and has no file system. To select it is ready.
  const set = frame_alloc(8);
  store<u32>(set, 1 << fd);
  store<u32>(set, 1 << fd, 4);
  assert(select(fd + 1, set, set + 4, 0, 0) == 2);
  assert(fchmod(fd, 0o600) == -1 && fchown(fd, 1, 1) == -1 && futimes(fd, 0) == -1 && fstatfs(fd, scratch()) == -1);
  assert(close(fd) <= 0 && fails(revoke(cs("none")), ENOENT) && fails(revoke(KERNEL), EFAULT));
  put_file(cs("f"), cs("x"));
  assert(fails(revoke(cs("f")), EINVAL));
  const again = open(cs("zero"), O_RDWR, 0);
  assert(again >= 0 && read(again, scratch(), 10) == 10);
  become(1000);
  assert(fails(revoke(cs("zero")), EPERM));
}

function missing(): void {
  syscall(11, 0, 0, 0, 0, 0, 0, 0, 0);
}

function indirect_calls(): void {
  assert(syscall(20, 0, 0, 0, 0, 0, 0, 0, 0) == getpid());
  assert(death(child(missing.index)) == SIGSYS);
}

function no_reboot(): void {
  become(1000);
  assert(fails(reboot(0, 0), EPERM));
}

/** Adds the cases of this file. */
export function system_cases(): void {
  group(cs("system"));
  test(cs("sysctl"), values.index);
  test(cs("sysctl errors"), sysctl_errors.index);
  test(cs("kern.hostname"), host_name.index);
  test(cs("kern.proc"), processes.index);
  test(cs("mknod"), device_nodes.index);
  test(cs("/dev/null"), null_device.index);
  test(cs("/dev/zero"), zero_device.index);
  test(cs("/dev/mem and /dev/kmem"), memory_devices.index);
  test(cs("disks as devices"), disk_devices.index);
  test(cs("mount errors"), mount_errors.index);
  test(cs("mounted file system"), mounted.index);
  test(cs("forced unmount"), forced_unmount.index);
  test(cs("dead root directory"), dead_root.index);
  test(cs("everything on a dead file system"), dead_files.index);
  test(cs("read-only file system"), read_only.index);
  test(cs("revoke"), revoked_device.index);
  test(cs("syscall"), indirect_calls.index);
  test(cs("reboot is root's"), no_reboot.index);
}
