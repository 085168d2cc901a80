// sort(1): sorts lines. -n by number, -r backwards, -u each once, -f letters of either case equal, -k field, -o file.
import { strcmp } from "../../libkern";
import { err, set_progname, usage } from "../lib/errors";
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { Input, free_input, new_input, read_line } from "../lib/input";
import { putc, puts } from "../lib/stdio";
import { atoi, is_space, malloc, parse_long, realloc, sort_words, strndup, to_lower } from "../lib/stdlib";
import { close, dup2, open } from "../lib/syscalls";

@unmanaged
class State {
  numeric: u32;
  reverse: u32;
  unique: u32;
  fold: u32;
  field: i32;
  count: u32;
  capacity: u32;
  lines: usize;
}
const state = changetype<State>(memory.data(32));

/** Where the sort key of a line begins. */
function key_of(line: usize): usize {
  for (let field = state.field; field > 1; field--) {
    while (is_space(load<u8>(line))) line++;
    while (load<u8>(line) != 0 && !is_space(load<u8>(line))) line++;
  }
  if (state.field > 1) while (is_space(load<u8>(line))) line++;
  return line;
}

function compare_folded(a: usize, b: usize): i32 {
  while (load<u8>(a) != 0 && to_lower(load<u8>(a)) == to_lower(load<u8>(b))) {
    a++;
    b++;
  }
  return i32(to_lower(load<u8>(a))) - i32(to_lower(load<u8>(b)));
}

function compare_keys(a: usize, b: usize): i32 {
  const x = key_of(a);
  const y = key_of(b);
  if (state.numeric != 0) {
    const p = parse_long(x, 0);
    const q = parse_long(y, 0);
    return i32(p > q) - i32(p < q);
  }
  return state.fold != 0 ? compare_folded(x, y) : strcmp(x, y);
}

function compare(a: usize, b: usize): i32 {
  let order = compare_keys(a, b);
  if (order == 0 && state.unique == 0) order = strcmp(a, b);
  return state.reverse != 0 ? 0 - order : order;
}

function collect(input: Input): void {
  while (read_line(input)) {
    if (state.count == state.capacity) {
      state.capacity = state.capacity == 0 ? 64 : state.capacity * 2;
      state.lines = state.lines == 0 ? malloc(4 * state.capacity) : realloc(state.lines, 4 * state.capacity);
    }
    store<usize>(state.lines + 4 * state.count, strndup(input.line, input.length));
    state.count++;
  }
  free_input(input);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("sort"));
  let output: usize = 0;
  for (let letter = getopt(argc, argv, cs("fk:no:ru")); letter != -1; letter = getopt(argc, argv, cs("fk:no:ru"))) {
    if (letter == 0x6e) state.numeric = 1;
    else if (letter == 0x72) state.reverse = 1;
    else if (letter == 0x75) state.unique = 1;
    else if (letter == 0x66) state.fold = 1;
    else if (letter == 0x6b) state.field = atoi(optarg());
    else if (letter == 0x6f) output = optarg();
    else usage(cs("sort [-fnru] [-k field] [-o output] [file ...]"));
  }
  if (optind() >= argc) collect(new_input(0));
  for (let i = optind(); i < argc; i++) {
    const name = load<usize>(argv + 4 * i);
    const fd = open(name, O_RDONLY, 0);
    if (fd < 0) err(2, name);
    collect(new_input(fd));
    close(fd);
  }
  sort_words(state.lines, state.count, compare.index);
  if (output != 0) {
    const fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0x1b6);
    if (fd < 0) err(2, output);
    dup2(fd, 1);
  }
  for (let i: u32 = 0; i < state.count; i++) {
    const line = load<usize>(state.lines + 4 * i);
    const repeats = state.unique != 0 && i > 0 && compare_keys(load<usize>(state.lines + 4 * i - 4), line) == 0;
    if (repeats) continue;
    puts(line);
    putc(0x0a);
  }
  return 0;
}
