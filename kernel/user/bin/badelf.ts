// badelf: runs executables that lie. Copies of a good one, truncated or with fields of their headers changed, each
// field by itself and at random; every one must be refused with ENOEXEC or ENOMEM, be killed, or run as if nothing
// were.
//
// `badelf [-n count] [-s seed] [file]`: all fields, then `count` (100) random ones, of /bin/true. Needs uid 0; the
// files run as user 1000. A line tells what ended otherwise.
import { frame_alloc } from "../../i386/cpufunc";
import { ENOEXEC, ENOMEM } from "../../sys/errno";
import { PT_LOAD } from "../../sys/exec";
import { err, errx, last_error, set_progname, usage, warnx } from "../lib/errors";
import { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { flush, printf, snprintf } from "../lib/stdio";
import { atoi, malloc } from "../lib/stdlib";
import {
  _exit, close, dup2, execve, fork, getpid, open, read, setitimer, setrlimit, setuid, unlink, wait4, write,
} from "../lib/syscalls";
import { one_in, random, random_below, random_seed } from "./hostile/random";

/** Ways to end. */
const REFUSED: u32 = 1;
const KILLED: u32 = 2;
const RAN: u32 = 4;
const ANY: u32 = 7;

const EHDR_SIZE: u32 = 52;
const PHDR_SIZE: u32 = 32;
const PHOFF: u32 = 28;
const PHNUM: u32 = 44;
/** Bytes of a file, at most. */
const ROOM: u32 = 1 << 20;
/** Exit codes from here on are 100 and the error of execve. */
const ERRORS: i32 = 100;
const RLIMIT_CORE: u32 = 4;

@unmanaged
class Elf {
  good: usize;
  bad: usize;
  size: u32;
  path: usize;
  runs: u32;
  failures: u32;
}
const elf = changetype<Elf>(memory.data(offsetof<Elf>()));

function load_good(name: usize): void {
  const fd = open(name, O_RDONLY, 0);
  if (fd < 0) err(2, name);
  elf.good = malloc(ROOM);
  elf.bad = malloc(ROOM);
  const n = read(fd, elf.good, ROOM);
  if (n < i32(EHDR_SIZE)) errx(2, cs("%s: no executable"), name);
  elf.size = u32(n);
  close(fd);
}

/** Begins with a good copy. */
function fresh(): void {
  memory.copy(elf.bad, elf.good, elf.size);
}

/** In the child: the file in place of this program, with nothing to do harm with. */
function become_file(): void {
  const words = frame_alloc(16);
  memory.fill(words, 0, 16);
  setrlimit(RLIMIT_CORE, words);
  store<u32>(words, 2, 8);
  setitimer(0, words, 0);
  const fd = open(cs("/dev/null"), O_RDWR, 0);
  for (let other = 0; other < 3; other++) dup2(fd, other);
  for (let other = 3; other < 16; other++) close(other);
  if (setuid(1000) != 0) _exit(99);
  store<usize>(words, cs("badelf"));
  store<usize>(words, 0, 4);
  execve(elf.path, words, words + 4);
  _exit(ERRORS + last_error());
}

/** Is it an error that execve may give for a file that lies? */
function is_refusal(error: i32): bool {
  return error == ENOEXEC || error == ENOMEM;
}

/** Which way a status is; 0 for none of them. */
function way_of(status: i32): u32 {
  if ((status & 0x7f) != 0) return KILLED;
  const code = (status >> 8) & 0xff;
  if (code >= ERRORS) return is_refusal(code - ERRORS) ? REFUSED : 0;
  return RAN;
}

/** Writes the first `size` bytes of the bad file and runs it. `what` and `at` name the change. */
function try_file(size: u32, allowed: u32, what: usize, at: u32, value: u32): void {
  const status = frame_alloc(4);
  const fd = open(elf.path, O_WRONLY | O_CREAT | O_TRUNC, 0o755);
  if (fd < 0 || write(fd, elf.bad, size) != i32(size)) err(2, elf.path);
  close(fd);
  flush();
  const pid = fork();
  if (pid == 0) become_file();
  if (wait4(pid, status, 0, 0) != pid) err(2, cs("wait"));
  elf.runs++;
  if ((way_of(load<i32>(status)) & allowed) != 0) return;
  warnx(cs("%s at %u, value 0x%x: ended with status 0x%x"), what, at, value, load<i32>(status));
  elf.failures++;
}

/** Changes a field of `width` bytes. */
function change(at: u32, width: u32, value: u32): void {
  if (width == 1) store<u8>(elf.bad + at, value);
  else if (width == 2) store<u16>(elf.bad + at, value);
  else store<u32>(elf.bad + at, value);
}

function try_field(what: usize, at: u32, width: u32, value: u32, allowed: u32): void {
  fresh();
  change(at, width, value);
  try_file(elf.size, allowed, what, at, value);
}

/** Where the part of the file ends that is loaded. */
function loaded_end(): u32 {
  let end: u32 = 0;
  for (let i: u32 = 0; i < load<u16>(elf.good + PHNUM); i++) {
    const ph = elf.good + load<u32>(elf.good + PHOFF) + i * PHDR_SIZE;
    const last = load<u32>(ph, 4) + load<u32>(ph, 16);
    if (load<u32>(ph) == PT_LOAD && last > end) end = last;
  }
  return end;
}

/** Sizes at which a file is cut: inside its headers, between them, in what is loaded. */
function cut_size(index: u32): u32 {
  switch (index) {
    case 0: return 0;
    case 1: return 1;
    case 2: return 4;
    case 3: return 51;
    case 4: return 52;
    case 5: return 83;
    case 6: return 84;
    case 7: return 115;
    case 8: return 1000;
    case 9: return 4096;
    default: return loaded_end() - 1;
  }
}
const CUTS: u32 = 11;

function try_truncated(): void {
  fresh();
  for (let i: u32 = 0; i < CUTS; i++) {
    if (cut_size(i) < loaded_end()) try_file(cut_size(i), REFUSED, cs("truncated"), cut_size(i), 0);
  }
  try_file(loaded_end(), RAN, cs("truncated"), loaded_end(), 0);
}

/** Values on the edges, and near the one that is there. */
function edge(index: u32, old: u32): u32 {
  switch (index) {
    case 0: return 0;
    case 1: return 1;
    case 2: return 0xffffffff;
    case 3: return 0x7fffffff;
    case 4: return 0x80000000;
    case 5: return 0xfffff000;
    case 6: return 0xc0000000;
    case 7: return 0xbfbfe000;
    case 8: return 0xbfc00000;
    case 9: return old + 1;
    case 10: return old - 1;
    case 11: return old + 0x1000;
    case 12: return elf.size;
    default: return old ^ 0x800;
  }
}
const EDGES: u32 = 14;

/** The file's header, field by field. */
function try_header(): void {
  for (let at: u32 = 0; at < 7; at++) try_field(cs("e_ident"), at, 1, load<u8>(elf.good + at) + 1, REFUSED);
  for (let at: u32 = 7; at < 16; at += 4) try_field(cs("e_ident"), at, 1, 0xff, RAN);
  for (let i: u32 = 0; i < 5; i++) {
    const value: u32 = i == 0 ? 0 : i == 1 ? 1 : i == 2 ? 5 : i == 3 ? 0xff02 : 0xffff;
    try_field(cs("e_type"), 16, 2, value, REFUSED);
    try_field(cs("e_machine"), 18, 2, value, REFUSED);
    if (value != 1) try_field(cs("e_version"), 20, 4, value, REFUSED);
    try_field(cs("e_phentsize"), 42, 2, value, REFUSED);
    if (value > 5 || value == 0) try_field(cs("e_phnum"), PHNUM, 2, value, REFUSED);
  }
  try_field(cs("e_phnum"), PHNUM, 2, 1, ANY);
  try_field(cs("e_phnum"), PHNUM, 2, 33, REFUSED);
  for (let i: u32 = 0; i < EDGES; i++) {
    try_field(cs("e_phoff"), PHOFF, 4, edge(i, load<u32>(elf.good + PHOFF)), REFUSED | KILLED);
    try_field(cs("e_entry"), 24, 4, edge(i, load<u32>(elf.good + 24)), ANY);
    // Nobody looks at sections, flags, and the header's size.
    try_field(cs("e_shoff"), 32, 4, edge(i, 0), RAN);
    try_field(cs("e_flags"), 36, 4, edge(i, 0), RAN);
    try_field(cs("e_ehsize"), 40, 2, edge(i, EHDR_SIZE), RAN);
    try_field(cs("e_shnum"), 48, 2, edge(i, 0), RAN);
  }
}

/** The program headers, field by field. */
function try_segments(): void {
  const phoff = load<u32>(elf.good + PHOFF);
  const phnum = load<u16>(elf.good + PHNUM);
  for (let i: u32 = 0; i < phnum; i++) {
    for (let field: u32 = 0; field < PHDR_SIZE; field += 4) {
      const at = phoff + i * PHDR_SIZE + field;
      for (let j: u32 = 0; j < EDGES; j++) try_field(cs("segment"), at, 4, edge(j, load<u32>(elf.good + at)), ANY);
    }
  }
  fresh();
  memory.copy(elf.bad + phoff + PHDR_SIZE, elf.good + phoff, PHDR_SIZE);
  try_file(elf.size, REFUSED, cs("the same segment twice"), 0, 0);
  fresh();
  memory.copy(elf.bad + phoff, elf.good + phoff + PHDR_SIZE, PHDR_SIZE);
  memory.copy(elf.bad + phoff + PHDR_SIZE, elf.good + phoff, PHDR_SIZE);
  try_file(elf.size, REFUSED, cs("segments downwards"), 0, 0);
}

/** Some fields at once, on edges or anywhere; or bytes of the headers. */
function try_random(seed: u32): void {
  const end = load<u32>(elf.good + PHOFF) + load<u16>(elf.good + PHNUM) * PHDR_SIZE;
  random_seed(seed);
  fresh();
  for (let n = 1 + random_below(4); n > 0; n--) {
    const at = one_in(4) ? 16 + random_below(9) * 4 : EHDR_SIZE + random_below((end - EHDR_SIZE) / 4) * 4;
    if (one_in(5)) change(at + random_below(4), 1, random());
    else change(at, 4, one_in(4) ? random() : edge(random_below(EDGES), load<u32>(elf.bad + at)));
  }
  try_file(one_in(8) ? random_below(elf.size) : elf.size, ANY, cs("random"), seed, 0);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const how = cs("badelf [-n count] [-s seed] [file]");
  let count: u32 = 100;
  let seed: u32 = 1;
  set_progname(cs("badelf"));
  for (let letter = getopt(argc, argv, cs("n:s:")); letter != -1; letter = getopt(argc, argv, cs("n:s:"))) {
    if (letter == 0x6e) count = u32(atoi(optarg()));
    else if (letter == 0x73) seed = u32(atoi(optarg()));
    else usage(how);
  }
  if (argc - optind() > 1) usage(how);
  load_good(optind() < argc ? load<usize>(argv + 4 * optind()) : cs("/bin/true"));
  elf.path = malloc(32);
  snprintf(elf.path, 32, cs("/tmp/badelf.%d"), getpid());
  fresh();
  try_file(elf.size, RAN, cs("nothing changed"), 0, 0);
  try_truncated();
  try_header();
  try_segments();
  for (let i: u32 = 0; i < count; i++) try_random(seed + i);
  fresh();
  try_file(elf.size, RAN, cs("nothing changed"), 0, 0);
  unlink(elf.path);
  printf(cs("badelf: %u files, seed %u: %u ended as they must not\n"), elf.runs, seed, elf.failures);
  return elf.failures != 0 ? 1 : 0;
}
