// com(4): a 16550 at I/O port 0x3f8, 115200 baud, 8N1. As console it is polled;
// once somebody has opened the terminal, received bytes interrupt and go to the line
// discipline. Register names are the data sheet's.
import { inb, outb } from "./cpufunc";
import { IPL_TTY, intr_establish } from "./intr";
import { cpu_Debugger } from "./support";
import { db_fromconsole } from "../ddb/db_interface";
import { ttyinput } from "../tty";

const COM0: u32 = 0x3f8;
const RBR: u32 = COM0 + 0;
const THR: u32 = COM0 + 0;
const DLL: u32 = COM0 + 0;
const IER: u32 = COM0 + 1;
const DLM: u32 = COM0 + 1;
const FCR: u32 = COM0 + 2;
const LCR: u32 = COM0 + 3;
const MCR: u32 = COM0 + 4;
const LSR: u32 = COM0 + 5;

const FCR_ENABLE_AND_RESET: u32 = 0x07;
const COM_IRQ: u32 = 4;
const IER_ERXRDY: u32 = 0x01;
const MCR_OUT2: u32 = 0x08;
const LCR_8N1: u32 = 0x03;
const LCR_DLAB: u32 = 0x80;
const MCR_DTR_RTS: u32 = 0x03;
const LSR_RXRDY: u32 = 0x01;
const LSR_BI: u32 = 0x10;
const LSR_TXRDY: u32 = 0x20;

/** Rounds of waiting for a transmitter that is not there before output is dropped. */
const TRANSMIT_PATIENCE: u32 = 100000;

/** Programs the line; divisor 1 = 115200 baud. */
export function comcninit(): void {
  outb(LCR, LCR_DLAB);
  outb(DLL, 1);
  outb(DLM, 0);
  outb(LCR, LCR_8N1);
  outb(IER, 0);
  outb(FCR, FCR_ENABLE_AND_RESET);
  outb(MCR, MCR_DTR_RTS);
}

/** Sends one byte. */
export function comcnputc(byte: u32): void {
  let patience = TRANSMIT_PATIENCE;
  while ((inb(LSR) & LSR_TXRDY) == 0 && patience > 0) patience--;
  outb(THR, byte & 0xff);
}

/** A byte that has arrived, or -1. A break is none. */
export function comcnpollc(): i32 {
  const status = inb(LSR);
  if ((status & LSR_RXRDY) == 0) return -1;
  const byte = i32(inb(RBR) & 0xff);
  return (status & LSR_BI) != 0 ? -1 : byte;
}

/** Waits for a byte. */
export function comcngetc(): i32 {
  let byte = comcnpollc();
  while (byte < 0) byte = comcnpollc();
  return byte;
}

/** A received-data interrupt: all bytes that are there go to the line discipline, a break to the debugger. */
function comintr(arg: usize): i32 {
  let status = inb(LSR);
  while ((status & LSR_RXRDY) != 0) {
    const byte = inb(RBR) & 0xff;
    if ((status & LSR_BI) == 0) ttyinput(byte);
    else if (db_fromconsole()) cpu_Debugger();
    status = inb(LSR);
  }
  return 1;
}

/** Has received bytes interrupt from now on. */
export function comattach(): void {
  intr_establish(COM_IRQ, IPL_TTY, comintr.index, COM0);
  outb(MCR, MCR_DTR_RTS | MCR_OUT2);
  outb(IER, IER_ERXRDY);
}
