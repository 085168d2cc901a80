// Options as getopt(3) takes them: single letters, arguments attached or next.
import { strchr, strcmp } from "../../libkern";
import { progname } from "./errors";
import { eprintf } from "./stdio";

@unmanaged
class OptionState {
  /** Index of the next argument. */
  index: i32;
  /** Rest of a group of letters, or 0. */
  rest: usize;
  /** Argument of the last option that takes one. */
  argument: usize;
}
const option_state = changetype<OptionState>(memory.data(offsetof<OptionState>()));

/** Argument of the option just returned. */
export function optarg(): usize {
  return option_state.argument;
}

/** Index of the first operand, when getopt has returned -1. */
export function optind(): i32 {
  return option_state.index == 0 ? 1 : option_state.index;
}

/**
 * The next option's letter, -1 after the last, or `?` for one that `options`
 * does not have (after a message). A letter followed by `:` takes an argument.
 */
export function getopt(argc: i32, argv: usize, options: usize): i32 {
  const state = option_state;
  if (state.index == 0) state.index = 1;
  if (state.rest == 0) {
    if (state.index >= argc) return -1;
    const word = load<usize>(argv + 4 * state.index);
    if (load<u8>(word) != 0x2d || load<u8>(word + 1) == 0) return -1;
    state.index++;
    if (strcmp(word, cs("--")) == 0) return -1;
    state.rest = word + 1;
  }
  const letter = i32(load<u8>(state.rest++));
  const found = letter == 0x3a ? 0 : strchr(options, letter);
  const takes = found != 0 && load<u8>(found + 1) == 0x3a;
  const last = load<u8>(state.rest) == 0;
  if (found == 0) eprintf(cs("%s: unknown option -- %c\n"), progname(), letter);
  if (takes) {
    if (!last) state.argument = state.rest;
    else if (state.index < argc) state.argument = load<usize>(argv + 4 * state.index++);
    else {
      eprintf(cs("%s: option requires an argument -- %c\n"), progname(), letter);
      state.rest = 0;
      return 0x3f;
    }
    state.rest = 0;
  } else if (last) state.rest = 0;
  return found == 0 ? 0x3f : letter;
}
