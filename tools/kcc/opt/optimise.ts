// The passes over the intermediate representation, in order.

import type { IrFunction } from "../ir/ir.js";
import { cleanUp } from "./cleanup.js";

/** Improves a function that the builder has made. */
export function optimise(fn: IrFunction): void {
  cleanUp(fn);
}
