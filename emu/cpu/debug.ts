// The debug registers: which pages are watched for data breakpoints, which
// addresses have instruction breakpoints, and the match of an access.
//
// A watched page never enters the translation arrays (see mmu.ts), so each
// access to it takes the slow path, which asks here. A match is noted in
// DEBUG_PENDING; the trap follows the instruction (SDM 3, 17.2 and 17.3.1).
import type { Mmu } from "./mmu.js";
import { COUNT, CR4, CR4_BIT, DEBUG_PENDING, DR0, DR7, DR7_BIT, WATCHING } from "./state.js";
import type { State } from "./state.js";

const EXECUTE = 0;
const WRITE_ONLY = 1;
/** With CR4.DE; otherwise undefined, and never met here. */
const PORT = 2;
const READ_WRITE = 3;
/** Bytes watched by the LEN field of DR7; 2 is undefined on 32-bit processors. */
const LENGTHS = [1, 2, 1, 4] as const;

/** The state word of debug register 0 to 7; 4 and 5 are other names of 6 and 7. */
export function debugWord(number: number): number {
  return DR0 + (number === 4 || number === 5 ? number + 2 : number);
}

export interface DebugRegisters {
  /** After DR0 to DR3 or DR7 have changed. Tells whether instruction breakpoints did. */
  update(): boolean;
  /** An access to a watched page. */
  access(linear: number, size: number, write: boolean): void;
  /** An access to I/O ports. */
  portAccess(port: number, size: number): void;
  /** DR6 bits of the instruction breakpoints at a linear address. */
  executeBits(linear: number): number;
}

/** A range of linear addresses or ports. */
interface Watch {
  readonly first: number;
  readonly last: number;
  readonly writeOnly: boolean;
  readonly bit: number;
}

function meets({ first, last }: Watch, start: number, size: number): boolean {
  return start <= last && start + size - 1 >= first;
}

export function createDebug(state: State, mmu: Mmu, attend: () => void): DebugRegisters {
  const { S } = state;
  let watches: Watch[] = [];
  let ports: Watch[] = [];
  let executes = new Map<number, number>();

  function hit({ bit }: Watch): void {
    S[DEBUG_PENDING] |= bit;
    S[COUNT] = 0;
    attend();
  }

  return {
    update() {
      const old = [...executes.keys()].join();
      watches = [];
      ports = [];
      executes = new Map();
      for (let i = 0; i < 4; i++) {
        const control = S[DR7];
        if ((control & (3 << (2 * i))) === 0) continue;
        const kind = (control >>> (16 + 4 * i)) & 3;
        const size = LENGTHS[(control >>> (18 + 4 * i)) & 3];
        const address = S[DR0 + i] >>> 0;
        if (kind === EXECUTE) executes.set(address, (executes.get(address) ?? 0) | (1 << i));
        const first = (address & ~(size - 1)) >>> 0;
        const watch = { first, last: first + size - 1, writeOnly: kind === WRITE_ONLY, bit: 1 << i };
        if (kind === PORT) ports.push(watch);
        if (kind === WRITE_ONLY || kind === READ_WRITE) watches.push(watch);
      }
      S[WATCHING] = watches.length === 0 ? 0 : 1;
      mmu.watch(watches.map(({ first }) => first >>> 12));
      return old !== [...executes.keys()].join();
    },
    access(linear, size, write) {
      for (const watch of watches) if (meets(watch, linear >>> 0, size) && (write || !watch.writeOnly)) hit(watch);
    },
    portAccess(port, size) {
      if (ports.length === 0 || (S[CR4] & CR4_BIT.DE) === 0) return;
      for (const watch of ports) if (meets(watch, port, size)) hit(watch);
    },
    executeBits: (linear) => ((S[DR7] & DR7_BIT.ENABLES) === 0 ? 0 : executes.get(linear >>> 0) ?? 0),
  };
}
