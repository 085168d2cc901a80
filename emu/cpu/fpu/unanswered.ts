// Escapes on a machine without coprocessor, and what they cost there.
import type { Core } from "../core.js";
import type { Instruction } from "../decode.js";
import { NO_ERROR_CODE } from "../faults.js";
import type { CpuConfig } from "../interface.js";
import type { Execute, Family } from "../op.js";
import type { Clocks } from "../opcodes.js";
import { UNANSWERED_ESCAPE } from "../opcodes/x87.js";
import { CR0, CR0_BIT, VECTOR } from "../state.js";

/** To be added to the clocks of an x87 instruction that a machine without coprocessor meets. */
function chargeDifference(instruction: Instruction, cell: Clocks, { model, timing }: CpuConfig): number {
  if (timing === "none") return 0;
  return UNANSWERED_ESCAPE[model === "i386" ? "i386" : "i486"] - (instruction.memory ? cell.memory : cell.register);
}

/** Without a coprocessor nobody answers: the escape does nothing, or raises #NM by CR0.EM and CR0.TS. */
export function createUnanswered(core: Core): Family {
  const { state: { S }, faults } = core;
  const escape: Execute = () => {
    if ((S[CR0] & (CR0_BIT.EM | CR0_BIT.TS)) !== 0) faults.raise(VECTOR.NM, NO_ERROR_CODE);
  };
  const fwait: Execute = () => {
    if ((S[CR0] & (CR0_BIT.MP | CR0_BIT.TS)) === (CR0_BIT.MP | CR0_BIT.TS)) faults.raise(VECTOR.NM, NO_ERROR_CODE);
  };
  return {
    fwait: () => fwait,
    escape: () => escape,
    x87: (op, instruction) => {
      op.after += chargeDifference(instruction, op.cell, core.config);
      return escape;
    },
  };
}
