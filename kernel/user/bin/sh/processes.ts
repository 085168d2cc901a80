// Commands in processes of their own: programs, subshells, pipelines, the background.
import { frame_alloc } from "../../../i386/cpufunc";
import { strerror } from "../../lib/errors";
import { execvp } from "../../lib/process";
import {
  SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIG_DFL, SIG_IGN, set_signal_mask, signal, signal_bit,
} from "../../lib/signals";
import { eprintf, exit, flush } from "../../lib/stdio";
import { close, dup2, fork, getpid, open, pipe, setpgid } from "../../lib/syscalls";
import { execute, perform_assignments, run_file } from "./execute";
import { Job, add_process, forget_jobs, forget_old_jobs, free_job, give_terminal, new_job, note_background, wait_job }
  from "./jobs";
import { NO_SAVING, redirect_all } from "./redirect";
import { SKIP_NONE, sh } from "./state";
import { reset_traps, run_exit_trap } from "./traps";
import { N_SIMPLE, Node } from "./tree";
import { V_EXPORTED, environment } from "./variables";

const ENOEXEC: i32 = 8;
const ENOENT: i32 = 2;

/** Where a child runs: in the foreground of its job, in the background, or outside the jobs of the shell. */
const FOREGROUND: u32 = 0;
const BACKGROUND: u32 = 1;

/** Signals that a shell with a person does not take as others do. */
function default_signals(): void {
  signal(SIGINT, SIG_DFL);
  signal(SIGQUIT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
}

/** Makes the shell that of a forked child: nobody sits at it, the parent's traps and jobs are not its own. */
export function become_child(): void {
  const wasInteractive = sh.interactive != 0;
  const wasMonitor = sh.monitor != 0;
  sh.child = 1;
  sh.interactive = 0;
  sh.monitor = 0;
  sh.interrupted = 0;
  forget_jobs();
  if (wasInteractive) default_signals();
  if (wasMonitor) {
    signal(SIGTSTP, SIG_DFL);
    signal(SIGTTIN, SIG_DFL);
    signal(SIGTTOU, SIG_DFL);
  }
  reset_traps();
}

/** Ends the process with the shell's status, after the command of the EXIT trap. */
export function leave_child(): void {
  run_exit_trap();
  exit(sh.status);
}

/** In the child of a job: joins its process group, which gets the terminal if it runs in the foreground. */
function join_group(job: Job, where: u32): void {
  if (sh.monitor == 0) return;
  const pgid = job.pgid == 0 ? getpid() : job.pgid;
  setpgid(0, pgid);
  // SIGTTOU is still ignored.
  if (where == FOREGROUND) give_terminal(pgid);
}

/** In the child of a job in the background without job control: ^C and the input are not its business. */
function leave_terminal(): void {
  signal(SIGINT, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
  const empty = open(cs("/dev/null"), 0, 0);
  if (empty > 0) {
    dup2(empty, 0);
    close(empty);
  }
}

/** Forks a process of the job; tells when that cannot be. */
function fork_job(job: Job, where: u32): i32 {
  flush();
  // What is sent to the child before it has its own actions waits for them.
  const before = set_signal_mask(
    signal_bit(SIGINT) | signal_bit(SIGQUIT) | signal_bit(SIGTERM) | signal_bit(SIGTSTP),
  );
  const pid = fork();
  if (pid == 0) {
    const alone = where == BACKGROUND && sh.monitor == 0;
    join_group(job, where);
    become_child();
    if (alone) leave_terminal();
  }
  set_signal_mask(before);
  if (pid < 0) {
    eprintf(cs("%s: Cannot fork\n"), sh.arg0);
    sh.status = 2;
  } else if (pid > 0) {
    add_process(job, pid);
    // Whoever comes first, parent or child.
    if (sh.monitor != 0) setpgid(pid, job.pgid);
  }
  return pid;
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

/** A simple command that is a program. In a child that ends with it, takes the child's place. */
export function run_program(node: Node, argc: i32, argv: usize): void {
  if (sh.child != 2) {
    const job = new_job(1, node.text);
    const pid = fork_job(job, FOREGROUND);
    if (pid < 0) free_job(job);
    if (pid > 0) sh.status = wait_job(job);
    if (pid != 0) return;
  }
  if (!redirect_all(node.redirections, NO_SAVING)) exit(2);
  perform_assignments(node.assignments, V_EXPORTED);
  if (sh.failed != 0) exit(2);
  become_program(argc, argv);
}

/** In a child that runs only this command and ends: a program takes its place. */
export function execute_last(node: Node): void {
  if (node.kind == N_SIMPLE) sh.child = 2;
  execute(node);
  leave_child();
}

/** In a child of a pipeline: its input and output are the pipes'. `fds`: the pipe behind it, or 0. */
function take_pipes(input: i32, fds: usize): void {
  if (input >= 0) {
    dup2(input, 0);
    close(input);
  }
  if (fds == 0) return;
  close(load<i32>(fds));
  if (load<i32>(fds, 4) == 1) return;
  dup2(load<i32>(fds, 4), 1);
  close(load<i32>(fds, 4));
}

export function execute_pipe(pipeline: Node): void {
  const fds = frame_alloc(8);
  let input = -1;
  let total = 0;
  for (let node = pipeline.left; changetype<usize>(node) != 0; node = node.next) total++;
  const job = new_job(total, pipeline.text);
  for (let node = pipeline.left; changetype<usize>(node) != 0; node = node.next) {
    const more = changetype<usize>(node.next) != 0;
    if (more && pipe(fds) != 0) {
      eprintf(cs("%s: Pipe call failed\n"), sh.arg0);
      sh.status = 2;
      break;
    }
    const pid = fork_job(job, FOREGROUND);
    if (pid == 0) {
      take_pipes(input, more ? fds : 0);
      node.next = changetype<Node>(0);
      execute_last(node);
    }
    if (input >= 0) close(input);
    input = -1;
    if (more) {
      close(load<i32>(fds, 4));
      input = load<i32>(fds);
    }
    if (pid < 0) break;
  }
  if (input >= 0) close(input);
  if (job.count > 0) sh.status = wait_job(job);
  else free_job(job);
}

/** `command &`. */
export function execute_background(node: Node): void {
  if (sh.interactive == 0) forget_old_jobs();
  const job = new_job(1, node.text);
  const pid = fork_job(job, BACKGROUND);
  if (pid < 0) {
    free_job(job);
    return;
  }
  if (pid == 0) execute_last(node.left);
  note_background(job);
  sh.status = 0;
}

/** `( commands )`. */
export function execute_subshell(node: Node): void {
  const job = new_job(1, node.text);
  const pid = fork_job(job, FOREGROUND);
  if (pid < 0) {
    free_job(job);
    return;
  }
  if (pid == 0) {
    if (!redirect_all(node.redirections, NO_SAVING)) exit(2);
    sh.loops = 0;
    if (sh.skip == SKIP_NONE && changetype<usize>(node.left) != 0) execute(node.left);
    leave_child();
  }
  sh.status = wait_job(job);
}
