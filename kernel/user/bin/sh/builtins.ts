// Commands that the shell performs itself.
import { strchr, strcmp, strlen } from "../../../libkern";
import { last_error, strerror } from "../../lib/errors";
import { format_words } from "../../lib/format_words";
import { parse_mode } from "../../lib/mode";
import { NSIG, signal_name, signal_number } from "../../lib/signals";
import { eprintf, flush, printf, putc, puts } from "../../lib/stdio";
import { atoi, is_digit, malloc, strdup } from "../../lib/stdlib";
import { evaluate_test } from "../../lib/test_expression";
import { access, open, umask } from "../../lib/syscalls";
import { find_alias, first_alias, print_alias, set_alias } from "./aliases";
import { change_directory, print_directory } from "./directories";
import { run_file, run_string } from "./execute";
import { get_function, unset_function } from "./functions";
import { get_options, read_variables } from "./input_builtins";
import { background, foreground, jobs_builtin, kill_builtin, wait_for_children, warn_of_stopped } from "./job_builtins";
import { limit } from "./limits";
import { make_local } from "./locals";
import { set } from "./options";
import { become_program } from "./processes";
import { SKIP_BREAK, SKIP_CONTINUE, SKIP_EXIT, SKIP_RETURN, alloc, sh } from "./state";
import { set_trap, trap_command } from "./traps";
import {
  V_EXPORTED, V_READONLY, assign, first_variable, get_variable, name_length, variable,
} from "./variables";

/** Names in the order of run_builtin; the first ones are special: assignments before them last. */
function names(): usize {
  return cs(
    ":\0.\0break\0continue\0eval\0exec\0exit\0export\0readonly\0return\0set\0shift\0trap\0unset\0" +
    "cd\0echo\0false\0pwd\0read\0test\0[\0true\0umask\0wait\0command\0type\0" +
    "alias\0unalias\0bg\0fg\0jobs\0kill\0getopts\0local\0printf\0ulimit\0",
  );
}
const SPECIAL_COUNT: i32 = 14;

/** The number of a builtin, or -1. */
export function builtin_number(name: usize): i32 {
  let at = names();
  for (let number = 0; load<u8>(at) != 0; number++) {
    if (strcmp(name, at) == 0) return number;
    at += strlen(at) + 1;
  }
  return -1;
}

export function is_special_builtin(number: i32): bool {
  return number < SPECIAL_COUNT;
}

export function complain(name: usize, what: usize, why: usize): i32 {
  eprintf(cs("%s: %s: %s: %s\n"), sh.arg0, name, what, why);
  return 1;
}

/** Runs a builtin; returns its status. */
export function run_builtin(number: i32, argc: i32, argv: usize): i32 {
  const first: usize = argc > 1 ? load<usize>(argv + 4) : 0;
  switch (number) {
    case 0: return 0;
    case 1: return dot(first);
    case 2: return leave_loops(SKIP_BREAK, first);
    case 3: return leave_loops(SKIP_CONTINUE, first);
    case 4: return evaluate_words(argc, argv);
    case 5:
      if (argc > 1) become_program(argc - 1, argv + 4);
      return 0;
    case 6: return exit_shell(first);
    case 7: return mark_variables(argc, argv, V_EXPORTED);
    case 8: return mark_variables(argc, argv, V_READONLY);
    case 9: return leave(SKIP_RETURN, first);
    case 10: return set(argc, argv);
    case 11: return shift(first);
    case 12: return trap(argc, argv);
    case 13: return unset(argc, argv);
    case 14: return change_directory(argc, argv);
    case 15: return echo(argc, argv);
    case 16: return 1;
    case 17: return print_directory(argc, argv);
    case 18: return read_variables(argc, argv);
    case 19:
    case 20: return evaluate_test(argc, argv);
    case 21: return 0;
    case 22: return change_umask(argc, argv);
    case 23: return wait_for_children(argc, argv);
    case 24: return command(argc, argv);
    case 25: return type(argc, argv);
    case 26: return alias(argc, argv);
    case 27: return unalias(argc, argv);
    case 28: return background(argc, argv);
    case 29: return foreground(argc, argv);
    case 30: return jobs_builtin(argc, argv);
    case 31: return kill_builtin(argc, argv);
    case 32: return get_options(argc, argv);
    case 33: return local(argc, argv);
    case 34: return print_formatted(argc, argv);
    default: return limit(argc, argv);
  }
}

function dot(path: usize): i32 {
  if (path == 0) return 0;
  const fd = open(path, 0, 0);
  if (fd < 0) return complain(cs("."), path, strerror(last_error())) + 1;
  run_file(fd, false);
  if (sh.skip == SKIP_RETURN && sh.functions == 0) sh.skip = 0;
  return sh.status;
}

function leave_loops(how: u32, count: usize): i32 {
  if (sh.loops == 0) return 0;
  const n = count == 0 ? 1 : atoi(count);
  sh.skip_count = n < 1 ? 1 : n > sh.loops ? sh.loops : n;
  sh.skip = how;
  return 0;
}

/** The arguments as one string in the arena, separated by blanks. */
function joined(argc: i32, argv: usize): usize {
  let length: u32 = 1;
  for (let i = 1; i < argc; i++) length += strlen(load<usize>(argv + 4 * i)) + 1;
  const text = alloc(length);
  let at = text;
  for (let i = 1; i < argc; i++) {
    const word = load<usize>(argv + 4 * i);
    if (i > 1) store<u8>(at++, 0x20);
    memory.copy(at, word, strlen(word));
    at += strlen(word);
  }
  return text;
}

function evaluate_words(argc: i32, argv: usize): i32 {
  sh.status = 0;
  run_string(joined(argc, argv));
  return sh.status;
}

function leave(how: u32, status: usize): i32 {
  const result = status == 0 ? sh.status : atoi(status) & 0xff;
  sh.skip = how;
  return result;
}

export function print_quoted(value: usize): void {
  putc(0x27);
  for (; load<u8>(value) != 0; value++) {
    if (load<u8>(value) == 0x27) puts(cs("'\\''"));
    else putc(load<u8>(value));
  }
  putc(0x27);
}

export function list_variables(flags: u32, command_name: usize): void {
  for (let v = first_variable(); changetype<usize>(v) != 0; v = v.next) {
    if (v.value == 0 || (v.flags & flags) != flags) continue;
    if (command_name != 0) printf(cs("%s "), command_name);
    printf(cs("%s="), v.name);
    print_quoted(v.value);
    putc(0x0a);
  }
}

function mark_variables(argc: i32, argv: usize, flag: u32): i32 {
  if (argc == 1 || strcmp(load<usize>(argv + 4), cs("-p")) == 0) {
    list_variables(flag, load<usize>(argv));
    return 0;
  }
  for (let i = 1; i < argc; i++) {
    const word = load<usize>(argv + 4 * i);
    const n = name_length(word);
    if (n == 0 || (load<u8>(word + n) != 0 && load<u8>(word + n) != 0x3d)) {
      return complain(load<usize>(argv), word, cs("bad variable name")) + 1;
    }
    const v = variable(word, n);
    if (load<u8>(word + n) == 0x3d && !assign(v, word + n + 1)) return 2;
    v.flags |= flag;
  }
  return 0;
}

/** Gives the shell copies of `count` words as its parameters. */
export function set_parameters(words: usize, count: i32): void {
  const vector = malloc(4 * (count + 1));
  for (let i = 0; i < count; i++) store<usize>(vector + 4 * i, strdup(load<usize>(words + 4 * i)));
  store<usize>(vector + 4 * count, 0);
  sh.parameters = vector;
  sh.parameter_count = count;
}

function shift(count: usize): i32 {
  const n = count == 0 ? 1 : atoi(count);
  if (n < 0 || n > sh.parameter_count) {
    return complain(cs("shift"), count == 0 ? cs("1") : count, cs("can't shift that many")) + 1;
  }
  sh.parameters += 4 * n;
  sh.parameter_count -= n;
  return 0;
}

function trap(argc: i32, argv: usize): i32 {
  if (argc == 1) {
    for (let number = 0; number < NSIG; number++) {
      if (trap_command(number) == 0) continue;
      puts(cs("trap -- "));
      print_quoted(trap_command(number));
      printf(cs(" %s\n"), number == 0 ? cs("EXIT") : signal_name(number));
    }
    return 0;
  }
  const command_text = load<usize>(argv + 4);
  const resets = strcmp(command_text, cs("-")) == 0 || is_digit(load<u8>(command_text));
  for (let i = is_digit(load<u8>(command_text)) ? 1 : 2; i < argc; i++) {
    const number = signal_number(load<usize>(argv + 4 * i));
    if (number < 0) return complain(cs("trap"), load<usize>(argv + 4 * i), cs("bad trap"));
    set_trap(number, resets ? 0 : command_text);
  }
  return 0;
}

function unset(argc: i32, argv: usize): i32 {
  let functions = false;
  for (let i = 1; i < argc; i++) {
    const word = load<usize>(argv + 4 * i);
    if (strcmp(word, cs("-f")) == 0) functions = true;
    else if (strcmp(word, cs("-v")) == 0) functions = false;
    else if (functions) unset_function(word);
    else {
      const v = variable(word, strlen(word));
      if (!assign(v, 0)) return 2;
      v.flags = 0;
    }
  }
  return 0;
}

function echo(argc: i32, argv: usize): i32 {
  const newline = argc < 2 || strcmp(load<usize>(argv + 4), cs("-n")) != 0;
  const from = newline ? 1 : 2;
  for (let i = from; i < argc; i++) {
    if (i > from) putc(0x20);
    puts(load<usize>(argv + 4 * i));
  }
  if (newline) putc(0x0a);
  return flush() == 0 ? 0 : 1;
}

/** umask [-S] [mode]. */
function change_umask(argc: i32, argv: usize): i32 {
  const old = umask(0);
  umask(old);
  const symbolic = argc > 1 && strcmp(load<usize>(argv + 4), cs("-S")) == 0;
  const at = symbolic ? 2 : 1;
  if (at >= argc) {
    if (symbolic) print_symbolic_mask(old);
    else printf(cs("%04o\n"), old);
    return 0;
  }
  const mode = load<usize>(argv + 4 * at);
  const isOctal = is_digit(load<u8>(mode));
  if (!isOctal) {
    const wanted = parse_mode(mode, ~old & 0o777, false);
    if (wanted < 0) return complain(cs("umask"), mode, cs("illegal mode"));
    umask(~wanted & 0o777);
    return 0;
  }
  let value: u32 = 0;
  let end = mode;
  for (; load<u8>(end) >= 0x30 && load<u8>(end) <= 0x37; end++) value = value * 8 + load<u8>(end) - 0x30;
  if (load<u8>(end) != 0 || value > 0o777) return complain(cs("umask"), mode, cs("illegal number"));
  umask(value);
  return 0;
}

function print_symbolic_mask(mask: u32): void {
  for (let who: u32 = 0; who < 3; who++) {
    const bits = (~mask >> (6 - 3 * who)) & 7;
    printf(cs("%c="), load<u8>(cs("ugo") + who));
    for (let i: u32 = 0; i < 3; i++) if ((bits & (4 >> i)) != 0) putc(load<u8>(cs("rwx") + i));
    putc(who < 2 ? 0x2c : 0x0a);
  }
}

/** exit [status]. A person with stopped jobs is warned once. */
function exit_shell(status: usize): i32 {
  if (warn_of_stopped()) return 0;
  return leave(SKIP_EXIT, status);
}

/** local name[=value] … in a function. */
function local(argc: i32, argv: usize): i32 {
  if (sh.functions == 0) return complain(cs("local"), cs("local"), cs("not in a function"));
  for (let i = 1; i < argc; i++) {
    const word = load<usize>(argv + 4 * i);
    const n = name_length(word);
    if (n == 0 || (load<u8>(word + n) != 0 && load<u8>(word + n) != 0x3d)) {
      return complain(cs("local"), word, cs("bad variable name")) + 1;
    }
    const v = variable(word, n);
    make_local(v);
    if (load<u8>(word + n) == 0x3d && !assign(v, word + n + 1)) return 2;
  }
  return 0;
}

function alias(argc: i32, argv: usize): i32 {
  let status = 0;
  if (argc == 1) {
    for (let a = first_alias(); changetype<usize>(a) != 0; a = a.next) if (a.value != 0) print_alias(a);
  }
  for (let i = 1; i < argc; i++) {
    const word = load<usize>(argv + 4 * i);
    const equals = strchr(word, 0x3d);
    if (equals != 0 && equals != word) {
      store<u8>(equals, 0);
      set_alias(word, equals + 1);
      continue;
    }
    const a = find_alias(word);
    if (changetype<usize>(a) != 0) print_alias(a);
    else status = complain(cs("alias"), word, cs("not found"));
  }
  return status;
}

function unalias(argc: i32, argv: usize): i32 {
  let status = 0;
  for (let i = 1; i < argc; i++) {
    const word = load<usize>(argv + 4 * i);
    if (strcmp(word, cs("-a")) == 0) {
      for (let a = first_alias(); changetype<usize>(a) != 0; a = a.next) set_alias(a.name, 0);
    } else if (changetype<usize>(find_alias(word)) != 0) set_alias(word, 0);
    else status = complain(cs("unalias"), word, cs("not found"));
  }
  return status;
}

function print_formatted(argc: i32, argv: usize): i32 {
  if (argc < 2) {
    eprintf(cs("usage: printf format [arg ...]\n"));
    return 1;
  }
  const status = format_words(cs("printf"), argc - 1, argv + 4);
  return flush() == 0 ? status : 1;
}

/** The path of a program along PATH in the arena, or 0. */
function find_program(name: usize): usize {
  if (strchr(name, 0x2f) != 0) return access(name, 1) == 0 ? name : 0;
  let path = get_variable(cs("PATH"));
  while (path != 0) {
    let n: u32 = 0;
    while (load<u8>(path + n) != 0 && load<u8>(path + n) != 0x3a) n++;
    const file = alloc(n + strlen(name) + 2);
    memory.copy(file, path, n);
    if (n > 0) store<u8>(file + n, 0x2f);
    memory.copy(file + strlen(file), name, strlen(name));
    if (access(file, 1) == 0) return file;
    path = load<u8>(path + n) == 0 ? 0 : path + n + 1;
  }
  return 0;
}

function command(argc: i32, argv: usize): i32 {
  if (argc > 2 && strcmp(load<usize>(argv + 4), cs("-v")) == 0) {
    const name = load<usize>(argv + 8);
    const isOurs = builtin_number(name) >= 0 || changetype<usize>(get_function(name)) != 0;
    const path = isOurs ? name : find_program(name);
    if (path == 0) return 127;
    printf(cs("%s\n"), path);
    return 0;
  }
  if (argc < 2) return 0;
  // Functions do not count: a word that nothing else hides is run by the shell's own means.
  const number = builtin_number(load<usize>(argv + 4));
  if (number >= 0) return run_builtin(number, argc - 1, argv + 4);
  const path = find_program(load<usize>(argv + 4));
  if (path == 0) return complain(cs("command"), load<usize>(argv + 4), cs("not found")) + 126;
  store<usize>(argv + 4, path);
  return run_words(argc - 1, argv + 4);
}

/** Runs a vector of words as they are. */
function run_words(argc: i32, argv: usize): i32 {
  const parameters = sh.parameters;
  const count = sh.parameter_count;
  sh.parameters = argv;
  sh.parameter_count = argc;
  run_string(cs("\"$@\""));
  sh.parameters = parameters;
  sh.parameter_count = count;
  return sh.status;
}

function type(argc: i32, argv: usize): i32 {
  let status = 0;
  for (let i = 1; i < argc; i++) {
    const name = load<usize>(argv + 4 * i);
    const path = find_program(name);
    if (changetype<usize>(get_function(name)) != 0) printf(cs("%s is a function\n"), name);
    else if (builtin_number(name) >= 0) printf(cs("%s is a shell builtin\n"), name);
    else if (path != 0) printf(cs("%s is %s\n"), name, path);
    else {
      printf(cs("%s: not found\n"), name);
      status = 127;
    }
  }
  return status;
}
