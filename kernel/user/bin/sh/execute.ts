// Runs parsed commands.
import { frame_alloc } from "../../../i386/cpufunc";
import { strcmp, strlen } from "../../../libkern";
import { match } from "../../lib/match";
import { flush, put_error } from "../../lib/stdio";
import { free } from "../../lib/stdlib";
import { builtin_number, is_special_builtin, run_builtin } from "./builtins";
import { expand_pattern, expand_string, expand_word } from "./expand";
import { ShellFunction, begin_call, end_call, get_function, set_function } from "./functions";
import { restore_locals, take_locals } from "./locals";
import { parse_complete } from "./parser";
import { execute_background, execute_last, execute_pipe, execute_subshell, leave_child, run_program } from "./processes";
import { NO_SAVING, Saved, redirect_all, restore_descriptors } from "./redirect";
import { Source, file_source, free_source, set_source, string_source } from "./source";
import {
  SKIP_ALL, SKIP_BREAK, SKIP_CONTINUE, SKIP_EXIT, SKIP_NONE, SKIP_RETURN, alloc, mark_arena, release_arena, sh,
} from "./state";
import { has_traps, run_traps } from "./traps";
import {
  N_AND, N_BACKGROUND, N_CASE, N_FOR, N_FUNCTION, N_IF, N_NOT, N_OR, N_PIPE, N_SEQUENCE, N_SIMPLE, N_SUBSHELL,
  N_UNTIL, N_WHILE, Node, Word,
} from "./tree";
import { V_EXPORTED, Variable, assign, get_variable, name_length, variable }
  from "./variables";


/** Runs all commands of the current source. `leaves`: the process ends with the last of them. */
function run_source(leaves: bool): void {
  const endp = frame_alloc(4);
  const mark = frame_alloc(8);
  store<u32>(endp, 0);
  while (load<u32>(endp) == 0 && sh.skip == SKIP_NONE) {
    mark_arena(mark);
    const node = parse_complete(endp);
    if (sh.skip == SKIP_NONE && sh.noexec == 0 && changetype<usize>(node) != 0) {
      if (leaves && load<u32>(endp) != 0 && !has_traps()) execute_last(node);
      execute(node);
    }
    release_arena(mark);
    if (sh.warned > 0) sh.warned--;
    if (sh.interactive != 0 && sh.child == 0 && sh.skip == SKIP_ALL && sh.loops == 0 && sh.functions == 0) {
      sh.skip = SKIP_NONE;
      sh.interrupted = 0;
    }
  }
}

/** Runs the commands that a source holds, and frees it. */
export function run_commands(from: Source): void {
  const before = set_source(from);
  run_source(false);
  set_source(before);
  free_source(from);
}

/** In a child: runs commands from a string and ends the process with their status. */
export function run_and_leave(text: usize): void {
  set_source(string_source(text));
  run_source(true);
  leave_child();
}

/** Runs commands from a string. */
export function run_string(text: usize): void {
  run_commands(string_source(text));
}

/** Runs the commands of an open file. */
export function run_file(fd: i32, prompts: bool): void {
  const from = file_source(fd);
  from.prompts = u32(prompts);
  run_commands(from);
}

/** Expands words to a vector with its count at `countp`. */
function expand_words(words: Word, countp: usize): usize {
  const head = changetype<Word>(alloc(offsetof<Word>()));
  let last = head;
  for (; changetype<usize>(words) != 0 && sh.failed == 0; words = words.next) last = expand_word(words.text, last);
  let count: u32 = 0;
  for (let word = head.next; changetype<usize>(word) != 0; word = word.next) count++;
  const vector = alloc(4 * (count + 1));
  let at = vector;
  for (let word = head.next; changetype<usize>(word) != 0; word = word.next) {
    store<usize>(at, word.text);
    at += 4;
  }
  store<u32>(countp, count);
  return vector;
}

/** Performs `name=value` words; `flags` are added to the variables. */
export function perform_assignments(list: Word, flags: u32): void {
  for (; changetype<usize>(list) != 0 && sh.failed == 0; list = list.next) {
    const n = name_length(list.text);
    const v = variable(list.text, n);
    const value = expand_string(list.text + n + 1);
    if (sh.failed == 0 && assign(v, value)) v.flags |= flags;
  }
}

/** A variable's value and flags, kept while a command has its own. */
@unmanaged
class Kept {
  next: Kept;
  variable: Variable;
  value: usize;
  flags: u32;
}

function keep_variables(list: Word): Kept {
  let first = changetype<Kept>(0);
  for (; changetype<usize>(list) != 0; list = list.next) {
    const kept = changetype<Kept>(alloc(offsetof<Kept>()));
    kept.variable = variable(list.text, name_length(list.text));
    kept.flags = kept.variable.flags;
    kept.value = kept.variable.value;
    kept.variable.value = 0;
    kept.next = first;
    first = kept;
  }
  return first;
}

function restore_variables(kept: Kept): void {
  for (; changetype<usize>(kept) != 0; kept = kept.next) {
    free(kept.variable.value);
    kept.variable.value = kept.value;
    kept.variable.flags = kept.flags;
  }
}

/** A command could not be expanded or redirected: the shell without a person ends. */
function command_failed(): void {
  const fatal = sh.failed != 0;
  sh.failed = 0;
  sh.status = 2;
  if (fatal) sh.skip = sh.interactive != 0 ? SKIP_ALL : SKIP_EXIT;
}

function call_function(f: ShellFunction, argc: i32, argv: usize): void {
  const parameters = sh.parameters;
  const count = sh.parameter_count;
  const loops = sh.loops;
  sh.parameters = argv + 4;
  sh.parameter_count = argc - 1;
  sh.loops = 0;
  const outer = take_locals();
  const mark = frame_alloc(8);
  mark_arena(mark);
  sh.functions++;
  execute(begin_call(f));
  end_call(f);
  sh.functions--;
  restore_locals(outer);
  release_arena(mark);
  sh.loops = loops;
  // The function may have set other parameters: those went with it.
  sh.parameters = parameters;
  sh.parameter_count = count;
  if (sh.skip == SKIP_RETURN) sh.skip = SKIP_NONE;
}

/** -x: shows the words that are about to be performed, behind PS4. */
function trace_words(words: usize, assignments: Word): void {
  const prompt = get_variable(cs("PS4"));
  flush();
  put_error(prompt == 0 ? cs("+ ") : prompt);
  let between = cs("");
  for (; changetype<usize>(assignments) != 0; assignments = assignments.next) {
    put_error(between);
    put_error(assignments.text);
    between = cs(" ");
  }
  for (; load<usize>(words) != 0; words += 4) {
    put_error(between);
    put_error(load<usize>(words));
    between = cs(" ");
  }
  put_error(cs("\n"));
}

/** A builtin or a function: in this process, with its own variables and descriptors. */
function run_here(node: Node, argc: i32, argv: usize, builtin: i32): void {
  const saved = changetype<Saved>(frame_alloc(offsetof<Saved>()));
  saved.first = 0;
  if (sh.child == 2) sh.child = 1;
  const lasting = builtin >= 0 && is_special_builtin(builtin);
  // exec keeps what it redirects.
  const isExec = lasting && strcmp(load<usize>(argv), cs("exec")) == 0;
  const kept = lasting ? changetype<Kept>(0) : keep_variables(node.assignments);
  flush();
  if (!redirect_all(node.redirections, isExec ? NO_SAVING : saved)) command_failed();
  else {
    perform_assignments(node.assignments, lasting ? 0 : V_EXPORTED);
    if (sh.failed != 0) command_failed();
    else if (builtin >= 0) sh.status = run_builtin(builtin, argc, argv);
    else call_function(get_function(load<usize>(argv)), argc, argv);
  }
  flush();
  restore_descriptors(saved);
  restore_variables(kept);
}

function execute_simple(node: Node): void {
  const countp = frame_alloc(4);
  sh.failed = 0;
  sh.substitution_status = 0;
  const argv = expand_words(node.words, countp);
  const argc = load<i32>(countp);
  if (sh.failed != 0) return command_failed();
  if (sh.xtrace != 0) trace_words(argv, node.assignments);
  if (argc == 0) {
    const saved = changetype<Saved>(frame_alloc(offsetof<Saved>()));
    saved.first = 0;
    const redirected = redirect_all(node.redirections, saved);
    if (redirected) perform_assignments(node.assignments, 0);
    restore_descriptors(saved);
    if (!redirected || sh.failed != 0) command_failed();
    else sh.status = sh.substitution_status;
    return;
  }
  const name = load<usize>(argv);
  const builtin = builtin_number(name);
  const isFunction = changetype<usize>(get_function(name)) != 0;
  if (isFunction && !(builtin >= 0 && is_special_builtin(builtin))) run_here(node, argc, argv, -1);
  else if (builtin >= 0) run_here(node, argc, argv, builtin);
  else run_program(node, argc, argv);
}

/** Whether the condition holds. */
function condition(node: Node): bool {
  sh.conditions++;
  execute(node);
  sh.conditions--;
  return sh.status == 0;
}

/** After a loop's body: true when the loop has to end. */
function loop_ends(): bool {
  if (sh.skip == SKIP_NONE) return false;
  if (sh.skip != SKIP_BREAK && sh.skip != SKIP_CONTINUE) return true;
  if (--sh.skip_count > 0) return true;
  const ends = sh.skip == SKIP_BREAK;
  sh.skip = SKIP_NONE;
  return ends;
}

function execute_while(node: Node): void {
  const mark = frame_alloc(8);
  let status = 0;
  sh.loops++;
  while (true) {
    mark_arena(mark);
    const holds = condition(node.left);
    const wanted = sh.skip == SKIP_NONE && holds == (node.kind == N_WHILE);
    if (wanted) {
      execute(node.right);
      status = sh.status;
    }
    release_arena(mark);
    if (loop_ends() || !wanted) break;
  }
  sh.loops--;
  if (sh.skip == SKIP_NONE) sh.status = status;
}

function execute_for(node: Node): void {
  const countp = frame_alloc(4);
  const mark = frame_alloc(8);
  let list = sh.parameters;
  let count = sh.parameter_count;
  sh.failed = 0;
  if (changetype<usize>(node.third) == 0) {
    list = expand_words(node.words, countp);
    count = load<i32>(countp);
    if (sh.failed != 0) return command_failed();
  }
  sh.status = 0;
  sh.loops++;
  for (let i = 0; i < count; i++) {
    mark_arena(mark);
    if (assign(variable(node.name, strlen(node.name)), load<usize>(list + 4 * i))) execute(node.right);
    else command_failed();
    release_arena(mark);
    if (loop_ends()) break;
  }
  sh.loops--;
}

function execute_case(node: Node): void {
  sh.failed = 0;
  const word = expand_string(node.words.text);
  if (sh.failed != 0) return command_failed();
  sh.status = 0;
  for (let item = node.left; changetype<usize>(item) != 0; item = item.next) {
    for (let pattern = item.words; changetype<usize>(pattern) != 0; pattern = pattern.next) {
      if (!match(expand_pattern(pattern.text), word)) continue;
      if (changetype<usize>(item.right) != 0) execute(item.right);
      return;
    }
  }
}

function execute_if(node: Node): void {
  const holds = condition(node.left);
  if (sh.skip != SKIP_NONE) return;
  if (holds) execute(node.right);
  else if (changetype<usize>(node.third) == 0) sh.status = 0;
  else if (node.third.kind == N_IF) execute_if(node.third);
  else execute(node.third);
}

/** Compound commands run in this process, with their redirections around them. */
function execute_compound(node: Node): void {
  const saved = changetype<Saved>(frame_alloc(offsetof<Saved>()));
  saved.first = 0;
  if (changetype<usize>(node.redirections) != 0) flush();
  if (!redirect_all(node.redirections, saved)) command_failed();
  else switch (node.kind) {
    case N_IF:
      execute_if(node);
      break;
    case N_WHILE:
    case N_UNTIL:
      execute_while(node);
      break;
    case N_FOR:
      execute_for(node);
      break;
    case N_CASE:
      execute_case(node);
      break;
    default:
      if (changetype<usize>(node.left) != 0) execute(node.left);
  }
  if (saved.first != 0) flush();
  restore_descriptors(saved);
}

/** -e: a command that fails ends the shell, unless somebody asked for its status. */
function check_errexit(): void {
  if (sh.errexit == 0 || sh.conditions > 0 || sh.status == 0 || sh.skip != SKIP_NONE) return;
  sh.skip = SKIP_EXIT;
}

/** Runs a command; its status is in sh.status. */
export function execute(node: Node): void {
  if (changetype<usize>(node) == 0 || sh.skip != SKIP_NONE) return;
  switch (node.kind) {
    case N_SIMPLE:
      execute_simple(node);
      check_errexit();
      break;
    case N_PIPE:
      execute_pipe(node);
      check_errexit();
      break;
    case N_SEQUENCE:
      execute(node.left);
      execute(node.right);
      break;
    case N_AND:
      if (condition(node.left) && sh.skip == SKIP_NONE) execute(node.right);
      break;
    case N_OR:
      if (!condition(node.left) && sh.skip == SKIP_NONE) execute(node.right);
      break;
    case N_NOT:
      sh.status = condition(node.left) ? 1 : 0;
      break;
    case N_BACKGROUND:
      execute_background(node);
      break;
    case N_SUBSHELL:
      execute_subshell(node);
      check_errexit();
      break;
    case N_FUNCTION:
      set_function(node.name, changetype<usize>(node.words));
      sh.status = 0;
      break;
    default:
      execute_compound(node);
  }
  run_traps();
  if (sh.interrupted != 0 && sh.interactive != 0 && sh.skip == SKIP_NONE) sh.skip = SKIP_ALL;
}
