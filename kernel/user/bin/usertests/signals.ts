// Cases of usertests: signals, and faults that become signals.
import { breakpoint, bss, frame_alloc, read_esp, volatile } from "../../../i386/cpufunc";
import { EFAULT, EINTR, EINVAL, ENOMEM, EPERM, ESRCH } from "../../../sys/errno";
import {
  __sigaction14, __sigaltstack14, __sigpending14, __sigprocmask14, __sigreturn14, __sigsuspend14, _exit, getpid, kill,
  mmap, mprotect, read, setitimer, setpgid, setuid, syscall, write,
} from "../../lib/syscalls";
import {
  PAGE, action, bit, catch_signal, caught_code, caught_count, caught_signal, child, death, exit_code, fails, finish,
  group, in_child, make_pipe, pause_ticks, scratch, set_mask, start, test,
} from "./harness";

const KERNEL: usize = 0xc0100000;
const SIG_BLOCK: i32 = 1;
const SIG_UNBLOCK: i32 = 2;
const SIG_SETMASK: i32 = 3;
const SA_ONSTACK: u32 = 1;
const SA_RESETHAND: u32 = 4;
const SA_NODEFER: u32 = 0x10;
const SIGHUP: i32 = 1;
const SIGILL: i32 = 4;
const SIGTRAP: i32 = 5;
const SIGFPE: i32 = 8;
const SIGKILL: i32 = 9;
const SIGBUS: i32 = 10;
const SIGSEGV: i32 = 11;
const SIGSYS: i32 = 12;
const SIGALRM: i32 = 14;
const SIGTERM: i32 = 15;
const SIGURG: i32 = 16;
const SIGSTOP: i32 = 17;
const SIGCONT: i32 = 19;
const SIGWINCH: i32 = 28;
const SIGUSR1: i32 = 30;
const SIGUSR2: i32 = 31;
const SS_DISABLE: u32 = 4;
const SS_ONSTACK: u32 = 1;
// Words of a sigcontext.
const SC_EIP: usize = 44;
const SC_CS: usize = 48;
const SC_EFLAGS: usize = 52;
const SC_ESP: usize = 56;
const SC_SS: usize = 60;
const SC_DS: usize = 12;

function note(): usize {
  return bss(64, 4);
}

function send(signum: i32): void {
  assert(kill(getpid(), signum) == 0);
}

function delivery(): void {
  catch_signal(SIGUSR1, 0);
  send(SIGUSR1);
  assert(caught_count() == 1 && caught_signal() == SIGUSR1 && caught_code() == 0);
  send(SIGUSR1);
  assert(caught_count() == 2 && kill(getpid(), 0) == 0 && caught_count() == 2);
}

function die_of_usr1(): void {
  kill(getpid(), SIGUSR1);
}

function die_of_term(): void {
  kill(getpid(), SIGTERM);
}

function live_with_urg(): void {
  kill(getpid(), SIGURG);
  kill(getpid(), SIGWINCH);
  kill(getpid(), SIGCONT);
}

function defaults(): void {
  assert(death(child(die_of_usr1.index)) == SIGUSR1 && death(child(die_of_term.index)) == SIGTERM);
  assert(child(live_with_urg.index) == 0);
}

function ignoring(): void {
  const set = frame_alloc(16);
  assert(action(SIGTERM, 1, 0, 0) == 0);
  send(SIGTERM);
  assert(__sigpending14(set) == 0 && load<u32>(set) == 0);
  // What is held back is thrown away when it comes to be ignored.
  assert(action(SIGTERM, 0, 0, 0) == 0);
  set_mask(SIG_BLOCK, bit(SIGTERM));
  send(SIGTERM);
  assert(__sigpending14(set) == 0 && load<u32>(set) == bit(SIGTERM) && action(SIGTERM, 1, 0, 0) == 0);
  assert(__sigpending14(set) == 0 && load<u32>(set) == 0 && action(SIGTERM, 0, 0, 0) == 0);
  set_mask(SIG_UNBLOCK, bit(SIGTERM));
}

function masks(): void {
  const set = frame_alloc(16);
  catch_signal(SIGUSR1, 0);
  catch_signal(SIGUSR2, 0);
  assert(set_mask(SIG_BLOCK, bit(SIGUSR1)) == 0);
  send(SIGUSR1);
  send(SIGUSR1);
  assert(caught_count() == 0 && __sigpending14(set) == 0 && load<u32>(set) == bit(SIGUSR1) && load<u32>(set, 4) == 0);
  send(SIGUSR2);
  assert(caught_count() == 1 && caught_signal() == SIGUSR2);
  // Two were sent, one comes.
  assert(set_mask(SIG_UNBLOCK, bit(SIGUSR1)) == bit(SIGUSR1) && caught_count() == 2 && caught_signal() == SIGUSR1);
  assert(__sigpending14(set) == 0 && load<u32>(set) == 0);
  set_mask(SIG_SETMASK, 0xffffffff);
  assert(set_mask(SIG_SETMASK, 0) == ~(bit(SIGKILL) | bit(SIGSTOP)));
}

function mask_errors(): void {
  const set = frame_alloc(16);
  memory.fill(set, 0, 16);
  assert(fails(__sigprocmask14(77, set, 0), EINVAL) && fails(__sigprocmask14(1, KERNEL, 0), EFAULT));
  assert(fails(__sigprocmask14(1, 0, KERNEL), EFAULT) && fails(__sigpending14(KERNEL), EFAULT));
  assert(__sigprocmask14(77, 0, set) == 0 && fails(__sigsuspend14(KERNEL), EFAULT));
}

function action_errors(): void {
  const sa = frame_alloc(24);
  memory.fill(sa, 0, 24);
  assert(fails(__sigaction14(0, sa, 0), EINVAL) && fails(__sigaction14(33, sa, 0), EINVAL));
  assert(fails(__sigaction14(-1, sa, 0), EINVAL));
  assert(fails(__sigaction14(SIGKILL, sa, 0), EINVAL) && fails(__sigaction14(SIGSTOP, sa, 0), EINVAL));
  assert(__sigaction14(SIGKILL, 0, sa) == 0 && fails(__sigaction14(SIGTERM, KERNEL, 0), EFAULT));
  assert(fails(__sigaction14(SIGTERM, 0, KERNEL), EFAULT));
  store<u32>(sa, 0x1000, 20);
  assert(fails(__sigaction14(SIGTERM, sa, 0), EINVAL));
}

function old_action(): void {
  const sa = frame_alloc(24);
  const old = frame_alloc(24);
  memory.fill(sa, 0, 24);
  store<u32>(sa, 0x8048000);
  store<u32>(sa, bit(SIGUSR2), 4);
  store<u32>(sa, SA_NODEFER, 20);
  assert(__sigaction14(SIGUSR1, sa, old) == 0 && load<u32>(old) == 0 && load<u32>(old, 20) == 0);
  memory.fill(old, 0xff, 24);
  assert(__sigaction14(SIGUSR1, 0, old) == 0 && load<u32>(old) == 0x8048000 && load<u32>(old, 4) == bit(SIGUSR2));
  assert(load<u32>(old, 8) == 0 && load<u32>(old, 20) == SA_NODEFER && action(SIGUSR1, 1, 0, 0) == 0);
  assert(__sigaction14(SIGUSR1, 0, old) == 0 && load<u32>(old) == 1);
}

/** Notes how deep it is, and sends itself the signal again once. */
function nested_handler(signum: u32, code: u32, context: usize): void {
  const depth = volatile.load32(note()) + 1;
  volatile.store32(note(), depth);
  if (depth > volatile.load32(note() + 4)) volatile.store32(note() + 4, depth);
  volatile.store32(note() + 8, volatile.load32(note() + 8) + 1);
  if (volatile.load32(note() + 8) == 1) kill(getpid(), SIGUSR1);
  volatile.store32(note(), depth - 1);
}

function deferring(): void {
  assert(action(SIGUSR1, nested_handler.index, 0, 0) == 0);
  send(SIGUSR1);
  // The second one came after the first handler was done.
  assert(volatile.load32(note() + 8) == 2 && volatile.load32(note() + 4) == 1);
  memory.fill(note(), 0, 16);
  assert(action(SIGUSR1, nested_handler.index, 0, SA_NODEFER) == 0);
  send(SIGUSR1);
  assert(volatile.load32(note() + 8) == 2 && volatile.load32(note() + 4) == 2);
}

/** Sends another signal that the mask of this one holds back. */
function masking_handler(signum: u32, code: u32, context: usize): void {
  kill(getpid(), SIGUSR2);
  volatile.store32(note(), caught_count());
}

function mask_of_handler(): void {
  catch_signal(SIGUSR2, 0);
  assert(action(SIGUSR1, masking_handler.index, bit(SIGUSR2), 0) == 0);
  store<u32>(note(), 77);
  send(SIGUSR1);
  assert(volatile.load32(note()) == 0 && caught_count() == 1 && set_mask(SIG_BLOCK, 0) == 0);
}

function once(): void {
  catch_signal(SIGUSR1, SA_RESETHAND);
  assert(kill(getpid(), SIGUSR1) == 0 && caught_count() == 1);
  kill(getpid(), SIGUSR1);
}

function reset_handler(): void {
  assert(death(child(once.index)) == SIGUSR1);
}

function set_alarm(microseconds: u32): void {
  const it = frame_alloc(16);
  memory.fill(it, 0, 16);
  store<u32>(it, microseconds, 12);
  assert(setitimer(0, it, 0) == 0);
}

function suspending(): void {
  const set = frame_alloc(16);
  memory.fill(set, 0, 16);
  catch_signal(SIGUSR1, 0);
  catch_signal(SIGALRM, 0);
  set_mask(SIG_BLOCK, bit(SIGUSR1));
  send(SIGUSR1);
  assert(caught_count() == 0 && fails(__sigsuspend14(set), EINTR) && caught_count() == 1);
  // The old mask is back.
  assert(set_mask(SIG_BLOCK, 0) == bit(SIGUSR1));
  send(SIGUSR1);
  store<u32>(set, bit(SIGUSR1));
  set_alarm(20000);
  assert(fails(__sigsuspend14(set), EINTR) && caught_signal() == SIGALRM && caught_count() == 2);
}

function on_stack_handler(signum: u32, code: u32, context: usize): void {
  const ss = frame_alloc(12);
  volatile.store32(note(), read_esp());
  __sigaltstack14(0, ss);
  volatile.store32(note() + 4, load<u32>(ss, 8));
  volatile.store32(note() + 8, __sigaltstack14(ss, 0));
}

function alternate_stack(): void {
  const ss = frame_alloc(12);
  store<usize>(ss, scratch());
  store<u32>(ss, 16384, 4);
  store<u32>(ss, 0, 8);
  assert(__sigaltstack14(ss, 0) == 0 && action(SIGUSR1, on_stack_handler.index, 0, SA_ONSTACK) == 0);
  send(SIGUSR1);
  const esp = volatile.load32(note());
  assert(esp > scratch() && esp < scratch() + 16384 && volatile.load32(note() + 4) == SS_ONSTACK);
  // A stack in use cannot be changed.
  assert(volatile.load32(note() + 8) == 0xffffffff);
  assert(__sigaltstack14(0, ss) == 0 && load<u32>(ss) == scratch() && load<u32>(ss, 8) == 0);
  assert(action(SIGUSR1, on_stack_handler.index, 0, 0) == 0);
  send(SIGUSR1);
  assert(volatile.load32(note()) > 0xb0000000);
  store<u32>(ss, SS_DISABLE, 8);
  assert(__sigaltstack14(ss, 0) == 0 && __sigaltstack14(0, ss) == 0 && (load<u32>(ss, 8) & SS_DISABLE) != 0);
  store<u32>(ss, 0, 8);
  store<u32>(ss, 100, 4);
  assert(fails(__sigaltstack14(ss, 0), ENOMEM));
  store<u32>(ss, 0x40, 8);
  assert(fails(__sigaltstack14(ss, 0), EINVAL) && fails(__sigaltstack14(KERNEL, 0), EFAULT));
  assert(fails(__sigaltstack14(0, KERNEL), EFAULT));
}

/** Overflows the stack; only a handler on another stack can tell. */
function overflow_handler(signum: u32, code: u32, context: usize): void {
  _exit(signum == u32(SIGSEGV) ? 33 : 1);
}

function overflowing(n: u32): u32 {
  const block = frame_alloc(4096);
  store<u32>(block, n);
  return overflowing(n + 1) + load<u32>(block);
}

function overflow(): void {
  const ss = frame_alloc(12);
  store<usize>(ss, scratch());
  store<u32>(ss, 16384, 4);
  store<u32>(ss, 0, 8);
  __sigaltstack14(ss, 0);
  action(SIGSEGV, overflow_handler.index, 0, SA_ONSTACK);
  overflowing(0);
}

function overflow_without(): void {
  action(SIGSEGV, overflow_handler.index, 0, 0);
  overflowing(0);
}

function stack_overflow(): void {
  assert(exit_code(child(overflow.index)) == 33 && death(child(overflow_without.index)) == SIGILL);
}

/** Makes the page at the word note()+16 writable, so that the store happens again and succeeds. */
function repairing_handler(signum: u32, code: u32, context: usize): void {
  volatile.store32(note(), signum);
  volatile.store32(note() + 4, code);
  mprotect(volatile.load32(note() + 16), PAGE, 3);
}

function repaired_fault(): void {
  const p = mmap(0, PAGE, 1, 0x1002, -1, 0, 0);
  assert(p != -1 && action(SIGSEGV, repairing_handler.index, 0, 0) == 0);
  volatile.store32(note() + 16, p);
  volatile.store32(usize(p) + 100, 12345);
  assert(volatile.load32(usize(p) + 100) == 12345 && volatile.load32(note()) == u32(SIGSEGV));
  // The code is the kind of trap: a page fault.
  assert(volatile.load32(note() + 4) == 6);
}

/** Skips the two-byte instruction that trapped. */
function skipping_handler(signum: u32, code: u32, context: usize): void {
  volatile.store32(note(), signum);
  store<u32>(context + SC_EIP, load<u32>(context + SC_EIP) + 2);
}

/** Runs two bytes of machine code and a return. */
function run_code(bytes: u32): void {
  const code = scratch();
  store<u32>(code, bytes | 0xc3900000);
  call_indirect<void>(u32(code));
}

function context_changes(): void {
  // ud2: the handler changes where the program goes on.
  assert(action(SIGILL, skipping_handler.index, 0, 0) == 0);
  run_code(0x0b0f);
  assert(volatile.load32(note()) == u32(SIGILL));
  memory.fill(note(), 0, 4);
  assert(action(SIGBUS, skipping_handler.index, 0, 0) == 0);
  // mov %cr0, %eax would be three bytes; outb %al, $0x80 is two.
  run_code(0x80e6);
  assert(volatile.load32(note()) == u32(SIGBUS));
}

function break_here(): void {
  breakpoint();
}

function privileged(): void {
  run_code(0x90fa);
}

function halt(): void {
  run_code(0x90f4);
}

function kernel_look(): void {
  volatile.load8(KERNEL);
}

function null_store(): void {
  volatile.store32(0, 1);
}

function text_store(): void {
  volatile.store8(0x08048000, 0);
}

function jump_to_kernel(): void {
  call_indirect<void>(0xc0100000);
}

function jump_to_null(): void {
  call_indirect<void>(u32(volatile.load32(note())));
}

function no_such_call(): void {
  syscall(400, 0, 0, 0, 0, 0, 0, 0, 0);
}

function fatal_faults(): void {
  assert(death(child(break_here.index)) == SIGTRAP && death(child(privileged.index)) == SIGBUS);
  assert(death(child(halt.index)) == SIGBUS && death(child(null_store.index)) == SIGSEGV);
  assert(death(child(text_store.index)) == SIGSEGV && death(child(jump_to_null.index)) == SIGSEGV);
  // Beyond the limit of the user's segments, where the machine has such limits.
  const look = death(child(kernel_look.index));
  const jump = death(child(jump_to_kernel.index));
  assert((look == SIGBUS || look == SIGSEGV) && (jump == SIGBUS || jump == SIGSEGV));
  assert(death(child(no_such_call.index)) == SIGSYS);
}

function divide_by_zero(): void {
  const zero = volatile.load32(note());
  volatile.store32(note(), 7 / zero);
}

function division(): void {
  assert(death(child(divide_by_zero.index)) == SIGFPE);
}

function blocked_fault(): void {
  catch_signal(SIGSEGV, 0);
  set_mask(SIG_BLOCK, bit(SIGSEGV));
  volatile.store32(0, 1);
}

function ignored_fault(): void {
  action(SIGSEGV, 1, 0, 0);
  volatile.store32(0, 1);
}

function handler_at_nowhere(): void {
  action(SIGUSR1, 0xbfffffff, 0, 0);
  kill(getpid(), SIGUSR1);
}

function unstoppable_faults(): void {
  assert(death(child(blocked_fault.index)) == SIGSEGV && death(child(ignored_fault.index)) == SIGSEGV);
  const nowhere = death(child(handler_at_nowhere.index));
  assert(nowhere == SIGSEGV || nowhere == SIGBUS);
}

/** A good sigcontext that goes on in fallen(). */
function good_context(): usize {
  const sc = bss(96, 4);
  memory.fill(sc, 0, 96);
  for (let i: u32 = 0; i < 16; i += 4) store<u32>(sc + i, 0x1f);
  store<u32>(sc + SC_EIP, fallen.index);
  store<u32>(sc + SC_CS, 0x17);
  store<u32>(sc + SC_EFLAGS, 0x202);
  store<u32>(sc + SC_ESP, scratch() + 4 * PAGE);
  store<u32>(sc + SC_SS, 0x1f);
  return sc;
}

function fallen(): void {
  _exit(44);
}

function return_well(): void {
  __sigreturn14(good_context());
}

/** The word at note() + 20 of a good context becomes that at note() + 24. */
function return_badly(): void {
  const sc = good_context();
  store<u32>(sc + load<u32>(note() + 20), load<u32>(note() + 24));
  __sigreturn14(sc);
  _exit(55);
}

/** How a return with one word changed ends. */
function bad_return(offset: usize, value: u32): i32 {
  store<u32>(note() + 20, u32(offset));
  store<u32>(note() + 24, value);
  return child(return_badly.index);
}

function sigreturns(): void {
  assert(exit_code(child(return_well.index)) == 44 && fails(__sigreturn14(KERNEL), EFAULT));
  assert(fails(__sigreturn14(0), EFAULT));
  assert(exit_code(bad_return(SC_CS, 0x08)) == 55 && exit_code(bad_return(SC_CS, 0x0b)) == 55);
  assert(exit_code(bad_return(SC_SS, 0x10)) == 55);
  assert(exit_code(bad_return(SC_DS, 0x10)) == 55 && exit_code(bad_return(SC_DS, 0x2b)) == 44);
  // Interrupts off, IOPL 3, NT, virtual 8086 mode.
  assert(exit_code(bad_return(SC_EFLAGS, 0x002)) == 55 || exit_code(bad_return(SC_EFLAGS, 0x002)) == 44);
  assert(exit_code(bad_return(SC_EFLAGS, 0x3202)) == 55 && exit_code(bad_return(SC_EFLAGS, 0x4202)) == 55);
  assert(exit_code(bad_return(SC_EFLAGS, 0x20202)) == 55);
  assert(death(bad_return(SC_EIP, 0xfffffff0)) != 0 && death(bad_return(SC_EIP, KERNEL)) != 0);
  assert(death(bad_return(SC_ESP, KERNEL)) != 0);
}

function sleeping_body(): void {
  pause_ticks(1000);
}

function kill_errors(): void {
  assert(fails(kill(getpid(), -1), EINVAL) && fails(kill(getpid(), 33), EINVAL) && fails(kill(29999, SIGTERM), ESRCH));
  assert(fails(kill(-29999, SIGTERM), ESRCH));
  const pid = start(sleeping_body.index);
  assert(kill(pid, 0) == 0 && kill(pid, SIGTERM) == 0 && finish(pid) == SIGTERM && fails(kill(pid, 0), ESRCH));
}

function unprivileged_killer(): void {
  assert(setuid(1000) == 0 && fails(kill(1, SIGHUP), EPERM) && fails(kill(1, 0), EPERM));
  assert(fails(kill(load<i32>(note()), SIGTERM), EPERM));
  const pid = start(sleeping_body.index);
  assert(kill(pid, SIGTERM) == 0 && finish(pid) == SIGTERM);
}

function kill_permission(): void {
  store<i32>(note(), start(sleeping_body.index));
  in_child(unprivileged_killer.index);
  assert(kill(load<i32>(note()), SIGKILL) == 0 && death(finish(load<i32>(note()))) == SIGKILL);
}

function grouped_sleeper(): void {
  setpgid(0, load<i32>(note()));
  if (write(load<i32>(note(), 12), cs("x"), 1) != 1) _exit(1);
  pause_ticks(1000);
}

function kill_group(): void {
  make_pipe(note() + 8);
  store<i32>(note(), 0);
  const first = start(grouped_sleeper.index);
  assert(read(load<i32>(note(), 8), scratch(), 1) == 1);
  store<i32>(note(), first);
  const second = start(grouped_sleeper.index);
  assert(read(load<i32>(note(), 8), scratch(), 1) == 1);
  catch_signal(SIGTERM, 0);
  assert(kill(-first, SIGTERM) == 0 && finish(first) == SIGTERM && finish(second) == SIGTERM && caught_count() == 0);
  assert(kill(0, SIGTERM) == 0 && caught_count() == 1);
}

function handler_keeps_registers(): void {
  // A timer that interrupts a computation must not change it.
  const it = frame_alloc(16);
  memory.fill(it, 0, 16);
  store<u32>(it, 10000, 4);
  store<u32>(it, 10000, 12);
  catch_signal(SIGALRM, 2);
  assert(setitimer(0, it, 0) == 0);
  let sum: u32 = 0;
  for (let i: u32 = 0; caught_count() < 3; i++) sum += i * i - i * (i - 1) - i;
  memory.fill(it, 0, 16);
  assert(setitimer(0, it, 0) == 0 && sum == 0);
}

function inherited_signals(): void {
  const set = frame_alloc(16);
  catch_signal(SIGUSR1, 0);
  set_mask(SIG_BLOCK, bit(SIGUSR2));
  send(SIGUSR2);
  // Handlers and mask go to the child, what is pending does not.
  in_child(signals_of_child.index);
  assert(__sigpending14(set) == 0 && load<u32>(set) == bit(SIGUSR2) && action(SIGUSR2, 1, 0, 0) == 0);
}

function signals_of_child(): void {
  const set = frame_alloc(16);
  if (__sigpending14(set) != 0 || load<u32>(set) != 0 || set_mask(SIG_BLOCK, 0) != bit(SIGUSR2)) _exit(1);
  kill(getpid(), SIGUSR1);
  if (caught_count() != 1) _exit(2);
}

/** Adds the cases of this file. */
export function signal_cases(): void {
  group(cs("signals"));
  test(cs("delivery"), delivery.index);
  test(cs("default actions"), defaults.index);
  test(cs("ignored signals"), ignoring.index);
  test(cs("masks"), masks.index);
  test(cs("errors of masks"), mask_errors.index);
  test(cs("errors of sigaction"), action_errors.index);
  test(cs("old action"), old_action.index);
  test(cs("SA_NODEFER"), deferring.index);
  test(cs("mask of a handler"), mask_of_handler.index);
  test(cs("SA_RESETHAND"), reset_handler.index);
  test(cs("sigsuspend"), suspending.index);
  test(cs("sigaltstack"), alternate_stack.index);
  test(cs("stack overflow"), stack_overflow.index);
  test(cs("fault repaired by a handler"), repaired_fault.index);
  test(cs("context changed by a handler"), context_changes.index);
  test(cs("fatal faults"), fatal_faults.index);
  test(cs("division by zero"), division.index);
  test(cs("faults that are held back"), unstoppable_faults.index);
  test(cs("sigreturn"), sigreturns.index);
  test(cs("kill errors"), kill_errors.index);
  test(cs("permission to kill"), kill_permission.index);
  test(cs("kill a group"), kill_group.index);
  test(cs("registers across handlers"), handler_keeps_registers.index);
  test(cs("signals of a child"), inherited_signals.index);
}
