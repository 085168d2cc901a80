// shortage: what happens to a program when memory runs out, row by row of docs/shortage.md.
//
// `shortage case file`: `case` is one of the table below; `file` is made, grows to some megabytes (a hole), and is
// removed. Prints nothing and exits with 0 when all is as it should be, else tells at which check it is not.
import { strcmp } from "../../libkern";
import { errx, set_progname, usage } from "../lib/errors";
import { case_fork, case_kernel, case_kernel_other, case_limits, case_pagetable } from "./shortage/kernel";
import { case_amap, case_anon, case_aobj, case_copy, case_full, case_killed, case_read } from "./shortage/user";
import { shortage } from "./shortage/state";

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("shortage"));
  if (argc != 3) usage(cs("shortage case file"));
  const name = load<usize>(argv + 4);
  shortage.file = load<usize>(argv + 8);
  if (strcmp(name, cs("anon")) == 0) case_anon();
  else if (strcmp(name, cs("copy")) == 0) case_copy();
  else if (strcmp(name, cs("killed")) == 0) case_killed();
  else if (strcmp(name, cs("aobj")) == 0) case_aobj();
  else if (strcmp(name, cs("amap")) == 0) case_amap();
  else if (strcmp(name, cs("read")) == 0) case_read();
  else if (strcmp(name, cs("full")) == 0) case_full();
  else if (strcmp(name, cs("pagetable")) == 0) case_pagetable();
  else if (strcmp(name, cs("fork")) == 0) case_fork();
  else if (strcmp(name, cs("kernel")) == 0) case_kernel();
  else if (strcmp(name, cs("other")) == 0) case_kernel_other();
  else if (strcmp(name, cs("limits")) == 0) case_limits();
  else errx(1, cs("there is no case %s"), name);
  return 0;
}
