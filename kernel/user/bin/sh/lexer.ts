// Tokens of the shell language. Words keep their quotes: expansion looks at
// them again when the command runs.
import { eprintf } from "../../lib/stdio";
import { is_digit, realloc } from "../../lib/stdlib";
import { at_end, peek, source, take } from "./source";
import { SKIP_ALL, SKIP_EXIT, SKIP_NONE, alloc_string, sh } from "./state";
import { Redirection } from "./tree";

export const T_END: u32 = 0;
export const T_WORD: u32 = 1;
export const T_NEWLINE: u32 = 2;
/** ; & && || | ( ) ;; < > >> <> <& >& << <<- */
export const T_SEMICOLON: u32 = 3;
export const T_BACKGROUND: u32 = 4;
export const T_AND: u32 = 5;
export const T_OR: u32 = 6;
export const T_PIPE: u32 = 7;
export const T_OPEN: u32 = 8;
export const T_CLOSE: u32 = 9;
export const T_CASE_END: u32 = 10;
export const T_IN: u32 = 11;
export const T_OUT: u32 = 12;
export const T_APPEND: u32 = 13;
export const T_READWRITE: u32 = 14;
export const T_DUP_IN: u32 = 15;
export const T_DUP_OUT: u32 = 16;
export const T_HERE: u32 = 17;
export const T_HERE_STRIP: u32 = 18;
/** >| */
export const T_CLOBBER: u32 = 19;

/** The token under consideration. */
@unmanaged
export class Token {
  kind: u32;
  /** Of a word: its text, and whether any of it is quoted (it is no keyword then). */
  text: usize;
  quoted: u32;
  /** Number before a redirection, or -1. */
  fd: i32;
  /** Offset in the source. */
  start: u32;
  /** Here-documents whose contents begin after the next newline. */
  here: Redirection;
}
export const token = changetype<Token>(memory.data(24));

/** A word being read. */
@unmanaged
class Buffer {
  data: usize;
  length: u32;
  capacity: u32;
}
const buffer = changetype<Buffer>(memory.data(12));

function keep(byte: u32): void {
  if (buffer.length == buffer.capacity) {
    buffer.capacity = buffer.capacity == 0 ? 256 : buffer.capacity * 2;
    buffer.data = realloc(buffer.data, buffer.capacity);
  }
  store<u8>(buffer.data + buffer.length++, byte);
}

/** A mistake in the text: the command is not run; a shell without a person ends. */
export function syntax_error(what: usize): void {
  if (sh.skip != SKIP_NONE) return;
  eprintf(cs("%s: Syntax error: %s\n"), sh.arg0, what);
  sh.status = 2;
  sh.skip = sh.interactive != 0 ? SKIP_ALL : SKIP_EXIT;
}

function skip_blanks(): void {
  while (true) {
    const byte = peek(0);
    if (byte == 0x5c && peek(1) == 0x0a) {
      take();
      take();
    } else if (byte == 0x20 || byte == 9) take();
    else if (byte == 0x23) while (!at_end() && peek(0) != 0x0a) take();
    else return;
  }
}

/** Keeps bytes up to and with `close`, which belongs to a quotation that has begun. */
function keep_until(close: u32, escapes: bool): void {
  while (true) {
    if (at_end()) {
      syntax_error(cs("Unterminated quoted string"));
      return;
    }
    const byte = take();
    keep(byte);
    if (byte == close) return;
    if (escapes && byte == 0x5c) keep(take());
  }
}

/** Keeps the rest of $(…) or ${…}. */
function keep_nested(close: u32): void {
  while (true) {
    if (at_end()) {
      syntax_error(close == 0x29 ? cs("end of file unexpected (expecting \")\")") : cs("Missing '}'"));
      return;
    }
    const byte = take();
    keep(byte);
    if (byte == close) return;
    if (byte == 0x28 && close == 0x29) keep_nested(0x29);
    else keep_quotation(byte);
    if (sh.skip != SKIP_NONE) return;
  }
}

function keep_double(): void {
  while (true) {
    if (at_end()) {
      syntax_error(cs("Unterminated quoted string"));
      return;
    }
    const byte = take();
    keep(byte);
    if (byte == 0x22) return;
    if (byte != 0x27) keep_quotation(byte);
    if (sh.skip != SKIP_NONE) return;
  }
}

/** Keeps what belongs to the byte just kept, if it begins a quotation or a substitution. */
function keep_quotation(byte: u32): void {
  if (byte == 0x5c) {
    if (!at_end()) keep(take());
  } else if (byte == 0x27) keep_until(0x27, false);
  else if (byte == 0x60) keep_until(0x60, true);
  else if (byte == 0x22) keep_double();
  else if (byte == 0x24 && (peek(0) == 0x28 || peek(0) == 0x7b)) {
    const open = take();
    keep(open);
    keep_nested(open == 0x28 ? 0x29 : 0x7d);
  }
}

function ends_word(byte: u32): bool {
  return byte == 0x20 || byte == 9 || byte == 0x0a || byte == 0x3b || byte == 0x26 || byte == 0x7c || byte == 0x3c ||
    byte == 0x3e || byte == 0x28 || byte == 0x29;
}

function read_word(): void {
  buffer.length = 0;
  token.quoted = 0;
  while (!at_end() && !ends_word(peek(0)) && sh.skip == SKIP_NONE) {
    if (peek(0) == 0x5c && peek(1) == 0x0a) {
      take();
      take();
      continue;
    }
    const byte = take();
    keep(byte);
    if (byte == 0x5c || byte == 0x27 || byte == 0x22) token.quoted = 1;
    keep_quotation(byte);
  }
  token.kind = T_WORD;
  token.text = alloc_string(buffer.data, buffer.length);
}

function is_all_digits(): bool {
  for (let i: u32 = 0; i < buffer.length; i++) if (!is_digit(load<u8>(buffer.data + i))) return false;
  return buffer.length > 0;
}

/** One of two tokens, by whether the next byte is `byte`. */
function either(byte: u32, with_it: u32, without: u32): void {
  if (peek(0) != byte) {
    token.kind = without;
    return;
  }
  take();
  token.kind = with_it;
}

function read_redirection(first: u32): void {
  const second = peek(0);
  if (first == 0x3e) {
    if (second == 0x7c) {
      take();
      token.kind = T_CLOBBER;
    } else if (second == 0x26) either(0x26, T_DUP_OUT, T_OUT);
    else either(0x3e, T_APPEND, T_OUT);
    return;
  }
  if (second == 0x3e) either(0x3e, T_READWRITE, T_IN);
  else if (second == 0x26) either(0x26, T_DUP_IN, T_IN);
  else if (second == 0x3c) {
    take();
    either(0x2d, T_HERE_STRIP, T_HERE);
  } else token.kind = T_IN;
}

/** Whether the line of a here-document kept at `from` is its delimiter. */
function is_delimiter(from: u32, word: usize): bool {
  let i: u32 = 0;
  while (from + i < buffer.length && load<u8>(word + i) != 0) {
    if (load<u8>(buffer.data + from + i) != load<u8>(word + i)) break;
    i++;
  }
  return from + i == buffer.length && load<u8>(word + i) == 0;
}

function read_here_document(here: Redirection): void {
  buffer.length = 0;
  const delimiter = here.word;
  while (!at_end()) {
    const from = buffer.length;
    if (here.strips != 0) while (peek(0) == 9) take();
    while (!at_end() && peek(0) != 0x0a) {
      if (here.literal == 0 && peek(0) == 0x5c && peek(1) == 0x0a) {
        take();
        take();
      } else if (here.literal == 0 && peek(0) == 0x5c) {
        keep(take());
        keep(take());
      } else keep(take());
    }
    const last = at_end();
    if (is_delimiter(from, delimiter)) {
      buffer.length = from;
      take();
      break;
    }
    if (!last) keep(take());
  }
  here.word = alloc_string(buffer.data, buffer.length);
}

function read_here_documents(): void {
  let here = token.here;
  token.here = changetype<Redirection>(0);
  while (changetype<usize>(here) != 0) {
    const next = here.pending;
    read_here_document(here);
    here = next;
  }
}

/** Notes a here-document whose delimiter has been read. */
export function await_here_document(here: Redirection): void {
  if (changetype<usize>(token.here) == 0) {
    token.here = here;
    return;
  }
  let last = token.here;
  while (changetype<usize>(last.pending) != 0) last = last.pending;
  last.pending = here;
}

/** Reads the next token. */
export function next_token(): void {
  skip_blanks();
  token.start = source().at;
  token.fd = -1;
  token.text = 0;
  if (at_end()) {
    if (changetype<usize>(token.here) != 0) read_here_documents();
    token.kind = T_END;
    return;
  }
  const byte = peek(0);
  if (byte == 0x0a) {
    take();
    token.kind = T_NEWLINE;
    if (changetype<usize>(token.here) != 0) read_here_documents();
  } else if (!ends_word(byte)) {
    read_word();
    const isNumber = (peek(0) == 0x3c || peek(0) == 0x3e) && token.quoted == 0 && is_all_digits();
    if (!isNumber) return;
    let fd = 0;
    for (let i: u32 = 0; i < buffer.length; i++) fd = fd * 10 + load<u8>(buffer.data + i) - 0x30;
    token.fd = fd;
    read_redirection(take());
  } else {
    take();
    if (byte == 0x3b) either(0x3b, T_CASE_END, T_SEMICOLON);
    else if (byte == 0x26) either(0x26, T_AND, T_BACKGROUND);
    else if (byte == 0x7c) either(0x7c, T_OR, T_PIPE);
    else if (byte == 0x28) token.kind = T_OPEN;
    else if (byte == 0x29) token.kind = T_CLOSE;
    else read_redirection(byte);
  }
}
