// The terminal as devices: the console (major 0), com0 (8), and "the terminal of
// whoever asks" (1), which are all the same line.
import { COM_CDEV, CONS_CDEV, CTTY_CDEV, Cdevsw, cdevsw } from "../conf";
import { comattach } from "../i386/com";
import { curproc } from "../kern_proc";
import { ENXIO } from "../sys/errno";
import { major } from "../sys/param";
import { Proc } from "../sys/proc";
import { is_controlling, ttioctl, ttpoll, ttread, ttwrite, ttyinit } from "../tty";
import { Uio } from "../sys/uio";

/** /dev/tty of a process without a terminal is ENXIO. */
function cnopen(dev: u32, flags: u32, p: Proc): i32 {
  return major(dev) != CTTY_CDEV || is_controlling(p) ? 0 : ENXIO;
}

function cnclose(dev: u32, flags: u32, p: Proc): i32 {
  return 0;
}

function cnread(dev: u32, uio: Uio, ioflag: u32): i32 {
  return ttread(uio, ioflag, curproc());
}

function cnwrite(dev: u32, uio: Uio, ioflag: u32): i32 {
  return ttwrite(uio, ioflag, curproc());
}

function cnioctl(dev: u32, command: u32, data: usize, flags: u32, p: Proc): i32 {
  return ttioctl(command, data, p);
}

function cnpoll(dev: u32, events: u32, p: Proc): i32 {
  return i32(ttpoll(events));
}

function fill(sw: Cdevsw): void {
  sw.set_open(cnopen);
  sw.set_close(cnclose);
  sw.set_read(cnread);
  sw.set_write(cnwrite);
  sw.set_ioctl(cnioctl);
  sw.set_poll(cnpoll);
}

/** Makes the terminal ready for user programs. */
export function cnattach(): void {
  ttyinit();
  fill(cdevsw(CONS_CDEV));
  fill(cdevsw(CTTY_CDEV));
  fill(cdevsw(COM_CDEV));
  comattach();
}
