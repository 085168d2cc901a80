// Jobs: the children of the shell, by the command that they were started for.
//
// With job control (sh.monitor) each job is a process group. The terminal belongs to the job in the foreground, and to
// the shell when it reads. A child is waited for by its number, so the table learns everything from wait4: when the
// shell waits for a job, and, without waiting, before each prompt.
import { frame_alloc } from "../../../i386/cpufunc";
import { strchr, strlen, strncmp } from "../../../libkern";
import { last_error } from "../../lib/errors";
import { shell_status } from "../../lib/process";
import { SIGCONT, SIGINT, SIGPIPE, signal_text } from "../../lib/signals";
import { eprintf, flush, printf } from "../../lib/stdio";
import { atoi, free, is_number, malloc, strdup, strstr, zalloc } from "../../lib/stdlib";
import { getpgrp, ioctl, kill, wait4 } from "../../lib/syscalls";
import { SKIP_ALL, SKIP_NONE, sh } from "./state";
import { traps_pending } from "./traps";

const TIOCSPGRP: u32 = 0x80047476;
const WNOHANG: i32 = 1;
const WUNTRACED: i32 = 2;
const EINTR: i32 = 4;
const WCOREFLAG: i32 = 0x80;
/** A wait status that means: not known yet. */
const RUNNING: i32 = -1;
/** The status of a child that somebody else has taken. */
const STATUS_LOST: i32 = 127 << 8;
/** Jobs that have ended without anybody asking are remembered, so many of them. */
const MOST_ENDED: i32 = 32;
/** Columns of the state in a list. */
const STATE_WIDTH: u32 = 26;

/** Flags of print_job. */
export const JOB_PIDS: u32 = 1;
export const JOB_ONLY_PIDS: u32 = 2;

@unmanaged
export class Job {
  next: Job;
  number: i32;
  /** Its process group with job control, else 0. */
  pgid: i32;
  count: i32;
  /** Pairs of process number and wait status. */
  processes: usize;
  /** The command, or an empty string. */
  text: usize;
  /** Larger for jobs that were stopped or put into the background later. */
  rank: u32;
  /** It has begun to run in the background. */
  background: u32;
  /** Something has happened that nobody has been told. */
  changed: u32;
}

@unmanaged
class Jobs {
  first: Job;
  rank: u32;
}
const jobs = changetype<Jobs>(memory.data(offsetof<Jobs>()));
const NO_JOB = changetype<Job>(0);

export function first_job(): Job {
  return jobs.first;
}

function pid_of(job: Job, index: i32): i32 {
  return load<i32>(job.processes + 8 * index);
}

function status_of(job: Job, index: i32): i32 {
  return load<i32>(job.processes + 8 * index, 4);
}

function set_status(job: Job, index: i32, status: i32): void {
  store<i32>(job.processes + 8 * index, status, 4);
}

function is_stop(status: i32): bool {
  return status != RUNNING && (status & 0xff) == 0x7f;
}

/** Whether a process of the job still runs. */
function runs(job: Job): bool {
  for (let i = 0; i < job.count; i++) if (status_of(job, i) == RUNNING) return true;
  return false;
}

/** The status of a stopped process of the job, or 0. */
function stop_status(job: Job): i32 {
  for (let i = 0; i < job.count; i++) if (is_stop(status_of(job, i))) return status_of(job, i);
  return 0;
}

export function is_stopped(job: Job): bool {
  return !runs(job) && stop_status(job) != 0;
}

function is_ended(job: Job): bool {
  return !runs(job) && stop_status(job) == 0;
}

/** The wait status that counts: that of the last process. */
function last_status(job: Job): i32 {
  const stopped = stop_status(job);
  return stopped != 0 ? stopped : job.count == 0 ? 0 : status_of(job, job.count - 1);
}

/** As the shell gives it in $?. */
function exit_status(status: i32): i32 {
  return is_stop(status) ? 128 + ((status >> 8) & 0xff) : shell_status(status);
}

/** A job for at most `most` processes, the last one of the table. `text` may be 0. */
export function new_job(most: i32, text: usize): Job {
  const job = changetype<Job>(zalloc(offsetof<Job>()));
  job.processes = malloc(8 * most);
  job.text = text == 0 ? strdup(cs("")) : strdup(text);
  job.number = 1;
  if (changetype<usize>(jobs.first) == 0) {
    jobs.first = job;
    return job;
  }
  let last = jobs.first;
  while (changetype<usize>(last.next) != 0) last = last.next;
  job.number = last.number + 1;
  last.next = job;
  return job;
}

/** Notes that the job has one more process. */
export function add_process(job: Job, pid: i32): void {
  const index = job.count++;
  store<i32>(job.processes + 8 * index, pid);
  set_status(job, index, RUNNING);
  if (sh.monitor != 0 && job.pgid == 0) job.pgid = pid;
}

/** Takes a job out of the table. */
export function free_job(job: Job): void {
  if (jobs.first == job) jobs.first = job.next;
  else {
    let before = jobs.first;
    while (before.next != job) before = before.next;
    before.next = job.next;
  }
  free(job.processes);
  free(job.text);
  free(changetype<usize>(job));
}

/** In a child: the jobs are those of the parent. */
export function forget_jobs(): void {
  while (changetype<usize>(jobs.first) != 0) free_job(jobs.first);
}

/** Makes the job the current one. */
export function make_current(job: Job): void {
  job.rank = ++jobs.rank;
}

/** The current job (`before` NO_JOB) or the one before it: stopped jobs come first, then the later one. */
function ranked(before: Job): Job {
  let best = NO_JOB;
  for (let job = jobs.first; changetype<usize>(job) != 0; job = job.next) {
    if (job == before || job.rank == 0) continue;
    const better = changetype<usize>(best) == 0 || (is_stopped(job) && !is_stopped(best)) ||
      (is_stopped(job) == is_stopped(best) && job.rank > best.rank);
    if (better) best = job;
  }
  return best;
}

export function current_job(): Job {
  return ranked(NO_JOB);
}

/** Gives the terminal to a process group. */
export function give_terminal(pgid: i32): void {
  const word = frame_alloc(4);
  store<i32>(word, pgid);
  if (sh.terminal >= 0) ioctl(sh.terminal, TIOCSPGRP, word);
}

/** Asks for news of a process without waiting. */
function poll_process(job: Job, index: i32): void {
  const statusp = frame_alloc(4);
  const done = wait4(pid_of(job, index), statusp, sh.monitor != 0 ? WNOHANG | WUNTRACED : WNOHANG, 0);
  if (done == 0 || (done < 0 && last_error() == EINTR)) return;
  set_status(job, index, done < 0 ? STATUS_LOST : load<i32>(statusp));
  job.changed = 1;
}

/** Learns what has become of all jobs, without waiting. */
export function poll_jobs(): void {
  for (let job = jobs.first; changetype<usize>(job) != 0; job = job.next) {
    for (let i = 0; i < job.count; i++) {
      const status = status_of(job, i);
      if (status == RUNNING || is_stop(status)) poll_process(job, i);
    }
  }
}

/**
 * Waits until no process of the job runs. `breakable`: a signal with a trap, or ^C, ends the waiting.
 * Returns whether the job has come to that.
 */
function wait_until_still(job: Job, breakable: bool): bool {
  const statusp = frame_alloc(4);
  for (let i = 0; i < job.count; i++) {
    while (status_of(job, i) == RUNNING) {
      const done = wait4(pid_of(job, i), statusp, sh.monitor != 0 ? WUNTRACED : 0, 0);
      if (done > 0) set_status(job, i, load<i32>(statusp));
      else if (last_error() != EINTR) set_status(job, i, STATUS_LOST);
      else if (breakable && (sh.interrupted != 0 || traps_pending())) return false;
    }
  }
  return true;
}

/** Tells of the end of a job in the foreground by a signal. */
function tell_death(status: i32): void {
  const number = status & 0x7f;
  if (number == 0 || number == SIGPIPE) return;
  if (number != SIGINT) {
    const core = (status & WCOREFLAG) != 0 ? cs(" (core dumped)") : cs("");
    eprintf(cs("%s%s\n"), signal_text(number), core);
  } else if (sh.interactive != 0) {
    eprintf(cs("\n"));
    sh.skip = SKIP_ALL;
  }
}

/** Waits for a job in the foreground, and takes the terminal back. Returns its status; unless stopped, it is freed. */
export function wait_job(job: Job): i32 {
  wait_until_still(job, false);
  if (sh.monitor != 0) give_terminal(getpgrp());
  const status = last_status(job);
  const result = exit_status(status);
  if (!is_stopped(job)) {
    free_job(job);
    tell_death(status);
    return result;
  }
  job.background = 1;
  job.changed = 0;
  make_current(job);
  eprintf(cs("\n"));
  print_job(job, 0, true);
  if (sh.skip == SKIP_NONE && sh.loops > 0) sh.skip = SKIP_ALL;
  return result;
}

/** wait(1) of a job: its status, or -1 when a signal came first. Frees a job that has ended. */
export function wait_builtin(job: Job): i32 {
  if (!wait_until_still(job, true)) return -1;
  const result = exit_status(last_status(job));
  if (is_ended(job)) free_job(job);
  return result;
}

/** Waits until no job runs; false when a signal came first. */
export function wait_all_jobs(): bool {
  let job = jobs.first;
  while (changetype<usize>(job) != 0) {
    const next = job.next;
    if (!wait_until_still(job, true)) return false;
    if (is_ended(job)) free_job(job);
    job = next;
  }
  return true;
}

/** The state of a job in words, printed; returns how many columns it took. */
function print_state(job: Job, to_error: bool): u32 {
  const status = last_status(job);
  const code = (status >> 8) & 0xff;
  const text = runs(job) ? cs("Running") : is_stop(status) ? signal_text(code)
    : (status & 0x7f) != 0 ? signal_text(status & 0x7f) : code == 0 ? cs("Done") : cs("Done(");
  const hasCode = !runs(job) && (status & 0x7f) == 0 && code != 0;
  const core = !runs(job) && !is_stop(status) && (status & WCOREFLAG) != 0;
  const tail = core ? cs(" (core dumped)") : hasCode ? cs(")") : cs("");
  if (to_error) eprintf(hasCode ? cs("%s%d%s") : cs("%s%.0d%s"), text, hasCode ? code : 0, tail);
  else printf(hasCode ? cs("%s%d%s") : cs("%s%.0d%s"), text, hasCode ? code : 0, tail);
  return strlen(text) + strlen(tail) + (hasCode ? (code > 99 ? 3 : code > 9 ? 2 : 1) : 0);
}

/** A line about a job: number, whether it is the current one, state, command. */
export function print_job(job: Job, flags: u32, to_error: bool): void {
  const current = current_job();
  const mark: u32 = job == current ? 0x2b : job == ranked(current) ? 0x2d : 0x20;
  if ((flags & JOB_ONLY_PIDS) != 0) {
    printf(cs("%d\n"), pid_of(job, 0));
    return;
  }
  if (to_error) eprintf(cs("[%d] %c "), job.number, mark);
  else printf(cs("[%d] %c "), job.number, mark);
  if ((flags & JOB_PIDS) != 0) printf(cs("%d "), pid_of(job, 0));
  const columns = print_state(job, to_error);
  const blanks = columns < STATE_WIDTH ? STATE_WIDTH - columns : 1;
  if (to_error) eprintf(cs("%*s%s\n"), blanks, cs(""), job.text);
  else printf(cs("%*s%s\n"), blanks, cs(""), job.text);
}

/** Before a prompt: tells what has happened to jobs in the background, and forgets those that have ended. */
export function tell_jobs(): void {
  poll_jobs();
  let job = jobs.first;
  while (changetype<usize>(job) != 0) {
    const next = job.next;
    const still = !runs(job);
    if (job.changed != 0 && still) print_job(job, 0, true);
    if (still) job.changed = 0;
    if (is_ended(job)) free_job(job);
    job = next;
  }
}

/** Without a person: forgets the oldest of many jobs that have ended. */
export function forget_old_jobs(): void {
  poll_jobs();
  let ended = 0;
  for (let job = jobs.first; changetype<usize>(job) != 0; job = job.next) if (is_ended(job)) ended++;
  let job = jobs.first;
  while (changetype<usize>(job) != 0 && ended > MOST_ENDED) {
    const next = job.next;
    if (is_ended(job)) {
      free_job(job);
      ended--;
    }
    job = next;
  }
}

/** Prints all jobs; those that have ended are forgotten. */
export function list_jobs(flags: u32): void {
  poll_jobs();
  let job = jobs.first;
  while (changetype<usize>(job) != 0) {
    const next = job.next;
    print_job(job, flags, false);
    job.changed = 0;
    if (is_ended(job)) free_job(job);
    job = next;
  }
}

/** Whether a job that has not ended is stopped. */
export function some_job_stopped(): bool {
  for (let job = jobs.first; changetype<usize>(job) != 0; job = job.next) if (is_stopped(job)) return true;
  return false;
}

/** The job whose text begins with `name` (`inside`: contains it), if there is exactly one. */
function job_by_text(name: usize, inside: bool): Job {
  let found = NO_JOB;
  for (let job = jobs.first; changetype<usize>(job) != 0; job = job.next) {
    const matches = inside ? strstr(job.text, name) != 0 : strncmp(job.text, name, strlen(name)) == 0;
    if (!matches) continue;
    if (changetype<usize>(found) != 0) return NO_JOB;
    found = job;
  }
  return found;
}

/** The job that `%n`, `%%`, `%+`, `%-`, `%text`, `%?text` or a process number names, or NULL. */
export function find_job(name: usize): Job {
  if (load<u8>(name) != 0x25) {
    if (!is_number(name)) return NO_JOB;
    const pid = atoi(name);
    for (let job = jobs.first; changetype<usize>(job) != 0; job = job.next) {
      for (let i = 0; i < job.count; i++) if (pid_of(job, i) == pid) return job;
    }
    return NO_JOB;
  }
  const what = load<u8>(name + 1);
  if (what == 0 || (strchr(cs("%+"), what) != 0 && load<u8>(name + 2) == 0)) return current_job();
  if (what == 0x2d && load<u8>(name + 2) == 0) return ranked(current_job());
  if (!is_number(name + 1)) return job_by_text(what == 0x3f ? name + 2 : name + 1, what == 0x3f);
  let job = jobs.first;
  while (changetype<usize>(job) != 0 && job.number != atoi(name + 1)) job = job.next;
  return job;
}

/** Lets a stopped job go on. */
export function continue_job(job: Job): void {
  for (let i = 0; i < job.count; i++) if (is_stop(status_of(job, i))) set_status(job, i, RUNNING);
  job.changed = 0;
  if (job.pgid != 0) kill(0 - job.pgid, SIGCONT);
  else for (let i = 0; i < job.count; i++) kill(pid_of(job, i), SIGCONT);
}

/** The number to give kill(2) for all of the job. */
export function job_target(job: Job): i32 {
  return job.pgid != 0 ? 0 - job.pgid : pid_of(job, 0);
}

/** After a fork for the background: `$!`, and `[number] process` for a person. */
export function note_background(job: Job): void {
  job.background = 1;
  make_current(job);
  sh.background = pid_of(job, job.count - 1);
  flush();
  if (sh.interactive != 0) eprintf(cs("[%d] %d\n"), job.number, sh.background);
}
