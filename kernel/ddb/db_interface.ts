// The machine-dependent door of DDB: trap() and panic come in here.

import { Trapframe, T_BPTFLT, T_NMI, T_TRCTRAP, KERNELMODE, KERNEL_FRAME_SIZE } from "../i386/frame";
import { splhigh, splx } from "../i386/intr";
import { trap_type } from "../i386/trap";
import { bootarg_u32 } from "../subr_bootargs";
import { db_command_init, db_error, db_recovering } from "./db_command";
import { db_examine_init } from "./db_examine";
import { db_output_init, db_printf } from "./db_output";
import { db_sym_state } from "./db_sym";
import { db_trap } from "./db_trap";
import { db_settings, ddb_regs } from "./db_variables";

@unmanaged class Active {
  /** Nesting of kdb_trap. */
  active: u32;
  ready: u32;
}
const db_state = changetype<Active>(memory.data(offsetof<Active>()));

const MAXOFF: u32 = 0x10000000;

/**
 * Sets DDB up; before that, traps are fatal. Boot argument ddb.onpanic=0 keeps panics and traps out of it,
 * ddb.fromconsole=0 breaks on the console.
 */
export function ddb_init(): void {
  db_output_init();
  db_examine_init();
  db_command_init();
  db_sym_state.maxoff = MAXOFF;
  db_settings.onpanic = bootarg_u32(cs("ddb.onpanic"), 1);
  db_settings.fromconsole = bootarg_u32(cs("ddb.fromconsole"), 1);
  db_state.ready = 1;
}

/** Is DDB to be entered at a panic? */
export function db_onpanic(): bool {
  return db_state.ready != 0 && db_settings.onpanic != 0;
}

/** Is DDB to be entered at a break on the console's line? */
export function db_fromconsole(): bool {
  return db_state.ready != 0 && db_settings.fromconsole != 0;
}

/** Has a trap brought the kernel down into DDB? The exit status of a reboot from there tells. */
export function db_active(): bool {
  return db_state.active != 0;
}

/** Copies the trap frame out; a frame from the kernel has no esp and ss of its own. */
function take_frame(frame: Trapframe): void {
  const from_kernel = KERNELMODE(frame.tf_cs, frame.tf_eflags);
  memory.copy(changetype<usize>(ddb_regs), changetype<usize>(frame),
    from_kernel ? KERNEL_FRAME_SIZE : offsetof<Trapframe>());
  if (!from_kernel) return;
  ddb_regs.tf_esp = changetype<usize>(frame) + KERNEL_FRAME_SIZE;
  ddb_regs.tf_ss = 0x10;
}

/**
 * Enters DDB for a trap. `code` is what the era's trap() passes: 0.
 * Returns 1 when the kernel is to go on with `frame` (which may have changed),
 * 0 when DDB does not want the trap. A fault while a command runs does not
 * return: it ends the command.
 */
export function kdb_trap(type: u32, code: u32, frame: Trapframe): i32 {
  if (db_state.ready == 0) return 0;
  if (type != T_BPTFLT && type != T_TRCTRAP && type != T_NMI) {
    if (db_settings.onpanic == 0) return 0;
    db_printf(cs("kernel: %s trap, code=%x\n"), trap_type(type), code);
    if (db_recovering()) db_error(cs("Faulted in DDB; continuing...\n"));
  }
  take_frame(frame);
  const s = splhigh();
  db_state.active++;
  db_trap(type, code);
  db_state.active--;
  splx(s);
  const from_kernel = KERNELMODE(frame.tf_cs, frame.tf_eflags);
  memory.copy(changetype<usize>(frame), changetype<usize>(ddb_regs),
    from_kernel ? KERNEL_FRAME_SIZE : offsetof<Trapframe>());
  return 1;
}
