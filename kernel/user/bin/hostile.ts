// hostile: makes system calls with arguments that no program should give, or (-x) executes machine code that none
// should contain, and looks for harm: errors that are not documented, memory that changed by itself, canaries that
// died. That the machine is still there afterwards is the rest of the answer.
//
// `hostile [-x] [-n count] [-s seed] [-u uid]`: 1000 calls or pieces of code, seed 1, as user 0. Needs uid 0 to make
// its sandbox in /tmp. Code is always executed as user 1000.
import { bss, frame_alloc } from "../../i386/cpufunc";
import { err, last_error, set_progname, usage, warnx } from "../lib/errors";
import { getopt, optarg, optind } from "../lib/getopt";
import { eprintf, flush, printf, snprintf } from "../lib/stdio";
import { atoi } from "../lib/stdlib";
import { __sigaction14, _exit, fork, getpid, kill, setitimer, wait4 } from "../lib/syscalls";
import { call_at, call_count, calls_init, error_name } from "./hostile/calls";
import { hostile_child } from "./hostile/child";
import { run_codes } from "./hostile/code";
import { HARM_ERROR, HARM_MEMORY, HARM_NONE, Record, record_at, record_clear, records_make } from "./hostile/record";
import { sandbox_make, sandbox_remove } from "./hostile/sandbox";

/** Children at a time, and calls of each. */
const CHILDREN: u32 = 3;
const SHARE: u32 = 200;
const CANARY_SIZE: u32 = 16384;
/** Seconds after which the children of a round are killed, one a second. */
const TIME_LIMIT: u32 = 5;
const EINTR: i32 = 4;
const SIGKILL: i32 = 9;
const SIGALRM: i32 = 14;

/** The parent's pages, which the children have, too: copies that only they change. */
function canaries(): usize {
  return bss(16384, 4096);
}

function plant_canaries(): void {
  for (let at: u32 = 0; at < CANARY_SIZE; at += 4) store<u32>(canaries() + at, 0xca9a4100 ^ at);
}

function canaries_live(): bool {
  for (let at: u32 = 0; at < CANARY_SIZE; at += 4) if (load<u32>(canaries() + at) != (0xca9a4100 ^ at)) return false;
  return true;
}

function name_of(number: u32): usize {
  for (let i: u32 = 0; i < call_count(); i++) if (call_at(i).number == number) return call_at(i).name;
  return cs("call");
}

/** Tells what a child found. */
function report(record: Record): void {
  if (record.harm == HARM_ERROR) {
    warnx(cs("%s (%u) gave %s"), name_of(record.number), record.number, error_name(record.error));
  } else if (record.harm == HARM_MEMORY) {
    const name = name_of(record.number);
    warnx(cs("%s (%u) or a call before it changed memory at 0x%x"), name, record.number, record.address);
  } else warnx(cs("the sandbox cannot be entered: %s"), error_name(record.error));
  eprintf(cs("hostile: its arguments:"));
  for (let i: u32 = 0; i < 8; i++) eprintf(cs(" 0x%x"), load<u32>(record.words + i * 4));
  eprintf(cs("\n"));
}

function on_alarm(signum: i32): void { /* only to interrupt */ }

/** Waits for `n` children; those that take too long are killed. */
function wait_for_children(pids: usize, n: u32): void {
  const it = frame_alloc(16);
  const sa = frame_alloc(24);
  memory.fill(sa, 0, 24);
  store<u32>(sa, on_alarm.index);
  __sigaction14(SIGALRM, sa, 0);
  memory.fill(it, 0, 16);
  store<u32>(it, 1);
  store<u32>(it, TIME_LIMIT, 8);
  setitimer(0, it, 0);
  for (let i: u32 = 0; i < n; i++) {
    const pid = load<i32>(pids + i * 4);
    while (wait4(pid, 0, 0, 0) != pid) {
      if (last_error() != EINTR) break;
      kill(pid, SIGKILL);
    }
    // What the child left running is in its session's group, unless it has moved on.
    kill(-pid, SIGKILL);
  }
  memory.fill(it, 0, 16);
  setitimer(0, it, 0);
}

/** One round of children with at most `left` calls together. Returns the calls made; harm is added to `harmp`. */
function round(left: u32, seed: u32, uid: u32, harmp: usize): u32 {
  const pids = frame_alloc(12);
  let n: u32 = 0;
  while (n < CHILDREN && left > n * SHARE) {
    const quota = left - n * SHARE < SHARE ? left - n * SHARE : SHARE;
    record_clear(n);
    flush();
    const pid = fork();
    if (pid < 0) {
      warnx(cs("fork: %s"), error_name(last_error()));
      break;
    }
    if (pid == 0) hostile_child(record_at(n), quota, seed + n, uid);
    store<i32>(pids + n * 4, pid);
    n++;
  }
  wait_for_children(pids, n);
  let made: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const record = record_at(i);
    made += record.calls;
    if (record.harm == HARM_NONE) continue;
    report(record);
    store<u32>(harmp, load<u32>(harmp) + 1);
  }
  if (!canaries_live()) {
    warnx(cs("the parent's memory has changed"));
    store<u32>(harmp, load<u32>(harmp) + 1);
    plant_canaries();
  }
  return made;
}

/** Makes `count` calls; the number of times that harm was done. */
function make_calls(count: u32, seed: u32, uid: u32): u32 {
  const harm = frame_alloc(4);
  store<u32>(harm, 0);
  let made: u32 = 0;
  while (made < count) {
    const done = round(count - made, seed, uid, harm);
    if (done == 0) {
      warnx(cs("no child made a call"));
      return load<u32>(harm) + 1;
    }
    made += done;
    seed += CHILDREN;
  }
  return load<u32>(harm);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const how = cs("hostile [-x] [-n count] [-s seed] [-u uid]");
  let count: u32 = 1000;
  let seed: u32 = 1;
  let uid: u32 = 0;
  let code = false;
  set_progname(cs("hostile"));
  for (let letter = getopt(argc, argv, cs("n:s:u:x")); letter != -1; letter = getopt(argc, argv, cs("n:s:u:x"))) {
    if (letter == 0x6e) count = u32(atoi(optarg()));
    else if (letter == 0x73) seed = u32(atoi(optarg()));
    else if (letter == 0x75) uid = u32(atoi(optarg()));
    else if (letter == 0x78) code = true;
    else usage(how);
  }
  if (optind() != argc) usage(how);
  const folder = frame_alloc(32);
  snprintf(folder, 32, cs("/tmp/hostile.%d"), getpid());
  if (!records_make(CHILDREN) || !sandbox_make(folder)) err(2, folder);
  calls_init();
  plant_canaries();
  const harm = code ? run_codes(count, seed) : make_calls(count, seed, uid);
  const intact = canaries_live();
  sandbox_remove(folder);
  if (code) printf(cs("hostile: %u random pieces of code, seed %u: "), count, seed);
  else printf(cs("hostile: %u calls as user %u, seed %u: "), count, uid, seed);
  if (harm == 0 && intact) printf(cs("no harm\n"));
  else printf(cs("harm done %u times\n"), harm != 0 ? harm : 1);
  return harm == 0 && intact ? 0 : 1;
}
