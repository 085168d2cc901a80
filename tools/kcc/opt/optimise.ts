// The passes over the intermediate representation, in order.

import type { IrFunction } from "../ir/ir.js";
import { cleanUp } from "./cleanup.js";
import { pairDivisions } from "./divisions.js";
import { threadConditions } from "./thread.js";

const MAX_ROUNDS = 8;

/** Improves a function that the builder has made. */
export function optimise(fn: IrFunction): void {
  cleanUp(fn);
  for (let round = 0; round < MAX_ROUNDS && threadConditions(fn); round++) cleanUp(fn);
  pairDivisions(fn);
}
