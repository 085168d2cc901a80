// Process switch, and the machine's part of making a process.
//
// A process that does not run has its registers on its kernel stack, as
// switch_stack of locore pushed them, and the stack pointer in its Pcb. While
// nobody wants to run the processor halts on the stack of the process that ran
// last, with no current process.
import { disable_intr, enable_intr, lcr3, lfs, lgs, rcr3, read_ebp, rfs, rgs, sti_hlt } from "./cpufunc";
import { current_cpl, spl0, splhigh, splx } from "./intr";
import { Trapframe } from "./frame";
import { npx_switch, npxfork } from "./npx";
import { Pcb, SIZEOF_PCB } from "./pcb";
import { set_kernel_stack } from "./segments";
import { switch_stack } from "./support";
import { sym } from "./sym";
import { curproc, set_curproc } from "../kern_proc";
import { memcpy } from "../libkern";
import { anyone_runnable, choose_process } from "../kern_synch";
import { USPACE } from "../sys/param";
import { Proc, SRUN } from "../sys/proc";

/** Words that switch_stack pops: edi, esi, ebx, ebp, and the address it returns to. */
const SWITCHFRAME_WORDS: u32 = 5;
/** Room at the top of each kernel stack for the frame of entries from user mode. */
const USER_FRAME: u32 = 64;

/** The frame of the process's way into the kernel from user mode: at the top of its kernel stack. */
export function p_md_regs(p: Proc): Trapframe {
  return changetype<Trapframe>(p.p_addr + USPACE - USER_FRAME);
}

/** Halts until an interrupt makes somebody runnable. => splhigh on entry and return */
function idle(): void {
  while (!anyone_runnable()) {
    spl0();
    disable_intr();
    if (!anyone_runnable()) sti_hlt();
    else enable_intr();
    splhigh();
  }
}

/** fs and gs of the process. It had them before, so they are selectors that can be loaded. */
function load_segments(pcb: Pcb): void {
  if ((rfs() & 0xffff) != pcb.pcb_fs) lfs(pcb.pcb_fs);
  if ((rgs() & 0xffff) != pcb.pcb_gs) lgs(pcb.pcb_gs);
}

/**
 * Runs the most urgent process, which may be the caller again. The caller has put
 * itself on a queue, or is never to run again.
 * => splhigh; the priority level is the process's own again on return
 */
export function cpu_switch(): void {
  const old = curproc();
  const level = current_cpl();
  set_curproc(changetype<Proc>(0));
  if (!anyone_runnable()) idle();
  const p = choose_process();
  p.p_stat = SRUN;
  if (p != old) {
    const oldpcb = changetype<Pcb>(old.p_addr);
    const pcb = changetype<Pcb>(p.p_addr);
    oldpcb.pcb_ebp = read_ebp();
    oldpcb.pcb_fs = rfs() & 0xffff;
    oldpcb.pcb_gs = rgs() & 0xffff;
    if (rcr3() != pcb.pcb_cr3) lcr3(pcb.pcb_cr3);
    store<usize>(sym.curpcb(), p.p_addr);
    set_kernel_stack(p.p_addr + USPACE);
    set_curproc(p);
    load_segments(pcb);
    npx_switch(p);
    switch_stack(changetype<usize>(oldpcb) + offsetof<Pcb>("pcb_esp"), pcb.pcb_esp);
  } else set_curproc(p);
  splx(level);
}

/** Gives a child of fork what its parent, the current process, has in registers. Behind cpu_fork. */
export function cpu_fork_user(parent: Proc, p: Proc): void {
  memcpy(changetype<usize>(p_md_regs(p)), changetype<usize>(p_md_regs(parent)), offsetof<Trapframe>());
  const pcb = changetype<Pcb>(p.p_addr);
  pcb.pcb_fs = rfs() & 0xffff;
  pcb.pcb_gs = rgs() & 0xffff;
  npxfork(parent, p);
}

/**
 * Prepares the u-area of a new process so that it begins with func(arg) (a code
 * address) on an empty stack at splhigh. p_addr and p_vmspace are set.
 */
export function cpu_fork(p: Proc, func: u32, arg: usize): void {
  const pcb = changetype<Pcb>(p.p_addr);
  memory.fill(p.p_addr, 0, SIZEOF_PCB);
  const pmap = p.p_vmspace.vm_map.pmap;
  pcb.pcb_pmap = changetype<usize>(pmap);
  pcb.pcb_cr3 = pmap.pm_pdirpa;
  const frame = p.p_addr + USPACE - USER_FRAME - 16 - SWITCHFRAME_WORDS * 4;
  store<u32>(frame, 0);
  store<u32>(frame, func, 4);
  store<u32>(frame, arg, 8);
  store<u32>(frame, 0, 12);
  store<u32>(frame, sym.proc_trampoline(), 16);
  pcb.pcb_esp = frame;
  // As a frame: no caller, and the address where it begins.
  pcb.pcb_ebp = frame + 12;
}
