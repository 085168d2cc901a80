// Hosted rings: hosted tests open no fifo, so nobody reads or writes here.
import { Uio } from "./sys/uio";

export const PIPE_BUF: u32 = 512;

@unmanaged export class Ring {
  r_cnt: u32;
  r_readers: u32;
  r_writers: u32;
  r_readopens: u32;
  r_writeopens: u32;
}

export function ring_alloc(): Ring {
  return unreachable();
}

export function ring_hold(ring: Ring): void {
  unreachable();
}

export function ring_rele(ring: Ring): void {
  unreachable();
}

export function ring_changed(ring: Ring): void {
  unreachable();
}

export function ring_sleep(ring: Ring, wmesg: usize): i32 {
  return unreachable();
}

export function ring_read(ring: Ring, uio: Uio, nonblock: bool): i32 {
  return unreachable();
}

export function ring_write(ring: Ring, uio: Uio, nonblock: bool): i32 {
  return unreachable();
}

export function ring_poll(ring: Ring, events: u32, reads: bool, writes: bool): u32 {
  return unreachable();
}
