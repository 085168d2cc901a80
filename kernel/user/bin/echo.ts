// echo(1): the arguments, separated by blanks; -n leaves out the newline.
import { strcmp } from "../../libkern";
import { putc, puts } from "../lib/stdio";

export function main(argc: i32, argv: usize, envp: usize): i32 {
  let at = 1;
  const newline = argc < 2 || strcmp(load<usize>(argv + 4), cs("-n")) != 0;
  if (!newline) at = 2;
  for (let i = at; i < argc; i++) {
    if (i > at) putc(0x20);
    puts(load<usize>(argv + 4 * i));
  }
  if (newline) putc(0x0a);
  return 0;
}
