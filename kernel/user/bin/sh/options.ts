// set: options of the shell, and its parameters.
import { strcmp } from "../../../libkern";
import { eprintf, printf } from "../../lib/stdio";
import { complain, list_variables, set_parameters } from "./builtins";
import { set_monitor } from "./monitor";
import { Shell, sh } from "./state";

/** Letters and names, in the order of option_at. */
function names(): usize {
  return cs("aallexport\0Cnoclobber\0eerrexit\0fnoglob\0iinteractive\0mmonitor\0nnoexec\0unounset\0vverbose\0xxtrace\0");
}

/** Where an option's word is. */
function option_at(letter: u32): usize {
  const base = changetype<usize>(sh);
  switch (letter) {
    case 0x61: return base + offsetof<Shell>("allexport");
    case 0x43: return base + offsetof<Shell>("noclobber");
    case 0x65: return base + offsetof<Shell>("errexit");
    case 0x66: return base + offsetof<Shell>("noglob");
    case 0x69: return base + offsetof<Shell>("interactive");
    case 0x6d: return base + offsetof<Shell>("monitor");
    case 0x6e: return base + offsetof<Shell>("noexec");
    case 0x75: return base + offsetof<Shell>("nounset");
    case 0x76: return base + offsetof<Shell>("verbose");
    case 0x78: return base + offsetof<Shell>("xtrace");
    default: return 0;
  }
}

/** Sets or clears an option. False for a letter that is none. -i is only for the start. */
export function set_option(letter: u32, on: u32): bool {
  if (letter == 0x73) return true;
  const at = option_at(letter);
  if (at == 0) return false;
  if (letter == 0x6d) set_monitor(on != 0);
  else if (letter != 0x69 && !(letter == 0x6e && sh.interactive != 0)) store<u32>(at, on);
  return true;
}

/** The letters of the options that are set, at `to` (16 bytes): $-. */
export function option_letters(to: usize): void {
  let name = names();
  while (load<u8>(name) != 0) {
    if (load<u32>(option_at(load<u8>(name))) != 0) store<u8>(to++, load<u8>(name));
    while (load<u8>(name) != 0) name++;
    name++;
  }
  store<u8>(to, 0);
}

/** The letter of the option with that name, or 0. */
function letter_of(wanted: usize): u32 {
  let name = names();
  while (load<u8>(name) != 0) {
    if (strcmp(name + 1, wanted) == 0) return load<u8>(name);
    while (load<u8>(name) != 0) name++;
    name++;
  }
  return 0;
}

/** set -o, set +o: all options. */
function list_options(as_commands: bool): void {
  if (!as_commands) printf(cs("Current option settings\n"));
  let name = names();
  while (load<u8>(name) != 0) {
    const on = load<u32>(option_at(load<u8>(name))) != 0;
    if (as_commands) printf(cs("set %co %s\n"), on ? 0x2d : 0x2b, name + 1);
    else printf(cs("%-16s%s\n"), name + 1, on ? cs("on") : cs("off"));
    while (load<u8>(name) != 0) name++;
    name++;
  }
}

/** The letters of a word behind its sign; `next` is the word behind it, or 0. Returns words taken, or -1. */
export function set_letters(word: usize, next: usize): i32 {
  const on: u32 = load<u8>(word) == 0x2d ? 1 : 0;
  let taken = 1;
  for (let at = word + 1; load<u8>(at) != 0; at++) {
    let letter = u32(load<u8>(at));
    if (letter == 0x6f) {
      if (next == 0) {
        list_options(on == 0);
        continue;
      }
      letter = letter_of(next);
      taken = 2;
    }
    if (letter != 0 && set_option(letter, on)) continue;
    if (taken == 2) complain(cs("set"), next, cs("illegal option name"));
    else eprintf(cs("%s: set: Illegal option %c%c\n"), sh.arg0, load<u8>(word), load<u8>(at));
    return -1;
  }
  return taken;
}

/** set [-+letters] [-+o name] [--] [word …]. */
export function set(argc: i32, argv: usize): i32 {
  if (argc == 1) list_variables(0, 0);
  let i = 1;
  while (i < argc) {
    const word = load<usize>(argv + 4 * i);
    const sign = load<u8>(word);
    const isEnd = strcmp(word, cs("--")) == 0;
    if ((sign != 0x2d && sign != 0x2b) || isEnd || load<u8>(word + 1) == 0) {
      const from = i + i32(isEnd);
      set_parameters(argv + 4 * from, argc - from);
      return 0;
    }
    const taken = set_letters(word, i + 1 < argc ? load<usize>(argv + 4 * (i + 1)) : 0);
    if (taken < 0) return 2;
    i += taken;
  }
  return 0;
}
