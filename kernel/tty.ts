// The terminal: com0 as a person sees it, with the line discipline of 4.4BSD.
//
// Received bytes pass through ttyinput, at spltty: signal characters go to the
// foreground process group, the line under work can be edited, and a finished line
// becomes readable. Output is processed (newline becomes carriage return and
// newline) and sent at once, but while ^S holds it back: then writers sleep, and echoes
// wait in a small ring until ^Q.
//
// One ring holds the input. Its part from `head` to `line` are finished lines,
// which read takes (without ICANON: everything), from `line` to `tail` the line under
// work. The end of file that ^D makes stands in the ring as EOF_MARK.
//
// There is one terminal. Its session and foreground group are t_session and t_pgrp.
import { bss, frame_alloc } from "./i386/cpufunc";
import { comcnputc } from "./i386/com";
import { spltty, splx } from "./i386/intr";
import { session_of_group } from "./kern_prot";
import { gsignal } from "./kern_sig";
import { uiomove } from "./kern_subr";
import { tsleep, wakeup } from "./kern_synch";
import { memcpy } from "./libkern";
import { EIO, ENOTTY, EPERM, ERESTART, EWOULDBLOCK } from "./sys/errno";
import { POLLIN, POLLOUT } from "./sys/file";
import { HZ, PCATCH, PZERO } from "./sys/param";
import { P_CONTROLT, P_PPWAIT, Proc } from "./sys/proc";
import { SIGCONT, SIGHUP, SIGINFO, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, sigmask } from "./sys/signal";
import {
  CREAD, CS8, C_CC, ECHO, ECHOCTL, ECHOE, ECHOK, ECHOKE, ECHONL, FIOASYNC, FIONBIO, FIONREAD, HUPCL, ICANON, ICRNL,
  IEXTEN, IGNCR, IMAXBEL, INLCR, ISIG, IXANY, IXON, NCCS, NOFLSH, NOKERNINFO, ONLCR, OPOST, POSIX_VDISABLE,
  SIZEOF_TERMIOS, TIOCDRAIN, TIOCEXCL, TIOCFLUSH, TIOCGETA, TIOCGPGRP, TIOCGWINSZ, TIOCNOTTY, TIOCOUTQ, TIOCSCTTY,
  TIOCSETA, TIOCSETAF, TIOCSETAW, TIOCSPGRP, TIOCSWINSZ, TOSTOP, Termios, VEOF, VEOL, VERASE, VINTR, VKILL, VLNEXT,
  VMIN, VQUIT, VREPRINT, VSTART, VSTATUS, VSTOP, VSUSP, VTIME, VWERASE,
} from "./sys/termios";
import { selwakeup } from "./sys_generic";
import { ttyinfo } from "./tty_info";
import { Uio } from "./sys/uio";
import { IO_NDELAY } from "../fs/vnode";

const TTY_RING: u32 = 2048;
const BACKSPACE: u32 = 8;
const NEWLINE: u32 = 10;
const RETURN: u32 = 13;
const DELETE: u32 = 127;
/** Stands in the ring for an end of file. Bytes are kept as 16-bit values, so no byte looks like it. */
const EOF_MARK: u32 = 0x100;

@unmanaged class Tty {
  /** Counts of values put into the ring and taken; positions are these modulo TTY_RING. */
  head: u32;
  line: u32;
  tail: u32;
  /** Column of the output, for tabs and erasing; where the line under work began. */
  t_column: u32;
  t_rocol: u32;
  /** The next byte is taken literally. */
  t_lnext: u32;
  t_pgrp: i32;
  t_session: i32;
  t_winsize0: u32;
  t_winsize1: u32;
  /** Output is held back; positions of the echoes that wait. */
  t_stopped: u32;
  held_head: u32;
  held_tail: u32;
}
const tty = changetype<Tty>(memory.data(offsetof<Tty>(), 4));
const termios = changetype<Termios>(memory.data(44, 4));

function ring(): usize {
  return bss(4096, 4);
}

const HELD_RING: u32 = 256;

/** Echoes that wait for ^Q. */
function held(): usize {
  return bss(256, 4);
}

function ring_at(position: u32): u32 {
  return load<u16>(ring() + (position % TTY_RING) * 2);
}

/** A control character of the settings. */
function cc(index: u32): u32 {
  return load<u8>(changetype<usize>(termios) + C_CC + index);
}

function set_cc(index: u32, byte: u32): void {
  store<u8>(changetype<usize>(termios) + C_CC + index, byte);
}

/** Is `byte` the control character `index`, and is that enabled? */
function is_cc(byte: u32, index: u32): bool {
  return byte == cc(index) && byte != POSIX_VDISABLE;
}

/** The settings of a fresh terminal (ttydefaults.h). */
export function ttyinit(): void {
  termios.c_iflag = ICRNL | IXON | IMAXBEL;
  termios.c_oflag = OPOST | ONLCR;
  termios.c_cflag = CREAD | CS8 | HUPCL;
  termios.c_lflag = ECHO | ICANON | ISIG | IEXTEN | ECHOE | ECHOKE | ECHOCTL;
  termios.c_ispeed = 115200;
  termios.c_ospeed = 115200;
  for (let i: u32 = 0; i < NCCS; i++) set_cc(i, POSIX_VDISABLE);
  set_cc(VEOF, 4);
  set_cc(VERASE, DELETE);
  set_cc(VWERASE, 23);
  set_cc(VKILL, 21);
  set_cc(VREPRINT, 18);
  set_cc(VINTR, 3);
  set_cc(VQUIT, 28);
  set_cc(VSUSP, 26);
  set_cc(VLNEXT, 22);
  set_cc(VSTART, 17);
  set_cc(VSTOP, 19);
  set_cc(VSTATUS, 20);
  set_cc(VMIN, 1);
  set_cc(VTIME, 0);
  tty.t_winsize0 = 24 | (80 << 16);
}

/** Hands a byte to the line, or keeps it; without room it is lost, as an echo may be. */
function ttysend(byte: u32): void {
  if (tty.t_stopped == 0) comcnputc(byte);
  else if (tty.held_tail - tty.held_head < HELD_RING) store<u8>(held() + tty.held_tail++ % HELD_RING, byte);
}

/** Lets output go on. => spltty */
function restart_output(): void {
  if (tty.t_stopped == 0) return;
  tty.t_stopped = 0;
  while (tty.held_head != tty.held_tail) comcnputc(load<u8>(held() + tty.held_head++ % HELD_RING));
  wakeup(changetype<usize>(tty) + offsetof<Tty>("t_stopped"));
}

/** Sends one byte of output, processed. */
export function ttyoutput(byte: u32): void {
  if ((termios.c_oflag & OPOST) != 0) {
    if (byte == NEWLINE && (termios.c_oflag & ONLCR) != 0) ttysend(RETURN);
    if (byte == NEWLINE || byte == RETURN) tty.t_column = 0;
    else if (byte == BACKSPACE) tty.t_column -= tty.t_column != 0 ? 1 : 0;
    else if (byte == 9) tty.t_column = (tty.t_column + 8) & ~7;
    else if (byte >= 32 && byte != DELETE) tty.t_column++;
  }
  ttysend(byte);
}

/** Shows a byte of input as ^X if it is a control character. */
function ttyecho(byte: u32): void {
  if ((termios.c_lflag & ECHO) == 0 && !((termios.c_lflag & ECHONL) != 0 && byte == NEWLINE)) return;
  const visible = (termios.c_lflag & ECHOCTL) == 0 || byte == NEWLINE || byte == 9 || (byte >= 32 && byte != DELETE);
  if (visible) {
    ttyoutput(byte);
    return;
  }
  ttyoutput(0x5e);
  ttyoutput(byte == DELETE ? 0x3f : byte + 64);
}

/** Columns that byte `byte` took when it was echoed at `column`. */
function echo_width(byte: u32, column: u32): u32 {
  if (byte == 9) return 8 - (column & 7);
  return (termios.c_lflag & ECHOCTL) != 0 && (byte < 32 || byte == DELETE) ? 2 : byte < 32 ? 0 : 1;
}

/** Column in which the line under work ends, when its last `less` bytes are not there. */
function line_column(less: u32): u32 {
  let column = tty.t_rocol;
  for (let at = tty.line; at != tty.tail - less; at++) column += echo_width(ring_at(at), column);
  return column;
}

/** Takes the last byte of the line under work away, on the screen too. */
function rub_out(): void {
  if (tty.tail == tty.line) return;
  const width = line_column(0) - line_column(1);
  tty.tail--;
  if ((termios.c_lflag & ECHO) == 0) return;
  if ((termios.c_lflag & ECHOE) == 0) {
    ttyecho(cc(VERASE));
    return;
  }
  for (let i: u32 = 0; i < width; i++) {
    ttyoutput(BACKSPACE);
    ttyoutput(32);
    ttyoutput(BACKSPACE);
  }
}

function erase_word(): void {
  while (tty.tail != tty.line && ring_at(tty.tail - 1) <= 32) rub_out();
  while (tty.tail != tty.line && ring_at(tty.tail - 1) > 32) rub_out();
}

function erase_line(): void {
  if ((termios.c_lflag & (ECHOE | ECHOKE)) == (ECHOE | ECHOKE)) {
    while (tty.tail != tty.line) rub_out();
    return;
  }
  tty.tail = tty.line;
  ttyecho(cc(VKILL));
  if ((termios.c_lflag & ECHOK) != 0) ttyecho(NEWLINE);
}

function reprint_line(): void {
  ttyecho(cc(VREPRINT));
  ttyoutput(NEWLINE);
  tty.t_rocol = 0;
  for (let at = tty.line; at != tty.tail; at++) ttyecho(ring_at(at));
}

/** Throws all input away. => spltty */
function flush_input(): void {
  tty.head = tty.tail;
  tty.line = tty.tail;
}

function signal_foreground(signum: u32, byte: u32): void {
  if ((termios.c_lflag & NOFLSH) == 0) {
    flush_input();
    tty.held_head = tty.held_tail;
    restart_output();
  }
  ttyecho(byte);
  gsignal(tty.t_pgrp, signum);
}

/** What is readable has changed. */
function ttwakeup(): void {
  wakeup(changetype<usize>(tty));
  selwakeup();
}

/** Is `byte` a signal character? Sends its signal. */
function input_signal(byte: u32): bool {
  let signum: u32 = 0;
  if (is_cc(byte, VINTR)) signum = SIGINT;
  else if (is_cc(byte, VQUIT)) signum = SIGQUIT;
  else if (is_cc(byte, VSUSP)) signum = SIGTSTP;
  else if (is_cc(byte, VSTATUS)) {
    if ((termios.c_lflag & NOKERNINFO) == 0) ttyinfo(tty.t_pgrp);
    gsignal(tty.t_pgrp, SIGINFO);
    return true;
  }
  if (signum == 0) return false;
  signal_foreground(signum, byte);
  return true;
}

/** Does `byte` hold output back or let it go on? */
function input_flow(byte: u32): bool {
  if ((termios.c_iflag & IXON) == 0) return false;
  const stops = is_cc(byte, VSTOP);
  const starts = is_cc(byte, VSTART);
  if (!stops && !starts) {
    if ((termios.c_iflag & IXANY) != 0) restart_output();
    return false;
  }
  if (stops && tty.t_stopped == 0) tty.t_stopped = 1;
  else if (starts) restart_output();
  return true;
}

/** Is `byte` a command to the line editor? Obeys. */
function input_edit(byte: u32): bool {
  if (is_cc(byte, VERASE) || byte == BACKSPACE) rub_out();
  else if (is_cc(byte, VKILL)) erase_line();
  else if (is_cc(byte, VWERASE)) erase_word();
  else if (is_cc(byte, VREPRINT)) reprint_line();
  else return false;
  return true;
}

/** Appends a value to the line under work; a full ring beeps. */
function append(value: u32): bool {
  if (tty.tail - tty.head >= TTY_RING - 1) {
    ttyoutput(7);
    return false;
  }
  if (tty.tail == tty.line) tty.t_rocol = tty.t_column;
  store<u16>(ring() + (tty.tail % TTY_RING) * 2, value);
  tty.tail++;
  return true;
}

/** Echoes a byte; an end of file as ^D that the next output covers. */
function echo_end(byte: u32, eof: bool): void {
  const column = tty.t_column;
  ttyecho(byte);
  while (eof && tty.t_column > column) ttyoutput(BACKSPACE);
}

/** A byte has arrived. => spltty */
export function ttyinput(byte: u32): void {
  const lflag = termios.c_lflag;
  if (tty.t_lnext != 0) {
    tty.t_lnext = 0;
    if (append(byte)) ttyecho(byte);
    return;
  }
  if ((lflag & IEXTEN) != 0 && (lflag & ICANON) != 0 && is_cc(byte, VLNEXT)) {
    tty.t_lnext = 1;
    if ((lflag & ECHO) == 0) return;
    // The caret shows that something is expected, and what comes stands over it.
    ttyoutput(0x5e);
    ttyoutput(BACKSPACE);
    return;
  }
  if (input_flow(byte)) return;
  if ((lflag & ISIG) != 0 && input_signal(byte)) return;
  if (byte == RETURN) {
    if ((termios.c_iflag & IGNCR) != 0) return;
    if ((termios.c_iflag & ICRNL) != 0) byte = NEWLINE;
  } else if (byte == NEWLINE && (termios.c_iflag & INLCR) != 0) byte = RETURN;
  if ((lflag & ICANON) == 0) {
    if (append(byte)) ttyecho(byte);
    tty.line = tty.tail;
    ttwakeup();
    return;
  }
  if (input_edit(byte)) return;
  const ends = byte == NEWLINE || is_cc(byte, VEOL);
  const eof = is_cc(byte, VEOF);
  if (!append(eof ? EOF_MARK : byte)) return;
  echo_end(byte, eof);
  if (!ends && !eof) return;
  tty.line = tty.tail;
  ttwakeup();
}

/** May the process use the terminal now? Members of background groups get `signum` and begin again, or EIO. */
function background_check(p: Proc, signum: u32): i32 {
  while ((p.p_flag & P_CONTROLT) != 0 && p.p_sid == tty.t_session && p.p_pgid != tty.t_pgrp) {
    if (((p.p_sigignore | p.p_sigmask) & sigmask(signum)) != 0 || (p.p_flag & P_PPWAIT) != 0) {
      return signum == SIGTTOU ? 0 : EIO;
    }
    gsignal(p.p_pgid, signum);
    const error = tsleep(changetype<usize>(tty) + 4, PZERO + 10 | PCATCH, cs("ttybg"), 1);
    if (error != 0 && error != EWOULDBLOCK) return ERESTART;
  }
  return 0;
}

/** Waits until something can be read. */
function wait_for_input(ioflag: u32): i32 {
  while (tty.head == tty.line) {
    if ((termios.c_lflag & ICANON) == 0 && cc(VMIN) == 0) {
      if (cc(VTIME) == 0) return 0;
      const error = tsleep(changetype<usize>(tty), PZERO + 10 | PCATCH, cs("ttyin"), i32(cc(VTIME) * HZ / 10));
      return error == EWOULDBLOCK ? 0 : error;
    }
    if ((ioflag & IO_NDELAY) != 0) return EWOULDBLOCK;
    const error = tsleep(changetype<usize>(tty), PZERO + 10 | PCATCH, cs("ttyin"), 0);
    if (error != 0) return error;
  }
  return 0;
}

/** Reads: one line at most with ICANON, else what there is. */
export function ttread(uio: Uio, ioflag: u32, p: Proc): i32 {
  const byte = frame_alloc(4);
  let error = background_check(p, SIGTTIN);
  if (error != 0) return error;
  const s = spltty();
  error = wait_for_input(ioflag);
  while (error == 0 && uio.uio_resid > 0 && tty.head != tty.line) {
    const value = ring_at(tty.head);
    tty.head++;
    if (value == EOF_MARK) break;
    store<u8>(byte, value);
    error = uiomove(byte, 1, uio);
    if ((termios.c_lflag & ICANON) != 0 && (value == NEWLINE || is_cc(value, VEOL))) break;
  }
  splx(s);
  return error;
}

/** Sleeps while output is held back. */
function wait_for_output(): i32 {
  const s = spltty();
  let error: i32 = 0;
  while (tty.t_stopped != 0 && error == 0) {
    error = tsleep(changetype<usize>(tty) + offsetof<Tty>("t_stopped"), PZERO + 11 | PCATCH, cs("ttyout"), 0);
  }
  splx(s);
  return error;
}

/** Writes all of it. */
export function ttwrite(uio: Uio, ioflag: u32, p: Proc): i32 {
  const chunk = frame_alloc(128);
  if ((termios.c_lflag & TOSTOP) != 0) {
    const error = background_check(p, SIGTTOU);
    if (error != 0) return error;
  }
  while (uio.uio_resid > 0) {
    const count: u32 = uio.uio_resid < 128 ? uio.uio_resid : 128;
    const error = uiomove(chunk, count, uio);
    if (error != 0) return error;
    const stopped = wait_for_output();
    if (stopped != 0) return stopped;
    for (let i: u32 = 0; i < count; i++) ttyoutput(load<u8>(chunk + i));
  }
  return 0;
}

export function ttpoll(events: u32): u32 {
  const readable = tty.head != tty.line ? POLLIN : 0;
  return (readable | POLLOUT) & events;
}

/** Makes the terminal the controlling one of the process, a leader of a session (TIOCSCTTY; opening does not). */
function set_controlling(p: Proc): i32 {
  if (p.p_sid != p.p_pid) return EPERM;
  if (tty.t_session != 0 && tty.t_session != p.p_sid) return EPERM;
  tty.t_session = p.p_sid;
  tty.t_pgrp = p.p_pgid;
  p.p_flag |= P_CONTROLT;
  return 0;
}

/** A leader of a session ends: the foreground group hangs up, and the terminal is free. */
export function tty_session_exit(p: Proc): void {
  if (tty.t_session != p.p_sid || (p.p_flag & P_CONTROLT) == 0) return;
  const group = tty.t_pgrp;
  tty.t_session = 0;
  tty.t_pgrp = 0;
  gsignal(group, SIGHUP);
  gsignal(group, SIGCONT);
}

/** Is the terminal the process's controlling one? */
export function is_controlling(p: Proc): bool {
  return (p.p_flag & P_CONTROLT) != 0 && p.p_sid == tty.t_session;
}

function set_foreground(p: Proc, pgid: i32): i32 {
  if (!is_controlling(p)) return ENOTTY;
  if (session_of_group(pgid) != p.p_sid) return EPERM;
  tty.t_pgrp = pgid;
  return 0;
}

function set_termios(data: usize, flush: bool): void {
  const s = spltty();
  if (flush) flush_input();
  memcpy(changetype<usize>(termios), data, SIZEOF_TERMIOS);
  // Without ICANON the line under work becomes readable as it is.
  if ((termios.c_lflag & ICANON) == 0) tty.line = tty.tail;
  splx(s);
  ttwakeup();
}

/** ioctl: `data` is in the kernel, or for FIONBIO and the like nothing to do. ENOTTY for unknown commands. */
export function ttioctl(com: u32, data: usize, p: Proc): i32 {
  switch (com) {
    case TIOCGETA:
      memcpy(data, changetype<usize>(termios), SIZEOF_TERMIOS);
      return 0;
    case TIOCSETA:
    case TIOCSETAW:
    case TIOCSETAF: {
      const error = background_check(p, SIGTTOU);
      if (error != 0) return error;
      set_termios(data, com == TIOCSETAF);
      return 0;
    }
    case TIOCFLUSH: {
      const s = spltty();
      flush_input();
      splx(s);
      return 0;
    }
    case TIOCGPGRP:
      if (!is_controlling(p)) return ENOTTY;
      store<i32>(data, tty.t_pgrp);
      return 0;
    case TIOCSPGRP: {
      const error = background_check(p, SIGTTOU);
      return error != 0 ? error : set_foreground(p, load<i32>(data));
    }
    case TIOCSCTTY: return set_controlling(p);
    case TIOCNOTTY:
      if (!is_controlling(p)) return ENOTTY;
      p.p_flag &= ~P_CONTROLT;
      return 0;
    case TIOCGWINSZ:
      store<u32>(data, tty.t_winsize0);
      store<u32>(data, tty.t_winsize1, 4);
      return 0;
    case TIOCSWINSZ:
      tty.t_winsize0 = load<u32>(data);
      tty.t_winsize1 = load<u32>(data, 4);
      return 0;
    case FIONREAD:
      store<u32>(data, tty.line - tty.head);
      return 0;
    case TIOCOUTQ:
      store<u32>(data, 0);
      return 0;
    case FIONBIO:
    case FIOASYNC:
    case TIOCEXCL:
    case TIOCDRAIN: return 0;
    default: return ENOTTY;
  }
}
