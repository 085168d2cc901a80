// reboot(2).
import { cpu_reboot } from "./i386/machdep";
import { EPERM } from "./sys/errno";
import { Proc } from "./sys/proc";
import { SysRebootArgs } from "./syscallargs";

/** Goes down as `opt` (RB_*) says; the string for firmware is not looked at. */
export function sys_reboot(p: Proc, uap: SysRebootArgs, retval: usize): i32 {
  if (p.p_uid != 0) return EPERM;
  cpu_reboot(uap.opt, 0);
  return 0;
}
