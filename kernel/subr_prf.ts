// printf for the kernel, panic, and the failed assertion. subr_format.ts formats.
import { frame_alloc } from "./i386/cpufunc";
import { cnputc } from "./cons";
import { cpu_reboot, kernel_debugger } from "./i386/machdep";
import { kprintf, store_args } from "./subr_format";
import { RB_AUTOBOOT, RB_DUMP, RB_NOSYNC } from "./sys/reboot";

export { kprintf, set_kprintf_radix, snprintf, sprintf, vsnprintf } from "./subr_format";

/** State of printf and panic. */
@unmanaged
class PrfState {
  /** Format of the first panic, or 0. */
  panicstr: usize;
}
const prf_state = changetype<PrfState>(memory.data(offsetof<PrfState>()));

/** The format of the first panic, or 0 while all is well. */
export function panicstr(): usize {
  return prf_state.panicstr;
}

/** Notes that the kernel is going down, for who prints its own message. */
export function set_panicstr(fmt: usize): void {
  if (prf_state.panicstr == 0) prf_state.panicstr = fmt;
}

/** printf to another place: `sink` is the code address (`f.index`) of a function that takes one byte (i32). */
export function kprintf_to(
  sink: u32, fmt: usize, a0: u32, a1: u32, a2: u32, a3: u32, a4: u32, a5: u32, a6: u32, a7: u32, a8: u32, a9: u32,
): void {
  const args = frame_alloc(40);
  store_args(args, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9);
  kprintf(fmt, args, sink, 0);
}

/** One byte to the console. */
export function putchar(byte: u32): void {
  cnputc(byte);
}

function console_sink(byte: i32): void {
  cnputc(byte);
}

/** Prints on the console. `fmt` is a byte string; up to ten words follow. May be called from interrupts. */
export function printf(
  fmt: usize, a0: u32 = 0, a1: u32 = 0, a2: u32 = 0, a3: u32 = 0, a4: u32 = 0,
  a5: u32 = 0, a6: u32 = 0, a7: u32 = 0, a8: u32 = 0, a9: u32 = 0,
): void {
  const args = frame_alloc(40);
  store_args(args, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9);
  kprintf(fmt, args, console_sink.index, 0);
}

/** A kernel message for the log; it goes to the console. */
export function log(
  level: u32, fmt: usize, a0: u32 = 0, a1: u32 = 0, a2: u32 = 0, a3: u32 = 0, a4: u32 = 0, a5: u32 = 0,
): void {
  const args = frame_alloc(40);
  store_args(args, a0, a1, a2, a3, a4, a5, 0, 0, 0, 0);
  kprintf(fmt, args, console_sink.index, 0);
}

/** A message for the user of the current process; there is one terminal, the console. */
export function uprintf(
  fmt: usize, a0: u32 = 0, a1: u32 = 0, a2: u32 = 0, a3: u32 = 0, a4: u32 = 0, a5: u32 = 0,
): void {
  const args = frame_alloc(40);
  store_args(args, a0, a1, a2, a3, a4, a5, 0, 0, 0, 0);
  kprintf(fmt, args, console_sink.index, 0);
}

/** The common end of panic and a failed assertion: DDB when there is one, then down. */
function panic_finish(fmt: usize): void {
  let bootopt = RB_AUTOBOOT | RB_DUMP;
  if (prf_state.panicstr != 0) bootopt |= RB_NOSYNC;
  else prf_state.panicstr = fmt;
  kernel_debugger();
  cpu_reboot(bootopt, 0);
}

/**
 * Prints `panic: ` and the message, enters DDB when it is there and wanted,
 * then syncs the disks and goes down. Does not return. A second panic on the
 * way skips the sync.
 */
export function panic(
  fmt: usize, a0: u32 = 0, a1: u32 = 0, a2: u32 = 0, a3: u32 = 0, a4: u32 = 0,
  a5: u32 = 0, a6: u32 = 0, a7: u32 = 0, a8: u32 = 0, a9: u32 = 0,
): void {
  const args = frame_alloc(40);
  store_args(args, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9);
  printf(cs("panic: "));
  kprintf(fmt, args, console_sink.index, 0);
  printf(cs("\n"));
  panic_finish(fmt);
}

/** Prints a compiler's string: 16-bit units, size in bytes in the word before. */
function print_compiler_string(s: usize): void {
  if (s == 0) return;
  const end = s + load<u32>(s - 4);
  while (s < end) {
    cnputc(load<u8>(s));
    s += 2;
  }
}

/** What assert() calls when its condition is false: KASSERT's message, then as panic. */
export function assert_failed(message: string | null, file: string | null, line: u32, column: u32): void {
  const text = changetype<usize>(message);
  printf(cs("panic: kernel diagnostic assertion \""));
  if (text != 0) print_compiler_string(text);
  else printf(cs("column %u"), column);
  printf(cs("\" failed: file \""));
  print_compiler_string(changetype<usize>(file));
  printf(cs("\", line %u\n"), line);
  panic_finish(cs("kernel diagnostic assertion failed"));
}
