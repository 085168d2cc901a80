// trap(): every exception of the processor arrives here, from the stubs of
// locore, on the kernel stack of the process that was running.
//
// A page fault is most often business of UVM: uvm_fault makes the page valid
// and the instruction runs again. Which map is asked depends on the address
// alone: at KERNBASE and above it is the kernel's, below it is the current
// process's, also when the kernel faulted. So a NULL dereference in the kernel
// is looked up in the space of whatever process runs, and is only noticed because
// nothing is mapped there.
//
// What a user does wrong becomes a signal (user_signal). A fault on the way out of
// the kernel (doreti) is the user's, too: it comes of the registers that it asked for.
//
// A kernel-mode fault that cannot be resolved resumes at pcb_onfault, if that is
// set (copyin and its kin); otherwise the kernel is broken and DDB gets it.
import { enable_intr, rcr2, volatile } from "./cpufunc";
import {
  KERNELMODE, PGEX_W, T_ALIGNFLT, T_ARITHTRAP, T_ASTFLT, T_BOUND, T_BPTFLT, T_DIVIDE, T_DNA, T_FPOPFLT, T_NMI, T_OFLOW,
  T_PAGEFLT, T_PRIVINFLT, T_PROTFLT, T_SEGNPFLT, T_STKFLT, T_TRCTRAP, T_TSSFLT, T_USER, Trapframe,
} from "./frame";
import { current_cpl } from "./intr";
import { npx_error, npxdna } from "./npx";
import { Pcb } from "./pcb";
import { PDP_BASE, PG_RW, PG_V, pdei, vtopte } from "./pte";
import { sym } from "./sym";
import { userret } from "./syscall";
import { kdb_trap } from "../ddb/db_interface";
import { curproc } from "../kern_proc";
import { psignal, sigexit, trapsignal } from "../kern_sig";
import { panic, printf } from "../subr_prf";
import { KERNBASE, PAGE_SIZE, trunc_page } from "../sys/param";
import { Proc, p_comm } from "../sys/proc";
import { SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGTRAP } from "../sys/signal";
import {
  KERN_PROTECTION_FAILURE, KERN_RESOURCE_SHORTAGE, KERN_SUCCESS, VM_FAULT_INVALID, VM_FAULT_PROTECT, VM_PROT_READ, VM_PROT_WRITE,
} from "../../vm/uvm_extern";
import { uvm_fault } from "../../vm/uvm_fault";
import { kernel_map } from "../../vm/uvm_km";
import { VmMap, uvm_map_checkprot, vm_map_lock_read, vm_map_unlock_read } from "../../vm/uvm_map";
import { uvmexp } from "../../vm/uvm_stat";

/** Number of names in trap_type. */
const NTRAP_TYPES: u32 = 19;

/** Name of a trap type without T_USER; 0 for unknown ones. */
export function trap_type(type: u32): usize {
  switch (type) {
    case 0: return cs("privileged instruction fault");
    case 1: return cs("breakpoint trap");
    case 2: return cs("arithmetic trap");
    case 3: return cs("asynchronous system trap");
    case 4: return cs("protection fault");
    case 5: return cs("trace trap");
    case 6: return cs("page fault");
    case 7: return cs("alignment fault");
    case 8: return cs("integer divide fault");
    case 9: return cs("non-maskable interrupt");
    case 10: return cs("overflow trap");
    case 11: return cs("bounds check fault");
    case 12: return cs("FPU not available fault");
    case 13: return cs("double fault");
    case 14: return cs("FPU operand fetch fault");
    case 15: return cs("invalid TSS fault");
    case 16: return cs("segment not present fault");
    case 17: return cs("stack fault");
    case 18: return cs("reserved trap");
    default: return 0;
  }
}

/** The current process's Pcb; 0 while nothing runs. */
function curpcb(): Pcb {
  return changetype<Pcb>(load<usize>(sym.curpcb()));
}

/** Resumes at pcb_onfault. Returns false when it is not set. */
function resume_onfault(frame: Trapframe): bool {
  const pcb = curpcb();
  if (changetype<usize>(pcb) == 0 || pcb.pcb_onfault == 0) return false;
  frame.tf_eip = pcb.pcb_onfault;
  return true;
}

/** The map that a fault at `va` is looked up in: NULL before there are maps. */
function map_of_fault(va: usize, usermode: bool): VmMap {
  const p = curproc();
  if (changetype<usize>(p) == 0) return changetype<VmMap>(0);
  if (!usermode && va >= KERNBASE) {
    const map = kernel_map();
    return changetype<usize>(map.pmap) != 0 ? map : changetype<VmMap>(0);
  }
  return changetype<usize>(p.p_vmspace) != 0 ? p.p_vmspace.vm_map : changetype<VmMap>(0);
}

/** The signal for a failed fault: SIGBUS where the access is allowed but the file or device has no page for it. */
function fault_signal(map: VmMap, va: usize, ftype: u32, rv: i32): u32 {
  if (rv != KERN_PROTECTION_FAILURE) return SIGSEGV;
  vm_map_lock_read(map);
  const allowed = uvm_map_checkprot(map, va, va + PAGE_SIZE, ftype);
  vm_map_unlock_read(map);
  return allowed ? SIGBUS : SIGSEGV;
}

/** A page fault. Returns whether the interrupted code can go on. */
function trap_pagefault(frame: Trapframe, cr2: usize, usermode: bool): bool {
  const va = trunc_page(cr2);
  const map = map_of_fault(va, usermode);
  if (changetype<usize>(map) == 0) return false;
  const ftype = (frame.tf_err & PGEX_W) != 0 ? VM_PROT_READ | VM_PROT_WRITE : VM_PROT_READ;
  const rv = uvm_fault(map, va, VM_FAULT_INVALID, ftype);
  if (rv == KERN_SUCCESS) return true;
  if (!usermode && resume_onfault(frame)) return true;
  if (usermode) {
    const p = curproc();
    if (rv == KERN_RESOURCE_SHORTAGE) {
      printf(cs("UVM: pid %d (%s), uid %d killed: out of swap\n"), p.p_pid, p_comm(p), p.p_uid);
      psignal(p, SIGKILL);
    } else trapsignal(p, fault_signal(map, va, ftype, rv), T_PAGEFLT);
    return true;
  }
  printf(cs("uvm_fault(%p, 0x%lx, 0, %d) -> %x\n"), changetype<usize>(map), va, ftype, rv);
  return false;
}

/** The signal that a trap of user mode is; 0 for traps that are not the user's business. */
function user_signal(type: u32): u32 {
  switch (type) {
    case T_BPTFLT:
    case T_TRCTRAP: return SIGTRAP;
    case T_PRIVINFLT:
    case T_FPOPFLT: return SIGILL;
    case T_DIVIDE:
    case T_OFLOW:
    case T_BOUND:
    case T_ARITHTRAP: return SIGFPE;
    case T_PROTFLT:
    case T_TSSFLT:
    case T_SEGNPFLT:
    case T_STKFLT:
    case T_ALIGNFLT: return SIGBUS;
    default: return 0;
  }
}

/** A trap of user mode other than a page fault. Returns whether it was the user's business. */
function trap_user(p: Proc, type: u32): bool {
  if (type == T_ASTFLT) return true;
  if (type == T_DNA) {
    if (npxdna(p)) return true;
    printf(cs("pid %d killed due to lack of floating point\n"), p.p_pid);
    trapsignal(p, SIGKILL, type);
    return true;
  }
  if (type == T_ARITHTRAP) npx_error();
  const signum = user_signal(type);
  if (signum == 0) return false;
  trapsignal(p, signum, type);
  return true;
}

/** Called by alltraps with interrupts as they were. What it changes in `frame` holds on return. */
export function trap(frame: Trapframe): void {
  const cr2 = rcr2();
  const type = frame.tf_trapno;
  const usermode = !KERNELMODE(frame.tf_cs, frame.tf_eflags);
  uvmexp.traps++;
  if (type == T_PAGEFLT) {
    if (trap_pagefault(frame, cr2, usermode)) {
      if (usermode) userret(curproc());
      return;
    }
  } else if (usermode && trap_user(curproc(), type)) {
    userret(curproc());
    return;
  } else if (!usermode && (type == T_PROTFLT || type == T_SEGNPFLT || type == T_ALIGNFLT)) {
    if (resume_onfault(frame)) return;
    if (frame.tf_eip >= sym.doreti() && frame.tf_eip < sym.edoreti()) {
      enable_intr();
      sigexit(curproc(), SIGBUS);
    }
  } else if (type == T_NMI) {
    printf(cs("NMI ... going to debugger\n"));
  }
  if (kdb_trap(type, 0, frame) != 0) return;
  if (!usermode && type == T_TRCTRAP) return;
  trap_fatal(frame, usermode ? type | T_USER : type, cr2);
}

/** A trap that nobody handles, without DDB. */
function trap_fatal(frame: Trapframe, type: u32, cr2: usize): void {
  const mode = (type & T_USER) != 0 ? cs("user") : cs("supervisor");
  const index = type & ~T_USER;
  if (index < NTRAP_TYPES) printf(cs("fatal %s in %s mode\n"), trap_type(index), mode);
  else printf(cs("unknown trap %d in %s mode\n"), index, mode);
  printf(cs("trap type %d code %x eip %x cs %x eflags %x cr2 %x cpl %x\n"), type, frame.tf_err, frame.tf_eip,
    frame.tf_cs, frame.tf_eflags, cr2, current_cpl());
  panic(cs("trap"));
}

/** Makes one user page writable, as a write fault would. Returns 0, or 1 when the write is not allowed. */
function trapwrite(va: usize): i32 {
  const map = curproc().p_vmspace.vm_map;
  return uvm_fault(map, va, VM_FAULT_PROTECT, VM_PROT_READ | VM_PROT_WRITE) == KERN_SUCCESS ? 0 : 1;
}

/** Do the page tables of the current space allow writes at a user address? */
function is_writable(va: usize): bool {
  if ((volatile.load32(PDP_BASE + pdei(va) * 4) & PG_V) == 0) return false;
  return (volatile.load32(vtopte(va)) & (PG_V | PG_RW)) == (PG_V | PG_RW);
}

/**
 * Before a kernel write to [to, to + len) of user space on a 386, whose kernel
 * writes ignore read-only entries: takes the write faults that it would not
 * take. Returns 0, or 1 when a page may not be written. => may sleep
 */
function copyout_prepare(to: usize, len: u32): i32 {
  if (len == 0) return 0;
  const last = trunc_page(to + len - 1);
  let va = trunc_page(to);
  while (va <= last) {
    if (!is_writable(va) && trapwrite(va) != 0) return 1;
    va += PAGE_SIZE;
  }
  return 0;
}

/** Has copyout prepare its writes on processors without CR0.WP. */
export function trap_init(): void {
  if (load<u32>(sym.cpu_class()) == 3) store<u32>(sym.copyout_prepare(), copyout_prepare.index);
}
