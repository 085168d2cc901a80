// Output: a buffer for the standard output, and formatted text to it, to the
// standard error (unbuffered) and to memory. The formatter is the kernel's.
import { frame_alloc, bss } from "../../i386/cpufunc";
import { kprintf, store_args, vsnprintf } from "../../subr_format";
import { _exit, write } from "./syscalls";

export { snprintf, sprintf } from "../../subr_format";

const OUTPUT_SIZE: u32 = 4096;
const STDOUT: i32 = 1;
const STDERR: i32 = 2;

/** The standard output's buffer. */
@unmanaged
class Output {
  used: u32;
  failed: u32;
}
const output = changetype<Output>(memory.data(offsetof<Output>()));

function output_buffer(): usize {
  return bss(OUTPUT_SIZE, 4);
}

/** Writes all of `n` bytes. Returns 0, or -1 with errno set. */
export function write_all(fd: i32, buf: usize, n: u32): i32 {
  while (n > 0) {
    const done = write(fd, buf, n);
    if (done <= 0) return -1;
    buf += done;
    n -= done;
  }
  return 0;
}

/** Writes out what is buffered. Returns 0, or -1 when this or an earlier write failed. */
export function flush(): i32 {
  const n = output.used;
  output.used = 0;
  if (n > 0 && write_all(STDOUT, output_buffer(), n) != 0) output.failed = 1;
  return output.failed != 0 ? -1 : 0;
}

/** One byte to the standard output. */
export function putc(byte: u32): void {
  if (output.used == OUTPUT_SIZE) flush();
  store<u8>(output_buffer() + output.used, byte);
  output.used++;
}

/** `n` bytes to the standard output. */
export function put_bytes(buf: usize, n: u32): void {
  if (n >= OUTPUT_SIZE) {
    flush();
    if (write_all(STDOUT, buf, n) != 0) output.failed = 1;
    return;
  }
  if (output.used + n > OUTPUT_SIZE) flush();
  memory.copy(output_buffer() + output.used, buf, n);
  output.used += n;
}

/** A string to the standard output. */
export function puts(s: usize): void {
  while (load<u8>(s) != 0) putc(load<u8>(s++));
}

function output_sink(byte: i32): void {
  putc(byte);
}

/** A string of any length to the standard error, at once. */
export function put_error(s: usize): void {
  let n: u32 = 0;
  while (load<u8>(s + n) != 0) n++;
  write_all(STDERR, s, n);
}

/** Ends the program after writing out what is buffered. A failed write makes a success a failure. */
export function exit(status: i32): void {
  const failed = flush();
  _exit(status == 0 && failed != 0 ? 1 : status);
}

/** Formatted text to the standard output; up to eight words follow. 64-bit values are two words, see subr_format. */
export function printf(
  fmt: usize, a0: u32 = 0, a1: u32 = 0, a2: u32 = 0, a3: u32 = 0, a4: u32 = 0, a5: u32 = 0, a6: u32 = 0, a7: u32 = 0,
): void {
  const args = frame_alloc(40);
  store_args(args, a0, a1, a2, a3, a4, a5, a6, a7, 0, 0);
  kprintf(fmt, args, output_sink.index, 0);
}

const LINE_SIZE: u32 = 512;

/** Formatted text to the standard error, at once. */
export function eprintf(
  fmt: usize, a0: u32 = 0, a1: u32 = 0, a2: u32 = 0, a3: u32 = 0, a4: u32 = 0, a5: u32 = 0, a6: u32 = 0, a7: u32 = 0,
): void {
  const args = frame_alloc(40);
  const line = frame_alloc(LINE_SIZE);
  store_args(args, a0, a1, a2, a3, a4, a5, a6, a7, 0, 0);
  const length = vsnprintf(line, LINE_SIZE, fmt, args);
  flush();
  write_all(STDERR, line, u32(length) < LINE_SIZE ? length : LINE_SIZE - 1);
}
