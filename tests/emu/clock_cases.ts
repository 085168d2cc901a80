// Sums of clocks on the i386 and i486, worked by hand from the tables of the
// Intel manuals. A sum runs from the first instruction to the end of the last.

export interface ClockCase {
  readonly title: string;
  /** Instructions in hexadecimal, separated by bars. */
  readonly code: string;
  /** How many instructions execute (taken branches skip some). */
  readonly steps: number;
  readonly i386?: number;
  readonly i486?: number;
  /** Register values before; ESP and EBX are good addresses otherwise. */
  readonly registers?: { readonly [name in "eax" | "ecx" | "edx" | "ebx" | "esi" | "edi"]?: number };
}

export const CLOCK_CASES: readonly ClockCase[] = [
  { title: "register ALU chain: mov add dec nop", code: "89d8|01c8|48|90", steps: 4, i386: 2 + 2 + 2 + 3, i486: 4 },
  { title: "load, add, store", code: "8b06|0307|8903", steps: 3, i386: 4 + 6 + 2, i486: 1 + 2 + 1 },
  { title: "read-modify-write and compares", code: "0103|3903|3b03|85c0", steps: 4, i386: 7 + 5 + 6 + 2,
    i486: 3 + 2 + 2 + 1 },
  { title: "frame set-up and tear-down", code: "55|89e5|83ec08|50|ff33|c9", steps: 6, i386: 2 + 2 + 2 + 2 + 5 + 4 },
  { title: "a branch not taken", code: "83f800|7d03|01c8|48|d3f8", steps: 5, i386: 2 + 3 + 2 + 2 + 3,
    registers: { eax: -5 } },
  { title: "a branch taken to an instruction of two components", code: "83f800|7d03|01c8|48|d3f8", steps: 3,
    i386: 2 + 9 + 3, i486: 1 + 3 + 3, registers: { eax: 5 } },
  { title: "a loop of three rounds", code: "b903000000|49|75fd", steps: 7, i386: 2 + 2 + 8 + 2 + 8 + 2 + 3,
    i486: 1 + 1 + 3 + 1 + 3 + 1 + 1 },
  { title: "a short jump to a load with displacement", code: "eb00|8b4304", steps: 2, i386: 10 + 4, i486: 3 + 1 },
  { title: "near call and return", code: "e805000000|83c404|9090|55|5d|c3", steps: 5, i386: 8 + 2 + 4 + 13 + 2 },
  { title: "mul by 100 in a register", code: "b807000000|bb64000000|f7e3", steps: 3, i386: 2 + 2 + 13 },
  { title: "mul by 0 and by all ones", code: "f7e1|f7e6", steps: 2, i386: 9 + 38, registers: { ecx: 0, esi: -1 } },
  { title: "mul by 1000 in memory", code: "c703e8030000|f723", steps: 2, i386: 2 + 19 },
  { title: "divide: register, memory, signed", code: "31d2|f7f1|31d2|f733|99|f7f9", steps: 6,
    i386: 2 + 38 + 2 + 41 + 2 + 43, registers: { eax: 1000, ecx: 7 } },
  { title: "divide of a word", code: "31d2|66f7f1", steps: 2, i386: 2 + 22, registers: { eax: 1000, ecx: 7 } },
  { title: "block copy of 16 doublewords", code: "fc|b910000000|f3a5", steps: 3, i386: 2 + 2 + 69, i486: 2 + 1 + 60 },
  { title: "block copy of one and of none", code: "b901000000|f3a5|f3a5", steps: 3, i386: 2 + 9 + 5, i486: 1 + 13 + 5 },
  { title: "block fill of 64 doublewords", code: "31c0|b940000000|f3ab", steps: 3,
    i386: 2 + 2 + 325, i486: 1 + 1 + 263 },
  { title: "scan, found at the tenth byte", code: "b011|b964000000|f2ae", steps: 3, i386: 2 + 2 + 85 },
  { title: "single string instructions", code: "a5|a7|ab|ad|af", steps: 5,
    i386: 7 + 10 + 4 + 5 + 7, i486: 7 + 8 + 5 + 5 + 6 },
  { title: "shifts and rotates", code: "c1e004|d103|d1d0|0fa4d008", steps: 4, i386: 3 + 7 + 9 + 3 },
  { title: "bit scan over four zeros, setz, movzx, bts", code: "0fbcc3|0f94c1|0fb6d1|0fabc2", steps: 4,
    i386: 22 + 4 + 3 + 6, registers: { ebx: 0x10 } },
  { title: "reverse bit scan", code: "0fbdc1", steps: 1,
    i386: 10 + 3 * 27, i486: 7 + 3 * 28, registers: { ecx: 0x10 } },
  { title: "pushad pushfd popfd popad", code: "60|9c|9d|61", steps: 4, i386: 18 + 4 + 5 + 24, i486: 11 + 3 + 6 + 9 },
  { title: "mov ds, les, push es, pop ds", code: "8ed8|c43b|06|1f", steps: 4, i386: 18 + 22 + 2 + 21,
    i486: 9 + 12 + 3 + 9, registers: { eax: 0x10 } },
  { title: "nested frames", code: "c8100000|c9|c8100003|c9", steps: 4, i386: 10 + 4 + 23 + 4, i486: 14 + 5 + 26 + 5 },
  { title: "ports at ring 0", code: "e460|ee", steps: 2, i386: 6 + 5, i486: 9 + 10 },
  { title: "repeated port input of 8 words", code: "b908000000|f3666d", steps: 2, i386: 2 + 7 + 6 * 8 },
  { title: "loop and jecxz", code: "b902000000|e2fe|e300|90", steps: 5, i386: 2 + 11 + 2 + 11 + 9 + 1 + 3 },
  { title: "indirect call through memory and return", code: "ff13|90", steps: 3, i386: 10 + 1 + 10 + 1 + 3 },
  { title: "ret n and a jump through a register", code: "68 00 00 00 00|58|ffe6", steps: 3, i386: 2 + 4 + 7 },
  { title: "exchanges", code: "91|87d1|8703", steps: 3, i386: 3 + 3 + 5, i486: 3 + 3 + 5 },
  { title: "bswap, cmpxchg not equal and equal, xadd", code: "0fc8|0fb10b|0fb10b|0fc103", steps: 4,
    i486: 1 + 10 + 7 + 4 },
  { title: "reading and writing control and debug registers", code: "0f20c0|0f22c0|0f22d8|0f21c0|0f23f8", steps: 5,
    i386: 6 + 10 + 5 + 22 + 16 },
  { title: "an address of three terms takes one more", code: "8b440b04|8b040b", steps: 2,
    i386: 5 + 4, registers: { ecx: 0 } },
  { title: "a misaligned doubleword", code: "8b4301|8b4302|668b4301", steps: 3, i386: 4 + 4 + 4 + 4 + 4 },
  { title: "lea and prefixes", code: "8d0408|2e8b03|6601c8", steps: 3,
    i386: 2 + 4 + 2, i486: 2 + 2 + 2, registers: { ecx: 0 } },
];
