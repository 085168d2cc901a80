// What the processor models have and have not. Instructions are in the opcode
// table (`since`), clocks in its cells; here is the rest.
import type { Model } from "./opcodes.js";
import { CR4_BIT } from "./state.js";

/** Feature flags of CPUID leaf 1 in EDX. */
export const FEATURE = { FPU: 1, VME: 2, DE: 4, PSE: 8, TSC: 0x10, MSR: 0x20, CX8: 0x100, SEP: 0x800, PGE: 0x2000,
  CMOV: 0x8000 } as const;

export interface ModelFacts {
  /** Family, model and stepping: EDX after reset, EAX of CPUID leaf 1. */
  readonly signature: number;
  /** EDX of CPUID leaf 1. */
  readonly features: number;
  /** Highest CPUID leaf. */
  readonly leaves: number;
  /** CR0 has WP, NE, AM, NW and CD, and ET is always 1. */
  readonly extendedCr0: boolean;
  /** Bits of CR4 that may be set; -1: there is no CR4. */
  readonly cr4: number;
  /** EFLAGS.AC and EFLAGS.ID exist. */
  readonly flagAc: boolean;
  readonly flagId: boolean;
  /** Test registers TR3 to TR7 exist. */
  readonly testRegisters: boolean;
}

const { TSD, DE, PSE, PGE } = CR4_BIT;

const FACTS: { readonly [model in Model]: ModelFacts } = {
  i386: { signature: 0x308, features: 0, leaves: 0, extendedCr0: false, cr4: -1, flagAc: false, flagId: false,
    testRegisters: true },
  // A late stepping, whose CPUID and CR4 exist without any feature.
  i486: { signature: 0x480, features: 0, leaves: 1, extendedCr0: true, cr4: 0, flagAc: true, flagId: false,
    testRegisters: true },
  pentium: { signature: 0x543, features: FEATURE.DE | FEATURE.PSE | FEATURE.TSC | FEATURE.MSR | FEATURE.CX8, leaves: 1,
    extendedCr0: true, cr4: TSD | DE | PSE, flagAc: true, flagId: true, testRegisters: false },
  i686: { signature: 0x633, features: FEATURE.DE | FEATURE.PSE | FEATURE.TSC | FEATURE.MSR | FEATURE.CX8 | FEATURE.SEP
    | FEATURE.PGE | FEATURE.CMOV, leaves: 2, extendedCr0: true, cr4: TSD | DE | PSE | PGE, flagAc: true, flagId: true,
    testRegisters: false },
};

export function factsOf(model: Model): ModelFacts {
  return FACTS[model];
}
