// Where commands come from: a descriptor, read line by line, or a string.
//
// The text of the command that is being parsed stays in the buffer, so that a
// place in it is an offset.
import { frame_alloc } from "../../../i386/cpufunc";
import { strlen } from "../../../libkern";
import { last_error } from "../../lib/errors";
import { flush } from "../../lib/stdio";
import { eprintf } from "../../lib/stdio";
import { free, malloc, realloc, zalloc } from "../../lib/stdlib";
import { read } from "../../lib/syscalls";
import { SKIP_ALL, sh } from "./state";
import { get_variable } from "./variables";

const EINTR: i32 = 4;

@unmanaged
export class Source {
  text: usize;
  length: u32;
  capacity: u32;
  at: u32;
  /** -1 for a string. */
  fd: i32;
  ended: u32;
  /** Prompts are wanted; the next one is the second. */
  prompts: u32;
  continued: u32;
}

@unmanaged
class Current {
  source: Source;
}
const current = changetype<Current>(memory.data(4));

export function source(): Source {
  return current.source;
}

/** Makes `next` the source; returns the one before. */
export function set_source(next: Source): Source {
  const before = current.source;
  current.source = next;
  return before;
}

export function string_source(text: usize): Source {
  const made = changetype<Source>(zalloc(offsetof<Source>()));
  made.text = text;
  made.length = strlen(text);
  made.fd = -1;
  made.ended = 1;
  return made;
}

export function file_source(fd: i32): Source {
  const made = changetype<Source>(zalloc(offsetof<Source>()));
  made.capacity = 256;
  made.text = malloc(made.capacity);
  made.fd = fd;
  return made;
}

export function free_source(s: Source): void {
  if (s.fd >= 0) free(s.text);
  free(changetype<usize>(s));
}

/** Reads up to the next newline, byte by byte: what follows belongs to the commands. */
function refill(s: Source): void {
  if (s.prompts != 0) {
    const prompt = get_variable(s.continued != 0 ? cs("PS2") : cs("PS1"));
    flush();
    eprintf(cs("%s"), prompt == 0 ? cs("") : prompt);
    s.continued = 1;
  }
  const byte = frame_alloc(4);
  while (true) {
    const n = read(s.fd, byte, 1);
    if (n < 0 && last_error() == EINTR) {
      if (sh.interrupted == 0) continue;
      eprintf(cs("\n"));
      sh.skip = SKIP_ALL;
      s.length = s.at;
      store<u8>(byte, 0x0a);
    } else if (n <= 0) {
      s.ended = 1;
      return;
    }
    if (s.length + 1 >= s.capacity) {
      s.capacity *= 2;
      s.text = realloc(s.text, s.capacity);
    }
    store<u8>(s.text + s.length++, load<u8>(byte));
    if (load<u8>(byte) == 0x0a) return;
  }
}

/** The byte `ahead` of the next one, or 0 at the end. */
export function peek(ahead: u32): u32 {
  const s = current.source;
  while (s.at + ahead >= s.length) {
    if (s.ended != 0) return 0;
    refill(s);
  }
  return load<u8>(s.text + s.at + ahead);
}

/** Takes the next byte; 0 at the end. */
export function take(): u32 {
  const byte = peek(0);
  if (current.source.at < current.source.length) current.source.at++;
  return byte;
}

export function at_end(): bool {
  return peek(0) == 0 && current.source.at >= current.source.length;
}

/** Forgets what has been parsed; the next prompt is the first. */
export function begin_command(): void {
  const s = current.source;
  s.continued = 0;
  if (s.fd < 0 || s.at == 0) return;
  s.length -= s.at;
  memory.copy(s.text, s.text + s.at, s.length);
  s.at = 0;
}
