// The formatter of printf, for the kernel and for the programs of user space.
//
// kprintf hands every byte to a sink: a code address called as sink(byte, arg),
// or as sink(byte) when arg is 0. The console, files and memory are sinks; DDB
// brings its own, which counts columns.
//
// Arguments are words. A 64-bit value is two words, low one first, printed
// with %q or %ll before d, u, x or o.
import { frame_alloc } from "./i386/cpufunc";

/** The radix of %r and %n: DDB's. */
@unmanaged
class FormatState {
  radix: u32;
}
const format_state = changetype<FormatState>(memory.data(offsetof<FormatState>()));

/** Where kprintf sends bytes that go to memory. */
@unmanaged
class BufferSink {
  at: usize;
  /** Bytes that still fit, the final NUL not counted. */
  room: u32;
  /** Bytes produced, also those that did not fit. */
  produced: u32;
}
const SIZEOF_BUFFERSINK: u32 = 12;

/** A conversion under way: what stands between % and its letter. */
@unmanaged
class Conversion {
  sink: u32;
  arg: usize;
  width: u32;
  /** Digits or bytes at most; NO_PRECISION when not given. */
  precision: u32;
  zero: u32;
  left: u32;
  sharp: u32;
  plus: u32;
  long_long: u32;
}
const SIZEOF_CONVERSION: u32 = 36;
const NO_PRECISION: u32 = 0xffffffff;

/** Longest number: 64 bits in octal. */
const NUMBER_SIZE: u32 = 24;

/** Sets the radix of %r and %n (DDB's $radix). */
export function set_kprintf_radix(radix: u32): void {
  format_state.radix = radix;
}

function emit(c: Conversion, byte: u32): void {
  if (c.arg == 0) call_indirect<void>(c.sink, i32(byte));
  else call_indirect<void>(c.sink, byte, c.arg);
}

function pad(c: Conversion, byte: u32, count: i32): void {
  while (count > 0) {
    emit(c, byte);
    count--;
  }
}

/** Writes the digits of `value` ending before `end`; returns the address of the first. */
function number_digits(value: u64, radix: u32, end: usize): usize {
  let at = end;
  if ((value >> 32) == 0) {
    let low = u32(value);
    do {
      const digit = low % radix;
      store<u8>(--at, digit < 10 ? 0x30 + digit : 0x57 + digit);
      low = low / radix;
    } while (low != 0);
    return at;
  }
  while (value != 0) {
    const digit = u32(value % u64(radix));
    store<u8>(--at, digit < 10 ? 0x30 + digit : 0x57 + digit);
    value = value / u64(radix);
  }
  return at;
}

/** Prints an integer; `sign` is 0 or the byte to put before it. */
function print_number(c: Conversion, value: u64, radix: u32, sign: u32): void {
  const buffer = frame_alloc(NUMBER_SIZE);
  const end = buffer + NUMBER_SIZE;
  const first = number_digits(value, radix, end);
  let digits = u32(end - first);
  if (value == 0 && c.precision == 0) digits = 0;
  let zeros: i32 = 0;
  if (c.precision != NO_PRECISION && c.precision > digits) zeros = i32(c.precision - digits);
  const prefix: u32 = c.sharp != 0 && value != 0 ? (radix == 16 ? 2 : radix == 8 ? 1 : 0) : 0;
  const length = i32(digits) + zeros + i32(prefix) + (sign != 0 ? 1 : 0);
  let spaces = i32(c.width) - length;
  if (c.zero != 0 && c.left == 0 && c.precision == NO_PRECISION && spaces > 0) {
    zeros += spaces;
    spaces = 0;
  }
  if (c.left == 0) pad(c, 0x20, spaces);
  if (sign != 0) emit(c, sign);
  if (prefix != 0) emit(c, 0x30);
  if (prefix == 2) emit(c, 0x78);
  pad(c, 0x30, zeros);
  let i: u32 = 0;
  while (i < digits) {
    emit(c, load<u8>(end - digits + i));
    i++;
  }
  if (c.left != 0) pad(c, 0x20, spaces);
}

function print_signed(c: Conversion, value: i64, radix: u32): void {
  if (value < 0) print_number(c, u64(0 - value), radix, 0x2d);
  else print_number(c, u64(value), radix, c.plus != 0 ? 0x2b : 0);
}

/** %s: at most `precision` bytes. */
function print_string(c: Conversion, s: usize): void {
  if (s == 0) s = cs("(null)");
  let length: u32 = 0;
  while (length < c.precision && load<u8>(s + length) != 0) length++;
  const spaces = i32(c.width) - i32(length);
  if (c.left == 0) pad(c, 0x20, spaces);
  let i: u32 = 0;
  while (i < length) {
    emit(c, load<u8>(s + i));
    i++;
  }
  if (c.left != 0) pad(c, 0x20, spaces);
}

/** %b: a number and the names of its bits; `names` is the radix byte, then {bit number from 1, name…}. */
function print_bits(c: Conversion, value: u32, names: usize): void {
  print_number(c, u64(value), load<u8>(names), 0);
  let at = names + 1;
  let opened = false;
  while (load<u8>(at) != 0) {
    const bit = u32(load<u8>(at)) - 1;
    const named = (value & (1 << bit)) != 0;
    at++;
    if (named) emit(c, opened ? 0x2c : 0x3c);
    if (named) opened = true;
    while (load<u8>(at) > 0x20) {
      if (named) emit(c, load<u8>(at));
      at++;
    }
  }
  if (opened) emit(c, 0x3e);
}

/** Reads what stands between % and the letter, whose address it returns. `ap` holds the address of the next argument. */
function parse_conversion(c: Conversion, fmt: usize, ap: usize): usize {
  c.width = 0;
  c.precision = NO_PRECISION;
  c.zero = 0;
  c.left = 0;
  c.sharp = 0;
  c.plus = 0;
  c.long_long = 0;
  for (; ; fmt++) {
    const byte = load<u8>(fmt);
    if (byte == 0x23) c.sharp = 1;
    else if (byte == 0x2d) c.left = 1;
    else if (byte == 0x2b) c.plus = 1;
    else if (byte == 0x30) c.zero = 1;
    else break;
  }
  if (load<u8>(fmt) == 0x2a) {
    const width = load<i32>(load<usize>(ap));
    store<usize>(ap, load<usize>(ap) + 4);
    if (width < 0) c.left = 1;
    c.width = u32(width < 0 ? 0 - width : width);
    fmt++;
  }
  while (load<u8>(fmt) >= 0x30 && load<u8>(fmt) <= 0x39) c.width = c.width * 10 + u32(load<u8>(fmt++)) - 0x30;
  if (load<u8>(fmt) == 0x2e) {
    fmt++;
    c.precision = 0;
    if (load<u8>(fmt) == 0x2a) {
      c.precision = load<u32>(load<usize>(ap));
      store<usize>(ap, load<usize>(ap) + 4);
      fmt++;
    }
    while (load<u8>(fmt) >= 0x30 && load<u8>(fmt) <= 0x39) {
      c.precision = c.precision * 10 + u32(load<u8>(fmt++)) - 0x30;
    }
  }
  let longs: u32 = 0;
  for (; ; fmt++) {
    const byte = load<u8>(fmt);
    if (byte == 0x6c) longs++;
    else if (byte == 0x71) longs = 2;
    else if (byte != 0x68) break;
  }
  if (longs >= 2) c.long_long = 1;
  return fmt;
}

/** Takes the next integer argument as u64, sign-extended when `is_signed`. */
function take_integer(c: Conversion, ap: usize, is_signed: bool): u64 {
  const at = load<usize>(ap);
  if (c.long_long != 0) {
    store<usize>(ap, at + 8);
    return u64(load<u32>(at)) | (u64(load<u32>(at + 4)) << 32);
  }
  store<usize>(ap, at + 4);
  return is_signed ? u64(i64(load<i32>(at))) : u64(load<u32>(at));
}

/** Performs one conversion. Returns false for an unknown letter. */
function convert(c: Conversion, letter: u32, ap: usize): bool {
  switch (letter) {
    case 0x64: // d
    case 0x69: // i
      print_signed(c, i64(take_integer(c, ap, true)), 10);
      return true;
    case 0x75: // u
      print_number(c, take_integer(c, ap, false), 10, 0);
      return true;
    case 0x78: // x
    case 0x58: // X
      print_number(c, take_integer(c, ap, false), 16, 0);
      return true;
    case 0x6f: // o
      print_number(c, take_integer(c, ap, false), 8, 0);
      return true;
    case 0x70: { // p
      const value = take_integer(c, ap, false);
      emit(c, 0x30);
      emit(c, 0x78);
      print_number(c, value, 16, 0);
      return true;
    }
    case 0x7a: // z: DDB's signed hex
      print_signed(c, i64(take_integer(c, ap, true)), 16);
      return true;
    case 0x72: // r: DDB's signed radix
      print_signed(c, i64(take_integer(c, ap, true)), format_state.radix == 0 ? 16 : format_state.radix);
      return true;
    case 0x6e: // n: DDB's unsigned radix
      print_number(c, take_integer(c, ap, false), format_state.radix == 0 ? 16 : format_state.radix, 0);
      return true;
    case 0x63: { // c
      const byte = u32(take_integer(c, ap, false)) & 0xff;
      const spaces = i32(c.width) - 1;
      if (c.left == 0) pad(c, 0x20, spaces);
      emit(c, byte);
      if (c.left != 0) pad(c, 0x20, spaces);
      return true;
    }
    case 0x73: // s
      print_string(c, usize(take_integer(c, ap, false)));
      return true;
    case 0x62: { // b
      const value = u32(take_integer(c, ap, false));
      print_bits(c, value, usize(take_integer(c, ap, false)));
      return true;
    }
    default:
      return false;
  }
}

/** Formats `fmt` with the argument words at `args`, sending each byte to sink(byte, arg). */
export function kprintf(fmt: usize, args: usize, sink: u32, arg: usize): void {
  const c = changetype<Conversion>(frame_alloc(SIZEOF_CONVERSION));
  const ap = frame_alloc(4);
  store<usize>(ap, args);
  c.sink = sink;
  c.arg = arg;
  for (; ;) {
    const byte = load<u8>(fmt);
    if (byte == 0) return;
    if (byte != 0x25) {
      emit(c, byte);
      fmt++;
      continue;
    }
    const at = parse_conversion(c, fmt + 1, ap);
    const letter = load<u8>(at);
    if (letter == 0) return;
    if (!convert(c, letter, ap)) {
      if (letter != 0x25) emit(c, 0x25);
      emit(c, letter);
    }
    fmt = at + 1;
  }
}

function buffer_sink(byte: u32, arg: usize): void {
  const sink = changetype<BufferSink>(arg);
  sink.produced++;
  if (sink.room == 0) return;
  store<u8>(sink.at, byte);
  sink.at++;
  sink.room--;
}

/** Stores ten argument words at `args`. */
export function store_args(
  args: usize, a0: u32, a1: u32, a2: u32, a3: u32, a4: u32, a5: u32, a6: u32, a7: u32, a8: u32, a9: u32,
): void {
  store<u32>(args, a0);
  store<u32>(args, a1, 4);
  store<u32>(args, a2, 8);
  store<u32>(args, a3, 12);
  store<u32>(args, a4, 16);
  store<u32>(args, a5, 20);
  store<u32>(args, a6, 24);
  store<u32>(args, a7, 28);
  store<u32>(args, a8, 32);
  store<u32>(args, a9, 36);
}

/** Formats into `size` bytes at `buf`, always NUL-terminated (size > 0). Returns the length the text would need. */
export function vsnprintf(buf: usize, size: u32, fmt: usize, args: usize): i32 {
  const sink = changetype<BufferSink>(frame_alloc(SIZEOF_BUFFERSINK));
  sink.at = buf;
  sink.room = size - 1;
  sink.produced = 0;
  kprintf(fmt, args, buffer_sink.index, changetype<usize>(sink));
  store<u8>(sink.at, 0);
  return i32(sink.produced);
}

/** Formats to `buf`, which the caller knows to be large enough. Returns the length. */
export function sprintf(
  buf: usize, fmt: usize, a0: u32 = 0, a1: u32 = 0, a2: u32 = 0, a3: u32 = 0, a4: u32 = 0, a5: u32 = 0,
  a6: u32 = 0, a7: u32 = 0,
): i32 {
  const args = frame_alloc(40);
  store_args(args, a0, a1, a2, a3, a4, a5, a6, a7, 0, 0);
  return vsnprintf(buf, 0x7fffffff, fmt, args);
}

/** Formats into `size` bytes at `buf` (size > 0). Returns the length the text would need. */
export function snprintf(
  buf: usize, size: u32, fmt: usize, a0: u32 = 0, a1: u32 = 0, a2: u32 = 0, a3: u32 = 0, a4: u32 = 0, a5: u32 = 0,
  a6: u32 = 0, a7: u32 = 0,
): i32 {
  const args = frame_alloc(40);
  store_args(args, a0, a1, a2, a3, a4, a5, a6, a7, 0, 0);
  return vsnprintf(buf, size, fmt, args);
}
