// kill(1): sends a signal to processes. `kill [-s name | -name | -number] pid ...`, `kill -l` lists the names.
import { strcmp } from "../../libkern";
import { errx, set_progname, usage, warn } from "../lib/errors";
import { NSIG, SIGTERM, signal_name, signal_number } from "../lib/signals";
import { printf } from "../lib/stdio";
import { atoi, is_number } from "../lib/stdlib";
import { kill } from "../lib/syscalls";

function list_names(): i32 {
  for (let number = 1; number < NSIG; number++) printf(number + 1 < NSIG ? cs("%s ") : cs("%s\n"), signal_name(number));
  return 0;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("kill"));
  if (argc < 2) usage(cs("kill [-s signal | -signal] pid ..."));
  let at = 1;
  let number = SIGTERM;
  const first = load<usize>(argv + 4);
  if (strcmp(first, cs("-l")) == 0) return list_names();
  if (load<u8>(first) == 0x2d && argc > 2) {
    const apart = strcmp(first, cs("-s")) == 0;
    const name = apart ? load<usize>(argv + 8) : first + 1;
    number = signal_number(name);
    if (number < 0) errx(1, cs("unknown signal %s"), name);
    at = apart ? 3 : 2;
  }
  let status = 0;
  for (; at < argc; at++) {
    const word = load<usize>(argv + 4 * at);
    if (!is_number(word)) errx(2, cs("illegal process id: %s"), word);
    if (kill(atoi(word), number) == 0) continue;
    warn(word);
    status = 1;
  }
  return status;
}
