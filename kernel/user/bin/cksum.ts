// cksum(1): the POSIX checksum and the size of files.
import { bss } from "../../i386/cpufunc";
import { set_progname, warn } from "../lib/errors";
import { O_RDONLY } from "../lib/files";
import { printf } from "../lib/stdio";
import { close, open, read } from "../lib/syscalls";

const BUFFER_SIZE: u32 = 16384;
const POLYNOMIAL: u32 = 0x04c11db7;

function table(): usize {
  return bss(1024, 4);
}

function make_table(): void {
  for (let i: u32 = 0; i < 256; i++) {
    let value = i << 24;
    for (let bit = 0; bit < 8; bit++) value = (value & 0x80000000) != 0 ? (value << 1) ^ POLYNOMIAL : value << 1;
    store<u32>(table() + 4 * i, value);
  }
}

function add(crc: u32, byte: u32): u32 {
  return (crc << 8) ^ load<u32>(table() + 4 * ((crc >> 24) ^ byte));
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
    for (let i = 0; i < n; i++) crc = add(crc, load<u8>(buffer + i));
  }
  for (let rest = size; rest != 0; rest >>= 8) crc = add(crc, rest & 0xff);
  printf(name == 0 ? cs("%u %u\n") : cs("%u %u %s\n"), ~crc, size, name);
  return 0;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("cksum"));
  make_table();
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
