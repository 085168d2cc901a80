// The devices of fault policies as programs see them (kernel/dev/policy.ts). Unit N is
// one page under policy N of the table there; mmap(2) gives the page.

/** Reads the policy's name, NUL-terminated in 32 bytes. */
export const POLICYIOCGNAME: u32 = 0x40205000;
/** Takes the right to the page back, all but what the word says: MODE_S or MODE_I. EBUSY for a page in use. */
export const POLICYIOCRECALL: u32 = 0x80045001;
/** Reads a Policylog, whose pl_vaddr the caller sets, and empties the log. */
export const POLICYIOCGLOG: u32 = 0xc0705002;

export const POLICY_UNITS: u32 = 6;

// What the pager holds: nothing, the right to read, the right to write.
export const MODE_I: u32 = 0;
export const MODE_S: u32 = 1;
export const MODE_X: u32 = 2;

// pc_call.
export const CALL_GETPAGE: u32 = 1;
export const CALL_UNLOCK: u32 = 2;
export const CALL_MKWRITE: u32 = 3;
/** pgo_get with PGO_LOCKED, and without. */
export const CALL_GET_LOCKED: u32 = 4;
export const CALL_GET: u32 = 5;

// pl_pte: the low bits of the page table entry, which is not there without the first.
export const POLICY_PTE_VALID: u32 = 0x01;
export const POLICY_PTE_WRITE: u32 = 0x02;
export const POLICY_PTE_USED: u32 = 0x20;
export const POLICY_PTE_MODIFIED: u32 = 0x40;

export const POLICY_CALLS: u32 = 8;

/** One call of the pager and what it was told: 0 where the policy tells nothing. */
@unmanaged
export class Policycall {
  pc_call: u32;
  pc_vaddr: u32;
  /** VM_PROT_* */
  pc_access: u32;
}

@unmanaged
export class Policylog {
  /** From the caller: where it has mapped the page. */
  pl_vaddr: u32;
  /** The page table entry of the calling process there, without the address. */
  pl_pte: u32;
  pl_mode: u32;
  /** Calls since the log was read last; POLICY_CALLS Policycalls follow, of which the first so many are filled. */
  pl_ncalls: u32;
}

/** Call number n of the log. */
export function policy_call(log: Policylog, n: u32): Policycall {
  return changetype<Policycall>(changetype<usize>(log) + offsetof<Policylog>() + usize(n) * offsetof<Policycall>());
}

export const SIZEOF_POLICYLOG: u32 = 112;
