// Functions of the shell: the text of each, and its tree from the first call on.
//
// A tree lies in an arena of its own, for it outlives the command that defined
// the function. A function may be redefined while it runs: what runs is given
// back when its last call has ended.
import { frame_alloc } from "../../../i386/cpufunc";
import { strcmp } from "../../../libkern";
import { free, strdup, zalloc } from "../../lib/stdlib";
import { parse_complete } from "./parser";
import { free_source, set_source, string_source } from "./source";
import { free_arena, switch_arena } from "./state";
import { Node } from "./tree";

@unmanaged
export class ShellFunction {
  next: ShellFunction;
  name: usize;
  text: usize;
  /** The body and the memory it lies in, once it has been called. */
  body: Node;
  arena: usize;
  /** Calls that have not ended. */
  calls: u32;
  /** Removed or redefined. */
  gone: u32;
}

@unmanaged
class Table {
  functions: ShellFunction;
}
const table = changetype<Table>(memory.data(4));

/** The function of a name, or NULL. */
export function get_function(name: usize): ShellFunction {
  let at = table.functions;
  while (changetype<usize>(at) != 0 && strcmp(at.name, name) != 0) at = at.next;
  return at;
}

function free_function(f: ShellFunction): void {
  free_arena(f.arena);
  free(f.name);
  free(f.text);
  free(changetype<usize>(f));
}

/** Forgets a function, if there is one of that name. */
export function unset_function(name: usize): void {
  const f = get_function(name);
  if (changetype<usize>(f) == 0) return;
  if (table.functions == f) table.functions = f.next;
  else {
    let before = table.functions;
    while (before.next != f) before = before.next;
    before.next = f.next;
  }
  f.gone = 1;
  if (f.calls == 0) free_function(f);
}

/** Defines a function, whose text has been parsed without mistakes. Name and text are copied. */
export function set_function(name: usize, text: usize): void {
  unset_function(name);
  const f = changetype<ShellFunction>(zalloc(offsetof<ShellFunction>()));
  f.name = strdup(name);
  f.text = strdup(text);
  f.next = table.functions;
  table.functions = f;
}

/** The body for a call, which end_call ends. */
export function begin_call(f: ShellFunction): Node {
  f.calls++;
  if (f.arena != 0) return f.body;
  const endp = frame_alloc(4);
  const from = string_source(f.text);
  from.plain = 1;
  const before = set_source(from);
  const arena = switch_arena(0);
  f.body = parse_complete(endp);
  f.arena = switch_arena(arena);
  set_source(before);
  free_source(from);
  return f.body;
}

export function end_call(f: ShellFunction): void {
  f.calls--;
  if (f.gone != 0 && f.calls == 0) free_function(f);
}
