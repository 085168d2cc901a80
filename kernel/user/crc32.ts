// CRC-32 as in ISO 3309 (the polynomial of gzip and zip), so that a checksum
// printed here can be compared with one computed anywhere else.

import { bss } from "../i386/cpufunc";

const POLYNOMIAL: u32 = 0xedb88320;

function table(): usize {
  return bss(1024, 4);
}

/** Makes the table; called before the first use, again is harmless. */
export function crc32_init(): void {
  for (let n: u32 = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = (c & 1) != 0 ? POLYNOMIAL ^ (c >> 1) : c >> 1;
    store<u32>(table() + (n << 2), c);
  }
}

/** The checksum of what `crc` covers (0: nothing yet) followed by `len` bytes at `buf`. */
export function crc32(crc: u32, buf: usize, len: u32): u32 {
  const t = table();
  const end = buf + len;
  let c = ~crc;
  while (buf < end) {
    c = load<u32>(t + (((c ^ load<u8>(buf)) & 0xff) << 2)) ^ (c >> 8);
    buf++;
  }
  return ~c;
}
