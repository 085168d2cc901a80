// Processes: starting a program by name along PATH, and what wait4 says.
import { strchr, strlen } from "../../libkern";
import { last_error } from "./errors";
import { free, getenv, malloc } from "./stdlib";
import { execve, wait4 } from "./syscalls";

const ENOENT: i32 = 2;
const ENOTDIR: i32 = 20;
const EINTR: i32 = 4;


/** Whether the process of a wait status ended by itself. */
export function exited(status: i32): bool {
  return (status & 0x7f) == 0;
}

/** The status as a shell gives it: the exit code, or 128 and the signal. */
export function shell_status(status: i32): i32 {
  return exited(status) ? (status >> 8) & 0xff : 128 + (status & 0x7f);
}

/** Waits for the process; the shell's status of it, or -1 when there is no such child. */
export function wait_for(pid: i32, statusp: usize): i32 {
  while (true) {
    if (wait4(pid, statusp, 0, 0) == pid) return shell_status(load<i32>(statusp));
    if (last_error() != EINTR) return -1;
  }
}

/**
 * Executes the program `name` (looked for along PATH when it has no slash) in
 * place of this process. Returns only when that fails: the error number.
 */
export function execvp(name: usize, argv: usize, envp: usize): i32 {
  if (strchr(name, 0x2f) != 0) {
    execve(name, argv, envp);
    return last_error();
  }
  let path = getenv(cs("PATH"));
  if (path == 0) path = cs("/sbin:/bin");
  const file = malloc(strlen(path) + strlen(name) + 2);
  let error = ENOENT;
  while (true) {
    let n: u32 = 0;
    while (load<u8>(path + n) != 0 && load<u8>(path + n) != 0x3a) n++;
    memory.copy(file, path, n);
    if (n > 0) store<u8>(file + n, 0x2f);
    memory.copy(file + n + (n > 0 ? 1 : 0), name, strlen(name) + 1);
    execve(file, argv, envp);
    if (last_error() != ENOENT && last_error() != ENOTDIR) error = last_error();
    path += n;
    if (load<u8>(path) == 0) break;
    path++;
  }
  free(file);
  return error;
}
