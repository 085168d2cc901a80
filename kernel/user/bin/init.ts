// init(8): process 1. Runs /etc/rc when there is one, then a shell on the
// console, again and again; everything without a parent ends here, too.
import { frame_alloc } from "../../i386/cpufunc";
import { set_progname, warn } from "../lib/errors";
import { O_RDWR } from "../lib/files";
import { eprintf, exit, flush } from "../lib/stdio";
import { access, close, dup2, execve, fork, ioctl, open, setsid, wait4 } from "../lib/syscalls";

/** Makes the terminal that of the caller's session. */
const TIOCSCTTY: u32 = 0x20007461;

/** Descriptors 0 to 2 become the console, when /dev has it; the kernel has opened them otherwise. */
function open_console(): void {
  const fd = open(cs("/dev/console"), O_RDWR, 0);
  if (fd < 0) return;
  for (let to = 0; to < 3; to++) if (fd != to) dup2(fd, to);
  if (fd > 2) close(fd);
}

/** In the child: becomes /bin/sh, called `name`, with one argument or none. */
function become_shell(name: usize, argument: usize): void {
  const words = frame_alloc(12);
  const environment = frame_alloc(16);
  store<usize>(words, name);
  store<usize>(words, argument, 4);
  store<usize>(words, 0, 8);
  store<usize>(environment, cs("PATH=/sbin:/bin"));
  store<usize>(environment, cs("HOME=/"), 4);
  store<usize>(environment, cs("TERM=vt100"), 8);
  store<usize>(environment, 0, 12);
  execve(cs("/bin/sh"), words, environment);
  warn(cs("/bin/sh"));
  exit(1);
}

/** Starts a shell and waits for it; other children that end meanwhile are orphans. Returns its wait status. */
function run_shell(name: usize, argument: usize): i32 {
  const status = frame_alloc(4);
  flush();
  const pid = fork();
  if (pid < 0) {
    warn(cs("fork"));
    return -1;
  }
  if (pid == 0) {
    setsid();
    open_console();
    ioctl(0, TIOCSCTTY, 0);
    become_shell(name, argument);
  }
  while (true) {
    const done = wait4(-1, status, 0, 0);
    if (done == pid) return load<i32>(status);
    if (done < 0) return -1;
  }
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("init"));
  open_console();
  if (access(cs("/etc/rc"), 4) == 0) {
    const status = run_shell(cs("sh"), cs("/etc/rc"));
    if (status != 0) eprintf(cs("init: /etc/rc ended with status %d\n"), status >> 8);
  }
  while (run_shell(cs("-sh"), 0) >= 0) continue;
  eprintf(cs("init: there is no shell\n"));
  return 1;
}
