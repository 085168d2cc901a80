// Runs parsed commands.
import { frame_alloc } from "../../../i386/cpufunc";
import { strcmp, strlen } from "../../../libkern";
import { strerror } from "../../lib/errors";
import { match } from "../../lib/match";
import { execvp, exited, wait_for } from "../../lib/process";
import { SIGINT, SIGQUIT, SIG_DFL, SIG_IGN, signal, signal_text } from "../../lib/signals";
import { eprintf, exit, flush } from "../../lib/stdio";
import { free } from "../../lib/stdlib";
import { close, dup2, fork, open, pipe } from "../../lib/syscalls";
import { builtin_number, is_special_builtin, run_builtin } from "./builtins";
import { expand_pattern, expand_string, expand_word } from "./expand";
import { ShellFunction, begin_call, end_call, get_function, set_function } from "./functions";
import { parse_complete } from "./parser";
import { SIZEOF_SAVED, Saved, redirect_all, restore_descriptors } from "./redirect";
import { Source, file_source, free_source, set_source, string_source } from "./source";
import {
  SKIP_ALL, SKIP_BREAK, SKIP_CONTINUE, SKIP_EXIT, SKIP_NONE, SKIP_RETURN, alloc, mark_arena, release_arena, sh,
} from "./state";
import { has_traps, reset_traps, run_exit_trap, run_traps } from "./traps";
import {
  N_AND, N_BACKGROUND, N_CASE, N_FOR, N_FUNCTION, N_IF, N_NOT, N_OR, N_PIPE, N_SEQUENCE, N_SIMPLE, N_SUBSHELL,
  N_UNTIL, N_WHILE, Node, Word,
} from "./tree";
import {
  V_EXPORTED, Variable, assign, environment, name_length, variable,
} from "./variables";

const ENOEXEC: i32 = 8;
const ENOENT: i32 = 2;
const NO_REDIRECTIONS = changetype<Saved>(0);

/** Makes the shell that of a forked child: nobody sits at it, and the parent's traps are not its own. */
export function become_child(): void {
  sh.child = 1;
  const wasInteractive = sh.interactive != 0;
  sh.interactive = 0;
  reset_traps();
  if (wasInteractive) signal(SIGINT, SIG_DFL);
}

/** Ends the process with the shell's status, after the command of the EXIT trap. */
export function leave_child(): void {
  run_exit_trap();
  exit(sh.status);
}

/** Forks; tells when that cannot be. */
function start_child(): i32 {
  flush();
  const pid = fork();
  if (pid < 0) {
    eprintf(cs("%s: Cannot fork\n"), sh.arg0);
    sh.status = 2;
  }
  if (pid == 0) become_child();
  return pid;
}

/** Waits for a child; tells of a death by signal. Returns its status. */
export function wait_child(pid: i32): i32 {
  const statusp = frame_alloc(4);
  const status = wait_for(pid, statusp);
  if (status < 0) return 127;
  const how = load<i32>(statusp);
  const number = how & 0x7f;
  if (!exited(how) && number == SIGINT) {
    if (sh.interactive != 0) {
      eprintf(cs("\n"));
      sh.skip = SKIP_ALL;
    }
  } else if (!exited(how) && number != 13) eprintf(cs("%s\n"), signal_text(number));
  return status;
}

/** Runs all commands of the current source. `leaves`: the process ends with the last of them. */
function run_source(leaves: bool): void {
  const endp = frame_alloc(4);
  const mark = frame_alloc(8);
  store<u32>(endp, 0);
  while (load<u32>(endp) == 0 && sh.skip == SKIP_NONE) {
    mark_arena(mark);
    const node = parse_complete(endp);
    if (sh.skip == SKIP_NONE && changetype<usize>(node) != 0) {
      if (leaves && load<u32>(endp) != 0 && !has_traps()) execute_last(node);
      execute(node);
    }
    release_arena(mark);
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
function perform_assignments(list: Word, flags: u32): void {
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
  sh.status = fatal ? 2 : 1;
  if (fatal) sh.skip = sh.interactive != 0 ? SKIP_ALL : SKIP_EXIT;
}

function call_function(f: ShellFunction, argc: i32, argv: usize): void {
  const parameters = sh.parameters;
  const count = sh.parameter_count;
  const loops = sh.loops;
  const mark = frame_alloc(8);
  mark_arena(mark);
  sh.parameters = argv + 4;
  sh.parameter_count = argc - 1;
  sh.loops = 0;
  sh.functions++;
  execute(begin_call(f));
  end_call(f);
  sh.functions--;
  sh.loops = loops;
  release_arena(mark);
  // The function may have set other parameters: those went with it.
  sh.parameters = parameters;
  sh.parameter_count = count;
  if (sh.skip == SKIP_RETURN) sh.skip = SKIP_NONE;
}

/** In the child: becomes the program. A text file without magic number is a script of ours. */
export function become_program(argc: i32, argv: usize): void {
  const name = load<usize>(argv);
  flush();
  const error = execvp(name, argv, environment());
  if (error == ENOEXEC) {
    const fd = open(name, 0, 0);
    if (fd >= 0) {
      sh.arg0 = name;
      sh.parameters = argv + 4;
      sh.parameter_count = argc - 1;
      sh.functions = 0;
      sh.loops = 0;
      run_file(fd, false);
      leave_child();
    }
  }
  if (error == ENOENT) eprintf(cs("%s: %s: not found\n"), sh.arg0, name);
  else eprintf(cs("%s: %s: %s\n"), sh.arg0, name, strerror(error));
  exit(error == ENOENT ? 127 : 126);
}

function trace_command(argv: usize): void {
  eprintf(cs("+"));
  for (; load<usize>(argv) != 0; argv += 4) eprintf(cs(" %s"), load<usize>(argv));
  eprintf(cs("\n"));
}

/** A builtin or a function: in this process, with its own variables and descriptors. */
function run_here(node: Node, argc: i32, argv: usize, builtin: i32): void {
  const saved = changetype<Saved>(frame_alloc(SIZEOF_SAVED));
  saved.count = 0;
  if (sh.child == 2) sh.child = 1;
  const lasting = builtin >= 0 && is_special_builtin(builtin);
  // exec keeps what it redirects.
  const isExec = lasting && strcmp(load<usize>(argv), cs("exec")) == 0;
  const kept = lasting ? changetype<Kept>(0) : keep_variables(node.assignments);
  flush();
  if (!redirect_all(node.redirections, isExec ? NO_REDIRECTIONS : saved)) command_failed();
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

function run_program(node: Node, argc: i32, argv: usize): void {
  const here = sh.child == 2;
  const pid = here ? 0 : start_child();
  if (pid < 0) return;
  if (pid > 0) {
    sh.status = wait_child(pid);
    return;
  }
  if (!redirect_all(node.redirections, NO_REDIRECTIONS)) exit(1);
  perform_assignments(node.assignments, V_EXPORTED);
  if (sh.failed != 0) exit(2);
  become_program(argc, argv);
}

function execute_simple(node: Node): void {
  const countp = frame_alloc(4);
  sh.failed = 0;
  sh.substitution_status = 0;
  const argv = expand_words(node.words, countp);
  const argc = load<i32>(countp);
  if (sh.failed != 0) return command_failed();
  if (sh.xtrace != 0 && argc > 0) trace_command(argv);
  if (argc == 0) {
    const saved = changetype<Saved>(frame_alloc(SIZEOF_SAVED));
    saved.count = 0;
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

/** In a child that runs only this command and ends: a program takes its place. */
function execute_last(node: Node): void {
  if (node.kind == N_SIMPLE) sh.child = 2;
  execute(node);
  leave_child();
}

function execute_pipe(first: Node): void {
  const fds = frame_alloc(8);
  let input = -1;
  let last = -1;
  let count = 0;
  // Children are waited for in order; their numbers are in the arena.
  let total: u32 = 0;
  for (let node = first; changetype<usize>(node) != 0; node = node.next) total++;
  const pids = alloc(4 * total);
  for (let node = first; changetype<usize>(node) != 0; node = node.next) {
    const more = changetype<usize>(node.next) != 0;
    if (more && pipe(fds) != 0) {
      eprintf(cs("%s: Pipe call failed\n"), sh.arg0);
      break;
    }
    last = start_child();
    if (last == 0) {
      if (input >= 0) {
        dup2(input, 0);
        close(input);
      }
      if (more) {
        close(load<i32>(fds));
        if (load<i32>(fds, 4) != 1) {
          dup2(load<i32>(fds, 4), 1);
          close(load<i32>(fds, 4));
        }
      }
      node.next = changetype<Node>(0);
      execute_last(node);
    }
    if (input >= 0) close(input);
    input = -1;
    if (more) {
      close(load<i32>(fds, 4));
      input = load<i32>(fds);
    }
    if (last < 0) break;
    store<i32>(pids + 4 * count++, last);
  }
  if (input >= 0) close(input);
  for (let i = 0; i < count; i++) sh.status = wait_child(load<i32>(pids + 4 * i));
}

function execute_background(node: Node): void {
  const interactive = sh.interactive != 0;
  const pid = start_child();
  if (pid < 0) return;
  if (pid == 0) {
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    const empty = open(cs("/dev/null"), 0, 0);
    if (empty > 0) {
      dup2(empty, 0);
      close(empty);
    }
    execute_last(node);
  }
  sh.background = pid;
  sh.status = 0;
  if (interactive) eprintf(cs("[%d]\n"), pid);
}

function execute_subshell(node: Node): void {
  const pid = start_child();
  if (pid < 0) return;
  if (pid == 0) {
    if (!redirect_all(node.redirections, NO_REDIRECTIONS)) exit(1);
    sh.loops = 0;
    if (changetype<usize>(node.left) != 0) execute(node.left);
    leave_child();
  }
  sh.status = wait_child(pid);
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
  const saved = changetype<Saved>(frame_alloc(SIZEOF_SAVED));
  saved.count = 0;
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
  if (saved.count > 0) flush();
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
      execute_pipe(node.left);
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
      execute_background(node.left);
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
