// What an escape costs when no coprocessor answers it.
import type { Instruction } from "../decode.js";
import type { CpuConfig } from "../interface.js";
import type { Clocks } from "../opcodes.js";
import { UNANSWERED_ESCAPE } from "../opcodes/x87.js";

/** To be added to the clocks of an x87 instruction that a machine without coprocessor meets. */
export function chargeDifference(instruction: Instruction, cell: Clocks, { model, timing }: CpuConfig): number {
  if (timing === "none") return 0;
  return UNANSWERED_ESCAPE[model === "i386" ? "i386" : "i486"] - (instruction.memory ? cell.memory : cell.register);
}
