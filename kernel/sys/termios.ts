// <sys/termios.h>, <sys/ttycom.h>: settings of a terminal and the ioctls for them.

@unmanaged export class Termios {
  c_iflag: u32;
  c_oflag: u32;
  c_cflag: u32;
  c_lflag: u32;
  /** c_cc: 20 control characters, see V*. */
  private c_cc0: u32;
  private c_cc1: u32;
  private c_cc2: u32;
  private c_cc3: u32;
  private c_cc4: u32;
  c_ispeed: u32;
  c_ospeed: u32;
}
export const SIZEOF_TERMIOS: u32 = 44;
export const C_CC: usize = 16;
export const NCCS: u32 = 20;

// Indexes of c_cc.
export const VEOF: u32 = 0;
export const VEOL: u32 = 1;
export const VERASE: u32 = 3;
export const VWERASE: u32 = 4;
export const VKILL: u32 = 5;
export const VREPRINT: u32 = 6;
export const VINTR: u32 = 8;
export const VQUIT: u32 = 9;
export const VSUSP: u32 = 10;
export const VSTART: u32 = 12;
export const VSTOP: u32 = 13;
export const VLNEXT: u32 = 14;
export const VMIN: u32 = 16;
export const VTIME: u32 = 17;
export const VSTATUS: u32 = 18;
export const POSIX_VDISABLE: u32 = 0xff;

// c_iflag.
export const INLCR: u32 = 0x40;
export const IGNCR: u32 = 0x80;
export const ICRNL: u32 = 0x100;
export const IXON: u32 = 0x200;
export const IXANY: u32 = 0x800;
export const IMAXBEL: u32 = 0x2000;

// c_oflag.
export const OPOST: u32 = 0x1;
export const ONLCR: u32 = 0x2;

// c_cflag.
export const CREAD: u32 = 0x800;
export const CS8: u32 = 0x300;
export const HUPCL: u32 = 0x4000;

// c_lflag.
export const ECHOKE: u32 = 0x1;
export const ECHOE: u32 = 0x2;
export const ECHOK: u32 = 0x4;
export const ECHO: u32 = 0x8;
export const ECHONL: u32 = 0x10;
export const ECHOCTL: u32 = 0x40;
export const ISIG: u32 = 0x80;
export const ICANON: u32 = 0x100;
export const IEXTEN: u32 = 0x400;
export const TOSTOP: u32 = 0x400000;
export const NOKERNINFO: u32 = 0x2000000;
export const NOFLSH: u32 = 0x80000000;

export const TIOCEXCL: u32 = 0x2000740d;
export const TIOCFLUSH: u32 = 0x80047410;
export const TIOCGETA: u32 = 0x402c7413;
export const TIOCSETA: u32 = 0x802c7414;
export const TIOCSETAW: u32 = 0x802c7415;
export const TIOCSETAF: u32 = 0x802c7416;
export const TIOCSCTTY: u32 = 0x20007461;
export const TIOCGPGRP: u32 = 0x40047477;
export const TIOCSPGRP: u32 = 0x80047476;
export const TIOCGWINSZ: u32 = 0x40087468;
export const TIOCSWINSZ: u32 = 0x80087467;
export const TIOCNOTTY: u32 = 0x20007471;
export const TIOCDRAIN: u32 = 0x2000745e;
export const TIOCOUTQ: u32 = 0x40047473;
export const FIONREAD: u32 = 0x4004667f;
export const FIONBIO: u32 = 0x8004667e;
export const FIOASYNC: u32 = 0x8004667d;
