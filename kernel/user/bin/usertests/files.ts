// Cases of usertests: opening, reading, writing and measuring files.
import { frame_alloc } from "../../../i386/cpufunc";
import { last_error } from "../../lib/errors";
import { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY, S_IFREG } from "../../lib/files";
import {
  close, fdatasync, fstatfs, fsync, ftruncate, getfsstat, lseek, mkdir, open, pread, pwrite, read, readv, rename,
  statfs, symlink, sync, truncate, unlink, write, writev,
} from "../../lib/syscalls";
import {
  EACCES, EBADF, EEXIST, EFAULT, EFBIG, EINVAL, EISDIR, ENAMETOOLONG, ENOENT, ENOTDIR, ESPIPE,
} from "../../../sys/errno";
import {
  PAGE, SCRATCH, all_bytes, become, fails, file_is, fill_pattern, group, has_pattern, make_file, make_pipe,
  pattern_file, put_file, same, scratch, stat_of, test,
} from "./harness";

const SEEK_SET: i32 = 0;
const SEEK_CUR: i32 = 1;
const SEEK_END: i32 = 2;
const KERNEL: usize = 0xc0100000;
const O_NOFLAGS: u32 = 0;

function open_modes(): void {
  put_file(cs("f"), cs("text"));
  const buffer = frame_alloc(8);
  const reader = open(cs("f"), O_RDONLY, 0);
  assert(read(reader, buffer, 4) == 4);
  assert(fails(write(reader, buffer, 4), EBADF));
  const writer = open(cs("f"), O_WRONLY, 0);
  assert(fails(read(writer, buffer, 4), EBADF));
  assert(write(writer, cs("TEXT"), 4) == 4);
  const both = open(cs("f"), O_RDWR, 0);
  assert(read(both, buffer, 4) == 4 && same(buffer, cs("TEXT"), 4));
  assert(write(both, cs("!"), 1) == 1);
  assert(close(reader) == 0 && close(writer) == 0 && close(both) == 0);
  assert(fails(open(cs("f"), 3, 0), EINVAL));
}

function open_errors(): void {
  put_file(cs("f"), cs("text"));
  assert(mkdir(cs("d"), 0o755) == 0);
  assert(fails(open(cs("none"), O_RDONLY, 0), ENOENT));
  assert(fails(open(cs(""), O_RDONLY, 0), ENOENT));
  assert(fails(open(cs("none/f"), O_RDWR | O_CREAT, 0o644), ENOENT));
  assert(fails(open(cs("f/g"), O_RDONLY, 0), ENOTDIR));
  assert(fails(open(cs("f/"), O_RDONLY, 0), ENOTDIR));
  assert(fails(open(cs("d"), O_WRONLY, 0), EISDIR));
  assert(fails(open(cs("d"), O_RDWR, 0), EISDIR));
  assert(fails(open(cs("d"), O_RDONLY | O_TRUNC, 0), EISDIR));
  assert(fails(open(0, O_RDONLY, 0), EFAULT));
  assert(fails(open(KERNEL, O_RDONLY, 0), EFAULT));
  assert(fails(open(cs("d/"), O_RDWR | O_CREAT, 0o644), EISDIR));
  assert(fails(open(cs("new/"), O_RDWR | O_CREAT, 0o644), ENOENT));
}

function open_long_names(): void {
  const name = scratch();
  memory.fill(name, 0x61, 256);
  store<u8>(name + 255, 0);
  const fd = open(name, O_RDWR | O_CREAT, 0o644);
  assert(fd >= 0 && close(fd) == 0 && unlink(name) == 0);
  memory.fill(name, 0x61, 256);
  store<u8>(name + 256, 0);
  assert(fails(open(name, O_RDWR | O_CREAT, 0o644), ENAMETOOLONG));
  // A path of 1023 bytes fits, one of 1024 does not.
  for (let i: u32 = 0; i < 1022; i += 2) store<u16>(name + i, 0x2f2e);
  store<u8>(name + 1022, 0x2e);
  store<u8>(name + 1023, 0);
  const here = open(name, O_RDONLY, 0);
  assert(here >= 0 && close(here) == 0);
  store<u16>(name + 1022, 0x2f2e);
  store<u8>(name + 1024, 0);
  assert(fails(open(name, O_RDONLY, 0), ENAMETOOLONG));
}

function open_exclusive(): void {
  const fd = open(cs("f"), O_RDWR | O_CREAT | O_EXCL, 0o600);
  assert(fd >= 0 && close(fd) == 0);
  assert((stat_of(cs("f")).st_mode & 0o7777) == 0o600);
  assert(fails(open(cs("f"), O_RDWR | O_CREAT | O_EXCL, 0o600), EEXIST));
  assert(symlink(cs("nowhere"), cs("s")) == 0);
  assert(fails(open(cs("s"), O_RDWR | O_CREAT | O_EXCL, 0o600), EEXIST));
  assert(mkdir(cs("d"), 0o755) == 0);
  assert(fails(open(cs("d"), O_RDONLY | O_CREAT | O_EXCL, 0o600), EEXIST));
}

function open_through_link(): void {
  assert(symlink(cs("target"), cs("s")) == 0);
  assert(fails(open(cs("s"), O_RDWR, 0), ENOENT));
  const fd = open(cs("s"), O_RDWR | O_CREAT, 0o644);
  assert(fd >= 0 && write(fd, cs("x"), 1) == 1 && close(fd) == 0);
  assert(file_is(cs("target"), cs("x")) && file_is(cs("s"), cs("x")));
}

function open_truncates(): void {
  put_file(cs("f"), cs("a long text"));
  const reader = open(cs("f"), O_RDONLY, 0);
  const fd = open(cs("f"), O_WRONLY | O_TRUNC, 0);
  assert(fd >= 0 && stat_of(cs("f")).st_size_low == 0);
  assert(read(reader, scratch(), 10) == 0);
  assert(write(fd, cs("new"), 3) == 3);
  assert(read(reader, scratch(), 10) == 3);
  assert(close(fd) == 0 && close(reader) == 0);
}

function append_mode(): void {
  put_file(cs("f"), cs("one"));
  const a = open(cs("f"), O_WRONLY | O_APPEND, 0);
  const b = open(cs("f"), O_RDWR | O_APPEND, 0);
  assert(write(a, cs("two"), 3) == 3);
  assert(write(b, cs("three"), 5) == 5);
  assert(lseek(a, 0, 0, SEEK_SET) == 0);
  assert(write(a, cs("four"), 4) == 4);
  assert(lseek(a, 0, 0, SEEK_CUR) == 15);
  assert(file_is(cs("f"), cs("onetwothreefour")));
  assert(close(a) == 0 && close(b) == 0);
}

function creation_mode(): void {
  const fd = open(cs("f"), O_WRONLY | O_CREAT, 0o777);
  // The mode counts for later opens only; 022 is the umask.
  assert(fd >= 0 && (stat_of(cs("f")).st_mode & 0o7777) == 0o755);
  assert((stat_of(cs("f")).st_mode & 0xf000) == S_IFREG);
  const again = open(cs("f"), O_WRONLY | O_CREAT, 0o000);
  assert(again >= 0 && (stat_of(cs("f")).st_mode & 0o7777) == 0o755);
  const none = open(cs("g"), O_RDWR | O_CREAT, 0o000);
  assert(none >= 0 && write(none, cs("x"), 1) == 1);
  assert(close(fd) == 0 && close(again) == 0 && close(none) == 0);
}

function open_permission(): void {
  put_file(cs("f"), cs("x"));
  become(1000);
  assert(fails(open(cs("f"), O_RDWR, 0), EACCES));
  assert(fails(open(cs("f"), O_WRONLY | O_TRUNC, 0), EACCES));
  const fd = open(cs("f"), O_RDONLY, 0);
  assert(fd >= 0 && close(fd) == 0);
  assert(fails(open(cs("new"), O_RDWR | O_CREAT, 0o644), EACCES));
}

function read_positions(): void {
  const fd = make_file(cs("f"), cs("hello, world\n"));
  const b = frame_alloc(32);
  assert(read(fd, b, 32) == 0);
  assert(lseek(fd, 0, 0, SEEK_SET) == 0 && read(fd, b, 5) == 5 && same(b, cs("hello"), 5));
  assert(lseek(fd, 0, 0, SEEK_CUR) == 5);
  assert(read(fd, b, 0) == 0 && read(fd, b, 32) == 8 && same(b, cs(", world\n"), 8));
  assert(lseek(fd, 0, -6, SEEK_END) == 7 && read(fd, b, 5) == 5 && same(b, cs("world"), 5));
  assert(pread(fd, b, 5, 0, 0) == 5 && same(b, cs("hello"), 5) && lseek(fd, 0, 0, SEEK_CUR) == 12);
  assert(pwrite(fd, cs("J"), 1, 0, 0) == 1 && lseek(fd, 0, 0, SEEK_CUR) == 12);
  assert(pread(fd, b, 1, 0, 100) == 0);
  assert(file_is(cs("f"), cs("Jello, world\n")) && close(fd) == 0);
}

function seek_errors(): void {
  const fd = make_file(cs("f"), cs("x"));
  const fds = frame_alloc(8);
  assert(lseek(fd, 0, -2, SEEK_END) == -1 && last_error() == EINVAL);
  assert(lseek(fd, 0, -1, SEEK_SET) == -1 && last_error() == EINVAL);
  assert(lseek(fd, 0, 0, 3) == -1 && last_error() == EINVAL);
  assert(lseek(fd, 0, 0, -1) == -1 && last_error() == EINVAL);
  assert(lseek(99, 0, 0, SEEK_SET) == -1 && last_error() == EBADF);
  assert(lseek(fd, 0, 0x123456789, SEEK_SET) == 0x123456789);
  make_pipe(fds);
  assert(lseek(load<i32>(fds), 0, 0, SEEK_CUR) == -1 && last_error() == ESPIPE);
  assert(fails(pread(load<i32>(fds), scratch(), 1, 0, 0), ESPIPE));
  assert(fails(pwrite(load<i32>(fds + 4), scratch(), 1, 0, 0), ESPIPE));
  assert(fails(pread(fd, scratch(), 1, 0, -1), EINVAL) && fails(pwrite(fd, scratch(), 1, 0, -5), EINVAL));
}

function read_write_errors(): void {
  const fd = make_file(cs("f"), cs("text"));
  assert(lseek(fd, 0, 0, SEEK_SET) == 0);
  assert(fails(read(fd, KERNEL, 4), EFAULT));
  assert(fails(read(fd, 0, 4), EFAULT));
  assert(fails(write(fd, KERNEL, 4), EFAULT));
  assert(fails(write(fd, 0, 4), EFAULT));
  assert(fails(read(fd, scratch(), 0x80000000), EINVAL));
  assert(fails(write(fd, scratch(), 0xffffffff), EINVAL));
  assert(fails(read(-1, scratch(), 1), EBADF) && fails(write(128, scratch(), 1), EBADF));
  const dir = open(cs("."), O_RDONLY, 0);
  assert(fails(write(dir, scratch(), 1), EBADF));
  assert(fails(close(77), EBADF) && fails(close(-1), EBADF));
}

function vectors(): void {
  const fd = make_file(cs("f"), cs(""));
  const iov = frame_alloc(24);
  store<usize>(iov, cs("abc"));
  store<u32>(iov, 3, 4);
  store<usize>(iov, 0, 8);
  store<u32>(iov, 0, 12);
  store<usize>(iov, cs("defgh"), 16);
  store<u32>(iov, 5, 20);
  assert(writev(fd, iov, 3) == 8 && file_is(cs("f"), cs("abcdefgh")));
  const a = scratch();
  store<usize>(iov, a);
  store<u32>(iov, 2, 4);
  store<usize>(iov, a + 100, 8);
  store<u32>(iov, 1, 12);
  store<usize>(iov, a + 200, 16);
  store<u32>(iov, 50, 20);
  assert(lseek(fd, 0, 0, SEEK_SET) == 0 && readv(fd, iov, 3) == 8);
  assert(same(a, cs("ab\0"), 3) && same(a + 100, cs("c\0"), 2) && same(a + 200, cs("defgh\0"), 6));
  assert(fails(readv(fd, iov, 0), EINVAL) && fails(readv(fd, iov, 1025), EINVAL));
  assert(fails(readv(fd, KERNEL, 1), EFAULT) && fails(writev(fd, 4, 1), EFAULT));
  store<u32>(iov, 0x7fffffff, 4);
  assert(fails(readv(fd, iov, 3), EINVAL));
}

function sparse_file(): void {
  const fd = make_file(cs("f"), cs("start"));
  assert(pwrite(fd, cs("end"), 3, 0, 1000000) == 3);
  const st = stat_of(cs("f"));
  assert(st.st_size_low == 1000003 && st.st_blocks_low < 400);
  const a = scratch();
  assert(pread(fd, a, SCRATCH, 0, 5) == i32(SCRATCH) && all_bytes(a, SCRATCH, 0));
  assert(pread(fd, a, 10, 0, 999998) == 5 && same(a, cs("\0\0end"), 5));
  assert(ftruncate(fd, 0, 5) == 0 && ftruncate(fd, 0, 20) == 0);
  assert(pread(fd, a, 100, 0, 0) == 20 && same(a, cs("start\0\0\0"), 8) && all_bytes(a + 5, 15, 0));
}

function large_files(): void {
  const fd = make_file(cs("f"), cs(""));
  // Single, double and triple indirect blocks of an 8 KB file system, each with one block of data.
  assert(pwrite(fd, cs("s"), 1, 0, 200000) == 1);
  assert(pwrite(fd, cs("d"), 1, 0, 0x2000000) == 1);
  assert(pwrite(fd, cs("t"), 1, 0, 0x900000000) == 1);
  const b = frame_alloc(4);
  assert(pread(fd, b, 1, 0, 0x2000000) == 1 && load<u8>(b) == 0x64);
  assert(pread(fd, b, 1, 0, 0x900000000) == 1 && load<u8>(b) == 0x74);
  assert(pread(fd, b, 1, 0, 0x8ffffffff) == 1 && load<u8>(b) == 0);
  assert(stat_of(cs("f")).size == 0x900000001);
  assert(pwrite(fd, cs("x"), 1, 0, 0x7fffffffffffffff) == -1);
  assert(last_error() == EFBIG || last_error() == EINVAL);
  assert(ftruncate(fd, 0, 0) == 0 && stat_of(cs("f")).st_blocks_low == 0);
  assert(fails(ftruncate(fd, 0, 0x7fffffffffffffff), EFBIG));
}

function truncating(): void {
  const fd = pattern_file(cs("f"), 20000, 3);
  const a = scratch();
  assert(ftruncate(fd, 0, 10000) == 0 && stat_of(cs("f")).st_size_low == 10000);
  assert(ftruncate(fd, 0, 15000) == 0);
  assert(pread(fd, a, SCRATCH, 0, 0) == 15000 && has_pattern(a, 4096, 3) && all_bytes(a + 10000, 5000, 0));
  assert(truncate(cs("f"), 0, 1) == 0 && stat_of(cs("f")).st_size_low == 1);
  assert(fails(truncate(cs("f"), 0, -1), EINVAL) && fails(ftruncate(fd, 0, -1), EINVAL));
  assert(fails(truncate(cs("none"), 0, 0), ENOENT) && fails(truncate(cs("."), 0, 0), EISDIR));
  assert(fails(truncate(KERNEL, 0, 0), EFAULT));
  const reader = open(cs("f"), O_RDONLY, 0);
  assert(fails(ftruncate(reader, 0, 0), EINVAL) && fails(ftruncate(60, 0, 0), EBADF));
  become(1000);
  assert(fails(truncate(cs("f"), 0, 0), EACCES));
}

function many_sizes(): void {
  // Around the borders of fragments, blocks, direct and indirect blocks.
  const a = scratch();
  const fd = make_file(cs("f"), cs(""));
  for (let i: u32 = 0; i < 6; i++) {
    const size: u32 = i == 0 ? 511 : i == 1 ? 1025 : i == 2 ? 8191 : i == 3 ? 8193 : i == 4 ? 32769 : 65536;
    assert(ftruncate(fd, 0, 0) == 0);
    fill_pattern(a, size, i);
    assert(pwrite(fd, a, size, 0, 0) == i32(size) && stat_of(cs("f")).st_size_low == size);
    memory.fill(a, 0, size);
    assert(pread(fd, a, SCRATCH, 0, 0) == i32(size) && has_pattern(a, size, i));
  }
}

function overwrite_parts(): void {
  const fd = pattern_file(cs("f"), 40000, 1);
  const a = scratch();
  fill_pattern(a, 9000, 77);
  assert(pwrite(fd, a, 9000, 0, 12345) == 9000);
  assert(pread(fd, a, SCRATCH, 0, 0) == 40000);
  assert(has_pattern(a, 12345, 1) && has_pattern(a + 12345, 9000, 77));
  memory.copy(a, a + 21345, 0);
  fill_pattern(a + 40000, 24000, 1);
  for (let i: u32 = 21345; i < 40000; i++) assert(load<u8>(a + i) == ((i * 7 + (i >> 8) * 13 + 1) & 0xff));
}

function unlinked_file(): void {
  const fd = pattern_file(cs("f"), 30000, 9);
  assert(unlink(cs("f")) == 0);
  assert(fails(open(cs("f"), O_RDONLY, 0), ENOENT));
  const a = scratch();
  assert(pread(fd, a, SCRATCH, 0, 0) == 30000 && has_pattern(a, 30000, 9));
  assert(pwrite(fd, cs("more"), 4, 0, 30000) == 4 && ftruncate(fd, 0, 60000) == 0);
  put_file(cs("f"), cs("another"));
  assert(file_is(cs("f"), cs("another")));
  assert(pread(fd, a, 4, 0, 30000) == 4 && same(a, cs("more"), 4) && close(fd) == 0);
}

function replaced_file(): void {
  const fd = make_file(cs("old"), cs("old text"));
  put_file(cs("new"), cs("new text"));
  assert(rename(cs("new"), cs("old")) == 0 && file_is(cs("old"), cs("new text")));
  const a = scratch();
  assert(pread(fd, a, 20, 0, 0) == 8 && same(a, cs("old text"), 8));
}

function syncing(): void {
  const fd = pattern_file(cs("f"), 3 * PAGE, 5);
  const fds = frame_alloc(8);
  assert(fsync(fd) == 0 && fdatasync(fd) == 0 && sync() == 0);
  assert(fails(fsync(50), EBADF) && fails(fdatasync(-3), EBADF));
  make_pipe(fds);
  assert(fails(fsync(load<i32>(fds)), EINVAL));
}

function file_systems(): void {
  const fs = scratch();
  const fd = open(cs("."), O_RDONLY, 0);
  assert(statfs(cs("/"), fs) == 0 && same(fs + 60, cs("ffs"), 4) && same(fs + 76, cs("/"), 2));
  assert(fstatfs(fd, fs + 256) == 0 && load<u32>(fs, 32) == load<u32>(fs + 256, 32));
  assert(load<u32>(fs, 12) >= load<u32>(fs, 16) && load<u32>(fs, 24) > load<u32>(fs, 28));
  const count = getfsstat(0, 0, 1);
  assert(count >= 1 && getfsstat(fs, 4096, 1) == count && same(fs + 76, cs("/"), 2));
  assert(getfsstat(fs, 0, 1) == 0 && getfsstat(fs, 255, 1) == 0);
  assert(fails(statfs(cs("none"), fs), ENOENT) && fails(statfs(cs("/"), KERNEL), EFAULT));
  assert(fails(fstatfs(44, fs), EBADF) && fails(getfsstat(KERNEL, 4096, O_NOFLAGS), EFAULT));
  const fds = frame_alloc(8);
  make_pipe(fds);
  assert(fails(fstatfs(load<i32>(fds), fs), EINVAL));
}

/** Adds the cases of this file. */
export function file_cases(): void {
  group(cs("files"));
  test(cs("open for reading, writing, both"), open_modes.index);
  test(cs("open errors"), open_errors.index);
  test(cs("long names"), open_long_names.index);
  test(cs("O_EXCL"), open_exclusive.index);
  test(cs("open through a symbolic link"), open_through_link.index);
  test(cs("O_TRUNC"), open_truncates.index);
  test(cs("O_APPEND"), append_mode.index);
  test(cs("mode of a new file"), creation_mode.index);
  test(cs("permission to open"), open_permission.index);
  test(cs("positions"), read_positions.index);
  test(cs("lseek errors"), seek_errors.index);
  test(cs("read and write errors"), read_write_errors.index);
  test(cs("readv and writev"), vectors.index);
  test(cs("sparse file"), sparse_file.index);
  test(cs("indirect blocks"), large_files.index);
  test(cs("truncate"), truncating.index);
  test(cs("many sizes"), many_sizes.index);
  test(cs("overwriting parts"), overwrite_parts.index);
  test(cs("unlinked while open"), unlinked_file.index);
  test(cs("replaced while open"), replaced_file.index);
  test(cs("fsync"), syncing.index);
  test(cs("statfs"), file_systems.index);
}
