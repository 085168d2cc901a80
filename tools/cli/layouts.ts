// The layouts of guest structures, as the compiler wrote them beside the kernel.

import { readFileSync } from "node:fs";
import { InputError } from "./errors.js";
import { LAYOUTS } from "./paths.js";

interface Layout {
  readonly size: number;
  readonly fields: readonly { readonly name: string; readonly offset: number }[];
}

let table: Record<string, Layout> | undefined;

/** Byte offset of a field of a guest structure. Throws InputError when the kernel has not been built. */
export function fieldOffset(structure: string, field: string): number {
  try {
    table ??= JSON.parse(readFileSync(LAYOUTS, "utf8")) as Record<string, Layout>;
  } catch {
    throw new InputError(`cannot read ${LAYOUTS}; build the kernel with npm run build`);
  }
  const found = table[structure]?.fields.find((f) => f.name === field);
  if (!found) throw new InputError(`${LAYOUTS} knows no field ${structure}.${field}; build the kernel anew`);
  return found.offset;
}
