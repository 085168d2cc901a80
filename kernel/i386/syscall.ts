// syscall(): `int $0x80` from user mode arrives here (Xsyscall of locore).
//
//   eax           number; 0 (syscall) and 198 (__syscall) take the number from the stack
//   esp -> return address, arguments ...
//
// A call that ends well returns eax (and edx for two words) with carry clear; one
// that fails returns the errno in eax with carry set. The handler's error ERESTART
// executes the int instruction again, EJUSTRETURN leaves all registers alone.
import { frame_alloc } from "./cpufunc";
import { Trapframe } from "./frame";
import { copyin, fuword } from "./support";
import { p_md_regs } from "./vm_machdep";
import { syscall_dispatch, syscall_name, syscall_words } from "../init_sysent";
import { curproc } from "../kern_proc";
import { CURSIG, postsig, psignal } from "../kern_sig";
import { preempt, want_resched } from "../kern_synch";
import { bootarg } from "../subr_bootargs";
import { printf } from "../subr_prf";
import { EJUSTRETURN, ENOSYS, ERESTART } from "../sys/errno";
import { Proc, p_comm } from "../sys/proc";
import { SIGSYS } from "../sys/signal";
import { uvmexp } from "../../vm/uvm_stat";

const SYS_syscall: u32 = 0;
const SYS___syscall: u32 = 198;
const PSL_C: u32 = 1;

/** The last thing on the way to user mode: signals, then the processor for others. => may not return */
export function userret(p: Proc): void {
  for (;;) {
    const signum = CURSIG(p);
    if (signum != 0) {
      postsig(p, signum);
      continue;
    }
    p.p_priority = p.p_usrpri;
    if (!want_resched()) return;
    preempt();
  }
}

/** One line per call, by boot argument `ktrace`. */
function trace_syscall(p: Proc, code: u32, args: usize, error: i32, value: i32): void {
  printf(cs("ktrace: %d %s %s("), p.p_pid, p_comm(p), syscall_name(code));
  const words = syscall_words(code);
  for (let i: i32 = 0; i < words; i++) printf(i != 0 ? cs(", 0x%x") : cs("0x%x"), load<u32>(args + u32(i) * 4));
  if (error != 0) printf(cs(") errno %d\n"), error);
  else printf(cs(") = %d\n"), value);
}

/** Finds number and arguments, and calls the handler. */
function call_handler(p: Proc, frame: Trapframe, args: usize, retval: usize): i32 {
  let code = frame.tf_eax;
  let params = frame.tf_esp + 4;
  if (code == SYS_syscall) {
    code = u32(fuword(params));
    params += 4;
  } else if (code == SYS___syscall) {
    code = u32(fuword(params));
    params += 8;
  }
  const words = syscall_words(code);
  if (words < 0) {
    psignal(p, SIGSYS);
    return ENOSYS;
  }
  let error = words != 0 ? copyin(params, args, u32(words) * 4) : 0;
  if (error == 0) error = syscall_dispatch(code, p, args, retval);
  if (bootarg(cs("ktrace")) != 0) trace_syscall(p, code, args, error, load<i32>(retval));
  return error;
}

/** Called by Xsyscall with interrupts enabled. What it changes in `frame` holds on return. */
export function syscall(frame: Trapframe): void {
  uvmexp.syscalls++;
  const p = curproc();
  const args = frame_alloc(32);
  const retval = frame_alloc(8);
  store<u32>(retval, 0);
  store<u32>(retval, frame.tf_edx, 4);
  const error = call_handler(p, frame, args, retval);
  if (error == 0) {
    frame.tf_eax = load<u32>(retval);
    frame.tf_edx = load<u32>(retval, 4);
    frame.tf_eflags &= ~PSL_C;
  } else if (error == ERESTART) {
    frame.tf_eip -= frame.tf_err;
  } else if (error != EJUSTRETURN) {
    frame.tf_eax = u32(error);
    frame.tf_eflags |= PSL_C;
  }
  userret(p);
}

/** The first thing that a child of fork does: goes to user mode behind the fork, with 0 in eax and 1 in edx. */
export function child_return(p: Proc): Trapframe {
  const frame = p_md_regs(p);
  frame.tf_eax = 0;
  frame.tf_edx = 1;
  frame.tf_eflags &= ~PSL_C;
  return frame;
}
