// jobs, fg, bg, kill, wait.
import { strcmp } from "../../../libkern";
import { last_error, strerror } from "../../lib/errors";
import { NSIG, SIGCONT, SIGTERM, signal_name, signal_number } from "../../lib/signals";
import { eprintf, flush, printf } from "../../lib/stdio";
import { atoi, is_number } from "../../lib/stdlib";
import { kill } from "../../lib/syscalls";
import {
  JOB_ONLY_PIDS, JOB_PIDS, Job, continue_job, current_job, find_job, give_terminal, is_stopped, job_target, list_jobs,
  make_current, print_job, some_job_stopped, wait_all_jobs, wait_builtin, wait_job,
} from "./jobs";
import { sh } from "./state";
import { run_traps } from "./traps";

/** Status of a wait that a signal has ended. */
const INTERRUPTED: i32 = 130;

/** The job that a word names, or NULL after a message. */
function named_job(command: usize, name: usize): Job {
  const job = name == 0 ? current_job() : find_job(name);
  if (changetype<usize>(job) != 0) return job;
  if (name == 0) eprintf(cs("%s: %s: No current job\n"), sh.arg0, command);
  else eprintf(cs("%s: %s: No such job: %s\n"), sh.arg0, command, name);
  return job;
}

/** jobs [-l | -p] [job …]. */
export function jobs_builtin(argc: i32, argv: usize): i32 {
  let flags: u32 = 0;
  let at = 1;
  for (; at < argc; at++) {
    const word = load<usize>(argv + 4 * at);
    if (strcmp(word, cs("-l")) == 0) flags = JOB_PIDS;
    else if (strcmp(word, cs("-p")) == 0) flags = JOB_ONLY_PIDS;
    else break;
  }
  if (at >= argc) list_jobs(flags);
  let status = 0;
  for (; at < argc; at++) {
    const job = named_job(cs("jobs"), load<usize>(argv + 4 * at));
    if (changetype<usize>(job) != 0) print_job(job, flags, false);
    else status = 2;
  }
  return status;
}

function needs_monitor(command: usize): bool {
  if (sh.monitor != 0) return false;
  eprintf(cs("%s: %s: No job control\n"), sh.arg0, command);
  return true;
}

/** fg [job]. */
export function foreground(argc: i32, argv: usize): i32 {
  if (needs_monitor(cs("fg"))) return 2;
  const job = named_job(cs("fg"), argc > 1 ? load<usize>(argv + 4) : 0);
  if (changetype<usize>(job) == 0) return 2;
  printf(cs("%s\n"), job.text);
  flush();
  give_terminal(job.pgid);
  continue_job(job);
  return wait_job(job);
}

/** bg [job …]. */
export function background(argc: i32, argv: usize): i32 {
  if (needs_monitor(cs("bg"))) return 2;
  let status = 0;
  for (let at = 1; at == 1 || at < argc; at++) {
    const job = named_job(cs("bg"), at < argc ? load<usize>(argv + 4 * at) : 0);
    if (changetype<usize>(job) == 0) {
      status = 2;
      continue;
    }
    make_current(job);
    printf(cs("[%d] %s\n"), job.number, job.text);
    continue_job(job);
  }
  return status;
}

/** wait [job | process …]. */
export function wait_for_children(argc: i32, argv: usize): i32 {
  let status = 0;
  if (argc == 1) {
    while (!wait_all_jobs()) {
      if (sh.interrupted != 0) return INTERRUPTED;
      run_traps();
    }
    return 0;
  }
  for (let i = 1; i < argc; i++) {
    const word = load<usize>(argv + 4 * i);
    const job = find_job(word);
    status = changetype<usize>(job) == 0 ? 127 : wait_builtin(job);
    if (status >= 0) continue;
    run_traps();
    return INTERRUPTED;
  }
  return status;
}

function list_signals(number: usize): i32 {
  if (number != 0) {
    printf(cs("%s\n"), signal_name(atoi(number) & 0x7f));
    return 0;
  }
  for (let i = 1; i < NSIG; i++) printf(i + 1 < NSIG ? cs("%s ") : cs("%s\n"), signal_name(i));
  return 0;
}

/** Sends a signal to what a word names; the status. */
function send(word: usize, number: i32): i32 {
  if (load<u8>(word) != 0x25 && !is_number(word)) {
    eprintf(cs("%s: kill: illegal process id: %s\n"), sh.arg0, word);
    return 2;
  }
  const byJob = load<u8>(word) == 0x25;
  const job = byJob ? named_job(cs("kill"), word) : find_job(word);
  if (byJob && changetype<usize>(job) == 0) return 2;
  if (kill(byJob ? job_target(job) : atoi(word), number) != 0) {
    eprintf(cs("%s: kill: %s: %s\n"), sh.arg0, word, strerror(last_error()));
    return 1;
  }
  if (changetype<usize>(job) == 0 || !is_stopped(job)) return 0;
  // A stopped job would not notice its end.
  if (number == SIGCONT || byJob) continue_job(job);
  return 0;
}

/** kill [-s name | -name | -number] process | job …, kill -l [status]. */
export function kill_builtin(argc: i32, argv: usize): i32 {
  let at = 1;
  let number = SIGTERM;
  const first: usize = argc > 1 ? load<usize>(argv + 4) : 0;
  if (first != 0 && strcmp(first, cs("-l")) == 0) return list_signals(argc > 2 ? load<usize>(argv + 8) : 0);
  if (first != 0 && load<u8>(first) == 0x2d && argc > 2) {
    const apart = strcmp(first, cs("-s")) == 0;
    const isEnd = strcmp(first, cs("--")) == 0;
    const name = apart ? load<usize>(argv + 8) : first + 1;
    if (!isEnd) number = signal_number(name);
    if (number < 0) {
      eprintf(cs("%s: kill: unknown signal %s\n"), sh.arg0, name);
      return 2;
    }
    at = apart ? 3 : 2;
  }
  if (at >= argc) {
    eprintf(cs("usage: kill [-s signal_name | -signal] pid | job ...\n"));
    return 2;
  }
  let status = 0;
  for (; at < argc; at++) {
    const result = send(load<usize>(argv + 4 * at), number);
    if (result != 0) status = result;
  }
  return status;
}

/** Before the shell ends: warns, once, of jobs that would stay stopped. Returns whether it did. */
export function warn_of_stopped(): bool {
  if (sh.monitor == 0 || sh.warned != 0 || !some_job_stopped()) return false;
  eprintf(cs("You have stopped jobs.\n"));
  sh.warned = 2;
  return true;
}
