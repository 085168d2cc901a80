// Access to the kernel's memory from DDB, byte by byte and little-endian. An
// unmapped address faults; the trap handler comes back through db_recover.

import { lcr3, rcr3, volatile } from "../i386/cpufunc";
import { PG_RW } from "../i386/pte";
import { sym } from "../i386/sym";

/** The `size` (1, 2 or 4) bytes at `addr`, sign-extended when `is_signed`. */
export function db_get_value(addr: usize, size: u32, is_signed: bool): i32 {
  let value: u32 = 0;
  for (let i: u32 = 0; i < size; i++) value |= volatile.load8(addr + i) << (i * 8);
  if (is_signed && size < 4) {
    const shift = 32 - size * 8;
    return (i32(value) << shift) >> shift;
  }
  return i32(value);
}

function in_text(addr: usize): bool {
  return addr >= sym.kernel_text() && addr < sym.etext();
}

/** Stores the low `size` bytes of `value`; kernel text is made writable for the while. */
export function db_put_value(addr: usize, size: u32, value: u32): void {
  const pte: usize = 0xbfc00000 + ((addr >> 12) << 2);
  const text = in_text(addr);
  let old: u32 = 0;
  if (text) {
    old = volatile.load32(pte);
    volatile.store32(pte, old | PG_RW);
    lcr3(rcr3());
  }
  for (let i: u32 = 0; i < size; i++) volatile.store8(addr + i, (value >> (i * 8)) & 0xff);
  if (text) {
    volatile.store32(pte, old);
    lcr3(rcr3());
  }
}
