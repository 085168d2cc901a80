// From a trap to the command loop.

import { frame_alloc } from "../i386/cpufunc";
import { curproc } from "../kern_proc";
import { p_comm } from "../sys/proc";
import { db_command_loop, db_dot } from "./db_command";
import { db_printf } from "./db_output";
import { db_print_inst_count, db_restart_at_pc, db_stop_at_pc } from "./db_run";
import { db_print_loc_and_inst } from "./db_show";
import { ddb_regs } from "./db_variables";

/** Shows why and where the kernel stopped and runs commands until one resumes it. ddb_regs holds the frame. */
export function db_trap(type: u32, code: u32): void {
  const is_breakpoint = frame_alloc(4);
  if (db_stop_at_pc(type, is_breakpoint)) {
    db_print_inst_count();
    const what = load<u32>(is_breakpoint) != 0 ? cs("Breakpoint") : cs("Stopped");
    const p = curproc();
    if (changetype<usize>(p) != 0) db_printf(cs("%s in %s at\t"), what, p_comm(p));
    else db_printf(cs("%s at\t"), what);
    db_dot.dot = ddb_regs.tf_eip;
    db_print_loc_and_inst(ddb_regs.tf_eip);
    db_command_loop();
  }
  db_restart_at_pc();
}
