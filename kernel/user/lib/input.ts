// Lines of a file: a buffer over a descriptor.
import { frame_alloc } from "../../i386/cpufunc";
import { eprintf } from "./stdio";
import { free, malloc, realloc, to_lower, zalloc } from "./stdlib";
import { read } from "./syscalls";

const BUFFER_SIZE: u32 = 8192;

@unmanaged
export class Input {
  fd: i32;
  /** Bytes in the buffer, and how many of them are used up. */
  filled: i32;
  used: i32;
  /** A read failed. */
  failed: u32;
  buffer: usize;
  /** The last line, NUL-terminated, without its newline. */
  line: usize;
  capacity: u32;
  /** Bytes of the line; a line may hold NULs. */
  length: u32;
  /** The last line ended with a newline. */
  complete: u32;
}

export function new_input(fd: i32): Input {
  const input = changetype<Input>(zalloc(offsetof<Input>()));
  input.fd = fd;
  input.buffer = malloc(BUFFER_SIZE);
  input.capacity = 128;
  input.line = malloc(input.capacity);
  return input;
}

export function free_input(input: Input): void {
  free(input.buffer);
  free(input.line);
  free(changetype<usize>(input));
}

/** Bytes in the buffer that have not been read; fills an empty buffer. 0 at the end or after an error. */
export function available(input: Input): u32 {
  if (input.used >= input.filled) {
    input.filled = read(input.fd, input.buffer, BUFFER_SIZE);
    input.used = 0;
    if (input.filled < 0) input.failed = 1;
    if (input.filled <= 0) return 0;
  }
  return u32(input.filled - input.used);
}

/** The next byte, or -1 at the end or after an error. */
export function read_byte(input: Input): i32 {
  if (input.used >= input.filled && available(input) == 0) return -1;
  return load<u8>(input.buffer + input.used++);
}

/** Reads the next line into `line` and `length`. False at the end. */
export function read_line(input: Input): bool {
  input.length = 0;
  input.complete = 0;
  while (true) {
    const byte = read_byte(input);
    if (byte < 0) {
      store<u8>(input.line + input.length, 0);
      return input.length > 0;
    }
    if (byte == 0x0a) {
      store<u8>(input.line + input.length, 0);
      input.complete = 1;
      return true;
    }
    store<u8>(input.line + input.length++, byte);
    if (input.length == input.capacity) {
      input.capacity *= 2;
      input.line = realloc(input.line, input.capacity);
    }
  }
}

/** Asks a person on the standard error; whether the answer begins with y. */
export function ask(fmt: usize, name: usize): bool {
  eprintf(fmt, name);
  // What follows the line belongs to later questions.
  const byte = frame_alloc(4);
  let first: u32 = 0;
  for (let n = read(0, byte, 1); n == 1 && load<u8>(byte) != 0x0a; n = read(0, byte, 1)) {
    if (first == 0) first = load<u8>(byte);
  }
  return to_lower(first) == 0x79;
}
