// Parsed commands.

/** Kinds of commands and what their fields hold. */
export const N_SIMPLE: u32 = 1;
/** left | right… : a list of commands by `next`, starting at `left`. */
export const N_PIPE: u32 = 2;
/** left && right, left || right, left ; right. */
export const N_AND: u32 = 3;
export const N_OR: u32 = 4;
export const N_SEQUENCE: u32 = 5;
/** left &. */
export const N_BACKGROUND: u32 = 6;
/** ! left. */
export const N_NOT: u32 = 7;
/** if left; then right; else third. */
export const N_IF: u32 = 8;
/** while left; do right. */
export const N_WHILE: u32 = 9;
export const N_UNTIL: u32 = 10;
/** for name in words; do right; third != 0: without `in`. */
export const N_FOR: u32 = 11;
/** case words in items (by `next` from left; each with words = patterns, right = commands). */
export const N_CASE: u32 = 12;
/** ( left ), { left }. */
export const N_SUBSHELL: u32 = 13;
export const N_GROUP: u32 = 14;
/** name() text. */
export const N_FUNCTION: u32 = 15;

/** A word as written. */
@unmanaged
export class Word {
  next: Word;
  text: usize;
}

/** Kinds of redirections. */
export const R_IN: u32 = 1;
export const R_OUT: u32 = 2;
export const R_APPEND: u32 = 3;
export const R_READWRITE: u32 = 4;
export const R_DUP_IN: u32 = 5;
export const R_DUP_OUT: u32 = 6;
export const R_HERE: u32 = 7;
/** `>|`: as `>`, also with -C. */
export const R_CLOBBER: u32 = 8;

@unmanaged
export class Redirection {
  next: Redirection;
  kind: u32;
  fd: i32;
  /** The word behind the operator; the contents of a here-document. */
  word: usize;
  /** A here-document: strip leading tabs; contents are taken as they are. */
  strips: u32;
  literal: u32;
  /** The next here-document of the same line, while they are not read. */
  pending: Redirection;
}

@unmanaged
export class Node {
  kind: u32;
  next: Node;
  left: Node;
  right: Node;
  third: Node;
  name: usize;
  words: Word;
  assignments: Word;
  redirections: Redirection;
  /** The text of a job, or 0. */
  text: usize;
}
