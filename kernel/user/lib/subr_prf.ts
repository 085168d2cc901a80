// What kernel sources that programs share (newfs for memory file systems) take for the kernel's printf and panic.
import { eprintf, exit } from "./stdio";

// The kernel prints where a person reads it at once; in a program that is the standard error.
export { eprintf as printf, snprintf, sprintf } from "./stdio";

/** Status of a program that found itself broken, as sysexits(3) has it. */
const EX_SOFTWARE: i32 = 70;

/** Tells what is wrong and ends the program. */
export function panic(fmt: usize, a0: u32 = 0, a1: u32 = 0, a2: u32 = 0, a3: u32 = 0): void {
  eprintf(fmt, a0, a1, a2, a3);
  eprintf(cs("\n"));
  exit(EX_SOFTWARE);
}
