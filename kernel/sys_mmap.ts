// System calls of memory: they unpack their arguments for UVM.
import { fd_getfile } from "./kern_descrip";
import { RLIMIT_DATA, RLIMIT_MEMLOCK, limit_of } from "./kern_resource";
import { EBADF, EINVAL } from "./sys/errno";
import { DTYPE_VNODE } from "./sys/file";
import { Proc } from "./sys/proc";
import {
  SysBreakArgs, SysMadviseArgs, SysMincoreArgs, SysMinheritArgs, SysMlockArgs, SysMlockallArgs, SysMmapArgs,
  SysMprotectArgs, SysMunlockArgs, SysMunmapArgs, Sys__msync13Args,
} from "./syscallargs";
import { Vnode } from "../fs/vnode";
import {
  uvm_brk, uvm_madvise, uvm_mincore, uvm_minherit, uvm_mlock, uvm_mlockall, uvm_mmap_user, uvm_mprotect, uvm_msync,
  uvm_munlock, uvm_munmap,
} from "../vm/uvm_mmap";

const MAP_ANON: u32 = 0x1000;

/** What a process may wire; uid 0 anything. */
function locklimit(p: Proc): u32 {
  const limit = p.p_uid == 0 ? 0 : limit_of(p, RLIMIT_MEMLOCK);
  return limit == 0xffffffff ? 0 : limit;
}

export function sys_mmap(p: Proc, uap: SysMmapArgs, retval: usize): i32 {
  const none = changetype<Vnode>(0);
  if ((uap.flags & MAP_ANON) != 0) {
    if (uap.fd != -1) return EINVAL;
    return uvm_mmap_user(p.p_vmspace, uap.addr, uap.len, uap.prot, uap.flags, none, 0, uap.pos, locklimit(p), retval);
  }
  const fp = fd_getfile(p, uap.fd, 0);
  if (changetype<usize>(fp) == 0) return EBADF;
  if (fp.f_type != DTYPE_VNODE) return EINVAL;
  fp.f_count++;
  const error = uvm_mmap_user(p.p_vmspace, uap.addr, uap.len, uap.prot, uap.flags, changetype<Vnode>(fp.f_data),
    fp.f_flag, uap.pos, locklimit(p), retval);
  fp.f_count--;
  return error;
}

export function sys_munmap(p: Proc, uap: SysMunmapArgs, retval: usize): i32 {
  return uvm_munmap(p.p_vmspace.vm_map, uap.addr, uap.len);
}

export function sys_mprotect(p: Proc, uap: SysMprotectArgs, retval: usize): i32 {
  return uvm_mprotect(p.p_vmspace.vm_map, uap.addr, uap.len, uap.prot);
}

export function sys_madvise(p: Proc, uap: SysMadviseArgs, retval: usize): i32 {
  return uvm_madvise(p.p_vmspace.vm_map, uap.addr, uap.len, uap.behav);
}

export function sys_minherit(p: Proc, uap: SysMinheritArgs, retval: usize): i32 {
  return uvm_minherit(p.p_vmspace.vm_map, uap.addr, uap.len, uap.inherit);
}

export function sys___msync13(p: Proc, uap: Sys__msync13Args, retval: usize): i32 {
  return uvm_msync(p.p_vmspace.vm_map, uap.addr, uap.len, uap.flags);
}

export function sys_mincore(p: Proc, uap: SysMincoreArgs, retval: usize): i32 {
  return uvm_mincore(p.p_vmspace.vm_map, uap.addr, uap.len, uap.vec);
}

export function sys_mlock(p: Proc, uap: SysMlockArgs, retval: usize): i32 {
  return uvm_mlock(p.p_vmspace.vm_map, uap.addr, uap.len, locklimit(p));
}

export function sys_munlock(p: Proc, uap: SysMunlockArgs, retval: usize): i32 {
  return uvm_munlock(p.p_vmspace.vm_map, uap.addr, uap.len);
}

export function sys_mlockall(p: Proc, uap: SysMlockallArgs, retval: usize): i32 {
  return uap.flags == 0 ? EINVAL : uvm_mlockall(p.p_vmspace.vm_map, uap.flags, locklimit(p));
}

export function sys_munlockall(p: Proc, retval: usize): i32 {
  return uvm_mlockall(p.p_vmspace.vm_map, 0, 0);
}

/** break: the end of the data becomes `nsize`, an address. */
export function sys_break(p: Proc, uap: SysBreakArgs, retval: usize): i32 {
  return uvm_brk(p.p_vmspace, uap.nsize, limit_of(p, RLIMIT_DATA));
}
