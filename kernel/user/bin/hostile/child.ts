// A child of hostile: makes its share of calls, and looks after each what it did.
import { frame_alloc } from "../../../i386/cpufunc";
import { last_error } from "../../lib/errors";
import { errno } from "../../lib/sym";
import { __sigaction14, __sigprocmask14, _exit, fork, setitimer, syscall, vfork } from "../../lib/syscalls";
import { ARENA, ARENA_PAGES, arena_accept, arena_check, arena_make } from "./arena";
import { make_any_arguments, make_arguments, set_privileged, words } from "./arguments";
import { Call, call_at, call_count, is_documented } from "./calls";
import { one_in, random, random_below, random_seed } from "./random";
import { HARM_ERROR, HARM_MEMORY, HARM_SETUP, Record } from "./record";
import { sandbox_enter } from "./sandbox";

const PAGE: u32 = 4096;
const SIGSYS: i32 = 12;
const SIGPIPE: i32 = 13;
const SIGALRM: i32 = 14;
const SIGXFSZ: i32 = 25;
/** Calls between two looks at the whole arena. */
const CHECK_EVERY: u32 = 16;
/** Highest number that is tried, and some. */
const NUMBERS: u32 = 340;

const SYS_exit: u32 = 1;
const SYS_fork: u32 = 2;
const SYS_vfork: u32 = 66;
const SYS_reboot: u32 = 208;
const SYS___vfork14: u32 = 282;
const SYS_syscall: u32 = 0;
const SYS___syscall: u32 = 198;

const EAGAIN: i32 = 35;
const ENOMEM: i32 = 12;

function no_handler(signum: i32): void { /* only to interrupt */ }

function set_handler(signum: i32, handler: u32): void {
  const sa = frame_alloc(24);
  memory.fill(sa, 0, 24);
  store<u32>(sa, handler);
  __sigaction14(signum, sa, 0);
}

/** An alarm soon, and again: calls that sleep end, whatever earlier calls did to signals. */
function set_alarm(): void {
  const set = frame_alloc(16);
  const it = frame_alloc(16);
  memory.fill(set, 0, 16);
  set_handler(SIGALRM, no_handler.index);
  __sigprocmask14(3, set, 0);
  store<u32>(it, 0);
  store<u32>(it, 20000, 4);
  store<u32>(it, 0, 8);
  store<u32>(it, 20000, 12);
  setitimer(0, it, 0);
}

/** May the call sleep? Those on paths may wait for a lock or for the other end. */
function may_sleep(call: Call): bool {
  switch (call.number) {
    case 7:
    case 21:
    case 93:
    case 209:
    case 240:
    case 294: return true;
    default: return load<u8>(call.kinds) == 0x70 || load<u8>(call.kinds) == 0x64;
  }
}

/** Bytes that the call may change at an address with this letter; `at`: its word among the arguments. 0 = none. */
function result_size(letter: u32, at: usize): u32 {
  switch (letter) {
    case 0x53: return 96;
    case 0x46: return 256;
    case 0x54: return 8;
    case 0x55: return 16;
    case 0x52: return 72;
    case 0x47: return 24;
    case 0x4b: return 12;
    case 0x57: return 4;
    case 0x42: return load<u32>(at, 4);
    case 0x4c: return load<u32>(at, 4) < 0x10000 ? load<u32>(at, 4) * 8 : 0xffffffff;
    case 0x43: return load<u32>(at - 4) < 0x10000 ? load<u32>(at - 4) * 4 : 0xffffffff;
    case 0x56: return (load<u32>(at - 4) >> 12) + 2;
    case 0x2a: return 0xffffffff;
    default: return 0;
  }
}

/** Takes the results of the call over into the copy of the arena. */
function accept_results(call: Call): void {
  let at = words();
  for (let kind = call.kinds; load<u8>(kind) != 0; kind++) {
    const letter = load<u8>(kind);
    if (letter == 0x71) {
      at += 8;
      continue;
    }
    const size = result_size(letter, at);
    if (letter == 0x2a) arena_accept(ARENA, ARENA_PAGES * PAGE);
    else if (size != 0) arena_accept(load<usize>(at), size);
    at += 4;
  }
}

/** Notes the harm and ends the child. */
function harmed(record: Record, harm: u32, error: i32, address: usize): void {
  record.harm = harm;
  record.error = error;
  record.address = address;
  _exit(3);
}

function perform(record: Record, number: u32): i32 {
  const w = words();
  record.number = number;
  memory.copy(record.words, w, 32);
  record.calls++;
  store<i32>(errno(), 0);
  syscall(number, load<u32>(w), load<u32>(w, 4), load<u32>(w, 8), load<u32>(w, 12), load<u32>(w, 16), load<u32>(w, 20),
    load<u32>(w, 24), load<u32>(w, 28));
  return last_error();
}

function known_call(record: Record): void {
  const call = call_at(random_below(call_count()));
  make_arguments(call);
  if (may_sleep(call)) set_alarm();
  const error = perform(record, call.number);
  if (error != 0 && !is_documented(call, error)) harmed(record, HARM_ERROR, error, 0);
  accept_results(call);
}

/** Is the number that of a call of the table, or of one that is not to be made like this? */
function is_known(number: u32): bool {
  if (number == SYS_exit || number == SYS_fork || number == SYS_vfork || number == SYS___vfork14) return true;
  if (number == SYS_reboot || number == SYS_syscall || number == SYS___syscall) return true;
  for (let i: u32 = 0; i < call_count(); i++) if (call_at(i).number == number) return true;
  return false;
}

/** A number without a row: most are of no call at all. */
function unknown_call(record: Record): void {
  const number = one_in(4) ? random() : random_below(NUMBERS);
  if (is_known(number)) return;
  make_any_arguments();
  set_alarm();
  perform(record, number);
  arena_accept(ARENA, ARENA_PAGES * PAGE);
}

/** fork and vfork, whose children end at once. */
function forking_call(record: Record): void {
  record.number = one_in(2) ? SYS_fork : SYS_vfork;
  record.calls++;
  store<i32>(errno(), 0);
  const pid = record.number == SYS_fork ? fork() : vfork();
  if (pid == 0) _exit(0);
  const error = last_error();
  if (pid < 0 && error != EAGAIN && error != ENOMEM) harmed(record, HARM_ERROR, error, 0);
}

/** Makes `quota` calls of the sequence `seed` as user `uid`. Does not return. */
export function hostile_child(record: Record, quota: u32, seed: u32, uid: u32): void {
  set_handler(SIGPIPE, 1);
  set_handler(SIGSYS, 1);
  set_handler(SIGXFSZ, 1);
  random_seed(seed);
  set_privileged(uid == 0);
  if (!arena_make(seed) || !sandbox_enter(uid)) harmed(record, HARM_SETUP, last_error(), 0);
  while (record.calls < quota) {
    if (one_in(40)) forking_call(record);
    else if (one_in(16)) unknown_call(record);
    else known_call(record);
    if (record.calls % CHECK_EVERY != 0 && record.calls < quota) continue;
    const address = arena_check();
    if (address != 0) harmed(record, HARM_MEMORY, 0, address);
  }
  _exit(0);
}
