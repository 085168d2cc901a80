// x87 instructions in the AT&T spelling of objdump. Sizes are told by suffixes
// that differ from those of the integer instructions, and by an old mistake that
// is kept: where the destination is not the top of the stack, AT&T exchanges
// FSUB and FSUBR, FDIV and FDIVR.
import type { Instruction } from "../decode.js";
import { operandsOf } from "../opcodes.js";

/** Size suffix by operand code. */
const SUFFIX: Readonly<Record<string, string>> = {
  M32f: "s", M64f: "l", M80f: "t", M16i: "s", M32i: "l", M64i: "ll",
};

/** Instructions of older coprocessors, as objdump names them. */
export const OLD_SPELLING: Readonly<Record<string, string>> = {
  fneni: "fneni(8087 only)", fndisi: "fndisi(8087 only)", fnsetpm: "fnsetpm(287 only)",
};

function exchanged(mnemonic: string): string {
  const match = /^(fsub|fdiv)(r?)(p?)$/.exec(mnemonic);
  return match === null ? mnemonic : `${match[1]}${match[2] === "r" ? "" : "r"}${match[3]}`;
}

/** Environment and state images come in two sizes. */
export function isImage({ row }: Instruction): boolean {
  return row!.operands === "Me" || row!.operands === "Ms";
}

/** Whether objdump knows the instruction: aliases and undefined escapes are "(bad)". */
export function isNamed({ row }: Instruction): boolean {
  return row!.semantic === "x87" && !row!.alias;
}

export function x87Mnemonic(instruction: Instruction): string {
  if (!isNamed(instruction)) return "(bad)";
  const { mnemonic, operands } = instruction.row!;
  if (isImage(instruction)) return mnemonic + (instruction.operandSize === 2 ? "s" : "");
  if (operands === "STi,ST") return exchanged(mnemonic);
  return (OLD_SPELLING[mnemonic] ?? mnemonic) + (SUFFIX[operands] ?? "");
}

/** Operands; `memory` is the text of the operand in memory. */
export function x87Operands(instruction: Instruction, memory: string): string {
  if (instruction.memory) return memory;
  if (!isNamed(instruction)) return "";
  const texts = operandsOf(instruction.row!).map((code) =>
    (code === "STi" ? `%st(${instruction.rm})` : code === "AX" ? "%ax" : "%st"));
  return texts.reverse().join(",");
}
