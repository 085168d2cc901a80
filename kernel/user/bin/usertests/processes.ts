// Cases of usertests: making processes, running programs, waiting.
import { bss, frame_alloc, volatile } from "../../../i386/cpufunc";
import {
  E2BIG, EACCES, EAGAIN, ECHILD, EFAULT, EINVAL, ELOOP, ENOENT, ENOEXEC, ENOTDIR, ESRCH, ETXTBSY,
} from "../../../sys/errno";
import { last_error } from "../../lib/errors";
import { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from "../../lib/files";
import {
  __sigprocmask14, __vfork14, _exit, chmod, close, dup2, execve, fork, geteuid, getpid, getppid, kill, open, read,
  setrlimit, setuid, symlink, truncate, unlink, vfork, wait4, write,
} from "../../lib/syscalls";
import {
  PAGE, action, all_bytes, become, catch_signal, caught_count, caught_signal, child, death, exit_code, fails, file_is,
  fill_pattern, finish, group, has_pattern, in_child, make_file, make_pipe, pause_ticks, put_file, scratch, start,
  test,
} from "./harness";

const KERNEL: usize = 0xc0100000;
const WNOHANG: i32 = 1;
const WUNTRACED: i32 = 2;
const RLIMIT_NPROC: u32 = 7;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;
const SIGSTOP: i32 = 17;
const SIGCONT: i32 = 19;
const SIGCHLD: i32 = 20;
const SIGUSR1: i32 = 30;
/** sa_flags. */
const SA_NOCLDSTOP: u32 = 8;
const SA_NOCLDWAIT: u32 = 0x20;

function word(): usize {
  return bss(64, 4);
}

/** An argument vector of up to four strings; 0 ends it. */
function vector(a: usize, b: usize, c: usize, d: usize): usize {
  const at = bss(20, 4);
  store<usize>(at, a);
  store<usize>(at, b, 4);
  store<usize>(at, c, 8);
  store<usize>(at, d, 12);
  store<usize>(at, 0, 16);
  return at;
}

function nothing(): usize {
  return bss(4, 4);
}

function forked(): void {
  if (load<u32>(word()) != 7) _exit(1);
  store<u32>(word(), 8);
  if (getppid() != load<i32>(word(), 4) || getpid() == load<i32>(word(), 4)) _exit(2);
  _exit(42);
}

function forking(): void {
  store<u32>(word(), 7);
  store<i32>(word(), getpid(), 4);
  assert(exit_code(child(forked.index)) == 42 && load<u32>(word()) == 7);
  assert(fails(wait4(-1, 0, 0, 0), ECHILD));
}

function exit_with_all_bits(): void {
  _exit(0x12345);
}

function exit_statuses(): void {
  assert(child(exit_with_all_bits.index) == 0x4500);
  const status = frame_alloc(4);
  for (let i = 0; i < 256; i += 51) {
    const pid = fork();
    if (pid == 0) _exit(i);
    assert(wait4(pid, status, 0, 0) == pid && load<i32>(status) == i << 8);
  }
}

function copied_body(): void {
  const a = scratch();
  if (!has_pattern(a, 4 * PAGE, 3)) _exit(1);
  fill_pattern(a, 4 * PAGE, load<u32>(word()));
  if (!has_pattern(a, 4 * PAGE, load<u32>(word()))) _exit(2);
}

function copy_on_write(): void {
  const a = scratch();
  fill_pattern(a, 4 * PAGE, 3);
  for (let i: u32 = 0; i < 4; i++) {
    store<u32>(word(), 100 + i);
    in_child(copied_body.index);
  }
  const first = start(copied_body.index);
  const second = start(copied_body.index);
  assert(finish(first) == 0 && finish(second) == 0 && has_pattern(a, 4 * PAGE, 3));
}

/** What the kernel writes for a child must not show in the parent: here no page fault happens on an i386. */
function kernel_writes(): void {
  const fd = open(cs("/dev/zero"), O_RDONLY, 0);
  const at = scratch() + 100;
  if (fd < 0 || read(fd, at, 2 * PAGE) != i32(2 * PAGE) || !all_bytes(at, 2 * PAGE, 0)) _exit(1);
  if (!has_pattern(scratch(), 100, 9)) _exit(2);
}

function kernel_copy_on_write(): void {
  fill_pattern(scratch(), 3 * PAGE, 9);
  in_child(kernel_writes.index);
  assert(has_pattern(scratch(), 3 * PAGE, 9));
  // The other way about: the parent's writes do not show in a child.
  const pid = start(late_look.index);
  const fd = open(cs("/dev/zero"), O_RDONLY, 0);
  assert(read(fd, scratch(), 3 * PAGE) == i32(3 * PAGE) && finish(pid) == 0);
}

function late_look(): void {
  pause_ticks(4);
  if (!has_pattern(scratch(), 3 * PAGE, 9)) _exit(1);
}

function vforking(): void {
  store<u32>(word(), 1);
  const pid = vfork();
  if (pid == 0) {
    // The memory is the parent's, who waits.
    volatile.store32(word(), 2);
    execve(cs("/bin/true"), vector(cs("true"), 0, 0, 0), nothing());
    _exit(99);
  }
  assert(pid > 0 && volatile.load32(word()) == 2 && finish(pid) == 0);
  const other = __vfork14();
  if (other == 0) _exit(7);
  assert(finish(other) == 7 << 8);
}

/** vfork from a deep call, with a child that calls more. */
function vfork_deep(n: u32): i32 {
  const local = frame_alloc(16);
  store<u32>(local, n);
  const pid = vfork();
  if (pid == 0) {
    execve(cs("/bin/false"), vector(cs("false"), cs("with"), cs("arguments"), 0), nothing());
    _exit(n);
  }
  assert(load<u32>(local) == n);
  return finish(pid);
}

function vfork_stack(): void {
  for (let i: u32 = 0; i < 4; i++) assert(exit_code(vfork_deep(i)) == 1);
}

/** Runs sh -c with the text; its status. */
function shell(text: usize): i32 {
  store<usize>(word(), text, 8);
  return child(shell_body.index);
}

function shell_body(): void {
  const envp = frame_alloc(12);
  store<usize>(envp, cs("PATH=/bin:/sbin"));
  store<usize>(envp, cs("NAME=value"), 4);
  store<usize>(envp, 0, 8);
  execve(cs("/bin/sh"), vector(cs("sh"), cs("-c"), load<usize>(word(), 8), 0), envp);
  _exit(98);
}

function exec_arguments(): void {
  assert(shell(cs("exit 17")) == 17 << 8 && shell(cs("test \"$NAME\" = value")) == 0);
  assert(shell(cs("test $# = 0; kill -9 $$")) == SIGKILL);
}

function exec_errors(): void {
  const argv = vector(cs("x"), 0, 0, 0);
  put_file(cs("text"), cs("some text\n"));
  put_file(cs("empty"), cs(""));
  assert(fails(execve(cs("none"), argv, nothing()), ENOENT) && fails(execve(cs("text"), argv, nothing()), EACCES));
  assert(fails(execve(cs("."), argv, nothing()), EACCES) && fails(execve(cs("text/x"), argv, nothing()), ENOTDIR));
  assert(chmod(cs("text"), 0o755) == 0 && fails(execve(cs("text"), argv, nothing()), ENOEXEC));
  assert(chmod(cs("empty"), 0o755) == 0 && fails(execve(cs("empty"), argv, nothing()), ENOEXEC));
  assert(fails(execve(KERNEL, argv, nothing()), EFAULT) && fails(execve(cs("/bin/true"), KERNEL, nothing()), EFAULT));
  assert(fails(execve(cs("/bin/true"), 4, nothing()), EFAULT) && fails(execve(cs("/bin/true"), argv, 4), EFAULT));
  store<usize>(argv, KERNEL);
  assert(fails(execve(cs("/bin/true"), argv, nothing()), EFAULT));
  assert(symlink(cs("loop"), cs("loop")) == 0 && fails(execve(cs("loop"), nothing(), nothing()), ELOOP));
}

/** Runs the file `script` of the working directory; its status, or 100 and the error of execve. */
function run_script(): void {
  execve(cs("script"), vector(cs("script"), cs("word"), 0, 0), nothing());
  _exit(100 + last_error());
}

function script_status(text: usize): i32 {
  unlink(cs("script"));
  put_file(cs("script"), text);
  assert(chmod(cs("script"), 0o755) == 0);
  return exit_code(child(run_script.index));
}

function scripts(): void {
  assert(script_status(cs("#!/bin/sh\ntest $1 = word && exit 5\n")) == 5);
  assert(script_status(cs("#! /bin/sh -e\nfalse\nexit 7\n")) == 1);
  assert(script_status(cs("#!/bin/false with all this\n")) == 1);
  assert(script_status(cs("#!/nothing/here\n")) == 100 + ENOENT && script_status(cs("#!\n")) == 100 + ENOEXEC);
  assert(script_status(cs("#!/bin\n")) == 100 + EACCES && script_status(cs("#!/bin/sh")) != 0);
  // A script is no interpreter, least of all its own.
  const loop = script_status(cs("#!./script\n"));
  assert(loop == 100 + ENOEXEC || loop == 100 + ELOOP);
  memory.fill(scratch(), 0x61, 3000);
  store<u16>(scratch(), 0x2123);
  store<u8>(scratch() + 3000, 0);
  assert(script_status(scratch()) == 100 + ENOEXEC);
}

function exec_too_much(): void {
  // 300 strings of 1000 bytes are more than ARG_MAX.
  const argv = scratch();
  const text = scratch() + 4 * PAGE;
  memory.fill(text, 0x61, 1000);
  for (let i: u32 = 0; i < 300; i++) store<usize>(argv + 4 * i, text);
  assert(fails(execve(cs("/bin/true"), argv, nothing()), E2BIG));
  store<usize>(argv + 800, 0);
  const pid = fork();
  if (pid == 0) {
    execve(cs("/bin/true"), argv, nothing());
    _exit(99);
  }
  assert(finish(pid) == 0);
}

function copy_program(from: usize, to: usize): void {
  const a = scratch();
  const in_fd = open(from, O_RDONLY, 0);
  const out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0o755);
  assert(in_fd >= 0 && out >= 0);
  for (let n = read(in_fd, a, 8192); n > 0; n = read(in_fd, a, 8192)) assert(write(out, a, n) == n);
  assert(close(in_fd) == 0 && close(out) == 0);
}

function text_busy(): void {
  copy_program(cs("/bin/sleep"), cs("prog"));
  const writer = open(cs("prog"), O_WRONLY, 0);
  assert(fails(execve(cs("prog"), vector(cs("prog"), 0, 0, 0), nothing()), ETXTBSY) && close(writer) == 0);
  const pid = fork();
  if (pid == 0) {
    execve(cs("prog"), vector(cs("prog"), cs("5"), 0, 0), nothing());
    _exit(99);
  }
  pause_ticks(5);
  assert(fails(open(cs("prog"), O_WRONLY, 0), ETXTBSY) && fails(truncate(cs("prog"), 0, 0), ETXTBSY));
  // Its name may go.
  assert(unlink(cs("prog")) == 0 && kill(pid, SIGTERM) == 0 && finish(pid) == SIGTERM);
}

/** As user 1000 for good: shows the secret, by our copy of cat. */
function show_secret(): void {
  const fd = open(cs("/dev/null"), O_RDWR, 0);
  if (setuid(1000) != 0 || geteuid() != 1000 || dup2(fd, 1) != 1 || dup2(fd, 2) != 2) _exit(97);
  execve(cs("prog"), vector(cs("prog"), cs("secret"), 0, 0), nothing());
  _exit(99);
}

function set_user_id(): void {
  copy_program(cs("/bin/cat"), cs("prog"));
  put_file(cs("secret"), cs("x"));
  assert(chmod(cs("secret"), 0o600) == 0 && exit_code(child(show_secret.index)) == 1);
  // A program of root's that is set-user-id reads what its caller cannot.
  assert(chmod(cs("prog"), 0o4755) == 0 && exit_code(child(show_secret.index)) == 0);
}

function handlers_after_exec(): void {
  // A caught signal is back at its default, an ignored one stays ignored, the mask stays.
  catch_signal(SIGTERM, 0);
  assert(action(SIGUSR1, 1, 0, 0) == 0);
  assert(shell(cs("kill -USR1 $$; kill -TERM $$; exit 3")) == SIGTERM);
}

function waiting(): void {
  const status = frame_alloc(4);
  const ru = scratch();
  const pid = fork();
  if (pid == 0) {
    pause_ticks(3);
    _exit(5);
  }
  assert(wait4(pid, status, WNOHANG, 0) == 0 && wait4(-1, status, WNOHANG, 0) == 0);
  assert(wait4(0, status, WNOHANG, 0) == 0);
  assert(fails(wait4(pid + 1, status, 0, 0), ECHILD) && fails(wait4(pid, status, 77, 0), EINVAL));
  memory.fill(ru, 0xff, 80);
  assert(wait4(pid, status, 0, ru) == pid && load<i32>(status) == 5 << 8);
  assert(load<u32>(ru) == 0 && load<u32>(ru, 72) == 0xffffffff && fails(wait4(pid, status, 0, 0), ECHILD));
}

function wait_faults(): void {
  const pid = fork();
  if (pid == 0) _exit(1);
  pause_ticks(2);
  assert(fails(wait4(pid, KERNEL, 0, 0), EFAULT));
  // The child is still there to be waited for.
  assert(finish(pid) == 1 << 8);
}

function waiting_for_any(): void {
  const status = frame_alloc(4);
  let sum = 0;
  for (let i = 0; i < 10; i++) {
    const pid = fork();
    if (pid == 0) _exit(i);
  }
  for (let i = 0; i < 10; i++) {
    assert(wait4(-1, status, 0, 0) > 0);
    sum += load<i32>(status) >> 8;
  }
  assert(sum == 45 && fails(wait4(-1, status, 0, 0), ECHILD));
}

function stop_self(): void {
  kill(getpid(), SIGSTOP);
  _exit(6);
}

function stopped_child(): void {
  const status = frame_alloc(4);
  const pid = start(stop_self.index);
  assert(wait4(pid, status, WUNTRACED, 0) == pid && load<i32>(status) == (SIGSTOP << 8 | 0x7f));
  // Once only; and without WUNTRACED not at all.
  assert(wait4(pid, status, WUNTRACED | WNOHANG, 0) == 0 && wait4(pid, status, WNOHANG, 0) == 0);
  assert(kill(pid, SIGSTOP) == 0 && kill(pid, SIGCONT) == 0 && finish(pid) == 6 << 8);
}

function kill_stopped(): void {
  const status = frame_alloc(4);
  const pid = start(stop_self.index);
  assert(wait4(pid, status, WUNTRACED, 0) == pid && kill(pid, SIGTERM) == 0);
  // Anything but SIGKILL waits until it goes on.
  pause_ticks(3);
  assert(wait4(pid, status, WNOHANG, 0) == 0 && kill(pid, SIGKILL) == 0);
  assert(death(finish(pid)) == SIGKILL);
}

function child_signals(): void {
  const status = frame_alloc(4);
  catch_signal(SIGCHLD, 2);
  in_child(exit_quietly.index);
  assert(caught_count() == 1 && caught_signal() == SIGCHLD);
  const pid = start(stop_self.index);
  assert(wait4(pid, status, WUNTRACED, 0) == pid && caught_count() == 2);
  assert(kill(pid, SIGCONT) == 0 && finish(pid) == 6 << 8 && caught_count() >= 3);
  const before = caught_count();
  catch_signal(SIGCHLD, SA_NOCLDSTOP | 2);
  const other = start(stop_self.index);
  assert(wait4(other, status, WUNTRACED, 0) == other && caught_count() == before);
  assert(kill(other, SIGCONT) == 0 && finish(other) == 6 << 8 && caught_count() == before + 1);
}

function exit_quietly(): void {
  _exit(0);
}

function nobody_waits(): void {
  const status = frame_alloc(4);
  assert(action(SIGCHLD, 0, 0, SA_NOCLDWAIT) == 0);
  const pid = fork();
  if (pid == 0) _exit(3);
  assert(fails(wait4(pid, status, 0, 0), ECHILD) && fails(kill(pid, 0), ESRCH));
}

function orphan_body(): void {
  const parent = getpid();
  const pid = fork();
  if (pid == 0) {
    while (getppid() == parent) pause_ticks(1);
    write(load<i32>(word(), 4), getppid() == 1 ? cs("1") : cs("?"), 1);
    _exit(0);
  }
  _exit(0);
}

function orphans(): void {
  make_pipe(word());
  in_child(orphan_body.index);
  assert(close(load<i32>(word(), 4)) == 0 && read(load<i32>(word()), scratch(), 1) == 1 && load<u8>(scratch()) == 0x31);
}

function limited(): void {
  const limit = frame_alloc(16);
  store<u64>(limit, 1);
  store<u64>(limit, 1, 8);
  if (setrlimit(RLIMIT_NPROC, limit) != 0) _exit(1);
  become(1000);
  if (!fails(fork(), EAGAIN) || !fails(vfork(), EAGAIN)) _exit(2);
}

function process_limit(): void {
  in_child(limited.index);
}

function many_processes(): void {
  const status = frame_alloc(4);
  let started: u32 = 0;
  for (let i = 0; i < 40; i++) {
    const pid = fork();
    if (pid < 0) break;
    if (pid == 0) {
      for (let j: u32 = 0; j < 2000; j++) volatile.store32(word(), j);
      _exit(volatile.load32(word()) == 1999 ? 0 : 1);
    }
    started++;
  }
  assert(started == 40);
  for (let i: u32 = 0; i < started; i++) assert(wait4(-1, status, 0, 0) > 0 && load<i32>(status) == 0);
}

function fork_bomb_body(): void {
  // Each generation makes the next; the last one ends them all.
  const depth = load<u32>(word(), 12);
  if (depth == 0) _exit(11);
  store<u32>(word(), depth - 1, 12);
  _exit(exit_code(child(fork_bomb_body.index)));
}

function deep_families(): void {
  store<u32>(word(), 30, 12);
  assert(exit_code(child(fork_bomb_body.index)) == 11);
}

function open_files_of_children(): void {
  store<i32>(word(), make_file(cs("f"), cs("")));
  for (let i = 0; i < 5; i++) in_child(append_line.index);
  assert(file_is(cs("f"), cs("line\nline\nline\nline\nline\n")));
}

function append_line(): void {
  if (write(load<i32>(word()), cs("line\n"), 5) != 5) _exit(1);
}

/** Adds the cases of this file. */
export function process_cases(): void {
  group(cs("processes"));
  test(cs("fork"), forking.index);
  test(cs("exit status"), exit_statuses.index);
  test(cs("copy on write"), copy_on_write.index);
  test(cs("copy on write by the kernel"), kernel_copy_on_write.index);
  test(cs("vfork"), vforking.index);
  test(cs("the stack after vfork"), vfork_stack.index);
  test(cs("exec"), exec_arguments.index);
  test(cs("exec errors"), exec_errors.index);
  test(cs("scripts"), scripts.index);
  test(cs("too many arguments"), exec_too_much.index);
  test(cs("text file busy"), text_busy.index);
  test(cs("set-user-id program"), set_user_id.index);
  test(cs("signals after exec"), handlers_after_exec.index);
  test(cs("wait4"), waiting.index);
  test(cs("wait4 faults"), wait_faults.index);
  test(cs("wait for any child"), waiting_for_any.index);
  test(cs("stopped child"), stopped_child.index);
  test(cs("kill a stopped child"), kill_stopped.index);
  test(cs("SIGCHLD"), child_signals.index);
  test(cs("SA_NOCLDWAIT"), nobody_waits.index);
  test(cs("orphans"), orphans.index);
  test(cs("limit of processes"), process_limit.index);
  test(cs("many processes"), many_processes.index);
  test(cs("deep families"), deep_families.index);
  test(cs("files of children"), open_files_of_children.index);
}
