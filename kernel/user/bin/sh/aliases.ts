// Aliases: words that stand for text when they begin a command.
//
// The text of an alias takes the place of its word in the source. Until the parser has passed the end of that text, the
// alias stands for itself, so that `alias ls='ls -l'` does not go on for ever. The body of a function, which is kept as
// text, has its aliases replaced when it is defined, and not again.
import { strcmp, strlen } from "../../../libkern";
import { printf } from "../../lib/stdio";
import { free, strdup, zalloc } from "../../lib/stdlib";
import { next_token, T_WORD, token } from "./lexer";
import { replace_text, source } from "./source";
import { SKIP_NONE, sh } from "./state";

@unmanaged
export class Alias {
  next: Alias;
  name: usize;
  value: usize;
  /** Offset in the source where its text ends, while the parser is within it; 0: it is not. */
  busy: u32;
}

@unmanaged
class Aliases {
  first: Alias;
  /** Offset behind the text of an alias that ends in a blank: the word there is looked up, too. 0: none. */
  more: u32;
}
const aliases = changetype<Aliases>(memory.data(offsetof<Aliases>()));

/** The alias of that name, or NULL. */
export function find_alias(name: usize): Alias {
  let a = aliases.first;
  while (changetype<usize>(a) != 0 && (a.value == 0 || strcmp(a.name, name) != 0)) a = a.next;
  return a;
}

export function set_alias(name: usize, value: usize): void {
  let a = aliases.first;
  while (changetype<usize>(a) != 0 && strcmp(a.name, name) != 0) a = a.next;
  if (changetype<usize>(a) == 0) {
    a = changetype<Alias>(zalloc(offsetof<Alias>()));
    a.name = strdup(name);
    a.next = aliases.first;
    aliases.first = a;
  }
  free(a.value);
  a.value = value == 0 ? 0 : strdup(value);
}

/** The first alias, for builtins that list them; one without value is gone. */
export function first_alias(): Alias {
  return aliases.first;
}

/** The source has moved on to another command: no alias is under way. */
export function forget_aliases(): void {
  aliases.more = 0;
  for (let a = aliases.first; changetype<usize>(a) != 0; a = a.next) a.busy = 0;
}

/** Whether the token stands behind an alias that ends in a blank. */
export function after_alias(): bool {
  return aliases.more != 0 && token.start >= aliases.more;
}

/** The text behind offset `at` has moved by `distance`: so have the ends of aliases there. */
function shift_ends(at: u32, distance: i32): void {
  for (let a = aliases.first; changetype<usize>(a) != 0; a = a.next) {
    if (a.busy >= at) a.busy += distance;
  }
}

/** Replaces the token by what its alias stands for, as long as it is one. */
export function expand_alias(): void {
  while (token.kind == T_WORD && token.quoted == 0 && sh.skip == SKIP_NONE) {
    const a = find_alias(token.text);
    if (changetype<usize>(a) == 0 || token.start < a.busy || source().plain != 0) return;
    const n = strlen(a.value);
    shift_ends(source().at, i32(token.start + n - source().at));
    replace_text(token.start, a.value, n);
    a.busy = token.start + n;
    const blank = n > 0 && (load<u8>(a.value + n - 1) == 0x20 || load<u8>(a.value + n - 1) == 9);
    aliases.more = blank ? token.start + n : 0;
    next_token();
  }
}

/** `name='value'`, as alias prints it. */
export function print_alias(a: Alias): void {
  printf(cs("%s='%s'\n"), a.name, a.value);
}
