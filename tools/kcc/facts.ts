// Constants and field offsets of the compiled guest, for locore and for checks.
import type { Layouts } from "./asc.js";
import { plainName } from "./symbols.js";

/** The lookups that locore uses, by plain names (of equal ones the first counts). They throw for an unknown name. */
export function guestFacts(constants: ReadonlyMap<string, number>, layouts: Layouts): {
  constant(name: string): number;
  offset(struct: string, field: string): number;
} {
  const byPlainName = new Map<string, number>();
  for (const [name, value] of constants) if (!byPlainName.has(plainName(name))) byPlainName.set(plainName(name), value);
  return {
    constant(name) {
      const value = byPlainName.get(name);
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
