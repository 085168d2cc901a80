// reboot(2).
import { frame_alloc } from "./i386/cpufunc";
import { cpu_reboot, set_exit_status } from "./i386/machdep";
import { copyinstr } from "./i386/support";
import { strcmp } from "./libkern";
import { EPERM } from "./sys/errno";
import { Proc } from "./sys/proc";
import { RB_STRING } from "./sys/reboot";
import { SysRebootArgs } from "./syscallargs";

/** Status that a run ends with when it failed without a panic. */
const EXIT_FAILED: u32 = 2;

/** Goes down as `opt` (RB_*) says. With RB_STRING the string tells how the run ended: `failed`, or anything else. */
export function sys_reboot(p: Proc, uap: SysRebootArgs, retval: usize): i32 {
  if (p.p_uid != 0) return EPERM;
  if ((uap.opt & RB_STRING) != 0) {
    const text = frame_alloc(16);
    const error = copyinstr(uap.bootstr, text, 16, 0);
    if (error != 0) return error;
    if (strcmp(text, cs("failed")) == 0) set_exit_status(EXIT_FAILED);
  }
  cpu_reboot(uap.opt, 0);
  return 0;
}
