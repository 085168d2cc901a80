// policy: what the pager of a page learns of the faults on it, under each fault policy. Maps the page of each
// device of policy(4) in turn, reads, writes, has the right to it recalled, and prints after each step what the
// kernel tells: the page table entry, the right that the pager holds, the calls it got. Then one line a policy.
//
// `policy [-k]`; with -k the accesses are the kernel's, by system calls on the page, instead of the program's own.
import { frame_alloc, volatile } from "../../i386/cpufunc";
import {
  CALL_GET, CALL_GETPAGE, CALL_GET_LOCKED, CALL_MKWRITE, MODE_I, MODE_S, MODE_X, POLICYIOCGLOG, POLICYIOCGNAME,
  POLICYIOCRECALL, POLICY_CALLS, POLICY_PTE_MODIFIED, POLICY_PTE_USED, POLICY_PTE_VALID, POLICY_PTE_WRITE,
  POLICY_UNITS, Policycall, Policylog, SIZEOF_POLICYLOG, policy_call,
} from "../../sys/policyio";
import { err, errx, set_progname, usage } from "../lib/errors";
import { O_RDWR } from "../lib/files";
import { getopt, optind } from "../lib/getopt";
import { printf, snprintf } from "../lib/stdio";
import { strlen } from "../../libkern";
import { malloc } from "../lib/stdlib";
import { close, getrusage, ioctl, mmap, munmap, open, pipe, read, write } from "../lib/syscalls";

/** Where the page is mapped. */
const PAGE_VA: usize = 0x20000000;
const PAGE_SIZE: u32 = 4096;
const PROT_RW: u32 = 3;
const VM_PROT_WRITE: u32 = 2;
const VM_PROT_READ: u32 = 1;
const MAP_SHARED_FIXED: u32 = 0x11;
const RU_MINFLT: usize = 32;
const RU_MAJFLT: usize = 36;
const SIZEOF_RUSAGE: u32 = 72;
const NSTEPS: u32 = 7;
const CELL: u32 = 8;
const TEXT_SIZE: u32 = 160;

@unmanaged
class Table {
  /** The calls of a step as text, the text's length. */
  text: usize;
  length: u32;
  /** Cells of the last table: NSTEPS a policy, CELL bytes each; then calls and untold writes, two words a policy. */
  cells: usize;
  sums: usize;
  names: usize;
  log: Policylog;
  /** Do system calls make the accesses? Their pipe. */
  by_kernel: bool;
  pipe_out: i32;
  pipe_in: i32;
  /** Are the steps printed? */
  shows: bool;
}
const table = changetype<Table>(memory.data(48));

function step_name(step: u32): usize {
  if (step == 0) return cs("read");
  if (step == 1) return cs("write");
  if (step == 2) return cs("write again");
  if (step == 3) return cs("recall to S");
  if (step == 4) return cs("write");
  return step == 5 ? cs("recall to I") : cs("read");
}

function mode_name(mode: u32): usize {
  if (mode == MODE_X) return cs("X");
  return mode == MODE_S ? cs("S") : cs("I");
}

function access_name(access: u32): usize {
  if ((access & VM_PROT_WRITE) != 0) return cs("w");
  return (access & VM_PROT_READ) != 0 ? cs("r") : cs("-");
}

function name_of(unit: u32): usize {
  return table.names + unit * 32;
}

function append(fmt: usize, a: usize, b: usize): void {
  table.length += u32(snprintf(table.text + table.length, TEXT_SIZE - table.length, fmt, a, b));
}

/** Adds a call to the text. */
function append_call(call: Policycall): void {
  const access = access_name(call.pc_access);
  if (table.length != 0) append(cs(" "), 0, 0);
  if (call.pc_call == CALL_MKWRITE) append(cs("mkwrite"), 0, 0);
  else if (call.pc_call == CALL_GET_LOCKED) append(cs("get(locked,%s)"), access, 0);
  else if (call.pc_call == CALL_GET) append(cs("get(%s)"), access, 0);
  else if (call.pc_call != CALL_GETPAGE) append(cs("unlock(%s)"), access, 0);
  else if (call.pc_vaddr != 0) append(cs("getpage(%x,%s)"), call.pc_vaddr, access);
  else if (call.pc_access != 0) append(cs("getpage(%s)"), access, 0);
  else append(cs("getpage"), 0, 0);
}

/** The page table entry as text: right, used, modified; "----" when there is none. */
function pte_text(buf: usize, pte: u32): void {
  if ((pte & POLICY_PTE_VALID) == 0) {
    snprintf(buf, CELL, cs("----"));
    return;
  }
  snprintf(buf, CELL, cs("r%s%s%s"), (pte & POLICY_PTE_WRITE) != 0 ? cs("w") : cs("-"),
    (pte & POLICY_PTE_USED) != 0 ? cs("u") : cs("-"), (pte & POLICY_PTE_MODIFIED) != 0 ? cs("m") : cs("-"));
}

/** Page faults that this process has taken. */
function faults(): u32 {
  const usage = frame_alloc(SIZEOF_RUSAGE);
  if (getrusage(0, usage) != 0) err(1, cs("getrusage"));
  return load<u32>(usage + RU_MINFLT) + load<u32>(usage + RU_MAJFLT);
}

/** Reads or writes a word of the page. */
function touch(writing: bool): void {
  const word = frame_alloc(4);
  if (!table.by_kernel) {
    if (writing) volatile.store32(PAGE_VA, 1);
    else volatile.load32(PAGE_VA);
    return;
  }
  // What the kernel writes to the pipe it reads from the page, and the other way round.
  const sent = write(table.pipe_in, writing ? word : PAGE_VA, 4);
  if (sent != 4 || read(table.pipe_out, writing ? PAGE_VA : word, 4) != 4) err(1, cs("the page"));
}

/** One step of the unit behind `fd`: 3 and 5 are recalls, 0 and 6 read, the others write. */
function make_step(fd: i32, step: u32): void {
  const mode = frame_alloc(4);
  if (step != 3 && step != 5) {
    touch(step != 0 && step != 6);
    return;
  }
  store<u32>(mode, step == 3 ? MODE_S : MODE_I);
  if (ioctl(fd, POLICYIOCRECALL, mode) != 0) err(1, cs("recall"));
}

/** The log since the last call of this, to table.log; the calls to table.text. */
function read_log(fd: i32): void {
  table.log.pl_vaddr = PAGE_VA;
  if (ioctl(fd, POLICYIOCGLOG, changetype<usize>(table.log)) != 0) err(1, cs("log"));
  table.length = 0;
  store<u8>(table.text, 0);
  if (table.log.pl_ncalls > POLICY_CALLS) errx(1, cs("%u calls of the pager in one step"), table.log.pl_ncalls);
  for (let n: u32 = 0; n < table.log.pl_ncalls; n++) append_call(policy_call(table.log, n));
}

/** The steps of a unit. A write while the pager holds less than X is one that it was not told of. */
function run_steps(fd: i32, unit: u32): void {
  const sums = table.sums + unit * 8;
  const pte = frame_alloc(CELL);
  for (let step: u32 = 0; step < NSTEPS; step++) {
    const before = faults();
    make_step(fd, step);
    const taken = faults() - before;
    read_log(fd);
    pte_text(pte, table.log.pl_pte);
    const writes = step == 1 || step == 2 || step == 4;
    const untold = writes && table.log.pl_mode != MODE_X;
    store<u32>(sums, load<u32>(sums) + table.log.pl_ncalls);
    if (untold) store<u32>(sums, load<u32>(sums, 4) + 1, 4);
    snprintf(table.cells + (unit * NSTEPS + step) * CELL, CELL, cs("%s%s"), pte, untold ? cs("!") : cs(""));
    if (table.shows) {
      printf(cs("%-18s %-12s %d  %-4s %s  %s\n"), name_of(unit), step_name(step), taken, pte,
        mode_name(table.log.pl_mode), strlen(table.text) != 0 ? table.text : cs("-"));
    }
  }
}

function run_unit(unit: u32): void {
  const path = frame_alloc(20);
  snprintf(path, 20, cs("/dev/policy%u"), unit);
  const fd = open(path, O_RDWR, 0);
  if (fd < 0) err(1, path);
  if (ioctl(fd, POLICYIOCGNAME, name_of(unit)) != 0) err(1, path);
  if (mmap(PAGE_VA, PAGE_SIZE, PROT_RW, MAP_SHARED_FIXED, fd, 0, 0) != PAGE_VA) err(1, path);
  read_log(fd);
  run_steps(fd, unit);
  munmap(PAGE_VA, PAGE_SIZE);
  close(fd);
}

/** One line a policy: the entries after the steps, then how many calls and untold writes. */
function print_table(): void {
  printf(cs("\n%-18s read  write again  recall  write recall  read  calls  untold\n"), cs("policy"));
  for (let unit: u32 = 0; unit < POLICY_UNITS; unit++) {
    const at = table.cells + unit * NSTEPS * CELL;
    printf(cs("%-18s %-5s %-5s %-6s %-7s "), name_of(unit), at, at + CELL, at + 2 * CELL, at + 3 * CELL);
    const sums = table.sums + unit * 8;
    printf(cs("%-5s %-7s %-5s %5d  %6d\n"), at + 4 * CELL, at + 5 * CELL, at + 6 * CELL, load<u32>(sums),
      load<u32>(sums, 4));
  }
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("policy"));
  for (let letter = getopt(argc, argv, cs("k")); letter != -1; letter = getopt(argc, argv, cs("k"))) {
    if (letter != 0x6b) usage(cs("policy [-k]"));
    table.by_kernel = true;
  }
  if (optind() != argc) usage(cs("policy [-k]"));
  const room = malloc(TEXT_SIZE + POLICY_UNITS * (NSTEPS * CELL + 8 + 32) + SIZEOF_POLICYLOG);
  memory.fill(room, 0, TEXT_SIZE + POLICY_UNITS * (NSTEPS * CELL + 8 + 32) + SIZEOF_POLICYLOG);
  table.text = room;
  table.cells = table.text + TEXT_SIZE;
  table.sums = table.cells + POLICY_UNITS * NSTEPS * CELL;
  table.names = table.sums + POLICY_UNITS * 8;
  table.log = changetype<Policylog>(table.names + POLICY_UNITS * 32);
  const fds = frame_alloc(8);
  if (pipe(fds) != 0) err(1, cs("pipe"));
  table.pipe_out = load<i32>(fds);
  table.pipe_in = load<i32>(fds, 4);
  // The first time is for the faults on the program's own pages.
  run_unit(0);
  memory.fill(table.sums, 0, 8);
  table.shows = true;
  printf(cs("%-18s %-12s f  pte  r  calls of the pager\n"), cs("policy"), cs("step"));
  for (let unit: u32 = 0; unit < POLICY_UNITS; unit++) run_unit(unit);
  print_table();
  return 0;
}
