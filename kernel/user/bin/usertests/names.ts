// Cases of usertests: names, links, directories, renaming, the current and the root directory.
import { frame_alloc } from "../../../i386/cpufunc";
import { strcmp, strlen } from "../../../libkern";
import { O_CREAT, O_RDONLY, O_WRONLY, S_IFLNK, Dirent } from "../../lib/files";
import { snprintf } from "../../lib/stdio";
import {
  __getcwd, __lstat13, __stat13, _exit, access, chdir, chmod, chroot, close, fchdir, getdents, link, lseek, mkdir,
  open, readlink, rename, rmdir, symlink, unlink,
} from "../../lib/syscalls";
import {
  EACCES, EBADF, EEXIST, EFAULT, EINVAL, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, ERANGE,
} from "../../../sys/errno";
import {
  PAGE, become, fails, file_is, group, in_child, lstat_of, make_file, make_pipe, put_file, same, scratch, stat_of,
  test,
} from "./harness";

const KERNEL: usize = 0xc0100000;

function hard_links(): void {
  put_file(cs("f"), cs("text"));
  assert(link(cs("f"), cs("g")) == 0);
  assert(stat_of(cs("f")).st_nlink == 2);
  const ino = stat_of(cs("f")).st_ino;
  assert(stat_of(cs("g")).st_ino == ino);
  assert(unlink(cs("f")) == 0 && file_is(cs("g"), cs("text")) && stat_of(cs("g")).st_nlink == 1);
  assert(fails(link(cs("g"), cs("g")), EEXIST) && fails(link(cs("none"), cs("h")), ENOENT));
  assert(fails(link(cs("."), cs("h")), EPERM) && fails(link(cs("g"), cs("none/h")), ENOENT));
  assert(fails(link(cs("g"), KERNEL), EFAULT) && fails(link(0, cs("h")), EFAULT));
  assert(fails(link(cs("g/x"), cs("h")), ENOTDIR));
  become(1000);
  assert(fails(link(cs("g"), cs("h")), EACCES));
}

function soft_links(): void {
  const b = scratch();
  put_file(cs("f"), cs("text"));
  assert(symlink(cs("f"), cs("s")) == 0);
  assert(readlink(cs("s"), b, 100) == 1 && load<u8>(b) == 0x66 && load<u8>(b + 1) == 0);
  assert((lstat_of(cs("s")).st_mode & 0xf000) == S_IFLNK && lstat_of(cs("s")).st_size_low == 1);
  assert(stat_of(cs("s")).st_size_low == 4 && file_is(cs("s"), cs("text")));
  assert(fails(readlink(cs("f"), b, 100), EINVAL) && fails(readlink(cs("none"), b, 100), ENOENT));
  assert(fails(readlink(cs("s"), KERNEL, 100), EFAULT) && fails(symlink(cs("x"), cs("s")), EEXIST));
  assert(fails(symlink(KERNEL, cs("t")), EFAULT) && fails(symlink(cs("x"), 0), EFAULT));
  assert(unlink(cs("s")) == 0 && file_is(cs("f"), cs("text")));
}

function long_soft_link(): void {
  // A text that does not fit into the inode, and reading only a part.
  const text = scratch();
  const b = scratch() + PAGE;
  memory.fill(text, 0x78, 1000);
  assert(symlink(text, cs("s")) == 0);
  assert(readlink(cs("s"), b, PAGE) == 1000 && same(b, text, 1000) && load<u8>(b + 1000) == 0);
  memory.fill(b, 0, 1000);
  assert(readlink(cs("s"), b, 3) == 3 && load<u32>(b) == 0x787878);
  assert(fails(open(cs("s"), O_RDONLY, 0), ENAMETOOLONG));
}

function link_loops(): void {
  const st = scratch();
  assert(symlink(cs("b"), cs("a")) == 0 && symlink(cs("a"), cs("b")) == 0);
  assert(fails(open(cs("a"), O_RDONLY, 0), ELOOP) && fails(__stat13(cs("b"), st), ELOOP));
  assert(fails(open(cs("a"), O_WRONLY | O_CREAT, 0o644), ELOOP) && fails(chdir(cs("a")), ELOOP));
  assert(fails(__stat13(cs("a/x"), st), ELOOP) && __lstat13(cs("a"), st) == 0);
  assert(symlink(cs("self/x"), cs("self")) == 0 && fails(chdir(cs("self")), ELOOP));
  assert(unlink(cs("a")) == 0 && fails(open(cs("b"), O_RDONLY, 0), ENOENT));
}

function link_chain(): void {
  // 32 links are followed, a 33rd is too many.
  const from = frame_alloc(8);
  const to = frame_alloc(8);
  put_file(cs("l0"), cs("end"));
  for (let i: u32 = 1; i <= 33; i++) {
    snprintf(from, 8, cs("l%u"), i);
    snprintf(to, 8, cs("l%u"), i - 1);
    assert(symlink(to, from) == 0);
  }
  assert(file_is(cs("l32"), cs("end")));
  assert(fails(open(cs("l33"), O_RDONLY, 0), ELOOP));
}

function links_in_paths(): void {
  assert(mkdir(cs("d"), 0o755) == 0 && mkdir(cs("d/e"), 0o755) == 0);
  put_file(cs("d/e/f"), cs("deep"));
  put_file(cs("top"), cs("top"));
  assert(symlink(cs("d/e"), cs("s")) == 0 && symlink(cs("../.."), cs("d/e/up")) == 0);
  assert(file_is(cs("s/f"), cs("deep")) && file_is(cs("s/up/top"), cs("top")) && file_is(cs("s/../e/f"), cs("deep")));
  assert(file_is(cs("s//up/./s/up/top"), cs("top")));
  // What is asked of a link with a slash behind it is asked of the folder.
  assert(unlink(cs("s/f")) == 0 && fails(unlink(cs("d")), EPERM));
}

function unlink_errors(): void {
  put_file(cs("f"), cs("x"));
  assert(mkdir(cs("d"), 0o755) == 0);
  assert(fails(unlink(cs("none")), ENOENT) && fails(unlink(cs("d")), EPERM) && fails(unlink(cs("f/x")), ENOTDIR));
  assert(fails(unlink(0), EFAULT) && fails(unlink(cs("")), ENOENT) && fails(unlink(cs(".")), EPERM));
  assert(fails(unlink(cs("f/")), ENOTDIR));
  become(1000);
  assert(fails(unlink(cs("f")), EACCES));
  become(0);
  assert(unlink(cs("f")) == 0 && fails(unlink(cs("f")), ENOENT));
}

function folders(): void {
  assert(mkdir(cs("d"), 0o777) == 0);
  assert(stat_of(cs("d")).st_mode == 0x4000 + 0o755 && stat_of(cs("d")).st_nlink == 2);
  assert(mkdir(cs("d/e"), 0o700) == 0 && stat_of(cs("d")).st_nlink == 3);
  assert(stat_of(cs("d/e")).st_nlink == 2 && (stat_of(cs("d/e")).st_mode & 0o777) == 0o700);
  const ino = stat_of(cs("d")).st_ino;
  assert(stat_of(cs("d/.")).st_ino == ino && stat_of(cs("d/e/..")).st_ino == ino);
  assert(fails(mkdir(cs("d"), 0o755), EEXIST) && fails(mkdir(cs("x/y"), 0o755), ENOENT));
  assert(mkdir(cs("slash/"), 0o755) == 0 && fails(mkdir(KERNEL, 0o755), EFAULT));
  assert(fails(rmdir(cs("d")), ENOTEMPTY) && rmdir(cs("d/e")) == 0 && stat_of(cs("d")).st_nlink == 2);
  assert(rmdir(cs("d")) == 0 && fails(rmdir(cs("d")), ENOENT));
}

function rmdir_errors(): void {
  put_file(cs("f"), cs("x"));
  assert(mkdir(cs("d"), 0o755) == 0 && mkdir(cs("d/e"), 0o755) == 0);
  assert(fails(rmdir(cs("f")), ENOTDIR) && fails(rmdir(cs("f/x")), ENOTDIR));
  assert(fails(rmdir(cs(".")), EINVAL) && fails(rmdir(cs("d/e/.")), EINVAL));
  assert(fails(rmdir(cs("d/e/..")), ENOTEMPTY) && fails(rmdir(0), EFAULT));
  assert(rmdir(cs("/")) == -1);
  become(1000);
  assert(fails(rmdir(cs("d/e")), EACCES));
}

function rename_files(): void {
  put_file(cs("a"), cs("one"));
  put_file(cs("b"), cs("two"));
  const ino = stat_of(cs("a")).st_ino;
  assert(rename(cs("a"), cs("c")) == 0 && stat_of(cs("c")).st_ino == ino);
  assert(fails(rename(cs("a"), cs("d")), ENOENT));
  assert(rename(cs("c"), cs("b")) == 0 && file_is(cs("b"), cs("one")) && stat_of(cs("b")).st_nlink == 1);
  assert(rename(cs("b"), cs("b")) == 0 && file_is(cs("b"), cs("one")));
  assert(mkdir(cs("d"), 0o755) == 0 && rename(cs("b"), cs("d/x")) == 0 && file_is(cs("d/x"), cs("one")));
  assert(fails(rename(cs("d/x"), KERNEL), EFAULT) && fails(rename(0, cs("x")), EFAULT));
  assert(fails(rename(cs("d/x"), cs("none/x")), ENOENT) && fails(rename(cs("d/x/y"), cs("x")), ENOTDIR));
}

/** Everything renamed over everything. */
function rename_over(): void {
  put_file(cs("f"), cs("f"));
  assert(mkdir(cs("d"), 0o755) == 0 && mkdir(cs("e"), 0o755) == 0 && mkdir(cs("full"), 0o755) == 0);
  put_file(cs("full/x"), cs("x"));
  assert(symlink(cs("f"), cs("s")) == 0);
  assert(fails(rename(cs("f"), cs("d")), EISDIR) && fails(rename(cs("d"), cs("f")), ENOTDIR));
  assert(fails(rename(cs("d"), cs("full")), ENOTEMPTY) && fails(rename(cs("s"), cs("d")), EISDIR));
  assert(fails(rename(cs("d"), cs("s")), ENOTDIR));
  assert(rename(cs("full"), cs("d")) == 0 && file_is(cs("d/x"), cs("x")) && fails(chdir(cs("full")), ENOENT));
  assert(rename(cs("e"), cs("d/e")) == 0 && rename(cs("f"), cs("s")) == 0 && file_is(cs("s"), cs("f")));
  assert((lstat_of(cs("s")).st_mode & 0xf000) != S_IFLNK);
  assert(stat_of(cs("d")).st_nlink == 3 && stat_of(cs(".")).st_nlink == 3);
}

function rename_links(): void {
  put_file(cs("f"), cs("text"));
  assert(link(cs("f"), cs("g")) == 0 && mkdir(cs("d"), 0o755) == 0 && link(cs("f"), cs("d/h")) == 0);
  // Two names of one file: the first goes away.
  assert(rename(cs("f"), cs("g")) == 0 && file_is(cs("g"), cs("text")));
  assert(rename(cs("d/h"), cs("g")) == 0 && file_is(cs("g"), cs("text")) && stat_of(cs("g")).st_nlink == 1);
  assert(symlink(cs("g"), cs("s")) == 0 && rename(cs("s"), cs("t")) == 0);
  assert((lstat_of(cs("t")).st_mode & 0xf000) == S_IFLNK && file_is(cs("t"), cs("text")));
}

function rename_folders(): void {
  assert(mkdir(cs("a"), 0o755) == 0 && mkdir(cs("a/b"), 0o755) == 0 && mkdir(cs("a/b/c"), 0o755) == 0);
  assert(mkdir(cs("z"), 0o755) == 0);
  assert(fails(rename(cs("a"), cs("a/b/c/a")), EINVAL) && fails(rename(cs("a"), cs("a/x")), EINVAL));
  assert(fails(rename(cs("a/."), cs("x")), EINVAL) && fails(rename(cs("a/b/.."), cs("x")), EINVAL));
  assert(rename(cs("a/b"), cs("z/b")) == 0);
  const ino = stat_of(cs("z")).st_ino;
  assert(stat_of(cs("z/b/..")).st_ino == ino && stat_of(cs("a")).st_nlink == 2 && stat_of(cs("z")).st_nlink == 3);
  assert(rename(cs("z/b"), cs("renamed/")) == 0 || rename(cs("z/b"), cs("renamed")) == 0);
  assert(stat_of(cs("renamed/c")).st_nlink == 2);
}

function rename_permission(): void {
  assert(mkdir(cs("mine"), 0o777) == 0 && chmod(cs("mine"), 0o777) == 0 && mkdir(cs("yours"), 0o755) == 0);
  put_file(cs("yours/f"), cs("f"));
  become(1000);
  put_file(cs("mine/g"), cs("g"));
  assert(fails(rename(cs("yours/f"), cs("mine/f")), EACCES) && fails(rename(cs("mine/g"), cs("yours/g")), EACCES));
  assert(rename(cs("mine/g"), cs("mine/h")) == 0);
}

function sticky_folder(): void {
  assert(mkdir(cs("d"), 0o777) == 0 && chmod(cs("d"), 0o1777) == 0);
  put_file(cs("d/root"), cs("x"));
  become(1000);
  put_file(cs("d/mine"), cs("x"));
  assert(fails(unlink(cs("d/root")), EPERM) && fails(rename(cs("d/root"), cs("d/x")), EPERM));
  assert(fails(rename(cs("d/mine"), cs("d/root")), EPERM) && unlink(cs("d/mine")) == 0);
}

function many_entries(): void {
  const name = frame_alloc(40);
  assert(mkdir(cs("d"), 0o755) == 0);
  for (let i: u32 = 0; i < 60; i++) {
    snprintf(name, 40, cs("d/a-name-of-some-length-%u"), i);
    put_file(name, cs(""));
  }
  const fd = open(cs("d"), O_RDONLY, 0);
  const b = scratch();
  let count: u32 = 0;
  for (let n = getdents(fd, b, 512); n > 0; n = getdents(fd, b, 512)) {
    assert(n == 512);
    let at = b;
    while (at < b + n) {
      const entry = changetype<Dirent>(at);
      assert(entry.d_reclen >= 12 && (entry.d_reclen & 3) == 0 && at + entry.d_reclen <= b + n);
      if (entry.d_fileno != 0) {
        assert(strlen(entry.name) == u32(entry.d_namlen));
        count++;
      }
      at += entry.d_reclen;
    }
  }
  assert(count == 62 && close(fd) == 0);
  for (let i: u32 = 0; i < 60; i++) {
    snprintf(name, 40, cs("d/a-name-of-some-length-%u"), i);
    assert(unlink(name) == 0);
  }
  assert(rmdir(cs("d")) == 0);
}

function getdents_errors(): void {
  const fds = frame_alloc(8);
  const b = scratch();
  const dir = open(cs("."), O_RDONLY, 0);
  assert(fails(getdents(dir, b, 100), EINVAL) && fails(getdents(dir, KERNEL, 512), EFAULT));
  assert(fails(getdents(71, b, 512), EBADF) && getdents(dir, b, 513) == 512);
  assert(lseek(dir, 0, 3, 0) == 3 && fails(getdents(dir, b, 512), EINVAL));
  const file = make_file(cs("f"), cs("x"));
  make_pipe(fds);
  assert(fails(getdents(file, b, 512), EINVAL) && fails(getdents(load<i32>(fds), b, 512), EINVAL));
  assert(lseek(dir, 0, 512, 0) == 512 && getdents(dir, b, 512) == 0);
}

function working_directory(): void {
  const b = scratch();
  const at = scratch() + PAGE;
  const n = __getcwd(at, PAGE);
  assert(n > 5 && load<u8>(at) == 0x2f && strlen(at) == u32(n - 1));
  assert(mkdir(cs("d"), 0o755) == 0 && chdir(cs("d")) == 0);
  assert(__getcwd(b, PAGE) == n + 2 && strcmp(b + n - 1, cs("/d")) == 0);
  const parent = open(cs(".."), O_RDONLY, 0);
  assert(chdir(cs("/")) == 0 && __getcwd(b, PAGE) == 2 && same(b, cs("/"), 2));
  assert(fchdir(parent) == 0 && __getcwd(b, PAGE) == n && strcmp(b, at) == 0);
  assert(fails(__getcwd(b, n - 1), ERANGE) && fails(__getcwd(b, 0), EINVAL) && fails(__getcwd(KERNEL, PAGE), EFAULT));
}

function chdir_errors(): void {
  const fds = frame_alloc(8);
  const fd = make_file(cs("f"), cs("x"));
  assert(fails(chdir(cs("f")), ENOTDIR) && fails(chdir(cs("none")), ENOENT) && fails(chdir(0), EFAULT));
  assert(fails(fchdir(fd), ENOTDIR) && fails(fchdir(90), EBADF));
  make_pipe(fds);
  assert(fails(fchdir(load<i32>(fds)), ENOTDIR));
  assert(mkdir(cs("d"), 0o700) == 0);
  const dir = open(cs("d"), O_RDONLY, 0);
  become(1000);
  assert(fails(chdir(cs("d")), EACCES) && fails(fchdir(dir), EACCES));
  assert(fails(__stat13(cs("d/x"), scratch()), EACCES));
}

function removed_directory(): void {
  const b = scratch();
  assert(mkdir(cs("d"), 0o755) == 0 && chdir(cs("d")) == 0 && rmdir(cs("../d")) == 0);
  assert(fails(open(cs("f"), O_WRONLY | O_CREAT, 0o644), ENOENT) && fails(mkdir(cs("e"), 0o755), ENOENT));
  assert(fails(__getcwd(b, PAGE), ENOENT));
  const fd = open(cs("."), O_RDONLY, 0);
  if (fd >= 0) assert(getdents(fd, b, 512) == 0);
  assert(chdir(cs("/")) == 0);
}

function other_root(): void {
  const b = scratch();
  assert(mkdir(cs("jail"), 0o755) == 0 && mkdir(cs("jail/in"), 0o755) == 0);
  put_file(cs("outside"), cs("x"));
  put_file(cs("jail/f"), cs("inside"));
  assert(fails(chroot(cs("outside")), ENOTDIR) && fails(chroot(cs("none")), ENOENT) && fails(chroot(0), EFAULT));
  become(1000);
  assert(fails(chroot(cs("jail")), EPERM));
  become(0);
  assert(chroot(cs("jail")) == 0 && chdir(cs("/")) == 0);
  assert(file_is(cs("/f"), cs("inside")) && file_is(cs("/../../f"), cs("inside")) && file_is(cs("../f"), cs("inside")));
  assert(fails(open(cs("/etc/rc"), O_RDONLY, 0), ENOENT) && chdir(cs("in")) == 0);
  assert(__getcwd(b, PAGE) == 4 && same(b, cs("/in"), 4));
  in_child(in_jail.index);
}

function in_jail(): void {
  if (!file_is(cs("/f"), cs("inside"))) _exit(1);
  if (!fails(chdir(cs("/tmp")), ENOENT)) _exit(2);
}

function path_forms(): void {
  put_file(cs("f"), cs("x"));
  assert(mkdir(cs("d"), 0o755) == 0);
  assert(file_is(cs("./f"), cs("x")) && file_is(cs(".//./f"), cs("x")) && file_is(cs("d/../f"), cs("x")));
  assert(fails(chdir(cs("f/..")), ENOTDIR) && fails(open(cs("f/."), O_RDONLY, 0), ENOTDIR));
  assert(fails(open(cs("none/../f"), O_RDONLY, 0), ENOENT));
  const fd = open(cs("d////"), O_RDONLY, 0);
  assert(fd >= 0 && close(fd) == 0);
  const root = stat_of(cs("/")).st_ino;
  assert(stat_of(cs("/..")).st_ino == root && stat_of(cs("//../.././")).st_ino == root);
}

function path_at_page_end(): void {
  // A path that ends with the last byte of memory is fine; one without an end is not.
  const last: usize = 0xbfbfe000;
  assert(fails(open(last - 3, O_RDONLY, 0), EFAULT) || load<u8>(last - 1) == 0);
  store<u8>(last - 3, 0x2e);
  store<u8>(last - 2, 0x2f);
  store<u8>(last - 1, 0);
  const fd = open(last - 3, O_RDONLY, 0);
  assert(fd >= 0 && close(fd) == 0);
  store<u8>(last - 1, 0x2e);
  assert(fails(open(last - 3, O_RDONLY, 0), EFAULT));
}

function access_checks(): void {
  put_file(cs("f"), cs("x"));
  assert(chmod(cs("f"), 0o640) == 0);
  assert(access(cs("f"), 0) == 0 && access(cs("f"), 6) == 0 && access(cs("none"), 0) == -1);
  assert(fails(access(cs("f"), 8), EINVAL) && fails(access(0, 0), EFAULT));
  // The real user counts, not the effective one.
  become(1000);
  assert(access(cs("f"), 6) == 0);
}

/** Adds the cases of this file. */
export function name_cases(): void {
  group(cs("names"));
  test(cs("link"), hard_links.index);
  test(cs("symlink and readlink"), soft_links.index);
  test(cs("long symbolic link"), long_soft_link.index);
  test(cs("loops of links"), link_loops.index);
  test(cs("chain of links"), link_chain.index);
  test(cs("links inside paths"), links_in_paths.index);
  test(cs("unlink errors"), unlink_errors.index);
  test(cs("mkdir and rmdir"), folders.index);
  test(cs("rmdir errors"), rmdir_errors.index);
  test(cs("rename a file"), rename_files.index);
  test(cs("rename over everything"), rename_over.index);
  test(cs("rename links"), rename_links.index);
  test(cs("rename a directory"), rename_folders.index);
  test(cs("permission to rename"), rename_permission.index);
  test(cs("sticky directory"), sticky_folder.index);
  test(cs("getdents of many entries"), many_entries.index);
  test(cs("getdents errors"), getdents_errors.index);
  test(cs("chdir and getcwd"), working_directory.index);
  test(cs("chdir errors"), chdir_errors.index);
  test(cs("removed working directory"), removed_directory.index);
  test(cs("chroot"), other_root.index);
  test(cs("forms of paths"), path_forms.index);
  test(cs("path at the end of memory"), path_at_page_end.index);
  test(cs("access"), access_checks.index);
}
