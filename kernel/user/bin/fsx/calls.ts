// fsx: operations by system calls on the descriptor and the name.
import { frame_alloc } from "../../../i386/cpufunc";
import { O_RDWR, SIZEOF_STAT, Stat } from "../../lib/files";
import { printf } from "../../lib/stdio";
import { one_in } from "../../lib/random";
import {
  __fstat13, close, fsync, ftruncate, lseek, open, pread, pwrite, read, sync, truncate, write,
} from "../../lib/syscalls";
import {
  OP_CLOSE, OP_FSYNC, OP_FTRUNCATE, OP_PREAD, OP_PWRITE, OP_READ, OP_SKIPPED, OP_SYNC, OP_TRUNCATE, OP_WRITE, check,
  failed_call, give_up, note, wrong_count,
} from "./log";
import { fsx, generate, set_size } from "./state";

/** Does the file have the length that it should have? */
export function check_size(): void {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  if (__fstat13(fsx.fd, changetype<usize>(st)) != 0) failed_call(cs("fstat"));
  const wanted = u64(fsx.base) + u64(fsx.size);
  if (st.size == wanted || (fsx.fixed_size != 0 && st.size > wanted)) return;
  printf(cs("fsx: operation %u: size error: expected 0x%qx, stat says 0x%qx\n"), fsx.op, u32(wanted), u32(wanted >> 32),
    st.st_size_low, st.st_size_high);
  give_up();
}

function seek(offset: u32): void {
  const wanted = fsx.base + i64(offset);
  if (lseek(fsx.fd, 0, wanted, 0) != wanted) failed_call(cs("lseek"));
}

/** read(2) or pread(2) of a range inside the file. */
export function do_read(offset: u32, length: u32): void {
  const by_offset = one_in(2);
  if (length == 0) return note(OP_SKIPPED, offset, length, 0);
  note(by_offset ? OP_PREAD : OP_READ, offset, length, 0);
  let count: i32 = 0;
  if (by_offset) count = pread(fsx.fd, fsx.temp, length, 0, fsx.base + i64(offset));
  else {
    seek(offset);
    count = read(fsx.fd, fsx.temp, length);
  }
  if (u32(count) != length) wrong_count(cs("read"), count, length);
  check(cs("READ"), fsx.temp, offset, length);
  if (by_offset || fsx.fixed_size != 0 || offset + length < fsx.size) return;
  count = read(fsx.fd, fsx.temp, 1);
  if (count != 0) wrong_count(cs("read at the end"), count, 0);
}

/** write(2) or pwrite(2), inside the file, over its end or behind it. */
export function do_write(offset: u32, length: u32): void {
  const by_offset = one_in(2);
  if (length == 0) return note(OP_SKIPPED, offset, length, 0);
  note(by_offset ? OP_PWRITE : OP_WRITE, offset, length, 0);
  if (offset + length > fsx.size) set_size(offset + length);
  generate(offset, length);
  let count: i32 = 0;
  if (by_offset) count = pwrite(fsx.fd, fsx.good + offset, length, 0, fsx.base + i64(offset));
  else {
    seek(offset);
    count = write(fsx.fd, fsx.good + offset, length);
  }
  if (u32(count) != length) wrong_count(cs("write"), count, length);
  check_size();
}

/** truncate(2) or ftruncate(2), to any length. */
export function do_truncate(size: u32): void {
  const by_name = one_in(2);
  note(by_name ? OP_TRUNCATE : OP_FTRUNCATE, size, 0, 0);
  set_size(size);
  const length = fsx.base + i64(size);
  const error = by_name ? truncate(fsx.fname, 0, length) : ftruncate(fsx.fd, 0, length);
  if (error != 0) failed_call(cs("truncate"));
  check_size();
}

export function do_fsync(): void {
  note(OP_FSYNC, 0, 0, 0);
  if (fsync(fsx.fd) != 0) failed_call(cs("fsync"));
}

export function do_sync(): void {
  note(OP_SYNC, 0, 0, 0);
  sync();
}

/** Closes the file and opens it again; a held mapping stays. */
export function do_reopen(): void {
  note(OP_CLOSE, 0, 0, 0);
  if (close(fsx.fd) != 0) failed_call(cs("close"));
  fsx.fd = open(fsx.fname, O_RDWR, 0);
  if (fsx.fd < 0) failed_call(cs("open"));
  check_size();
}
