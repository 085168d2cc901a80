// sh(1): the command language. `sh [-aCefimnuvx] [-o option] [-c command | script] [argument…]`.
//
// parser.ts makes trees of text, expand.ts fields of words, execute.ts runs
// the trees, processes.ts and jobs.ts what runs in other processes.
import { strchr, strcmp } from "../../libkern";
import { last_error, strerror } from "../lib/errors";
import { frame_alloc } from "../../i386/cpufunc";
import { eprintf, exit } from "../lib/stdio";
import { close, fcntl, getpid, getuid, ioctl, open } from "../lib/syscalls";
import { SIGINT, SIGQUIT, SIGTERM } from "../lib/signals";
import { set_parameters } from "./sh/builtins";
import { run_file, run_string } from "./sh/execute";
import { warn_of_stopped } from "./sh/job_builtins";
import { set_monitor } from "./sh/monitor";
import { set_letters } from "./sh/options";
import { sh } from "./sh/state";
import { reset_signal, run_exit_trap } from "./sh/traps";
import { get_variable, import_environment, set_variable } from "./sh/variables";

const TIOCGETA: u32 = 0x402c7413;
const F_DUPFD: i32 = 0;
const F_SETFD: i32 = 2;

function is_terminal(fd: i32): bool {
  return ioctl(fd, TIOCGETA, frame_alloc(64)) == 0;
}

function default_variable(name: usize, value: usize): void {
  if (get_variable(name) == 0) set_variable(name, value);
}

function start_interactive(): void {
  sh.interactive = 1;
  reset_signal(SIGINT);
  reset_signal(SIGQUIT);
  reset_signal(SIGTERM);
  set_monitor(true);
  default_variable(cs("PS1"), getuid() == 0 ? cs("# ") : cs("$ "));
  default_variable(cs("PS2"), cs("> "));
}

/** Opens the script at a descriptor that redirections of commands do not reach. */
function run_script(path: usize): void {
  const fd = open(path, 0, 0);
  if (fd < 0) {
    eprintf(cs("sh: Can't open %s: %s\n"), path, strerror(last_error()));
    exit(2);
  }
  const kept = fcntl(fd, F_DUPFD, 10);
  if (kept >= 0) {
    close(fd);
    fcntl(kept, F_SETFD, 1);
  }
  run_file(kept < 0 ? fd : kept, false);
}

/** Whether the option word has the letter (before an `o`, whose name is another word). Takes -c and the like out. */
function has_letter(word: usize, letter: u32): bool {
  const at = strchr(word + 1, letter);
  if (load<u8>(word) != 0x2d || at == 0) return false;
  for (let to = at; load<u8>(to) != 0; to++) store<u8>(to, load<u8>(to + 1));
  return true;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  let at = 1;
  let command = false;
  let interactive = false;
  let from_input = false;
  sh.terminal = -1;
  sh.arg0 = cs("sh");
  sh.pid = getpid();
  import_environment();
  default_variable(cs("IFS"), cs(" \t\n"));
  default_variable(cs("PATH"), cs("/sbin:/bin"));
  while (at < argc) {
    const word = load<usize>(argv + 4 * at);
    if ((load<u8>(word) != 0x2d && load<u8>(word) != 0x2b) || load<u8>(word + 1) == 0) break;
    at++;
    if (strcmp(word, cs("--")) == 0) break;
    if (has_letter(word, 0x63)) command = true;
    if (has_letter(word, 0x69)) interactive = true;
    if (has_letter(word, 0x73)) from_input = true;
    const taken = set_letters(word, at < argc ? load<usize>(argv + 4 * at) : 0);
    if (taken < 0) return 2;
    at += taken - 1;
  }
  const first: usize = at < argc ? load<usize>(argv + 4 * at) : 0;
  if (command) {
    if (first == 0) {
      eprintf(cs("sh: -c requires an argument\n"));
      return 2;
    }
    at++;
    if (at < argc) sh.arg0 = load<usize>(argv + 4 * at++);
    set_parameters(argv + 4 * at, argc - at);
    run_string(first);
  } else if (first != 0 && !from_input) {
    sh.arg0 = first;
    set_parameters(argv + 4 * at + 4, argc - at - 1);
    run_script(first);
  } else {
    set_parameters(argv + 4 * at, argc - at);
    if (interactive || (is_terminal(0) && is_terminal(2))) start_interactive();
    run_file(0, sh.interactive != 0);
    // The end of the input at a prompt.
    while (sh.interactive != 0 && sh.skip == 0 && warn_of_stopped()) run_file(0, true);
    if (sh.interactive != 0 && sh.skip == 0) eprintf(cs("\n"));
  }
  run_exit_trap();
  set_monitor(false);
  return sh.status;
}
