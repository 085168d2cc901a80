// Runs one case of usertests, and looks for what it leaves behind in the kernel.
//
// debug.inuse counts what must go back to its start: pages, map entries, vnodes, pool items ... A first run may fill
// caches, so a count that has grown is no leak yet; one that grows in each of several runs is.
import { bss, frame_alloc } from "../../../i386/cpufunc";
import { strcmp } from "../../../libkern";
import { last_error, warnx } from "../../lib/errors";
import { remove_tree } from "../../lib/remove";
import { signal_text } from "../../lib/signals";
import { flush } from "../../lib/stdio";
import { SIZEOF_SYSCTL_COUNT, SysctlCount } from "../../lib/sysctl";
import {
  __sysctl, _exit, chdir, fork, kill, mkdir, setitimer, setpgid, setrlimit, sync, wait4,
} from "../../lib/syscalls";
import { Case, action, caught_clear, name_case, note_signal } from "./harness";

const RLIMIT_CORE: u32 = 4;
const SIGKILL: i32 = 9;
const SIGALRM: i32 = 14;
const EINTR: i32 = 4;
/** Seconds that a case may take. */
const TIME_LIMIT: u32 = 120;
/** Runs in each of which a count must grow to be a leak. */
const LEAK_RUNS: u32 = 3;
const INUSE_SIZE: u32 = 16384;
const CTL_DEBUG: u32 = 5;
const DEBUG_INUSE: u32 = 2;

/** Bytes of the counts before and after a run. */
@unmanaged
class Leaks {
  before: u32;
  after: u32;
}
const leaks = changetype<Leaks>(memory.data(offsetof<Leaks>()));

function before_counts(): usize {
  return bss(16384, 4);
}

function after_counts(): usize {
  return bss(16384, 4);
}

/** For each count: in how many runs it has grown. */
function growths(): usize {
  return bss(512, 4);
}

/** Reads the counts to `to`; returns their bytes. */
function read_counts(to: usize): u32 {
  const name = frame_alloc(8);
  const length = frame_alloc(4);
  store<u32>(name, CTL_DEBUG);
  store<u32>(name, DEBUG_INUSE, 4);
  store<u32>(length, INUSE_SIZE);
  return __sysctl(name, 2, to, length, 0, 0) == 0 ? load<u32>(length) : 0;
}

/** Is it a cache that fills up to its limit? Vnodes and names are kept; those in use have counts of their own. */
function is_cache(name: usize): bool {
  return strcmp(name, cs("pool_vnodepl")) == 0 || strcmp(name, cs("pool_ncachepl")) == 0;
}

/** Notes which counts grew from before to after the run; the number of them. */
function compare_counts(): u32 {
  let grown: u32 = 0;
  const bytes = leaks.before < leaks.after ? leaks.before : leaks.after;
  for (let at: u32 = 0; at < bytes; at += SIZEOF_SYSCTL_COUNT) {
    const old = changetype<SysctlCount>(before_counts() + at);
    const fresh = changetype<SysctlCount>(after_counts() + at);
    if (strcmp(old.name, fresh.name) != 0 || fresh.count <= old.count || is_cache(fresh.name)) continue;
    const counter = growths() + at / SIZEOF_SYSCTL_COUNT;
    store<u8>(counter, load<u8>(counter) + 1);
    grown++;
  }
  return grown;
}

/** Names the counts that grew in all runs. Returns whether there are any. */
function report_leaks(): bool {
  let found = false;
  for (let at: u32 = 0; at < leaks.after; at += SIZEOF_SYSCTL_COUNT) {
    if (load<u8>(growths() + at / SIZEOF_SYSCTL_COUNT) < LEAK_RUNS) continue;
    const old = changetype<SysctlCount>(before_counts() + at);
    const fresh = changetype<SysctlCount>(after_counts() + at);
    warnx(cs("leaks: %s, from %u to %u"), old.name, old.count, fresh.count);
    found = true;
  }
  return found;
}

function set_alarm(seconds: u32): void {
  const it = frame_alloc(16);
  memory.fill(it, 0, 16);
  store<u32>(it, seconds, 8);
  setitimer(0, it, 0);
}

/** The process of the case. */
function run_body(one: Case): void {
  const none = frame_alloc(16);
  memory.fill(none, 0, 16);
  setpgid(0, 0);
  setrlimit(RLIMIT_CORE, none);
  action(SIGALRM, 0, 0, 0);
  caught_clear();
  if (chdir(cs("case")) != 0) _exit(127);
  call_indirect<void>(one.run);
  flush();
  _exit(0);
}

/** Waits for the case; kills its group when it takes too long. Returns its status. */
function await_case(pid: i32): i32 {
  const status = frame_alloc(4);
  set_alarm(TIME_LIMIT);
  while (wait4(pid, status, 0, 0) != pid) {
    if (last_error() != EINTR) return -1;
    kill(-pid, SIGKILL);
    warnx(cs("took longer than %u seconds"), TIME_LIMIT);
  }
  set_alarm(0);
  // What the case left running goes, too.
  kill(-pid, SIGKILL);
  return load<i32>(status);
}

/** One run. Returns whether it passed. */
function run_once(one: Case): bool {
  name_case(one.name);
  if (mkdir(cs("case"), 0o777) != 0) {
    warnx(cs("cannot make its directory"));
    return false;
  }
  flush();
  const pid = fork();
  if (pid == 0) run_body(one);
  if (pid < 0) {
    warnx(cs("cannot be forked"));
    return false;
  }
  const status = await_case(pid);
  remove_tree(cs("case"));
  if (status == 0) return true;
  if ((status & 0x7f) == 0) warnx(cs("exit status %d"), (status >> 8) & 0xff);
  else if ((status & 0x7f) != 6) warnx(cs("died: %s"), signal_text(status & 0x7f));
  return false;
}

/** Runs a case, again and again as long as it seems to leave something behind. Returns whether it passed. */
export function run_case(one: Case): bool {
  action(SIGALRM, note_signal.index, 0, 0);
  memory.fill(growths(), 0, 512);
  for (let run: u32 = 0; run < LEAK_RUNS; run++) {
    leaks.before = read_counts(before_counts());
    if (!run_once(one)) return false;
    sync();
    leaks.after = read_counts(after_counts());
    if (compare_counts() == 0) return true;
  }
  return !report_leaks();
}
