// Hostile machine code: pieces with a known end, sweeps over all interrupts and selectors, random bytes, and random
// contexts for sigreturn. All of it runs in a child in the sandbox, and may come to signals, but to nothing else.
import { frame_alloc } from "../../../i386/cpufunc";
import { last_error, warnx } from "../../lib/errors";
import { flush } from "../../lib/stdio";
import {
  __sigaction14, __sigaltstack14, __sigreturn14, _exit, fork, kill, mmap, setitimer, wait4,
} from "../../lib/syscalls";
import { pieces } from "./pieces";
import { one_in, random, random_below, random_seed } from "./random";
import { record_at, record_clear } from "./record";
import { sandbox_enter } from "./sandbox";

const PAGE: u32 = 4096;
/** Where the code lies, and the stack for handlers. */
export const CODE: usize = 0x57000000;
const CODE_PAGES: u32 = 4;
const HANDLER_STACK: usize = 0x57100000;
const HANDLER_STACK_SIZE: u32 = 16384;
const RWX_FIXED_ANON_PRIVATE: u32 = 0x1012;
const USER: u32 = 1000;
const EINTR: i32 = 4;
const SIGILL: i32 = 4;
const SIGTRAP: i32 = 5;
const SIGKILL: i32 = 9;
const SIGSYS: i32 = 12;
const SA_ONSTACK_NODEFER: u32 = 0x11;
const SC_EIP: usize = 44;
const SIZEOF_SIGCONTEXT: u32 = 96;
const RET: u8 = 0xc3;
/** Faults after which a piece of random code has shown enough. */
const MOST_FAULTS: u32 = 150;

@unmanaged
class CodeState {
  /** Bytes that the handler skips; 0: a random number. */
  skip: u32;
  /** Faults so far. */
  faults: u32;
  harm: u32;
}
const code_state = changetype<CodeState>(memory.data(offsetof<CodeState>()));

/** Goes on behind the instruction that faulted, or near there. */
function skip_fault(signum: i32, code: u32, context: usize): void {
  code_state.faults++;
  record_at(0).calls = code_state.faults;
  if (code_state.skip == 0 && code_state.faults > MOST_FAULTS) _exit(0);
  const eip = load<usize>(context + SC_EIP);
  if (signum == SIGTRAP && code_state.skip != 0) return;
  if (eip < CODE || eip >= CODE + CODE_PAGES * PAGE) {
    // Random code has left its pages: back to some place in them.
    store<usize>(context + SC_EIP, CODE + random_below(CODE_PAGES * PAGE - 16));
    return;
  }
  store<usize>(context + SC_EIP, eip + (code_state.skip != 0 ? code_state.skip : 1 + random_below(3)));
}

function handle(signum: i32): void {
  const sa = frame_alloc(24);
  memory.fill(sa, 0, 24);
  store<u32>(sa, skip_fault.index);
  store<u32>(sa, SA_ONSTACK_NODEFER, 20);
  __sigaction14(signum, sa, 0);
}

/** Has all faults handled on a stack of its own. */
function handle_faults(): void {
  const ss = frame_alloc(12);
  mmap(HANDLER_STACK, HANDLER_STACK_SIZE, 3, RWX_FIXED_ANON_PRIVATE, -1, 0, 0);
  store<usize>(ss, HANDLER_STACK);
  store<u32>(ss, HANDLER_STACK_SIZE, 4);
  store<u32>(ss, 0, 8);
  __sigaltstack14(ss, 0);
  for (let signum = SIGILL; signum <= SIGSYS; signum++) if (signum != SIGKILL) handle(signum);
}

/** Processor time and real time end the child. */
function set_limits(): void {
  const it = frame_alloc(16);
  memory.fill(it, 0, 16);
  store<u32>(it, 50000, 12);
  setitimer(1, it, 0);
  store<u32>(it, 300000, 12);
  setitimer(0, it, 0);
}

/** The child's start: the sandbox, and pages full of `ret`. */
function begin_child(): void {
  if (!sandbox_enter(USER)) _exit(126);
  if (mmap(CODE, CODE_PAGES * PAGE, 7, RWX_FIXED_ANON_PRIVATE, -1, 0, 0) == -1) _exit(126);
  memory.fill(CODE, RET, CODE_PAGES * PAGE);
  set_limits();
}

/** Waits for the child and what it left. Returns its status. */
function end_child(pid: i32): i32 {
  const status = frame_alloc(4);
  store<i32>(status, 0);
  while (wait4(pid, status, 0, 0) != pid) {
    if (last_error() != EINTR) break;
  }
  kill(-pid, SIGKILL);
  return load<i32>(status);
}

/** A hexadecimal digit's value. */
function hex(byte: u32): u32 {
  return byte >= 0x61 ? byte - 87 : byte - 48;
}

/** Executes a piece given in hexadecimal. Returns the status of the child: 0 when the code returned. */
function run_piece(text: usize): i32 {
  flush();
  const pid = fork();
  if (pid == 0) {
    begin_child();
    let at = CODE;
    for (; load<u8>(text) != 0; text += 2) store<u8>(at++, u8((hex(load<u8>(text)) << 4) + hex(load<u8>(text + 1))));
    call_indirect<void>(u32(CODE));
    _exit(0);
  }
  return end_child(pid);
}

/** Tries one piece; `allowed` has bit s for each signal s that it may end with, bit 0 when it may return. */
export function piece(name: usize, text: usize, allowed: u32): void {
  const status = run_piece(text);
  const signum = u32(status & 0x7f);
  if ((status & 0xff00) == 0 && (allowed & (1 << signum)) != 0) return;
  warnx(cs("%s: ended with status 0x%x"), name, status);
  code_state.harm++;
}

/** Puts bytes of the sweep for value `n` at `at`; returns how many. */
function sweep_bytes(kind: u32, n: u32, at: usize): u32 {
  if (kind == 0) {
    // int $n, but for the system call's.
    store<u8>(at, n == 0x80 ? 0x90 : 0xcd);
    store<u8>(at + 1, n == 0x80 ? 0x90 : n);
    return 2;
  }
  if (kind == 1) {
    // mov $n, %ax; mov %ax, %ds or %es or %fs or %gs; and the first two back to what they were.
    store<u32>(at, 0x0000b866 | n << 16);
    store<u16>(at + 4, (n & 3) == 0 ? 0xd88e : (n & 3) == 1 ? 0xc08e : (n & 3) == 2 ? 0xe08e : 0xe88e);
    store<u32>(at + 6, 0x001fb866);
    store<u32>(at + 10, 0xc08ed88e);
    return 14;
  }
  if (kind == 2) {
    // mov $n, %ax; mov %ax, %ss.
    store<u32>(at, 0x0000b866 | n << 16);
    store<u16>(at + 4, 0xd08e);
    return 6;
  }
  // ljmp or lcall $n, $0.
  store<u8>(at, kind == 3 ? 0xea : 0x9a);
  store<u32>(at + 1, 0xc0100000);
  store<u16>(at + 5, n);
  return 7;
}

/** All values of a kind in one child, which goes on behind each fault. `least`: faults that must have come. */
function sweep(name: usize, kind: u32, skip: u32, from: u32, to: u32, least: u32): void {
  record_clear(0);
  flush();
  const pid = fork();
  if (pid == 0) {
    begin_child();
    handle_faults();
    code_state.skip = skip;
    let at = CODE;
    for (let n = from; n < to; n++) at += sweep_bytes(kind, n, at);
    call_indirect<void>(u32(CODE));
    _exit(0);
  }
  const status = end_child(pid);
  const faults = record_at(0).calls;
  if (status == 0 && faults >= least) return;
  warnx(cs("%s: %u faults, status 0x%x"), name, faults, status);
  code_state.harm++;
}

function sweeps(): void {
  sweep(cs("interrupts"), 0, 2, 0, 256, 240);
  sweep(cs("segment registers"), 1, 2, 0, 256, 100);
  sweep(cs("stack segments"), 2, 2, 0, 0x100, 254);
  // The two code segments are left out: a jump through them would lead out of the sweep.
  sweep(cs("far jumps, low"), 3, 7, 0, 0x17, 23);
  sweep(cs("far jumps"), 3, 7, 0x18, 0x20, 8);
  sweep(cs("far jumps, high"), 3, 7, 0x24, 0x100, 220);
  sweep(cs("far calls"), 4, 7, 0x24, 0x100, 220);
}

/** A byte that begins something rare, or any. */
function interesting_byte(): u32 {
  if (!one_in(3)) return random() >> 24;
  const bytes = cs("0f0f0f8e8ccdcfcb9d9cc4c5e4f4fad9dbdd64656667f0f2f3cc62");
  const at = bytes + 2 * random_below(27);
  return hex(load<u8>(at)) << 4 | hex(load<u8>(at + 1));
}

/** A piece of random bytes. */
function random_code(seed: u32): void {
  flush();
  record_clear(0);
  const pid = fork();
  if (pid == 0) {
    begin_child();
    handle_faults();
    random_seed(seed);
    code_state.skip = 0;
    for (let at: u32 = 0; at < CODE_PAGES * PAGE - 64; at++) store<u8>(CODE + at, interesting_byte());
    call_indirect<void>(u32(CODE));
    _exit(0);
  }
  end_child(pid);
}

/** Contexts with wrong words for sigreturn, until one is taken. */
function random_contexts(seed: u32): void {
  flush();
  const pid = fork();
  if (pid == 0) {
    begin_child();
    random_seed(seed);
    const sc = frame_alloc(96);
    for (let i: u32 = 0; i < 200; i++) {
      for (let at: u32 = 0; at < SIZEOF_SIGCONTEXT; at += 4) store<u32>(sc + at, random());
      for (let at: u32 = 0; at < 16; at += 4) store<u32>(sc + at, 0x1f);
      store<u32>(sc, 0x17, 48);
      store<u32>(sc, 0x1f, 60);
      store<u32>(sc, 0x202, 52);
      store<u32>(sc, one_in(2) ? u32(CODE) : random(), SC_EIP);
      // One word wrong, or two.
      store<u32>(sc + random_below(24) * 4, random());
      if (one_in(2)) store<u32>(sc + random_below(24) * 4, 1 << random_below(32));
      __sigreturn14(sc);
    }
    _exit(0);
  }
  end_child(pid);
}

/** The pieces, the sweeps, then `count` random ones. Returns how often something ended as it must not. */
export function run_codes(count: u32, seed: u32): u32 {
  pieces();
  sweeps();
  for (let i: u32 = 0; i < count; i++) {
    if ((i & 3) == 3) random_contexts(seed + i);
    else random_code(seed + i);
  }
  return code_state.harm;
}
