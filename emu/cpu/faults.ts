// How an instruction is abandoned. A fault is thrown as one preallocated
// object, so that nothing is allocated and no stack is captured; vector and
// error code are in the state words. Handlers change no register before their
// last access that can fault, so the instruction can be restarted.
import { FAULT_ERROR, FAULT_VECTOR } from "./state.js";
import type { State } from "./state.js";

/** Thrown by `raise`; caught by the run loop alone. */
export const FAULT = { name: "fault" } as const;

/** Thrown when the machine cannot go on; the report is in `shutdownReport` of the Faults it came from. */
export const SHUTDOWN = { name: "shutdown" } as const;

/** Thrown by a breakpoint that stops the run before its instruction. */
export const BREAK = { name: "break" } as const;

/** Error code word of exceptions that push none. */
export const NO_ERROR_CODE = -1;

export interface Faults {
  /** Abandons the instruction with an exception. `error` is NO_ERROR_CODE or the error code. */
  raise(vector: number, error: number): never;
  /** Stops the machine: the guest did what this processor cannot do, or a triple fault. */
  shutdown(report: string): never;
  shutdownReport: string;
}

/** Makes the fault functions of one machine. */
export function createFaults(state: State): Faults {
  const { S } = state;
  const faults: Faults = {
    raise(vector, error): never {
      S[FAULT_VECTOR] = vector;
      S[FAULT_ERROR] = error;
      throw FAULT;
    },
    shutdown(report): never {
      faults.shutdownReport = report;
      throw SHUTDOWN;
    },
    shutdownReport: "",
  };
  return faults;
}
