// Variables of the shell and the environment of its children.
import { memcmp, strlen } from "../../../libkern";
import { eprintf } from "../../lib/stdio";
import { free, is_alpha, is_digit, malloc, strdup, zalloc } from "../../lib/stdlib";
import { environ } from "../../lib/sym";
import { alloc, sh } from "./state";

export const V_EXPORTED: u32 = 1;
export const V_READONLY: u32 = 2;

/** A variable; `value` 0 means unset. */
@unmanaged
export class Variable {
  next: Variable;
  name: usize;
  value: usize;
  flags: u32;
}

@unmanaged
class Table {
  variables: Variable;
}
const table = changetype<Table>(memory.data(4));

/** Whether the byte may stand in a name; `first`: at its start. */
export function is_name_byte(byte: u32, first: bool): bool {
  return byte == 0x5f || is_alpha(byte) || (!first && is_digit(byte));
}

/** Bytes of the name at `s`; 0 when there is none. */
export function name_length(s: usize): u32 {
  let n: u32 = 0;
  while (is_name_byte(load<u8>(s + n), n == 0)) n++;
  return n;
}

function find(name: usize, n: u32): Variable {
  const first = load<u8>(name);
  let v = table.variables;
  while (changetype<usize>(v) != 0) {
    if (load<u8>(v.name) == first && memcmp(v.name, name, n) == 0 && load<u8>(v.name + n) == 0) return v;
    v = v.next;
  }
  return v;
}

/** The variable called by the `n` bytes at `name`, made when it is not there. */
export function variable(name: usize, n: u32): Variable {
  const found = find(name, n);
  if (changetype<usize>(found) != 0) return found;
  const made = changetype<Variable>(zalloc(offsetof<Variable>()));
  made.name = malloc(n + 1);
  memory.copy(made.name, name, n);
  store<u8>(made.name + n, 0);
  made.next = table.variables;
  table.variables = made;
  return made;
}

/** Value of a variable, or 0. */
export function get_variable_n(name: usize, n: u32): usize {
  const found = find(name, n);
  return changetype<usize>(found) == 0 ? 0 : found.value;
}

export function get_variable(name: usize): usize {
  return get_variable_n(name, strlen(name));
}

/** Gives a variable a copy of `value` (0: unsets it). False, after a message, for a read-only one. */
export function assign(v: Variable, value: usize): bool {
  if ((v.flags & V_READONLY) != 0) {
    eprintf(cs("%s: %s: is read only\n"), sh.arg0, v.name);
    sh.failed = 1;
    return false;
  }
  const copy = value == 0 ? 0 : strdup(value);
  free(v.value);
  v.value = copy;
  if (sh.allexport != 0 && copy != 0) v.flags |= V_EXPORTED;
  return true;
}

export function set_variable(name: usize, value: usize): bool {
  return assign(variable(name, strlen(name)), value);
}

/** Takes over the environment that the shell was started with. */
export function import_environment(): void {
  for (let at = load<usize>(environ()); load<usize>(at) != 0; at += 4) {
    const entry = load<usize>(at);
    const n = name_length(entry);
    if (n == 0 || load<u8>(entry + n) != 0x3d) continue;
    const v = variable(entry, n);
    assign(v, entry + n + 1);
    v.flags |= V_EXPORTED;
  }
}

/** The exported variables as a vector for execve, in the arena. */
export function environment(): usize {
  let count: u32 = 0;
  let v = table.variables;
  for (; changetype<usize>(v) != 0; v = v.next) count++;
  const vector = alloc(4 * (count + 1));
  let at = vector;
  for (v = table.variables; changetype<usize>(v) != 0; v = v.next) {
    if ((v.flags & V_EXPORTED) == 0 || v.value == 0) continue;
    const n = strlen(v.name);
    const entry = alloc(n + strlen(v.value) + 2);
    memory.copy(entry, v.name, n);
    store<u8>(entry + n, 0x3d);
    memory.copy(entry + n + 1, v.value, strlen(v.value));
    store<usize>(at, entry);
    at += 4;
  }
  return vector;
}

/** All variables, for builtins that list them. */
export function first_variable(): Variable {
  return table.variables;
}
