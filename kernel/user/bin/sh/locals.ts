// Variables that a function has for itself: what they were before comes back when the function returns.
import { free, strdup, zalloc } from "../../lib/stdlib";
import { V_READONLY, Variable } from "./variables";

@unmanaged
class Local {
  next: Local;
  variable: Variable;
  value: usize;
  flags: u32;
}

@unmanaged
class Locals {
  /** Those of the function that runs. */
  first: Local;
}
const locals = changetype<Locals>(memory.data(offsetof<Locals>()));

/** Begins a function: it has no variables of its own yet. Returns those of the caller, for restore_locals. */
export function take_locals(): usize {
  const outer = changetype<usize>(locals.first);
  locals.first = changetype<Local>(0);
  return outer;
}

/** Ends a function. */
export function restore_locals(outer: usize): void {
  while (changetype<usize>(locals.first) != 0) {
    const one = locals.first;
    locals.first = one.next;
    free(one.variable.value);
    one.variable.value = one.value;
    one.variable.flags = one.flags;
    free(changetype<usize>(one));
  }
  locals.first = changetype<Local>(outer);
}

/** Makes a variable the function's own; it keeps its value for now. */
export function make_local(v: Variable): void {
  for (let one = locals.first; changetype<usize>(one) != 0; one = one.next) if (one.variable == v) return;
  const one = changetype<Local>(zalloc(offsetof<Local>()));
  one.variable = v;
  one.value = v.value;
  one.flags = v.flags;
  v.value = v.value == 0 ? 0 : strdup(v.value);
  v.flags &= ~V_READONLY;
  one.next = locals.first;
  locals.first = one;
}
