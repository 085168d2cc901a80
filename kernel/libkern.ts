// The kernel's own C library: memory, strings, small arithmetic, and the
// 64-bit division that the compiler calls for.
import { memmove, memset } from "./i386/support";

export { memmove, memset };

/** Copies `n` bytes between ranges that do not overlap. Returns dst. */
export function memcpy(dst: usize, src: usize, n: u32): usize {
  return memmove(dst, src, n);
}

/** Copies `n` bytes; argument order of bcopy: source first. Ranges may overlap. */
export function bcopy(src: usize, dst: usize, n: u32): void {
  memmove(dst, src, n);
}

export function bzero(dst: usize, n: u32): void {
  memset(dst, 0, n);
}

/** Compares `n` bytes. Negative, 0 or positive. */
export function memcmp(a: usize, b: usize, n: u32): i32 {
  while (n >= 4 && load<u32>(a) == load<u32>(b)) {
    a += 4;
    b += 4;
    n -= 4;
  }
  while (n > 0) {
    const difference = i32(load<u8>(a)) - i32(load<u8>(b));
    if (difference != 0) return difference;
    a++;
    b++;
    n--;
  }
  return 0;
}

export function bcmp(a: usize, b: usize, n: u32): i32 {
  return memcmp(a, b, n);
}

export function strlen(s: usize): u32 {
  let at = s;
  while (load<u8>(at) != 0) at++;
  return u32(at - s);
}

export function strcmp(a: usize, b: usize): i32 {
  while (load<u8>(a) != 0 && load<u8>(a) == load<u8>(b)) {
    a++;
    b++;
  }
  return i32(load<u8>(a)) - i32(load<u8>(b));
}

export function strncmp(a: usize, b: usize, n: u32): i32 {
  while (n > 0) {
    const difference = i32(load<u8>(a)) - i32(load<u8>(b));
    if (difference != 0 || load<u8>(a) == 0) return difference;
    a++;
    b++;
    n--;
  }
  return 0;
}

/** Copies a string with its NUL. Returns dst. */
export function strcpy(dst: usize, src: usize): usize {
  let at = dst;
  while (true) {
    const byte = load<u8>(src++);
    store<u8>(at++, byte);
    if (byte == 0) return dst;
  }
}

/** Copies at most `n` bytes of a string and fills the rest with NULs; a longer one ends without NUL. Returns dst. */
export function strncpy(dst: usize, src: usize, n: u32): usize {
  let i: u32 = 0;
  while (i < n && load<u8>(src + i) != 0) {
    store<u8>(dst + i, load<u8>(src + i));
    i++;
  }
  while (i < n) store<u8>(dst + i++, 0);
  return dst;
}

/** Copies as much of a string as fits in `size` bytes with a NUL (size > 0). Returns the length of src. */
export function strlcpy(dst: usize, src: usize, size: u32): u32 {
  const length = strlen(src);
  const count = length < size ? length : size - 1;
  memmove(dst, src, count);
  store<u8>(dst + count, 0);
  return length;
}

/** Appends src to the string at dst. Returns dst. */
export function strcat(dst: usize, src: usize): usize {
  strcpy(dst + strlen(dst), src);
  return dst;
}

/** Address of the first `byte` in the string, or 0. */
export function strchr(s: usize, byte: u32): usize {
  while (load<u8>(s) != byte) {
    if (load<u8>(s) == 0) return 0;
    s++;
  }
  return s;
}

/** Number of bytes left in [cp, cp + size) from the first one that is not `mask`; 0 when all are. */
export function skpc(mask: u32, size: u32, cp: usize): u32 {
  while (size > 0 && load<u8>(cp) == mask) {
    cp++;
    size--;
  }
  return size;
}

/** Number of bytes left in [cp, cp + size) from the first one whose table entry has a bit of `mask`; 0: none has. */
export function scanc(size: u32, cp: usize, table: usize, mask: u32): u32 {
  while (size > 0 && (u32(load<u8>(table + load<u8>(cp))) & mask) == 0) {
    cp++;
    size--;
  }
  return size;
}

function digit_of(byte: u32): u32 {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  if (lower >= 0x61 && lower <= 0x7a) return lower - 0x57;
  return 99;
}

/**
 * The number at `s` in `base` (0: decimal, 0x hex or 0 octal). `endp`, when not
 * 0, gets the address of the first byte that is no digit.
 */
export function strtoul(s: usize, endp: usize, base: u32): u32 {
  if ((base == 0 || base == 16) && load<u8>(s) == 0x30 && (load<u8>(s + 1) | 0x20) == 0x78) {
    s += 2;
    base = 16;
  }
  if (base == 0) base = load<u8>(s) == 0x30 ? 8 : 10;
  let value: u32 = 0;
  for (; ; s++) {
    const digit = digit_of(load<u8>(s));
    if (digit >= base) break;
    value = value * base + digit;
  }
  if (endp != 0) store<usize>(endp, s);
  return value;
}

export function imin(a: i32, b: i32): i32 {
  return a < b ? a : b;
}

export function imax(a: i32, b: i32): i32 {
  return a > b ? a : b;
}

export function umin(a: u32, b: u32): u32 {
  return a < b ? a : b;
}

export function umax(a: u32, b: u32): u32 {
  return a > b ? a : b;
}

/** `x` rounded up to a multiple of `y`. */
export function roundup(x: u32, y: u32): u32 {
  return ((x + (y - 1)) / y) * y;
}

/** `x` divided by `y`, rounded up. */
export function howmany(x: u32, y: u32): u32 {
  return (x + (y - 1)) / y;
}

/** Next value of the kernel's linear congruential generator: 31 bits. Seed it with srandom for other sequences. */
export function random(): u32 {
  const next = load<u32>(random_state) * 1103515245 + 12345;
  store<u32>(random_state, next);
  return (next >> 1) & 0x7fffffff;
}

export function srandom(seed: u32): void {
  store<u32>(random_state, seed);
}

const random_state: usize = memory.data<u32>([1]);

/** Quotient by a divisor below 65536: four steps of 16 bits. */
function divide_short(n: u64, d: u32): u64 {
  const high = u32(n >> 32);
  const low = u32(n);
  const q3 = (high >> 16) / d;
  let rest = (((high >> 16) % d) << 16) | (high & 0xffff);
  const q2 = rest / d;
  rest = ((rest % d) << 16) | (low >> 16);
  const q1 = rest / d;
  rest = ((rest % d) << 16) | (low & 0xffff);
  const q0 = rest / d;
  return (u64((q3 << 16) | q2) << 32) | u64((q1 << 16) | q0);
}

/** u64 division as the compiler calls it: no 64-bit `/` inside. Division by zero traps as a 32-bit one does. */
export function __udivdi3(n: u64, d: u64): u64 {
  if (d >> 32 == 0) {
    const short = u32(d);
    if (n >> 32 == 0) return u64(u32(n) / short);
    if (short < 0x10000) return divide_short(n, short);
  }
  if (n < d) return 0;
  let bit: u64 = 1;
  while (d < n && i64(d) >= 0) {
    d <<= 1;
    bit <<= 1;
  }
  let quotient: u64 = 0;
  while (bit != 0) {
    if (n >= d) {
      n -= d;
      quotient |= bit;
    }
    d >>= 1;
    bit >>= 1;
  }
  return quotient;
}

export function __umoddi3(n: u64, d: u64): u64 {
  return n - __udivdi3(n, d) * d;
}

export function __divdi3(n: i64, d: i64): i64 {
  const negative = (n < 0) != (d < 0);
  const quotient = i64(__udivdi3(u64(n < 0 ? 0 - n : n), u64(d < 0 ? 0 - d : d)));
  return negative ? 0 - quotient : quotient;
}

export function __moddi3(n: i64, d: i64): i64 {
  return n - __divdi3(n, d) * d;
}
