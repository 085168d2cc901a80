// wc(1): counts lines (-l), words (-w) and bytes (-c) of files.
import { bss } from "../../i386/cpufunc";
import { set_progname, usage, warn } from "../lib/errors";
import { O_RDONLY } from "../lib/files";
import { getopt, optind } from "../lib/getopt";
import { printf } from "../lib/stdio";
import { is_space } from "../lib/stdlib";
import { close, open, read } from "../lib/syscalls";

const BUFFER_SIZE: u32 = 16384;

@unmanaged
class Counts {
  lines: u32;
  words: u32;
  bytes: u32;
  all_lines: u32;
  all_words: u32;
  all_bytes: u32;
  /** What is wanted: bits 1 lines, 2 words, 4 bytes. */
  wanted: u32;
}
const counts = changetype<Counts>(memory.data(28));

function print(lines: u32, words: u32, bytes: u32, name: usize): void {
  if ((counts.wanted & 1) != 0) printf(cs(" %7u"), lines);
  if ((counts.wanted & 2) != 0) printf(cs(" %7u"), words);
  if ((counts.wanted & 4) != 0) printf(cs(" %7u"), bytes);
  printf(name == 0 ? cs("\n") : cs(" %s\n"), name);
}

function count(fd: i32, name: usize): i32 {
  const buffer = bss(BUFFER_SIZE, 16);
  let inside = false;
  counts.lines = 0;
  counts.words = 0;
  counts.bytes = 0;
  while (true) {
    const n = read(fd, buffer, BUFFER_SIZE);
    if (n < 0) {
      warn(name == 0 ? cs("stdin") : name);
      return 1;
    }
    if (n == 0) break;
    counts.bytes += n;
    if (counts.wanted == 4) continue;
    for (let i = 0; i < n; i++) {
      const byte = load<u8>(buffer + i);
      if (byte == 0x0a) counts.lines++;
      if (is_space(byte)) inside = false;
      else if (!inside) {
        inside = true;
        counts.words++;
      }
    }
  }
  counts.all_lines += counts.lines;
  counts.all_words += counts.words;
  counts.all_bytes += counts.bytes;
  print(counts.lines, counts.words, counts.bytes, name);
  return 0;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("wc"));
  for (let letter = getopt(argc, argv, cs("clw")); letter != -1; letter = getopt(argc, argv, cs("clw"))) {
    if (letter == 0x6c) counts.wanted |= 1;
    else if (letter == 0x77) counts.wanted |= 2;
    else if (letter == 0x63) counts.wanted |= 4;
    else usage(cs("wc [-clw] [file ...]"));
  }
  if (counts.wanted == 0) counts.wanted = 7;
  if (optind() >= argc) return count(0, 0);
  let status = 0;
  for (let i = optind(); i < argc; i++) {
    const name = load<usize>(argv + 4 * i);
    const fd = open(name, O_RDONLY, 0);
    if (fd < 0) {
      warn(name);
      status = 1;
      continue;
    }
    status |= count(fd, name);
    close(fd);
  }
  if (argc - optind() > 1) print(counts.all_lines, counts.all_words, counts.all_bytes, cs("total"));
  return status;
}
