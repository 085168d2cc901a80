// The console: com0, polled. Output waits for the transmitter; a newline gets
// its carriage return here, so everything above deals in newlines only.
//
// Usable from the first instruction of init386 on, in any context: DDB and
// panic need a console that depends on nothing.
import { comcngetc, comcninit, comcnpollc, comcnputc } from "./i386/com";

/** Sets up the console. Called once, first thing. */
export function consinit(): void {
  comcninit();
}

/** Prints one byte. */
export function cnputc(byte: i32): void {
  if (byte == 0x0a) comcnputc(0x0d);
  comcnputc(u32(byte));
}

/** Waits for a byte and returns it; a carriage return arrives as newline. */
export function cngetc(): i32 {
  const byte = comcngetc();
  return byte == 0x0d ? 0x0a : byte;
}

/** Takes a byte that has arrived, or returns -1 at once. */
export function cnpollc(): i32 {
  const byte = comcnpollc();
  return byte == 0x0d ? 0x0a : byte;
}
