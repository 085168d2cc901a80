// $(command): the output of a command, run in a child.
import { frame_alloc } from "../../../i386/cpufunc";
import { wait_for } from "../../lib/process";
import { flush } from "../../lib/stdio";
import { malloc, realloc } from "../../lib/stdlib";
import { close, dup2, fork, pipe, read } from "../../lib/syscalls";
import { run_and_leave } from "./execute";
import { become_child } from "./processes";
import { sh } from "./state";

/** Runs `command`; its output without trailing newlines, in malloc's memory. */
export function substitute_command(command: usize): usize {
  const fds = frame_alloc(8);
  const statusp = frame_alloc(4);
  let capacity: u32 = 256;
  let output = malloc(capacity);
  let length: u32 = 0;
  flush();
  store<u8>(output, 0);
  if (pipe(fds) != 0) {
    sh.failed = 1;
    return output;
  }
  const pid = fork();
  if (pid == 0) {
    close(load<i32>(fds));
    if (load<i32>(fds, 4) != 1) {
      dup2(load<i32>(fds, 4), 1);
      close(load<i32>(fds, 4));
    }
    become_child();
    run_and_leave(command);
  }
  close(load<i32>(fds, 4));
  for (; pid > 0;) {
    if (capacity - length < 256) {
      capacity *= 2;
      output = realloc(output, capacity);
    }
    const n = read(load<i32>(fds), output + length, capacity - length - 1);
    if (n <= 0) break;
    length += n;
  }
  close(load<i32>(fds));
  if (pid < 0) sh.failed = 1;
  else sh.substitution_status = wait_for(pid, statusp);
  while (length > 0 && load<u8>(output + length - 1) == 0x0a) length--;
  store<u8>(output + length, 0);
  return output;
}
