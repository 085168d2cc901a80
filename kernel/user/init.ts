// Process 1 when `init=` names no file: runs one of the kernel's own test programs, which no user program could be.

import { set_exit_status } from "../i386/machdep";
import { strcmp } from "../libkern";
import { bootarg } from "../subr_bootargs";
import { printf } from "../subr_prf";
import { ENOENT } from "../sys/errno";
import { overflow } from "./overflow";
import { shortage } from "./shortage";
import { uvmtest } from "./uvmtest";
import { vmtest } from "./vmtest";

/** Status that a run ends with when its workload failed without a panic. */
const EXIT_FAILED: u32 = 2;

function run_workload(name: usize): i32 {
  if (strcmp(name, cs("shortage")) == 0) return shortage();
  if (strcmp(name, cs("uvmtest")) == 0) return uvmtest();
  if (strcmp(name, cs("overflow")) == 0) return overflow();
  if (strcmp(name, cs("vmtest")) == 0) return vmtest();
  printf(cs("init: %s: no such program\n"), name);
  return ENOENT;
}

/** Runs the workload; a failure shows in the status that the machine ends with. */
export function init_program(): void {
  const name = bootarg(cs("init"));
  if (name == 0) {
    printf(cs("init: nothing to run; use the boot argument init=/sbin/init\n"));
    return;
  }
  const error = run_workload(name);
  if (error == 0) return;
  printf(cs("init: %s: error %d\n"), name, error);
  set_exit_status(EXIT_FAILED);
}
