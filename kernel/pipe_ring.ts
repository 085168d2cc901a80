// A ring of bytes between readers and writers: what pipes and fifos are made of.
//
// Writes of up to PIPE_BUF bytes are not mixed with others': they wait until there is room for all. While bytes move
// between the ring and a user's memory, which may sleep for a page, the ring is locked.
import { free, malloc } from "./kern_malloc";
import { uiomove } from "./kern_subr";
import { tsleep, wakeup } from "./kern_synch";
import { EPIPE, EWOULDBLOCK } from "./sys/errno";
import { POLLIN, POLLOUT } from "./sys/file";
import { M_PIPE, M_WAITOK } from "./sys/malloc";
import { PCATCH, PSOCK } from "./sys/param";
import { Uio } from "./sys/uio";
import { selwakeup } from "./sys_generic";

export const PIPE_SIZE: u32 = 8192;
export const PIPE_BUF: u32 = 512;

@unmanaged export class Ring {
  /** PIPE_SIZE bytes. */
  r_buffer: usize;
  /** Where the next byte is taken from, and how many there are. */
  r_out: u32;
  r_cnt: u32;
  /** Ends that are open. */
  r_readers: u32;
  r_writers: u32;
  /** Bytes are being moved; somebody waits for the end of that. */
  r_locked: bool;
  r_wanted: bool;
  private pad: u16;
  /** How often an end was opened. */
  r_readopens: u32;
  r_writeopens: u32;
  /** Who needs the ring: its owner, and whoever may sleep in it. */
  r_refs: u32;
}
const SIZEOF_RING: u32 = 36;

/** An empty ring without ends, with one reference. => may sleep */
export function ring_alloc(): Ring {
  const ring = changetype<Ring>(malloc(SIZEOF_RING, M_PIPE, M_WAITOK));
  memory.fill(changetype<usize>(ring), 0, SIZEOF_RING);
  ring.r_buffer = malloc(PIPE_SIZE, M_PIPE, M_WAITOK);
  ring.r_refs = 1;
  return ring;
}

export function ring_hold(ring: Ring): void {
  ring.r_refs++;
}

/** Lets go of a reference; the last one frees the ring. */
export function ring_rele(ring: Ring): void {
  ring.r_refs--;
  if (ring.r_refs != 0) return;
  free(ring.r_buffer, M_PIPE);
  free(changetype<usize>(ring), M_PIPE);
}

/** Something has changed that others wait for. */
export function ring_changed(ring: Ring): void {
  wakeup(changetype<usize>(ring));
  selwakeup();
}

/** Waits for a change. => EINTR, ERESTART; sleeps */
export function ring_sleep(ring: Ring, wmesg: usize): i32 {
  return tsleep(changetype<usize>(ring), PSOCK | PCATCH, wmesg, 0);
}

function ring_lock(ring: Ring): i32 {
  while (ring.r_locked) {
    ring.r_wanted = true;
    const error = ring_sleep(ring, cs("pipelk"));
    if (error != 0) return error;
  }
  ring.r_locked = true;
  return 0;
}

/**
 * `changed`: bytes have come or gone. Else nobody wakes up but for the lock, lest two that wait for room wake each
 * other for ever.
 */
function ring_unlock(ring: Ring, changed: bool): void {
  ring.r_locked = false;
  if (changed || ring.r_wanted) ring_changed(ring);
  ring.r_wanted = false;
}

/** Moves `n` bytes of the ring from position `from` on, in one or two pieces. */
function move_ring(ring: Ring, from: u32, n: u32, uio: Uio): i32 {
  const first = from + n > PIPE_SIZE ? PIPE_SIZE - from : n;
  const error = uiomove(ring.r_buffer + from, first, uio);
  if (error != 0 || first == n) return error;
  return uiomove(ring.r_buffer, n - first, uio);
}

/** Takes what there is, up to what is asked for. The ring is locked and not empty. */
function take(ring: Ring, uio: Uio): i32 {
  const before = uio.uio_resid;
  const error = move_ring(ring, ring.r_out, ring.r_cnt < before ? ring.r_cnt : before, uio);
  const done = before - uio.uio_resid;
  ring.r_out = (ring.r_out + done) % PIPE_SIZE;
  ring.r_cnt -= done;
  return error;
}

/** Waits for bytes, then takes what there is; none: all writers are gone. `nonblock`: EWOULDBLOCK instead. Sleeps. */
export function ring_read(ring: Ring, uio: Uio, nonblock: bool): i32 {
  if (uio.uio_resid == 0) return 0;
  while (true) {
    let error = ring_lock(ring);
    if (error != 0) return error;
    const empty = ring.r_cnt == 0;
    if (!empty) error = take(ring, uio);
    ring_unlock(ring, !empty);
    if (!empty) return error;
    if (ring.r_writers == 0) return 0;
    if (nonblock) return EWOULDBLOCK;
    error = ring_sleep(ring, cs("piperd"));
    if (error != 0) return error;
  }
}

/** Puts as many bytes as fit. The ring is locked. */
function put(ring: Ring, uio: Uio): i32 {
  const before = uio.uio_resid;
  const room = PIPE_SIZE - ring.r_cnt;
  const error = move_ring(ring, (ring.r_out + ring.r_cnt) % PIPE_SIZE, room < before ? room : before, uio);
  ring.r_cnt += before - uio.uio_resid;
  return error;
}

/** Puts all bytes, waiting for room. EPIPE: nobody reads (any more). `nonblock`: EWOULDBLOCK, no waiting. Sleeps. */
export function ring_write(ring: Ring, uio: Uio, nonblock: bool): i32 {
  const need: u32 = uio.uio_resid <= PIPE_BUF ? uio.uio_resid : 1;
  if (ring.r_readers == 0) return EPIPE;
  while (uio.uio_resid != 0) {
    let error = ring_lock(ring);
    if (error != 0) return error;
    const fits = ring.r_readers != 0 && PIPE_SIZE - ring.r_cnt >= need;
    if (fits) error = put(ring, uio);
    ring_unlock(ring, fits);
    if (error != 0) return error;
    if (fits) continue;
    if (ring.r_readers == 0) return EPIPE;
    if (nonblock) return EWOULDBLOCK;
    error = ring_sleep(ring, cs("pipewr"));
    if (error != 0) return error;
  }
  return 0;
}

/** Which of `events` are ready for an end that reads, or writes, or both. */
export function ring_poll(ring: Ring, events: u32, reads: bool, writes: bool): u32 {
  let ready: u32 = 0;
  if (reads && (ring.r_cnt != 0 || ring.r_writers == 0)) ready |= POLLIN;
  if (writes && (PIPE_SIZE - ring.r_cnt >= PIPE_BUF || ring.r_readers == 0)) ready |= POLLOUT;
  return ready & events;
}
