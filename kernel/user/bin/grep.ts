// grep(1): prints lines that match a regular expression. -E extended, -F strings; -e pattern, -f file with patterns;
// -i -v -w -x; -c -l -L -n -h -H -q -s -b.
import { frame_alloc } from "../../i386/cpufunc";
import { strlen } from "../../libkern";
import { err, errx, set_progname, warn } from "../lib/errors";
import { O_RDONLY } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { Input, free_input, new_input, read_line } from "../lib/input";
import { REG_EXTENDED, REG_ICASE, REG_LINE, REG_NOSPEC, REG_WORD, Regex, regcomp, regmatch } from "../lib/regex";
import { eprintf, exit, printf, put_bytes, putc } from "../lib/stdio";
import { realloc } from "../lib/stdlib";
import { close, open } from "../lib/syscalls";

@unmanaged
class Options {
  count: u32;
  /** Names before lines: 0 when there are several files, 1 never, 2 always. */
  titles: u32;
  /** Only names, of files with a match or without. */
  names: u32;
  others: u32;
  numbers: u32;
  offsets: u32;
  quiet: u32;
  silent: u32;
  invert: u32;
  flags: u32;
  /** The patterns with newlines between them, or 0. */
  patterns: usize;
  regex: Regex;
  found: u32;
  status: i32;
}
const options = changetype<Options>(memory.data(offsetof<Options>()));

/** Adds a pattern to those that are looked for. */
function add_pattern(text: usize, length: u32): void {
  const before = options.patterns == 0 ? 0 : strlen(options.patterns) + 1;
  options.patterns = realloc(options.patterns, before + length + 1);
  if (before > 0) store<u8>(options.patterns + before - 1, 0x0a);
  memory.copy(options.patterns + before, text, length);
  store<u8>(options.patterns + before + length, 0);
}

/** -f: each line of the file is a pattern. */
function add_file(name: usize): void {
  const fd = open(name, O_RDONLY, 0);
  if (fd < 0) err(2, name);
  const input = new_input(fd);
  while (read_line(input)) add_pattern(input.line, input.length);
  free_input(input);
  close(fd);
}

/** Prints the line with what the options put before it. */
function print_line(input: Input, name: usize, title: bool, number: u32, offset: u32): void {
  if (title) printf(cs("%s:"), name);
  if (options.numbers != 0) printf(cs("%u:"), number);
  if (options.offsets != 0) printf(cs("%u:"), offset);
  put_bytes(input.line, input.length);
  putc(0x0a);
}

/** Says what is wanted of a file after its lines. */
function conclude(name: usize, title: bool, count: u32): void {
  if (options.names != 0 || options.others != 0) {
    if ((count > 0) == (options.names != 0)) printf(cs("%s\n"), name);
  } else if (options.count != 0) {
    if (title) printf(cs("%s:"), name);
    printf(cs("%u\n"), count);
  }
}

/** Looks through a file. `title`: its name is wanted before lines. */
function look_through(fd: i32, name: usize, title: bool): void {
  const input = new_input(fd);
  let number: u32 = 0;
  let offset: u32 = 0;
  let count: u32 = 0;
  for (; read_line(input); offset += input.length + 1) {
    number++;
    if (regmatch(options.regex, input.line, i32(input.length)) == (options.invert != 0)) continue;
    count++;
    options.found = 1;
    if (options.quiet != 0) exit(0);
    if (options.names != 0 || options.others != 0) break;
    if (options.count == 0) print_line(input, name, title, number, offset);
  }
  if (input.failed != 0) {
    options.status = 2;
    if (options.silent == 0) warn(name);
  } else conclude(name, title, count);
  free_input(input);
}

function usage_error(): void {
  eprintf(cs("usage: grep [-EFHLbchilnqsvwx] [-e pattern] [-f file] [pattern] [file ...]\n"));
  exit(2);
}

function take_option(letter: i32): void {
  switch (letter) {
    case 0x45: options.flags = (options.flags & ~REG_NOSPEC) | REG_EXTENDED; break;
    case 0x46: options.flags = (options.flags & ~REG_EXTENDED) | REG_NOSPEC; break;
    case 0x47: options.flags &= ~(REG_EXTENDED | REG_NOSPEC); break;
    case 0x48: options.titles = 2; break;
    case 0x4c: options.others = 1; break;
    case 0x62: options.offsets = 1; break;
    case 0x63: options.count = 1; break;
    case 0x65: add_pattern(optarg(), strlen(optarg())); break;
    case 0x66: add_file(optarg()); break;
    case 0x68: options.titles = 1; break;
    case 0x69:
    case 0x79: options.flags |= REG_ICASE; break;
    case 0x6c: options.names = 1; break;
    case 0x6e: options.numbers = 1; break;
    case 0x71: options.quiet = 1; break;
    case 0x73: options.silent = 1; break;
    case 0x76: options.invert = 1; break;
    case 0x77: options.flags |= REG_WORD; break;
    case 0x78: options.flags |= REG_LINE; break;
    default: usage_error();
  }
}

function compile(): void {
  const errorp = frame_alloc(4);
  options.regex = regcomp(options.patterns, options.flags, errorp);
  if (changetype<usize>(options.regex) == 0) errx(2, cs("%s"), load<usize>(errorp));
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("grep"));
  const letters = cs("EFGHLbce:f:hilnqsvwxy");
  for (let letter = getopt(argc, argv, letters); letter != -1; letter = getopt(argc, argv, letters)) take_option(letter);
  let at = optind();
  if (options.patterns == 0) {
    if (at >= argc) usage_error();
    const pattern = load<usize>(argv + 4 * at++);
    add_pattern(pattern, strlen(pattern));
  }
  compile();
  if (at >= argc) look_through(0, cs("(standard input)"), options.titles == 2);
  const title = options.titles == 2 || (options.titles == 0 && argc - at > 1);
  for (; at < argc; at++) {
    const name = load<usize>(argv + 4 * at);
    const fd = open(name, O_RDONLY, 0);
    if (fd < 0) {
      if (options.silent == 0) warn(name);
      options.status = 2;
      continue;
    }
    look_through(fd, name, title);
    close(fd);
  }
  return options.status != 0 ? options.status : options.found != 0 ? 0 : 1;
}
