// com(4) as a console: a 16550 at I/O port 0x3f8, 115200 baud, 8N1, no
// interrupts. Register names are the data sheet's.
import { inb, outb } from "./cpufunc";

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
const LCR_8N1: u32 = 0x03;
const LCR_DLAB: u32 = 0x80;
const MCR_DTR_RTS: u32 = 0x03;
const LSR_RXRDY: u32 = 0x01;
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

/** A byte that has arrived, or -1. */
export function comcnpollc(): i32 {
  if ((inb(LSR) & LSR_RXRDY) == 0) return -1;
  return i32(inb(RBR) & 0xff);
}

/** Waits for a byte. */
export function comcngetc(): i32 {
  let byte = comcnpollc();
  while (byte < 0) byte = comcnpollc();
  return byte;
}
