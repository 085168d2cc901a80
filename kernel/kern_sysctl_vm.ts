// sysctl vm: counters and averages of the virtual memory system.
import { frame_alloc } from "./i386/cpufunc";
import { nkmempages } from "./kern_malloc";
import { sysctl_out, sysctl_word } from "./kern_sysctl";
import { ENOTDIR, EOPNOTSUPP } from "./sys/errno";
import { SIZEOF_VMTOTAL, VM_LOADAVG, VM_METER, VM_NKMEMPAGES, VM_UVMEXP, Vmtotal } from "./sys/sysctl";
import { Sys__sysctlArgs } from "./syscallargs";
import { SIZEOF_LOADAVG, averunnable, uvm_total } from "../vm/uvm_meter";
import { Uvmexp, uvmexp } from "../vm/uvm_stat";

/** The variables of vm. EOPNOTSUPP for one that there is not. Sleeps. */
export function sysctl_vm(uap: Sys__sysctlArgs, name: usize, count: u32): i32 {
  if (count != 1) return ENOTDIR;
  const total = changetype<Vmtotal>(frame_alloc(SIZEOF_VMTOTAL));
  switch (load<u32>(name)) {
    case VM_METER:
      uvm_total(total);
      return sysctl_out(uap, changetype<usize>(total), SIZEOF_VMTOTAL);
    case VM_LOADAVG: return sysctl_out(uap, averunnable, SIZEOF_LOADAVG);
    case VM_UVMEXP: return sysctl_out(uap, changetype<usize>(uvmexp), offsetof<Uvmexp>());
    case VM_NKMEMPAGES: return sysctl_word(uap, nkmempages());
    default: return EOPNOTSUPP;
  }
}
