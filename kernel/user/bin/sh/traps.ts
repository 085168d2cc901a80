// trap: commands that run when a signal has come, and at the end of the shell.
import { free, strdup } from "../../lib/stdlib";
import { NSIG, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIG_DFL, SIG_IGN, signal } from "../../lib/signals";
import { fcntl, read } from "../../lib/syscalls";
import { run_string } from "./execute";
import { sh } from "./state";

const F_GETFL: i32 = 3;
const F_SETFL: i32 = 4;
const O_NONBLOCK: u32 = 4;

@unmanaged
class Traps {
  /** A bit for each signal that waits for its command. */
  pending: u32;
}
const traps = changetype<Traps>(memory.data(4));
/** Commands by signal; 0: none. */
const trap_commands: usize = memory.data(4 * 32);

function on_signal(number: i32): void {
  traps.pending |= 1 << number;
}

/**
 * ^C at a shell with a person. It may come just before a read, which it would not interrupt: so the read is made one
 * that does not wait.
 */
function on_interrupt(number: i32): void {
  sh.interrupted = 1;
  if (sh.reading != 0) fcntl(0, F_SETFL, sh.input_flags | O_NONBLOCK);
}

/** read(2) of the standard input that ^C ends; then sh.interrupted is set, whatever has been read. */
export function read_input(buffer: usize, size: u32): i32 {
  if (sh.interactive == 0) return read(0, buffer, size);
  sh.input_flags = u32(fcntl(0, F_GETFL, 0));
  sh.reading = 1;
  const n = sh.interrupted != 0 ? -1 : read(0, buffer, size);
  sh.reading = 0;
  if (sh.interrupted != 0) fcntl(0, F_SETFL, sh.input_flags);
  return n;
}

export function trap_command(number: i32): usize {
  return load<usize>(trap_commands + 4 * number);
}

/** A signal that does nothing to a shell with a person, but is not lost to a child that has just been forked. */
function swallow(number: i32): void {
  return;
}

/** What a signal does to the shell without a trap. */
function usual_action(number: i32): u32 {
  if (sh.interactive != 0) {
    if (number == SIGINT) return on_interrupt.index;
    if (number == SIGQUIT || number == SIGTERM) return swallow.index;
  }
  if (sh.monitor == 0) return SIG_DFL;
  return number == SIGTSTP ? swallow.index : number == SIGTTIN || number == SIGTTOU ? SIG_IGN : SIG_DFL;
}

/** Gives a signal without a trap the action that the shell as it is now has for it. */
export function reset_signal(number: i32): void {
  if (trap_command(number) == 0) signal(number, usual_action(number));
}

/** Whether the command of a trap waits for its turn. */
export function traps_pending(): bool {
  return traps.pending != 0;
}

/** Sets the command of a signal (0: EXIT). `command` 0: the default; empty: ignore. */
export function set_trap(number: i32, command: usize): void {
  free(trap_command(number));
  store<usize>(trap_commands + 4 * number, command == 0 ? 0 : strdup(command));
  if (number == 0) return;
  if (command == 0) signal(number, usual_action(number));
  else if (load<u8>(command) == 0) signal(number, SIG_IGN);
  else signal(number, on_signal.index);
}

/** Runs the commands of signals that have come. */
export function run_traps(): void {
  while (traps.pending != 0) {
    for (let number = 1; number < NSIG; number++) {
      if ((traps.pending & (1 << number)) == 0) continue;
      traps.pending &= ~(1 << number);
      const status = sh.status;
      run_string(trap_command(number));
      sh.status = status;
    }
  }
}

/** Whether a signal or the end of the shell has a command. */
export function has_traps(): bool {
  for (let number = 0; number < NSIG; number++) if (trap_command(number) != 0) return true;
  return false;
}

/** Runs the command of EXIT once. */
export function run_exit_trap(): void {
  const command = trap_command(0);
  if (command == 0) return;
  store<usize>(trap_commands, 0);
  const status = sh.status;
  sh.skip = 0;
  run_string(command);
  if (sh.skip == 0) sh.status = status;
}

/** In a child: handlers become defaults; what is ignored stays so. */
export function reset_traps(): void {
  for (let number = 0; number < NSIG; number++) {
    const command = trap_command(number);
    if (command == 0) continue;
    if (number != 0 && load<u8>(command) == 0) continue;
    store<usize>(trap_commands + 4 * number, 0);
    if (number != 0) signal(number, SIG_DFL);
  }
  traps.pending = 0;
}
