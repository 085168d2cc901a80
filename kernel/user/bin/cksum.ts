// cksum(1): the POSIX checksum and the size of files.
//
// Four bytes go through the sum at once: table k holds what a byte becomes when
// k more bytes have followed it.
import { bss } from "../../i386/cpufunc";
import { set_progname, warn } from "../lib/errors";
import { O_RDONLY } from "../lib/files";
import { printf } from "../lib/stdio";
import { close, open, read } from "../lib/syscalls";

const BUFFER_SIZE: u32 = 16384;
const POLYNOMIAL: u32 = 0x04c11db7;
/** Bytes of one table. */
const TABLE_SIZE: u32 = 1024;

function tables(): usize {
  return bss(4 * TABLE_SIZE, 4);
}

function make_tables(): void {
  const table = tables();
  for (let i: u32 = 0; i < 256; i++) {
    let value = i << 24;
    for (let bit = 0; bit < 8; bit++) value = (value & 0x80000000) != 0 ? (value << 1) ^ POLYNOMIAL : value << 1;
    store<u32>(table + 4 * i, value);
  }
  for (let at = table; at < table + 3 * TABLE_SIZE; at += 4) {
    const value = load<u32>(at);
    store<u32>(at + TABLE_SIZE, (value << 8) ^ load<u32>(table + 4 * (value >> 24)));
  }
}

/** The sum `crc` after `n` more bytes. */
function add_bytes(crc: u32, at: usize, n: u32): u32 {
  const table = tables();
  const end = at + n;
  const whole = at + (n & ~3);
  while (at < whole) {
    const word = load<u32>(at);
    at += 4;
    crc = load<u32>(table + 3 * TABLE_SIZE + 4 * ((crc >> 24) ^ (word & 0xff)))
      ^ load<u32>(table + 2 * TABLE_SIZE + 4 * (((crc >> 16) ^ (word >> 8)) & 0xff))
      ^ load<u32>(table + TABLE_SIZE + 4 * (((crc >> 8) ^ (word >> 16)) & 0xff))
      ^ load<u32>(table + 4 * ((crc & 0xff) ^ (word >> 24)));
  }
  while (at < end) crc = (crc << 8) ^ load<u32>(table + 4 * ((crc >> 24) ^ load<u8>(at++)));
  return crc;
}

function checksum(fd: i32, name: usize): i32 {
  const buffer = bss(BUFFER_SIZE, 16);
  let crc: u32 = 0;
  let size: u32 = 0;
  while (true) {
    const n = read(fd, buffer, BUFFER_SIZE);
    if (n < 0) {
      warn(name == 0 ? cs("stdin") : name);
      return 1;
    }
    if (n == 0) break;
    size += n;
    crc = add_bytes(crc, buffer, n);
  }
  for (let rest = size; rest != 0; rest >>= 8) crc = (crc << 8) ^ load<u32>(tables() + 4 * ((crc >> 24) ^ (rest & 0xff)));
  printf(name == 0 ? cs("%u %u\n") : cs("%u %u %s\n"), ~crc, size, name);
  return 0;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("cksum"));
  make_tables();
  if (argc < 2) return checksum(0, 0);
  let status = 0;
  for (let i = 1; i < argc; i++) {
    const name = load<usize>(argv + 4 * i);
    const fd = open(name, O_RDONLY, 0);
    if (fd < 0) {
      warn(name);
      status = 1;
      continue;
    }
    status |= checksum(fd, name);
    close(fd);
  }
  return status;
}
