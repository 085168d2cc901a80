// grep(1): prints lines that match a basic regular expression (-F: a string). -c -h -i -l -n -q -s -v -x, -e pattern.
import { frame_alloc } from "../../i386/cpufunc";
import { strchr, strlen } from "../../libkern";
import { eprintf, exit, printf, puts, putc } from "../lib/stdio";
import { set_progname, warn } from "../lib/errors";
import { O_RDONLY } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { free_input, new_input, read_line } from "../lib/input";
import { search } from "../lib/regex";
import { malloc } from "../lib/stdlib";
import { close, open } from "../lib/syscalls";

@unmanaged
class Options {
  count: u32;
  hide: u32;
  fold: u32;
  names: u32;
  numbers: u32;
  quiet: u32;
  silent: u32;
  invert: u32;
  whole: u32;
  fixed: u32;
  pattern: usize;
  found: u32;
  status: i32;
}
const options = changetype<Options>(memory.data(52));

/** A string as the pattern that matches it. */
function quote(text: usize): usize {
  const pattern = malloc(2 * strlen(text) + 1);
  let at = pattern;
  for (; load<u8>(text) != 0; text++) {
    const byte = load<u8>(text);
    if (strchr(cs(".[*^$\\"), byte) != 0) store<u8>(at++, 0x5c);
    store<u8>(at++, byte);
  }
  store<u8>(at, 0);
  return pattern;
}

function selects(line: usize): bool {
  const startp = frame_alloc(4);
  const end = search(options.pattern, line, options.fold != 0, startp);
  let found = end != 0;
  if (options.whole != 0) found = found && load<usize>(startp) == line && load<u8>(end) == 0;
  return found != (options.invert != 0);
}

/** Looks through a file. `title`: its name is wanted before lines. */
function look_through(fd: i32, name: usize, title: bool): void {
  const input = new_input(fd);
  let number: u32 = 0;
  let count: u32 = 0;
  while (read_line(input)) {
    number++;
    if (!selects(input.line)) continue;
    count++;
    options.found = 1;
    if (options.quiet != 0) exit(0);
    if (options.names != 0) break;
    if (options.count != 0) continue;
    if (title) printf(cs("%s:"), name);
    if (options.numbers != 0) printf(cs("%u:"), number);
    puts(input.line);
    putc(0x0a);
  }
  if (options.names != 0 && count > 0) printf(cs("%s\n"), name);
  else if (options.count != 0 && options.names == 0) {
    if (title) printf(cs("%s:"), name);
    printf(cs("%u\n"), count);
  }
  free_input(input);
}

function usage_error(): void {
  eprintf(cs("usage: grep [-cFhilnqsvx] [-e] pattern [file ...]\n"));
  exit(2);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("grep"));
  const letters = cs("ce:Fhilnqsvx");
  for (let letter = getopt(argc, argv, letters); letter != -1; letter = getopt(argc, argv, letters)) {
    switch (letter) {
      case 0x63: options.count = 1; break;
      case 0x65: options.pattern = optarg(); break;
      case 0x46: options.fixed = 1; break;
      case 0x68: options.hide = 1; break;
      case 0x69: options.fold = 1; break;
      case 0x6c: options.names = 1; break;
      case 0x6e: options.numbers = 1; break;
      case 0x71: options.quiet = 1; break;
      case 0x73: options.silent = 1; break;
      case 0x76: options.invert = 1; break;
      case 0x78: options.whole = 1; break;
      default: usage_error();
    }
  }
  let at = optind();
  if (options.pattern == 0) {
    if (at >= argc) usage_error();
    options.pattern = load<usize>(argv + 4 * at++);
  }
  if (options.fixed != 0) options.pattern = quote(options.pattern);
  if (at >= argc) look_through(0, cs("(standard input)"), false);
  const title = argc - at > 1 && options.hide == 0;
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
