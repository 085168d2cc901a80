// read and getopts: builtins that set variables from input and from words.
import { frame_alloc } from "../../../i386/cpufunc";
import { strchr, strcmp, strlen } from "../../../libkern";
import { last_error } from "../../lib/errors";
import { eprintf, sprintf } from "../../lib/stdio";
import { atoi, free, malloc, realloc } from "../../lib/stdlib";
import { sh } from "./state";
import { read_input, run_traps } from "./traps";
import { get_variable, set_variable } from "./variables";

const EINTR: i32 = 4;

/** A line being read: bytes, and which of them a backslash protects from being separators. */
@unmanaged
class Line {
  text: usize;
  marks: usize;
  length: u32;
  capacity: u32;
}

function keep(line: Line, byte: u32, quoted: bool): void {
  if (line.length + 1 >= line.capacity) {
    line.capacity = line.capacity * 2 + 64;
    line.text = realloc(line.text, line.capacity);
    line.marks = realloc(line.marks, line.capacity);
  }
  store<u8>(line.text + line.length, byte);
  store<u8>(line.marks + line.length++, u32(quoted));
}

/** The next byte of the input, -1 at its end, -2 after ^C. */
function next_byte(): i32 {
  const byte = frame_alloc(4);
  while (true) {
    const n = read_input(byte, 1);
    if (sh.interrupted != 0) return -2;
    if (n == 1) return load<u8>(byte);
    if (n == 0 || last_error() != EINTR) return -1;
    run_traps();
  }
}

/** Reads a line, byte by byte: what follows belongs to others. Returns the status: 0, or 1 at the end of the input. */
function read_text(line: Line, raw: bool): i32 {
  while (true) {
    let byte = next_byte();
    if (byte == 0x5c && !raw) {
      byte = next_byte();
      if (byte == 0x0a) continue;
      if (byte >= 0) {
        keep(line, byte, true);
        continue;
      }
    }
    if (byte < 0) return byte == -2 ? 130 : 1;
    if (byte == 0x0a) return 0;
    if (byte != 0) keep(line, byte, false);
  }
}

/** Whether the byte at `at` separates fields; `blank`: and is white space. */
function separates(line: Line, at: u32, ifs: usize, blank: bool): bool {
  if (at >= line.length || load<u8>(line.marks + at) != 0) return false;
  const byte = load<u8>(line.text + at);
  return strchr(ifs, byte) != 0 && (!blank || byte == 0x20 || byte == 9);
}

/** Gives the variable the bytes from `from` to `to`. */
function give(name: usize, line: Line, from: u32, to: u32): bool {
  const value = malloc(to - from + 1);
  memory.copy(value, line.text + from, to - from);
  store<u8>(value + to - from, 0);
  const given = set_variable(name, value);
  free(value);
  return given;
}

/** Splits the line into the variables; the last one gets the rest. */
function split_line(line: Line, names: usize, count: i32): bool {
  const given = get_variable(cs("IFS"));
  const ifs = given == 0 ? cs(" \t\n") : given;
  let at: u32 = 0;
  while (separates(line, at, ifs, true)) at++;
  for (let i = 0; i < count; i++) {
    let end = at;
    if (i + 1 < count) while (end < line.length && !separates(line, end, ifs, false)) end++;
    else {
      end = line.length;
      while (end > at && separates(line, end - 1, ifs, true)) end--;
      // A single separator behind the last field is none of it.
      let field = at;
      while (field < end && !separates(line, field, ifs, false)) field++;
      if (field + 1 == end) end = field;
    }
    if (!give(load<usize>(names + 4 * i), line, at, end)) return false;
    at = end;
    while (separates(line, at, ifs, true)) at++;
    if (separates(line, at, ifs, false)) at++;
    while (separates(line, at, ifs, true)) at++;
  }
  return true;
}

/** read [-r] [-p prompt] name … */
export function read_variables(argc: i32, argv: usize): i32 {
  let from = 1;
  let raw = false;
  for (; from < argc && load<u8>(load<usize>(argv + 4 * from)) == 0x2d; from++) {
    const word = load<usize>(argv + 4 * from);
    if (strcmp(word, cs("-r")) == 0) raw = true;
    else if (strcmp(word, cs("-p")) == 0 && from + 1 < argc) eprintf(cs("%s"), load<usize>(argv + 4 * ++from));
    else {
      eprintf(cs("%s: read: Illegal option %s\n"), sh.arg0, word);
      return 2;
    }
  }
  if (from >= argc) {
    eprintf(cs("%s: read: arg count\n"), sh.arg0);
    return 2;
  }
  const line = changetype<Line>(frame_alloc(offsetof<Line>()));
  memory.fill(changetype<usize>(line), 0, offsetof<Line>());
  const status = read_text(line, raw);
  const given = split_line(line, argv + 4 * from, argc - from);
  free(line.text);
  free(line.marks);
  return given ? status : 2;
}

function set_number(name: usize, value: i32): void {
  const text = frame_alloc(16);
  sprintf(text, cs("%d"), value);
  set_variable(name, text);
}

/** Where getopts stands: the value that it gave OPTIND last, and how many bytes of that word's letters are done. */
@unmanaged
class OptionState {
  index: i32;
  done: u32;
}
const option_state = changetype<OptionState>(memory.data(offsetof<OptionState>()));

/** Ends getopts: OPTIND is the first operand. */
function no_more_options(name: usize, index: i32): i32 {
  option_state.done = 0;
  option_state.index = index;
  set_number(cs("OPTIND"), index);
  set_variable(name, cs("?"));
  return 1;
}

/** A letter that is no option, or one whose argument is missing. */
function bad_option(name: usize, letter: u32, silent: bool, missing: bool): void {
  const text = frame_alloc(4);
  store<u32>(text, letter);
  set_variable(cs("OPTARG"), silent ? text : 0);
  set_variable(name, silent && missing ? cs(":") : cs("?"));
  if (!silent) eprintf(missing ? cs("No arg for -%c option\n") : cs("Illegal option -%c\n"), letter);
}

/** getopts letters name [word …]: the next option of the words or of the parameters. */
export function get_options(argc: i32, argv: usize): i32 {
  if (argc < 3) {
    eprintf(cs("usage: getopts optstring var [arg ...]\n"));
    return 2;
  }
  const letters = load<usize>(argv + 4);
  const name = load<usize>(argv + 8);
  const words = argc > 3 ? argv + 12 : sh.parameters;
  const count = argc > 3 ? argc - 3 : sh.parameter_count;
  const silent = load<u8>(letters) == 0x3a;
  const optind = get_variable(cs("OPTIND"));
  let index = optind == 0 ? 1 : atoi(optind);
  if (index < 1) index = 1;
  if (index != option_state.index) option_state.done = 0;
  if (option_state.done == 0) {
    const word: usize = index <= count ? load<usize>(words + 4 * (index - 1)) : 0;
    if (word == 0 || load<u8>(word) != 0x2d || load<u8>(word + 1) == 0) return no_more_options(name, index);
    if (strcmp(word, cs("--")) == 0) return no_more_options(name, index + 1);
    option_state.done = 1;
  }
  const word = load<usize>(words + 4 * (index - 1));
  const letter = load<u8>(word + option_state.done++);
  const found = letter == 0x3a ? 0 : strchr(letters, letter);
  const text = frame_alloc(4);
  store<u32>(text, letter);
  set_variable(name, text);
  let rest = word + option_state.done;
  if (found == 0) bad_option(name, letter, silent, false);
  else if (load<u8>(found + 1) != 0x3a) set_variable(cs("OPTARG"), 0);
  else {
    if (load<u8>(rest) == 0 && index >= count) bad_option(name, letter, silent, true);
    else if (load<u8>(rest) == 0) set_variable(cs("OPTARG"), load<usize>(words + 4 * index++));
    else set_variable(cs("OPTARG"), rest);
    rest += strlen(rest);
  }
  if (load<u8>(rest) == 0) {
    index++;
    option_state.done = 0;
  }
  option_state.index = index;
  set_number(cs("OPTIND"), index);
  return 0;
}
