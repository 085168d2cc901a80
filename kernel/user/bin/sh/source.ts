// Where commands come from: a descriptor, read line by line, or a string.
//
// The text of the command that is being parsed stays in the buffer, so that a
// place in it is an offset.
import { strlen } from "../../../libkern";
import { last_error } from "../../lib/errors";
import { flush, put_error, write_all } from "../../lib/stdio";
import { free, malloc, realloc, zalloc } from "../../lib/stdlib";
import { read } from "../../lib/syscalls";
import { tell_jobs } from "./jobs";
import { SKIP_ALL, sh } from "./state";
import { read_input } from "./traps";
import { get_variable } from "./variables";

const EINTR: i32 = 4;
/** Bytes read at once. */
const CHUNK: u32 = 512;

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
  /** The text is in memory of the source, not somebody else's. */
  owned: u32;
  /** Aliases have been replaced already. */
  plain: u32;
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
  made.capacity = 2 * CHUNK;
  made.text = malloc(made.capacity);
  made.owned = 1;
  made.fd = fd;
  return made;
}

export function free_source(s: Source): void {
  if (s.owned != 0) free(s.text);
  free(changetype<usize>(s));
}

/** Whether the text ends in the middle of a line. */
function is_within_line(s: Source): bool {
  return s.length > 0 && load<u8>(s.text + s.length - 1) != 0x0a;
}

/** Asks the person for a line: for a command after news of jobs, or for more of one. */
function prompt(s: Source): void {
  if (is_within_line(s)) return;
  if (s.continued == 0 && sh.child == 0) tell_jobs();
  const text = get_variable(s.continued != 0 ? cs("PS2") : cs("PS1"));
  flush();
  if (text != 0) put_error(text);
  s.continued = 1;
}

/** ^C at the prompt: what has been typed so far is forgotten. */
function abandon(s: Source): void {
  put_error(cs("\n"));
  sh.skip = SKIP_ALL;
  s.length = s.at;
  store<u8>(s.text + s.length++, 0x0a);
}

/**
 * Reads more text. A terminal gives a line, and a script is the shell's own; of another standard input only a byte
 * is taken, for what follows belongs to the commands.
 */
function refill(s: Source): void {
  if (s.prompts != 0) prompt(s);
  const wanted: u32 = s.fd != 0 || s.prompts != 0 ? CHUNK : 1;
  while (s.length + wanted + 1 > s.capacity) {
    s.capacity *= 2;
    s.text = realloc(s.text, s.capacity);
  }
  while (true) {
    const n = s.prompts != 0 ? read_input(s.text + s.length, wanted) : read(s.fd, s.text + s.length, wanted);
    if (s.prompts != 0 && sh.interrupted != 0) return abandon(s);
    if (n > 0) {
      if (sh.verbose != 0) write_all(2, s.text + s.length, n);
      s.length += n;
      return;
    }
    if (n == 0 || last_error() != EINTR) {
      s.ended = 1;
      return;
    }
  }
}

/** Puts `n` bytes in the place of those from offset `start` to the next byte, and makes the first of them the next. */
export function replace_text(start: u32, text: usize, n: u32): void {
  const s = current.source;
  const rest = s.length - s.at;
  if (s.owned == 0 || s.length + n >= s.capacity) {
    s.capacity = s.length + n + 256;
    const grown = malloc(s.capacity);
    memory.copy(grown, s.text, s.length);
    if (s.owned != 0) free(s.text);
    s.text = grown;
    s.owned = 1;
  }
  memory.copy(s.text + start + n, s.text + s.at, rest);
  memory.copy(s.text + start, text, n);
  s.length = start + n + rest;
  s.at = start;
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
