// __sysctl: which subtree a name leads to, and how values get out and in.
//
//   kern     kern_sysctl_kern.ts, processes kern_sysctl_proc.ts
//   vm       kern_sysctl_vm.ts
//   debug    kern_sysctl_debug.ts
//   hw, machdep   kern_sysctl_hw.ts
//   ddb      kern_sysctl_ddb.ts
//
// The functions of the subtrees get the words behind the first one in kernel memory, and how many there are.
import { frame_alloc } from "./i386/cpufunc";
import { copyin, copyout } from "./i386/support";
import { sysctl_debug } from "./kern_sysctl_debug";
import { sysctl_ddb } from "./kern_sysctl_ddb";
import { sysctl_hw, sysctl_machdep } from "./kern_sysctl_hw";
import { sysctl_kern } from "./kern_sysctl_kern";
import { sysctl_vm } from "./kern_sysctl_vm";
import { strlen } from "./libkern";
import { EINVAL, ENOMEM, EOPNOTSUPP, EPERM } from "./sys/errno";
import { Proc } from "./sys/proc";
import { CTL_DDB, CTL_DEBUG, CTL_HW, CTL_KERN, CTL_MACHDEP, CTL_MAXNAME, CTL_VM } from "./sys/sysctl";
import { Sys__sysctlArgs } from "./syscallargs";

/** Copies a value out, as far as the room goes; its length always. ENOMEM when the room was too short. Sleeps. */
function copy_value(uap: Sys__sysctlArgs, value: usize, size: u32): i32 {
  if (uap.oldlenp == 0) return 0;
  const length = frame_alloc(4);
  let error = copyin(uap.oldlenp, length, 4);
  if (error != 0) return error;
  const room = load<u32>(length);
  if (uap.old != 0) {
    error = copyout(value, uap.old, room < size ? room : size);
    if (error == 0 && room < size) error = ENOMEM;
  }
  store<u32>(length, size);
  const failed = copyout(length, uap.oldlenp, 4);
  return error != 0 ? error : failed;
}

/** A value that nobody may change. EPERM when somebody wants to. Sleeps. */
export function sysctl_out(uap: Sys__sysctlArgs, value: usize, size: u32): i32 {
  return uap.new_ != 0 ? EPERM : copy_value(uap, value, size);
}

/** A NUL-terminated string that nobody may change. */
export function sysctl_string(uap: Sys__sysctlArgs, value: usize): i32 {
  return sysctl_out(uap, value, strlen(value) + 1);
}

/** A word that nobody may change. */
export function sysctl_word(uap: Sys__sysctlArgs, value: u32): i32 {
  const word = frame_alloc(4);
  store<u32>(word, value);
  return sysctl_out(uap, word, 4);
}

/** A string in `size` bytes of memory, which the super-user may change. EINVAL for one that is too long. */
export function sysctl_set_string(uap: Sys__sysctlArgs, value: usize, size: u32): i32 {
  if (uap.new_ != 0 && uap.newlen >= size) return EINVAL;
  const error = copy_value(uap, value, strlen(value) + 1);
  if (error != 0 || uap.new_ == 0) return error;
  memory.fill(value, 0, size);
  return copyin(uap.new_, value, uap.newlen);
}

/** The word at `value`, which the super-user may change to one from `least` to `most`. EINVAL for others. */
export function sysctl_set_word(uap: Sys__sysctlArgs, value: usize, least: u32, most: u32): i32 {
  const word = frame_alloc(4);
  if (uap.new_ != 0) {
    if (uap.newlen != 4) return EINVAL;
    const error = copyin(uap.new_, word, 4);
    if (error != 0) return error;
    if (load<u32>(word) < least || load<u32>(word) > most) return EINVAL;
  }
  const error = copy_value(uap, value, 4);
  if (error == 0 && uap.new_ != 0) store<u32>(value, load<u32>(word));
  return error;
}

export function sys___sysctl(p: Proc, uap: Sys__sysctlArgs, retval: usize): i32 {
  if (uap.namelen < 2 || uap.namelen > CTL_MAXNAME) return EINVAL;
  if (uap.new_ != 0 && p.p_uid != 0) return EPERM;
  const name = frame_alloc(48);
  const error = copyin(uap.name, name, uap.namelen * 4);
  if (error != 0) return error;
  const behind = name + 4;
  const count = uap.namelen - 1;
  switch (load<u32>(name)) {
    case CTL_KERN: return sysctl_kern(uap, behind, count);
    case CTL_VM: return sysctl_vm(uap, behind, count);
    case CTL_DEBUG: return sysctl_debug(uap, behind, count);
    case CTL_HW: return sysctl_hw(uap, behind, count);
    case CTL_MACHDEP: return sysctl_machdep(uap, behind, count);
    case CTL_DDB: return sysctl_ddb(uap, behind, count);
    default: return EOPNOTSUPP;
  }
}
