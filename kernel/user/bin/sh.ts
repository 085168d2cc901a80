// sh(1): the command language. `sh [-efiux] [-c command | script] [argument…]`.
//
// parser.ts makes trees of text, expand.ts fields of words, execute.ts runs
// the trees. Not there: job control, aliases, history.
import { last_error, strerror } from "../lib/errors";
import { frame_alloc } from "../../i386/cpufunc";
import { eprintf, exit } from "../lib/stdio";
import { fcntl, close, getpid, getuid, ioctl, open } from "../lib/syscalls";
import { SIGQUIT, SIGTERM, SIG_IGN, signal } from "../lib/signals";
import { run_builtin, set_parameters } from "./sh/builtins";
import { run_file, run_string } from "./sh/execute";
import { sh } from "./sh/state";
import { catch_interrupts, run_exit_trap } from "./sh/traps";
import { get_variable, import_environment, set_variable } from "./sh/variables";

const TIOCGETA: u32 = 0x402c7413;
const F_DUPFD: i32 = 0;
const F_SETFD: i32 = 2;
/** The number of the builtin `set`, which takes the options of the shell, too. */
const SET: i32 = 10;

function is_terminal(fd: i32): bool {
  return ioctl(fd, TIOCGETA, frame_alloc(64)) == 0;
}

function default_variable(name: usize, value: usize): void {
  if (get_variable(name) == 0) set_variable(name, value);
}

function start_interactive(): void {
  sh.interactive = 1;
  signal(SIGQUIT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  catch_interrupts();
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

export function main(argc: i32, argv: usize, envp: usize): i32 {
  let at = 1;
  let command = false;
  let interactive = false;
  sh.arg0 = cs("sh");
  sh.pid = getpid();
  import_environment();
  default_variable(cs("IFS"), cs(" \t\n"));
  default_variable(cs("PATH"), cs("/sbin:/bin"));
  for (; at < argc; at++) {
    const word = load<usize>(argv + 4 * at);
    if (load<u8>(word) != 0x2d || load<u8>(word + 1) == 0) break;
    for (let letter = word + 1; load<u8>(letter) != 0; letter++) {
      if (load<u8>(letter) == 0x63) command = true;
      else if (load<u8>(letter) == 0x69) interactive = true;
      else {
        const option = frame_alloc(12);
        const vector = frame_alloc(12);
        store<u32>(option, 0x2d | (u32(load<u8>(letter)) << 8));
        store<usize>(vector, option);
        store<usize>(vector + 4, option);
        if (run_builtin(SET, 2, vector) != 0) return 2;
      }
    }
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
  } else if (first != 0) {
    sh.arg0 = first;
    set_parameters(argv + 4 * at + 4, argc - at - 1);
    run_script(first);
  } else {
    set_parameters(argv + 4 * at, 0);
    if (interactive || (is_terminal(0) && is_terminal(2))) start_interactive();
    run_file(0, sh.interactive != 0);
    if (sh.interactive != 0 && sh.skip == 0) eprintf(cs("\n"));
  }
  run_exit_trap();
  return sh.status;
}
