// The double-fault task: what runs when a fault could not be delivered, which
// on this kernel means that the kernel stack ran into its guard page.
//
// The processor has put the registers of the interrupted code into common_tss
// and started here on a stack of our own, with interrupts disabled. There is no
// way back. The overflow has run over the Pcb, which lies below the stack, before
// it reached the guard page; so nothing of it is trusted.
import { lcr3, rcr2 } from "./cpufunc";
import { Trapframe, T_DOUBLEFLT } from "./frame";
import { current_cpl } from "./intr";
import { cpu_reboot } from "./machdep";
import { Pcb } from "./pcb";
import { common_tss } from "./segments";
import { kdb_trap } from "../ddb/db_interface";
import { curproc } from "../kern_proc";
import { printf, set_panicstr } from "../subr_prf";
import { RB_NOSYNC } from "../sys/reboot";
import { p_comm } from "../sys/proc";

const dblfault_frame = changetype<Trapframe>(memory.data(64, 4));

/** The interrupted registers as a trap frame. */
function frame_of_task(): Trapframe {
  const frame = dblfault_frame;
  const task = common_tss;
  frame.tf_es = task.tss_es;
  frame.tf_ds = task.tss_ds;
  frame.tf_edi = task.tss_edi;
  frame.tf_esi = task.tss_esi;
  frame.tf_ebp = task.tss_ebp;
  frame.tf_ebx = task.tss_ebx;
  frame.tf_edx = task.tss_edx;
  frame.tf_ecx = task.tss_ecx;
  frame.tf_eax = task.tss_eax;
  frame.tf_trapno = T_DOUBLEFLT;
  frame.tf_err = 0;
  frame.tf_eip = task.tss_eip;
  frame.tf_cs = task.tss_cs;
  frame.tf_eflags = task.tss_eflags;
  frame.tf_esp = task.tss_esp;
  frame.tf_ss = task.tss_ss;
  return frame;
}

/** Entry point of the task. The word that stands for a return address is the error code. */
export function dblfault(): void {
  const frame = frame_of_task();
  const p = curproc();
  if (changetype<usize>(p) != 0) {
    lcr3(p.p_vmspace.vm_map.pmap.pm_pdirpa);
    // Rubbish here would catch the faults of DDB's commands.
    changetype<Pcb>(p.p_addr).pcb_onfault = 0;
  }
  if (changetype<usize>(p) != 0 && stack_overflowed(p.p_addr, frame.tf_esp)) {
    printf(cs("kernel stack of %s (pid %d) overflowed: esp %p, u-area %p\n"), p_comm(p), p.p_pid, frame.tf_esp,
      p.p_addr);
  }
  if (kdb_trap(T_DOUBLEFLT, 0, frame) == 0) {
    printf(cs("fatal double fault in supervisor mode\n"));
    printf(cs("trap type %d code %x eip %x cs %x eflags %x cr2 %x cpl %x\n"), T_DOUBLEFLT, 0, frame.tf_eip, frame.tf_cs,
      frame.tf_eflags, rcr2(), current_cpl());
  }
  printf(cs("panic: double fault\n"));
  set_panicstr(cs("double fault"));
  cpu_reboot(RB_NOSYNC, 0);
}

/** Does a stack pointer lie in the guard page below a u-area, or so low that the next push would? */
function stack_overflowed(uarea: usize, esp: usize): bool {
  return esp < uarea + offsetof<Pcb>() + 64 && esp >= uarea - 4096;
}
