// What the assembly needs to know of the guest's TypeScript: constants and
// field offsets, looked up in the compiled program so that no number stands
// twice; and the way its functions look.
import { Assembler } from "../../../tools/kcc/assembler.js";
import type { TextSection } from "../../../tools/kcc/object.js";
import { at, ebp, esp } from "../../../tools/kcc/operands.js";
import type { Memory } from "../../../tools/kcc/operands.js";

/** Facts of the compiled guest. Both functions throw one line when the name is unknown. */
export interface GuestFacts {
  /** Value of a constant by plain name: `USPACE`. */
  constant(name: string): number;
  /** Byte offset of a field: `offset("Pcb", "pcb_onfault")`. */
  offset(struct: string, field: string): number;
}

/** Selectors of the kernel's flat segments. */
export const GCODE_SEL = 0x08;
export const GDATA_SEL = 0x10;

const WORD = 4;

/** Parameter `index` of a function that keeps a frame pointer. */
export function argument(index: number): Memory {
  return at(ebp, 2 * WORD + WORD * index);
}

/**
 * A cdecl function with a frame pointer. `body` gets the assembler after the
 * prologue and writes the epilogue itself. Every parameter is one word.
 */
export function cFunction(name: string, parameters: readonly string[], body: (a: Assembler) => void): TextSection {
  const a = new Assembler();
  a.symbol(name).op("push", ebp).op("mov", ebp, esp);
  body(a);
  return a.text({
    size: 8 * WORD,
    parameters: parameters.map((parameter) => ({ name: parameter, words: 1 })),
    calls: [],
  });
}
