// What the cases of usertests have in common: the list they are in, and short ways to say what must hold.
//
// A case is a function without arguments that runs in a process and a directory of its own and says what must hold by
// assert(). It passes when it returns.
import { bss, frame_alloc, volatile } from "../../../i386/cpufunc";
import { memcmp, strlen } from "../../../libkern";
import { last_error, set_progname } from "../../lib/errors";
import { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, SIZEOF_STAT, Stat } from "../../lib/files";
import { flush } from "../../lib/stdio";
import {
  __lstat13, __sigaction14, __sigprocmask14, __stat13, _exit, close, fork, nanosleep, open, pipe, read, seteuid, wait4,
  write,
} from "../../lib/syscalls";

/** Most cases. */
export const MAXCASES: u32 = 320;
export const PAGE: u32 = 4096;
/** Bytes of the scratch area. */
export const SCRATCH: u32 = 65536;

@unmanaged
class Cases {
  count: u32;
  /** The group whose cases are being added. */
  group: usize;
}
const cases = changetype<Cases>(memory.data(offsetof<Cases>()));

/** A case: its name, the group it belongs to, and the function's address. */
@unmanaged
export class Case {
  name: usize;
  group: usize;
  run: u32;
}

/** Case number `index`. */
export function case_at(index: u32): Case {
  return changetype<Case>(bss(3840, 4) + index * offsetof<Case>());
}

export function case_count(): u32 {
  return cases.count;
}

/** Begins a group; the cases that follow belong to it. */
export function group(name: usize): void {
  cases.group = name;
}

/** Adds a case: `run` is the index of its function. */
export function test(name: usize, run: u32): void {
  assert(cases.count < MAXCASES);
  const one = case_at(cases.count++);
  one.name = name;
  one.group = cases.group;
  one.run = run;
}

/** Did the call fail with this error? */
export function fails(result: i32, error: i32): bool {
  return result == -1 && last_error() == error;
}

/** Memory that any case may use; zero when the case begins. */
export function scratch(): usize {
  return bss(SCRATCH, PAGE);
}

/** Are the `n` bytes at `a` those of `text`? */
export function same(a: usize, text: usize, n: u32): bool {
  return memcmp(a, text, n) == 0;
}

/** Fills memory with a pattern that depends on `seed`. */
export function fill_pattern(at: usize, n: u32, seed: u32): void {
  for (let i: u32 = 0; i < n; i++) store<u8>(at + i, pattern_byte(i, seed));
}

function pattern_byte(i: u32, seed: u32): u32 {
  return (i * 7 + (i >> 8) * 13 + seed) & 0xff;
}

/** Is the pattern of fill_pattern there? */
export function has_pattern(at: usize, n: u32, seed: u32): bool {
  for (let i: u32 = 0; i < n; i++) if (load<u8>(at + i) != pattern_byte(i, seed)) return false;
  return true;
}

/** Are all bytes the same as `byte`? */
export function all_bytes(at: usize, n: u32, byte: u32): bool {
  for (let i: u32 = 0; i < n; i++) if (load<u8>(at + i) != byte) return false;
  return true;
}

/** Makes a file with this text. Returns a descriptor for reading and writing, at the end. */
export function make_file(path: usize, text: usize): i32 {
  const fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o644);
  assert(fd >= 0);
  const n = strlen(text);
  assert(write(fd, text, n) == i32(n));
  return fd;
}

/** Makes a file with this text, closed. */
export function put_file(path: usize, text: usize): void {
  assert(close(make_file(path, text)) == 0);
}

/** Makes a file of `n` bytes of the pattern `seed`; a descriptor for reading and writing. */
export function pattern_file(path: usize, n: u32, seed: u32): i32 {
  const fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o644);
  assert(fd >= 0);
  const block = bss(PAGE, PAGE);
  for (let at: u32 = 0; at < n; at += PAGE) {
    const count: u32 = n - at < PAGE ? n - at : PAGE;
    for (let i: u32 = 0; i < count; i++) store<u8>(block + i, pattern_byte(at + i, seed));
    assert(write(fd, block, count) == i32(count));
  }
  return fd;
}

/** Has the file exactly this text? */
export function file_is(path: usize, text: usize): bool {
  const fd = open(path, O_RDONLY, 0);
  if (fd < 0) return false;
  const buffer = frame_alloc(256);
  const n = read(fd, buffer, 256);
  close(fd);
  return n == i32(strlen(text)) && memcmp(buffer, text, n) == 0;
}

/** The status of a path, of links themselves with `link`. The result is valid until the next call. */
export function stat_of(path: usize): Stat {
  const st = changetype<Stat>(bss(SIZEOF_STAT, 4));
  assert(__stat13(path, changetype<usize>(st)) == 0);
  return st;
}

export function lstat_of(path: usize): Stat {
  const st = changetype<Stat>(bss(SIZEOF_STAT, 4));
  assert(__lstat13(path, changetype<usize>(st)) == 0);
  return st;
}

/** Runs `body` (an index) in a child. Returns its wait status. */
export function child(body: u32): i32 {
  const pid = start(body);
  return finish(pid);
}

/** Starts `body` in a child, which exits with 0 when it returns. Returns the pid. */
export function start(body: u32): i32 {
  flush();
  const pid = fork();
  assert(pid >= 0);
  if (pid == 0) {
    call_indirect<void>(body);
    flush();
    _exit(0);
  }
  return pid;
}

/** Waits for the child; its wait status. */
export function finish(pid: i32): i32 {
  const status = frame_alloc(4);
  assert(wait4(pid, status, 0, 0) == pid);
  return load<i32>(status);
}

/** Runs `body` in a child that must succeed. */
export function in_child(body: u32): void {
  assert(child(body) == 0);
}

/** The signal that ended a process with this status, 0 for one that exited. Whether it left a core file is not told. */
export function death(status: i32): i32 {
  return status & 0x7f;
}

/** The exit code of a process that was not killed, or -1. */
export function exit_code(status: i32): i32 {
  return (status & 0x7f) == 0 ? (status >> 8) & 0xff : -1;
}

/** Goes to sleep for some hundredths of a second. */
export function pause_ticks(hundredths: u32): void {
  const ts = frame_alloc(8);
  store<u32>(ts, hundredths / 100);
  store<u32>(ts, (hundredths % 100) * 10000000, 4);
  nanosleep(ts, 0);
}

/** A pipe: its reading end is at `fds`, its writing end behind that. */
export function make_pipe(fds: usize): void {
  assert(pipe(fds) == 0);
}

/** The process acts as user `uid` from now on (its real user stays). */
export function become(uid: u32): void {
  assert(seteuid(0) == 0);
  assert(seteuid(uid) == 0);
}

/** What signal handlers note. */
@unmanaged
class Caught {
  count: u32;
  signum: u32;
  code: u32;
  context: usize;
}
const caught_store = changetype<Caught>(memory.data(offsetof<Caught>()));

/** Signals that note_signal has taken since caught_clear. */
export function caught_count(): u32 {
  return volatile.load32(changetype<usize>(caught_store));
}

/** The last signal, 0 for none. */
export function caught_signal(): i32 {
  return i32(volatile.load32(changetype<usize>(caught_store) + offsetof<Caught>("signum")));
}

/** The sigcontext that the last handler had. */
export function caught_context(): usize {
  return volatile.load32(changetype<usize>(caught_store) + offsetof<Caught>("context"));
}

/** The code that the last signal came with. */
export function caught_code(): u32 {
  return volatile.load32(changetype<usize>(caught_store) + offsetof<Caught>("code"));
}

export function caught_clear(): void {
  memory.fill(changetype<usize>(caught_store), 0, offsetof<Caught>());
}

/** A handler that notes the signal. */
export function note_signal(signum: u32, code: u32, context: usize): void {
  caught_store.count++;
  caught_store.signum = signum;
  caught_store.code = code;
  caught_store.context = context;
}

/** Sets what a signal does: a handler's address, SIG_DFL or SIG_IGN, with a mask (bit n - 1 for signal n) and flags. */
export function action(signum: i32, handler: u32, mask: u32, flags: u32): i32 {
  const sa = frame_alloc(24);
  memory.fill(sa, 0, 24);
  store<u32>(sa, handler);
  store<u32>(sa, mask, 4);
  store<u32>(sa, flags, 20);
  return __sigaction14(signum, sa, 0);
}

/** Has note_signal take a signal. */
export function catch_signal(signum: i32, flags: u32): void {
  assert(action(signum, note_signal.index, 0, flags) == 0);
}

/** The set with one signal. */
export function bit(signum: i32): u32 {
  return 1 << (signum - 1);
}

/** sigprocmask with sets of one word. Returns the old mask. */
export function set_mask(how: i32, mask: u32): u32 {
  const set = frame_alloc(16);
  const old = frame_alloc(16);
  memory.fill(set, 0, 16);
  store<u32>(set, mask);
  assert(__sigprocmask14(how, set, old) == 0);
  return load<u32>(old);
}

/** Names the running case in messages. */
export function name_case(name: usize): void {
  set_progname(name);
}
