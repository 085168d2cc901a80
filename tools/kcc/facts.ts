// Constants and field offsets of the compiled guest, for locore and for checks.
import type { Layouts } from "./asc.js";
import { plainName } from "./symbols.js";
import type { WasmModule } from "./wasm/module.js";

/** Immutable globals of the module by plain name. Of equal plain names the first one counts. */
export function constantsOf(module: WasmModule): ReadonlyMap<string, number> {
  const constants = new Map<string, number>();
  for (const global of module.globals) {
    if (global.mutable || global.import) continue;
    const name = plainName(global.name);
    if (!constants.has(name)) constants.set(name, global.low >>> 0);
  }
  return constants;
}

/** The lookups that locore uses; each throws one line when the guest lacks the name. */
export function guestFacts(constants: ReadonlyMap<string, number>, layouts: Layouts): {
  constant(name: string): number;
  offset(struct: string, field: string): number;
} {
  return {
    constant(name) {
      const value = constants.get(name);
      if (value === undefined) throw new Error(`locore needs the constant ${name}, which no guest file exports`);
      return value;
    },
    offset(struct, field) {
      const found = layouts[struct]?.fields.find((one) => one.name === field);
      if (found === undefined) throw new Error(`locore needs ${struct}.${field}, which no guest file declares`);
      return found.offset;
    },
  };
}
