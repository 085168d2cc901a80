// What a child of hostile tells its parent: a structure in memory that both share.
import { mmap } from "../../lib/syscalls";

export const HARM_NONE: u32 = 0;
/** A call gave an error that is not documented. */
export const HARM_ERROR: u32 = 1;
/** Memory changed that no call should have changed. */
export const HARM_MEMORY: u32 = 2;
/** The sandbox could not be made. */
export const HARM_SETUP: u32 = 3;

@unmanaged
export class Record {
  /** Calls made. */
  calls: u32;
  harm: u32;
  /** The last call: number, error, the address that changed, arguments. */
  number: u32;
  error: i32;
  address: usize;

  @inline get words(): usize { return changetype<usize>(this) + 20; }
}
const SIZEOF_RECORD: u32 = 64;

@unmanaged
class Records {
  base: usize;
}
const records = changetype<Records>(memory.data(offsetof<Records>()));

/** Makes `n` records. False when there is no memory. */
export function records_make(n: u32): bool {
  const at = mmap(0, n * SIZEOF_RECORD, 3, 0x1001, -1, 0, 0);
  records.base = usize(at);
  return at != -1;
}

export function record_at(slot: u32): Record {
  return changetype<Record>(records.base + slot * SIZEOF_RECORD);
}

export function record_clear(slot: u32): void {
  memory.fill(changetype<usize>(record_at(slot)), 0, SIZEOF_RECORD);
}
