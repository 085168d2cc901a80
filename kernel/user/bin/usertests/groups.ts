// Cases of usertests: process groups, sessions, and the terminal.
import { bss, frame_alloc } from "../../../i386/cpufunc";
import { EACCES, EAGAIN, EFAULT, EINVAL, EIO, ENOTTY, ENXIO, EPERM, ESRCH } from "../../../sys/errno";
import { O_RDWR } from "../../lib/files";
import {
  _exit, execve, getgroups, getpgid, getpgrp, getpid, getppid, getsid, ioctl, kill, open, poll, read, setpgid, setsid,
  write,
} from "../../lib/syscalls";
import { action, death, fails, finish, group, in_child, make_pipe, pause_ticks, scratch, start, test } from "./harness";

const KERNEL: usize = 0xc0100000;
const SIGKILL: i32 = 9;
const SIGTTIN: i32 = 21;
const SIGTTOU: i32 = 22;
const TIOCGETA: u32 = 0x402c7413;
const TIOCSETA: u32 = 0x802c7414;
const TIOCNOTTY: u32 = 0x20007471;
const TIOCGPGRP: u32 = 0x40047477;
const TIOCGWINSZ: u32 = 0x40087468;
const TIOCSWINSZ: u32 = 0x80087467;
const FIONREAD: u32 = 0x4004667f;
const O_NONBLOCK: u32 = 4;
const ICANON: u32 = 0x100;

function word(): usize {
  return bss(32, 4);
}

function sleeper(): void {
  pause_ticks(1000);
}

function groups(): void {
  const pid = start(sleeper.index);
  assert(getpgrp() == getpid() && getpgid(0) == getpid() && getpgid(pid) == getpid());
  assert(setpgid(pid, 0) == 0 && getpgid(pid) == pid && setpgid(pid, getpgrp()) == 0 && getpgid(pid) == getpgrp());
  assert(setpgid(pid, pid) == 0 && setpgid(0, pid) == 0 && getpgrp() == pid && setpgid(0, 0) == 0);
  assert(fails(setpgid(1, 1), ESRCH) && fails(setpgid(29999, 1), ESRCH) && fails(setpgid(pid, 29999), EPERM));
  assert(fails(setpgid(pid, -5), EINVAL) && fails(setpgid(pid, 1), EPERM));
  assert(fails(getpgid(29999), ESRCH) && fails(getsid(29999), ESRCH) && getsid(pid) == getsid(0));
  assert(kill(pid, SIGKILL) == 0 && death(finish(pid)) == SIGKILL);
}

function session_body(): void {
  const old = getsid(0);
  if (setsid() != getpid()) _exit(1);
  if (getsid(0) != getpid() || getpgrp() != getpid() || getsid(getppid()) != old) _exit(2);
  if (!fails(setsid(), EPERM) || !fails(setpgid(0, 0), EPERM)) _exit(3);
  if (!fails(setpgid(0, getpgid(getppid())), EPERM)) _exit(4);
}

function sessions(): void {
  assert(fails(setsid(), EPERM));
  in_child(session_body.index);
}

function other_session(): void {
  setsid();
  if (write(load<i32>(word(), 4), cs("x"), 1) != 1) _exit(1);
  pause_ticks(1000);
}

function children_elsewhere(): void {
  make_pipe(word());
  const pid = start(other_session.index);
  assert(read(load<i32>(word()), scratch(), 1) == 1 && fails(setpgid(pid, getpgrp()), EPERM) && getsid(pid) == pid);
  assert(kill(pid, SIGKILL) == 0 && death(finish(pid)) == SIGKILL);
}

function running_sleep(): void {
  const argv = frame_alloc(12);
  store<usize>(argv, cs("sleep"));
  store<usize>(argv, cs("20"), 4);
  store<usize>(argv, 0, 8);
  execve(cs("/bin/sleep"), argv, argv + 8);
  _exit(1);
}

function group_after_exec(): void {
  const pid = start(running_sleep.index);
  pause_ticks(5);
  assert(fails(setpgid(pid, 0), EACCES) && kill(pid, SIGKILL) == 0 && death(finish(pid)) == SIGKILL);
}

function supplementary_groups(): void {
  assert(getgroups(0, 0) >= 1 && getgroups(16, scratch()) >= 1 && fails(getgroups(16, KERNEL), EFAULT));
}

function settings(): void {
  const t = frame_alloc(44);
  const size = frame_alloc(8);
  const fd = open(cs("/dev/console"), O_RDWR, 0);
  // A group in the background would be stopped for changing settings.
  action(SIGTTOU, 1, 0, 0);
  assert(fd >= 0 && ioctl(fd, TIOCGETA, t) == 0 && (load<u32>(t, 12) & ICANON) != 0);
  assert(ioctl(fd, TIOCGWINSZ, size) == 0 && load<u32>(size) == 24 + (80 << 16));
  assert(ioctl(fd, TIOCSETA, t) == 0 && ioctl(fd, TIOCSWINSZ, size) == 0);
  assert(fails(ioctl(fd, TIOCGETA, KERNEL), EFAULT) && fails(ioctl(fd, TIOCSETA, KERNEL), EFAULT));
  assert(fails(ioctl(fd, 0x20001234, 0), ENOTTY) && ioctl(fd, FIONREAD, size) == 0);
}

function not_a_terminal(): void {
  const t = frame_alloc(44);
  const fd = open(cs("."), 0, 0);
  const null_fd = open(cs("/dev/null"), O_RDWR, 0);
  assert(fails(ioctl(fd, TIOCGETA, t), ENOTTY) && ioctl(null_fd, TIOCGETA, t) == -1);
}

function without_terminal(): void {
  setsid();
  if (!fails(open(cs("/dev/tty"), O_RDWR, 0), ENXIO)) _exit(1);
  const fd = open(cs("/dev/console"), O_RDWR, 0);
  if (!fails(ioctl(fd, TIOCGPGRP, word()), ENOTTY) || !fails(ioctl(fd, TIOCNOTTY, 0), ENOTTY)) _exit(2);
}

function no_terminal(): void {
  in_child(without_terminal.index);
}

function raw_reads(): void {
  // Without ICANON, VMIN 0 and VTIME 0: a read returns at once.
  const t = frame_alloc(44);
  const old = frame_alloc(44);
  const fd = open(cs("/dev/console"), O_RDWR, 0);
  assert(ioctl(fd, TIOCGETA, old) == 0);
  memory.copy(t, old, 44);
  store<u32>(t, load<u32>(t, 12) & ~ICANON, 12);
  store<u8>(t, 0, 16 + 16);
  store<u8>(t, 0, 16 + 17);
  action(SIGTTOU, 1, 0, 0);
  action(SIGTTIN, 1, 0, 0);
  assert(ioctl(fd, TIOCSETA, t) == 0);
  const n = read(fd, scratch(), 10);
  assert(ioctl(fd, TIOCSETA, old) == 0 && (n == 0 || fails(n, EIO)));
}

function nonblocking_terminal(): void {
  const fds = frame_alloc(8);
  const fd = open(cs("/dev/console"), O_RDWR | O_NONBLOCK, 0);
  action(SIGTTIN, 1, 0, 0);
  const n = read(fd, scratch(), 10);
  assert(n == -1 && (fails(n, EAGAIN) || fails(n, EIO)));
  store<i32>(fds, fd);
  store<u32>(fds, 5, 4);
  assert(poll(fds, 1, 0) == 1 && load<u16>(fds, 6) == 4);
}

/** Adds the cases of this file. */
export function group_cases(): void {
  group(cs("groups"));
  test(cs("process groups"), groups.index);
  test(cs("sessions"), sessions.index);
  test(cs("child in another session"), children_elsewhere.index);
  test(cs("setpgid after exec"), group_after_exec.index);
  test(cs("getgroups"), supplementary_groups.index);
  test(cs("terminal settings"), settings.index);
  test(cs("not a terminal"), not_a_terminal.index);
  test(cs("no controlling terminal"), no_terminal.index);
  test(cs("terminal without ICANON"), raw_reads.index);
  test(cs("terminal without blocking"), nonblocking_terminal.index);
}
