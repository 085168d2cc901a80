// Signal handlers, the machine's part: the frame that a handler finds on the
// user's stack, and the way back (sigreturn).
//
//   esp -> signum, code, scp, handler, struct sigcontext
//
// The process goes on in sigcode, which lies at the top of its stack: it calls the
// handler with the first three words as arguments and then __sigreturn14(scp).
import { frame_alloc, lfs, lgs, rfs, rgs } from "./cpufunc";
import { PSL_AC, PSL_NT, PSL_VM, Trapframe } from "./frame";
import { npxdrop } from "./npx";
import { GUCODE_SEL, GUDATA_SEL, LUCODE_SEL, LUDATA_SEL, SEL_UPL } from "./segments";
import { Sigcontext, Sigframe } from "./sigframe";
import { copyin, copyout } from "./support";
import { sym } from "./sym";
import { p_md_regs } from "./vm_machdep";
import { sigexit } from "../kern_sig";
import { PS_STRINGS } from "../sys/exec";
import { EINVAL, EFAULT, EJUSTRETURN } from "../sys/errno";
import { Proc } from "../sys/proc";
import { SA_ONSTACK, SIGCANTMASK, SIGILL, SS_DISABLE, SS_ONSTACK, Sigact } from "../sys/signal";
import { Sys__sigreturn14Args } from "../syscallargs";

const SIZEOF_SIGFRAME: u32 = 16 + 24 * 4;

/** Bits of eflags that a user may set: the status flags, T, D, AC, ID, and RF, which faults leave set. */
const PSL_USERCHANGE: u32 = 0x00250dd5;
const PSL_USERSET: u32 = 0x202;

function save_context(frame: Trapframe, sc: Sigcontext, mask: u32, onstack: u32): void {
  sc.sc_gs = rgs() & 0xffff;
  sc.sc_fs = rfs() & 0xffff;
  sc.sc_es = frame.tf_es;
  sc.sc_ds = frame.tf_ds;
  sc.sc_edi = frame.tf_edi;
  sc.sc_esi = frame.tf_esi;
  sc.sc_ebp = frame.tf_ebp;
  sc.sc_ebx = frame.tf_ebx;
  sc.sc_edx = frame.tf_edx;
  sc.sc_ecx = frame.tf_ecx;
  sc.sc_eax = frame.tf_eax;
  sc.sc_eip = frame.tf_eip;
  sc.sc_cs = frame.tf_cs;
  sc.sc_eflags = frame.tf_eflags;
  sc.sc_esp = frame.tf_esp;
  sc.sc_ss = frame.tf_ss;
  sc.sc_onstack = onstack;
  sc.sc_mask13 = mask;
  sc.sc_trapno = frame.tf_trapno;
  sc.sc_err = frame.tf_err;
  sc.sc_mask = mask;
  sc.sc_mask1 = 0;
  sc.sc_mask2 = 0;
  sc.sc_mask3 = 0;
}

/** Address of the copy of sigcode in every process: right below its ps_strings. */
export function sigcode_user_address(): usize {
  return PS_STRINGS - szsigcode();
}

/** Bytes of sigcode, a multiple of four. */
export function szsigcode(): u32 {
  return (sym.esigcode() - sym.sigcode() + 3) & ~3;
}

/**
 * Makes process `p` (current, on its way to user mode) enter the handler of `sa`
 * first; `mask` is what sigreturn restores. A process whose stack cannot take the
 * frame dies of SIGILL. => may sleep
 */
export function sendsig(p: Proc, sa: Sigact, signum: u32, mask: u32, code: u32): void {
  const frame = p_md_regs(p);
  const sf = changetype<Sigframe>(frame_alloc(SIZEOF_SIGFRAME));
  const onstack = p.p_sigstk_flags & SS_ONSTACK;
  let sp = frame.tf_esp;
  if ((sa.sa_flags & SA_ONSTACK) != 0 && (p.p_sigstk_flags & (SS_DISABLE | SS_ONSTACK)) == 0 && p.p_sigstk_size != 0) {
    sp = p.p_sigstk_sp + p.p_sigstk_size;
    p.p_sigstk_flags |= SS_ONSTACK;
  }
  sp = (sp - SIZEOF_SIGFRAME) & ~3;
  sf.sf_signum = signum;
  sf.sf_code = code;
  sf.sf_scp = sp + 16;
  sf.sf_handler = sa.sa_handler;
  save_context(frame, sf.sf_sc, mask, onstack);
  if (copyout(changetype<usize>(sf), sp, SIZEOF_SIGFRAME) != 0) sigexit(p, SIGILL);
  lfs(LUDATA_SEL);
  lgs(LUDATA_SEL);
  frame.tf_es = LUDATA_SEL;
  frame.tf_ds = LUDATA_SEL;
  frame.tf_eip = sigcode_user_address();
  frame.tf_cs = LUCODE_SEL;
  frame.tf_eflags &= ~(PSL_NT | PSL_VM | PSL_AC | 0x100 | 0x400);
  frame.tf_esp = sp;
  frame.tf_ss = LUDATA_SEL;
}

/** Is this the selector of one of the user's two code segments? */
function is_user_code(selector: u32): bool {
  return (selector & 0xffff) == LUCODE_SEL || (selector & 0xffff) == (GUCODE_SEL | SEL_UPL);
}

/** Is this the selector of one of the user's two data segments? */
function is_user_stack(selector: u32): bool {
  return (selector & 0xffff) == LUDATA_SEL || (selector & 0xffff) == (GUDATA_SEL | SEL_UPL);
}

/** Is this a selector that a user may have in a data segment register? */
function is_user_data(selector: u32): bool {
  return is_user_stack(selector) || is_user_code(selector) || (selector & 0xfffc) == 0;
}

/**
 * __sigreturn14(scp): goes on where the signal came in, with the registers and
 * the mask of the sigcontext. EINVAL for a context that would gain privileges.
 */
export function sys___sigreturn14(p: Proc, uap: Sys__sigreturn14Args, retval: usize): i32 {
  const sc = changetype<Sigcontext>(frame_alloc(offsetof<Sigcontext>()));
  const frame = p_md_regs(p);
  if (copyin(uap.sigcntxp, changetype<usize>(sc), offsetof<Sigcontext>()) != 0) return EFAULT;
  if (!is_user_code(sc.sc_cs) || !is_user_stack(sc.sc_ss)) return EINVAL;
  if (!is_user_data(sc.sc_ds) || !is_user_data(sc.sc_es)) return EINVAL;
  if (((sc.sc_eflags ^ frame.tf_eflags) & ~PSL_USERCHANGE) != 0) return EINVAL;
  frame.tf_es = sc.sc_es & 0xffff;
  frame.tf_ds = sc.sc_ds & 0xffff;
  frame.tf_edi = sc.sc_edi;
  frame.tf_esi = sc.sc_esi;
  frame.tf_ebp = sc.sc_ebp;
  frame.tf_ebx = sc.sc_ebx;
  frame.tf_edx = sc.sc_edx;
  frame.tf_ecx = sc.sc_ecx;
  frame.tf_eax = sc.sc_eax;
  frame.tf_eip = sc.sc_eip;
  frame.tf_cs = sc.sc_cs & 0xffff;
  frame.tf_eflags = sc.sc_eflags | PSL_USERSET;
  frame.tf_esp = sc.sc_esp;
  frame.tf_ss = sc.sc_ss & 0xffff;
  p.p_sigmask = sc.sc_mask & ~SIGCANTMASK;
  if ((sc.sc_onstack & SS_ONSTACK) != 0) p.p_sigstk_flags |= SS_ONSTACK;
  else p.p_sigstk_flags &= ~SS_ONSTACK;
  return EJUSTRETURN;
}

/** The registers at the start of a program: everything zero but where it begins, its stack, and ps_strings in ebx. */
export function setregs(p: Proc, entry: usize, stack: usize): void {
  const frame = p_md_regs(p);
  memory.fill(changetype<usize>(frame), 0, offsetof<Trapframe>());
  npxdrop(p);
  lfs(LUDATA_SEL);
  lgs(LUDATA_SEL);
  frame.tf_es = LUDATA_SEL;
  frame.tf_ds = LUDATA_SEL;
  frame.tf_ebx = PS_STRINGS;
  frame.tf_eip = entry;
  frame.tf_cs = LUCODE_SEL;
  frame.tf_eflags = PSL_USERSET;
  frame.tf_esp = stack;
  frame.tf_ss = LUDATA_SEL;
}
