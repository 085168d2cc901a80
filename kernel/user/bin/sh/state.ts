// What the shell knows of itself, and memory that lives as long as one command.
//
// Parsed commands and expanded words are taken from an arena: a mark is set
// before a command and everything since is given back after it. What must live
// longer (variables, functions) is in malloc's memory.
import { free, malloc } from "../../lib/stdlib";

/** Reasons to leave commands unfinished, in Shell.skip. */
export const SKIP_NONE: u32 = 0;
export const SKIP_BREAK: u32 = 1;
export const SKIP_CONTINUE: u32 = 2;
export const SKIP_RETURN: u32 = 3;
/** Everything up to the prompt: after ^C, or a mistake at the prompt. */
export const SKIP_ALL: u32 = 4;
/** The shell ends with Shell.status. */
export const SKIP_EXIT: u32 = 5;

@unmanaged
export class Shell {
  status: i32;
  pid: i32;
  background: i32;
  interactive: u32;
  /** Set by the options of `set`, see options.ts. */
  errexit: u32;
  xtrace: u32;
  nounset: u32;
  noglob: u32;
  allexport: u32;
  noclobber: u32;
  noexec: u32;
  verbose: u32;
  /** Jobs have process groups of their own (-m), and the terminal is handed to them. */
  monitor: u32;
  skip: u32;
  /** Loops that a break or continue still has to leave. */
  skip_count: i32;
  loops: i32;
  /** Conditions being evaluated: -e does not apply. */
  conditions: i32;
  functions: i32;
  /** Name of the shell or of its script. */
  arg0: usize;
  /** Positional parameters: a vector of words. */
  parameters: usize;
  parameter_count: i32;
  /** A substitution has failed while the current command was expanded. */
  failed: u32;
  /** Exit status of the last command substitution of the current command. */
  substitution_status: i32;
  /** Inside a forked child: no traps of the parent. */
  child: u32;
  /** ^C has come. */
  interrupted: u32;
  /** The shell is about to read its standard input for a person, or does; flags of that descriptor otherwise. */
  reading: u32;
  input_flags: u32;
  /** The terminal, or -1, and the group that had it before. */
  terminal: i32;
  first_group: i32;
  /** The shell has been asked to end and has said that jobs are stopped. */
  warned: u32;
}
export const sh = changetype<Shell>(memory.data(offsetof<Shell>()));

@unmanaged
class Chunk {
  previous: Chunk;
  size: u32;
  used: u32;
}
const SIZEOF_CHUNK: u32 = 12;
const CHUNK_SIZE: u32 = 4096 - 16;

@unmanaged
class Arena {
  chunk: Chunk;
}
const arena = changetype<Arena>(memory.data(4));

/** Memory until the release of an earlier mark. */
export function alloc(size: u32): usize {
  size = (size + 3) & ~3;
  let chunk = arena.chunk;
  if (changetype<usize>(chunk) == 0 || chunk.used + size > chunk.size) {
    const room = size + SIZEOF_CHUNK > CHUNK_SIZE ? size + SIZEOF_CHUNK : CHUNK_SIZE;
    const fresh = changetype<Chunk>(malloc(room));
    fresh.previous = chunk;
    fresh.size = room;
    fresh.used = SIZEOF_CHUNK;
    arena.chunk = fresh;
    chunk = fresh;
  }
  const at = changetype<usize>(chunk) + chunk.used;
  chunk.used += size;
  memory.fill(at, 0, size);
  return at;
}

/** A string of `n` bytes in the arena. */
export function alloc_string(s: usize, n: u32): usize {
  const copy = alloc(n + 1);
  memory.copy(copy, s, n);
  return copy;
}

/** Notes the state of the arena in `mark`, 8 bytes. */
export function mark_arena(mark: usize): void {
  store<usize>(mark, changetype<usize>(arena.chunk));
  store<u32>(mark, changetype<usize>(arena.chunk) == 0 ? 0 : arena.chunk.used, 4);
}

/** Gives back what was allocated since the mark. */
export function release_arena(mark: usize): void {
  while (changetype<usize>(arena.chunk) != load<usize>(mark)) {
    const chunk = arena.chunk;
    arena.chunk = chunk.previous;
    free(changetype<usize>(chunk));
  }
  if (changetype<usize>(arena.chunk) != 0) arena.chunk.used = load<u32>(mark, 4);
}

/** Makes another chunk, or 0 for a new arena, the one that memory is taken from. Returns the one before. */
export function switch_arena(chunk: usize): usize {
  const before = changetype<usize>(arena.chunk);
  arena.chunk = changetype<Chunk>(chunk);
  return before;
}

/** Gives back all of an arena that switch_arena returned. */
export function free_arena(chunk: usize): void {
  while (chunk != 0) {
    const previous = changetype<usize>(changetype<Chunk>(chunk).previous);
    free(chunk);
    chunk = previous;
  }
}
