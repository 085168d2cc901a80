// trace: walking the kernel stack by frame pointers.
//
//   frame: saved ebp @0, return address @4, arguments @8 ...
//
// How many arguments a function was given is told by the instruction at the
// return address: the caller removes them with `addl $n,%esp`, or there were
// none. (Compilers of the time could delay the removal, so NetBSD guessed five
// when it saw no addl; kcc never delays it.)
//
// A function called `trap`, `syscall` or an interrupt stub `X...` is where the
// processor was interrupted: trap() gets a pointer to the trap frame, and the walk goes on with
// the ebp and eip saved there. A call through a null pointer leaves a frame
// whose pc is 0: it prints as (null)(...), with the arguments of the function
// that made the call, whose frame it is.

import { curproc, pfind } from "../kern_proc";
import { syscall_name, syscall_words } from "../init_sysent";
import { frame_alloc } from "../i386/cpufunc";
import { Trapframe } from "../i386/frame";
import { Pcb } from "../i386/pcb";
import { strchr, strcmp } from "../libkern";
import { KERNBASE, VM_MAX_KERNEL_ADDRESS } from "../sys/param";
import { db_get_value } from "./db_access";
import { db_printf, db_puts } from "./db_output";
import { DB_STGY_ANY, DB_STGY_PROC, db_has_symbol, db_printsym, db_search_symbol, db_symbol_name, db_symbol_value } from "./db_sym";
import { ddb_regs } from "./db_variables";

const NONE: u32 = 0;
const TRAP: u32 = 1;
const SYSCALL: u32 = 2;
const INTERRUPT: u32 = 3;

/** Where the walk is. */
@unmanaged class Walk {
  frame: usize;
  callpc: usize;
}

function in_kernel(addr: usize): bool {
  return addr >= KERNBASE && addr < VM_MAX_KERNEL_ADDRESS;
}

/** Words of arguments, from the instruction at the frame's return address. */
export function db_numargs(frame: usize): u32 {
  const returns_to = db_get_value(frame + 4, 4, false);
  if (!db_has_symbol(returns_to)) return 0;
  const inst = u32(db_get_value(returns_to, 4, false));
  if ((inst & 0xffff) == 0xc483) return ((inst >> 16) & 0xff) >> 2; // addl $imm8,%esp
  if ((inst & 0xffff) == 0xc481) return u32(db_get_value(returns_to + 2, 4, false)) >> 2; // addl $imm32,%esp
  if ((inst & 0xff) == 0x59) return 1; // popl %ecx
  return 0;
}

/** What kind of boundary the function called `name` is. */
function boundary(name: usize): u32 {
  if (strcmp(name, cs("trap")) == 0) return TRAP;
  if (strcmp(name, cs("syscall")) == 0) return SYSCALL;
  if (strcmp(name, cs("intr")) == 0) return INTERRUPT;
  return NONE;
}

/** The trap frame of a boundary function: its first argument points there. */
function boundary_trapframe(frame: usize): Trapframe {
  return changetype<Trapframe>(db_get_value(frame + 8, 4, false));
}

/** NetBSD's line, and the name of the handler. */
function print_syscall(code: u32): void {
  if (syscall_words(code) < 0) db_printf(cs("--- syscall (number %d) ---\n"), code);
  else db_printf(cs("--- syscall (number %d, sys_%s) ---\n"), code, syscall_name(code));
}

/** Steps to the caller, across a boundary when `kind` is one. */
function next_frame(walk: Walk, kind: u32): void {
  if (kind == NONE) {
    walk.callpc = db_get_value(walk.frame + 4, 4, false);
    walk.frame = db_get_value(walk.frame, 4, false);
    return;
  }
  const tf = boundary_trapframe(walk.frame);
  if (kind == TRAP) db_printf(cs("--- trap (number %d) ---\n"), tf.tf_trapno);
  else if (kind == SYSCALL) print_syscall(tf.tf_eax);
  else db_puts(cs("--- interrupt ---\n"));
  walk.callpc = tf.tf_eip;
  walk.frame = tf.tf_ebp;
}

function print_arguments(argp: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    if (i != 0) db_puts(cs(","));
    db_printf(cs("%x"), db_get_value(argp + i * 4, 4, false));
  }
}

/** Has the function at `pc` not yet set up its frame? (`push %ebp; mov %esp,%ebp` is still to come.) */
function before_frame(pc: usize): bool {
  const inst = u32(db_get_value(pc, 4, false));
  return (inst & 0xffffff) == 0xe58955 || (inst & 0xffff) == 0xe589;
}

/** Prints one frame. `argp` and `frame` differ when the frame is not set up yet. */
function print_frame(name: usize, frame: usize, argp: usize, callpc: usize, kind: u32): void {
  db_printf(cs("%s("), name != 0 ? name : cs("(null)"));
  if (kind == NONE && frame != 0) print_arguments(argp, db_numargs(frame));
  db_puts(cs(") at "));
  db_printsym(callpc, DB_STGY_PROC);
  db_puts(cs("\n"));
}

/**
 * Is the stopped pc one whose function has no frame yet? Known functions are
 * at their first instructions; for an address without a symbol the code there
 * is looked at, which faults where nothing is mapped.
 */
function stopped_before_frame(pc: usize, symbol: usize): bool {
  if (symbol != 0) return pc == db_symbol_value(symbol) || (pc == db_symbol_value(symbol) + 1 && before_frame(pc));
  return before_frame(pc);
}

/**
 * Is the next frame a user's? The frame tells: a wild jump takes the pc anywhere, but
 * the frame stays the kernel's. Without a frame the pc has to do.
 */
function leaves_kernel(walk: Walk): bool {
  if (in_kernel(walk.frame)) return false;
  return walk.frame != 0 || (walk.callpc != 0 && !in_kernel(walk.callpc));
}

function walk_stack(walk: Walk, count: i32, have_addr: bool, to_user: bool): void {
  let first = true;
  let last: usize = 0;
  while (count > 0 && (walk.frame != 0 || first)) {
    const symbol = walk.callpc != 0 && db_has_symbol(walk.callpc) ? db_search_symbol(walk.callpc, DB_STGY_ANY) : 0;
    const name = symbol != 0 ? db_symbol_name(symbol) : 0;
    const kind = name != 0 ? boundary(name) : NONE;
    if (first && !have_addr && kind == NONE && stopped_before_frame(walk.callpc, symbol)) {
      // The frame still belongs to the caller; what this function has is on the stack.
      const early = ddb_regs.tf_esp - (walk.callpc == (symbol != 0 ? db_symbol_value(symbol) : walk.callpc) ? 4 : 0);
      print_frame(name, early, early + 8, walk.callpc, NONE);
      walk.callpc = db_get_value(early + 4, 4, false);
      first = false;
      count--;
      continue;
    }
    first = false;
    print_frame(name, walk.frame, walk.frame + 8, walk.callpc, kind);
    if (walk.frame == 0) return;
    last = walk.frame;
    next_frame(walk, kind);
    if (!to_user && leaves_kernel(walk)) {
      db_printsym(walk.callpc, DB_STGY_PROC);
      db_puts(cs(":\n"));
      return;
    }
    if (walk.frame != 0 && walk.frame <= last) {
      db_printf(cs("Bad frame pointer: %p\n"), walk.frame);
      return;
    }
    count--;
  }
}

/** Starts at a sleeping process's saved frame; false when there is no such process. */
function start_at_process(walk: Walk, pid: i32): bool {
  const p = pfind(pid);
  if (changetype<usize>(p) == 0) {
    db_printf(cs("trace: pid %d: not found\n"), pid);
    return false;
  }
  if (changetype<usize>(p) == changetype<usize>(curproc())) {
    walk.frame = ddb_regs.tf_ebp;
    walk.callpc = ddb_regs.tf_eip;
    return true;
  }
  db_printf(cs("trace: pid %d at %p\n"), pid, p.p_addr);
  const frame = changetype<Pcb>(p.p_addr).pcb_ebp;
  walk.callpc = db_get_value(frame + 4, 4, false);
  walk.frame = db_get_value(frame, 4, false);
  return true;
}

/** `trace[/tu] [frame or pid][,count]`: from the stopped registers, a frame address, or (/t) a process. */
export function db_stack_trace_cmd(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  const walk = changetype<Walk>(frame_alloc(offsetof<Walk>()));
  if (count == -1) count = 65535;
  if (strchr(modif, 116) != 0) {
    if (!start_at_process(walk, have_addr ? addr : curproc().p_pid)) return;
  } else if (have_addr) {
    walk.frame = addr;
    walk.callpc = db_get_value(addr + 4, 4, false);
    walk.frame = db_get_value(addr, 4, false);
  } else {
    walk.frame = ddb_regs.tf_ebp;
    walk.callpc = ddb_regs.tf_eip;
  }
  walk_stack(walk, count, have_addr || strchr(modif, 116) != 0, strchr(modif, 117) != 0);
}
