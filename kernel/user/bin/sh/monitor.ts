// Job control on and off: whose the terminal is, and which signals the shell takes.
import { frame_alloc } from "../../../i386/cpufunc";
import { O_RDWR } from "../../lib/files";
import { SIGTSTP, SIGTTIN, SIGTTOU } from "../../lib/signals";
import { eprintf } from "../../lib/stdio";
import { close, fcntl, getpgrp, getpid, ioctl, kill, open, setpgid } from "../../lib/syscalls";
import { give_terminal } from "./jobs";
import { sh } from "./state";
import { reset_signal } from "./traps";

const TIOCGPGRP: u32 = 0x40047477;
const F_DUPFD: i32 = 0;
const F_SETFD: i32 = 2;
/** Descriptors that the shell keeps for itself begin here. */
const FIRST_PRIVATE: usize = 10;

/** The terminal at a descriptor that commands do not see, or -1. */
function open_terminal(): i32 {
  const fd = open(cs("/dev/tty"), O_RDWR, 0);
  const copy = fcntl(fd >= 0 ? fd : 2, F_DUPFD, FIRST_PRIVATE);
  if (fd >= 0) close(fd);
  if (copy >= 0) fcntl(copy, F_SETFD, 1);
  return copy;
}

/** Waits until the shell is in the foreground; false when its terminal is none of its session. */
function come_to_foreground(): bool {
  const group = frame_alloc(4);
  while (true) {
    if (ioctl(sh.terminal, TIOCGPGRP, group) != 0 || load<i32>(group) < 0) return false;
    if (load<i32>(group) == getpgrp()) return true;
    kill(0, SIGTTIN);
  }
}

function take_signals(): void {
  reset_signal(SIGTSTP);
  reset_signal(SIGTTIN);
  reset_signal(SIGTTOU);
}

/** Begins or ends job control. Without a terminal it stays off, after a message. */
export function set_monitor(on: bool): void {
  if (on == (sh.monitor != 0)) return;
  if (!on) {
    give_terminal(sh.first_group);
    setpgid(0, sh.first_group);
    close(sh.terminal);
    sh.terminal = -1;
    sh.monitor = 0;
    take_signals();
    return;
  }
  sh.terminal = open_terminal();
  if (sh.terminal < 0 || !come_to_foreground()) {
    eprintf(cs("%s: can't access tty; job control turned off\n"), sh.arg0);
    if (sh.terminal >= 0) close(sh.terminal);
    sh.terminal = -1;
    return;
  }
  sh.first_group = getpgrp();
  sh.monitor = 1;
  take_signals();
  setpgid(0, getpid());
  give_terminal(getpid());
}
