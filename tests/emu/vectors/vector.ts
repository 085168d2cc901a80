// A vector: the state before an instruction, and the state after it as a real
// processor left it.

/** Numbers of exceptions. */
export const TRAP = {
  DE: 0, DB: 1, BP: 3, OF: 4, BR: 5, UD: 6, NP: 11, SS: 12, GP: 13, PF: 14, MF: 16, AC: 17,
} as const;

/** Bytes of the coprocessor's state, in the form of a 32-bit FNSAVE. */
export const IMAGE_BYTES = 108;

/** Bytes that a case finds in memory instead of the pattern. */
export interface Patch {
  readonly at: number;
  readonly bytes: Uint8Array;
}

export interface Input {
  /** EAX ECX EDX EBX ESP EBP ESI EDI. */
  readonly registers: Int32Array;
  readonly eflags: number;
  /** Selectors of ES CS SS DS FS GS. */
  readonly segments: Uint16Array;
  /** Linear address and bytes of the code; EIP follows from them and CS. */
  readonly code: Patch;
  readonly data: readonly Patch[];
  /** Of a case of the coprocessor: its state. */
  readonly image?: Uint8Array;
}

/** A word of memory that is not what the pattern has. */
export interface Change {
  readonly at: number;
  readonly value: number;
}

export interface Outcome {
  /** Number of the exception that ended the case; INT3, which follows all code, in the usual case. */
  readonly trap: number;
  /** Its error code, and for #PF the address. */
  readonly error: number;
  readonly cr2: number;
  readonly eip: number;
  readonly registers: Int32Array;
  readonly eflags: number;
  readonly segments: Uint16Array;
  /** In the order of addresses. */
  readonly changes: readonly Change[];
  readonly image?: Uint8Array;
}

export interface Vector {
  /** Name of the form: what the case is about. */
  readonly form: string;
  readonly input: Input;
  readonly outcome: Outcome;
}
