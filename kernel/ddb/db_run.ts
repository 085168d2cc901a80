// Leaving and entering the stopped state: continue, step, next, until.
//
// A breakpoint at the pc is stepped over invisibly: the instruction runs once
// with the trace flag and without its int3, then all breakpoints go in.

import { PSL_T, T_BPTFLT, T_TRCTRAP } from "../i386/frame";
import { db_get_value } from "./db_access";
import { db_breakpoint_hit, db_clear_breakpoints, db_find_breakpoint, db_set_breakpoints } from "./db_break";
import { db_cmd_loop_done } from "./db_command";
import { db_printf } from "./db_output";
import { db_print_loc_and_inst } from "./db_show";
import { ddb_regs } from "./db_variables";

// What the kernel runs until.
const STEP_NONE: u32 = 0;
/** Only past a breakpoint, then on. */
const STEP_INVISIBLE: u32 = 1;
/** So many instructions. */
const STEP_COUNT: u32 = 2;
/** To the return that matches. */
const STEP_RETURN: u32 = 3;
/** To the next call or return. */
const STEP_CALLT: u32 = 4;

@unmanaged class RunState {
  mode: u32;
  count: i32;
  depth: i32;
  print: u32;
  instructions: u32;
}
const run = changetype<RunState>(memory.data(offsetof<RunState>()));

function opcode_at(pc: usize): u32 {
  return u32(db_get_value(pc, 2, false));
}

function is_call(inst: u32): bool {
  const modrm = (inst >> 8) & 0x38;
  return (inst & 0xff) == 0xe8 || ((inst & 0xff) == 0xff && (modrm == 0x10 || modrm == 0x18));
}

function is_return(inst: u32): bool {
  const byte = inst & 0xff;
  return byte == 0xc3 || byte == 0xc2 || byte == 0xcb || byte == 0xca || byte == 0xcf;
}

/** After a traced instruction: has the kernel arrived? */
function arrived(): bool {
  const inst = opcode_at(ddb_regs.tf_eip);
  if (run.mode == STEP_COUNT) {
    run.count--;
    if (run.count <= 0) return true;
    if (run.print != 0) db_print_loc_and_inst(ddb_regs.tf_eip);
    return false;
  }
  if (run.mode == STEP_RETURN) {
    if (is_return(inst)) {
      run.depth--;
      return run.depth == 0 || (inst & 0xff) == 0xcf;
    }
    if (is_call(inst)) run.depth++;
    return false;
  }
  return is_call(inst) || is_return(inst);
}

/** Number of instructions counted since the kernel was resumed. */
export function db_inst_count(): u32 {
  return run.instructions;
}

/**
 * On entry by trap `type`: is this a stop to be shown? Removes the breakpoints,
 * moves the pc back on an int3 that is one, and counts traced instructions.
 * `is_breakpoint` (4 bytes) says which kind of stop it is.
 */
export function db_stop_at_pc(type: u32, is_breakpoint: usize): bool {
  db_clear_breakpoints();
  store<u32>(is_breakpoint, 0);
  if (type == T_BPTFLT) {
    const b = db_find_breakpoint(ddb_regs.tf_eip - 1);
    if (changetype<usize>(b) != 0) {
      ddb_regs.tf_eip--;
      if (!db_breakpoint_hit(b)) return false;
      store<u32>(is_breakpoint, 1);
    }
    run.mode = STEP_NONE;
    return true;
  }
  if (type != T_TRCTRAP || run.mode == STEP_NONE) {
    run.mode = STEP_NONE;
    return true;
  }
  run.instructions++;
  if (run.mode == STEP_INVISIBLE) {
    run.mode = STEP_NONE;
    return false;
  }
  if (!arrived()) return false;
  run.mode = STEP_NONE;
  return true;
}

/** Prepares the saved registers to resume the kernel in the current mode. */
export function db_restart_at_pc(): void {
  const pc = ddb_regs.tf_eip;
  const b = db_find_breakpoint(pc);
  if (run.mode == STEP_NONE && changetype<usize>(b) != 0) run.mode = STEP_INVISIBLE;
  if (run.mode == STEP_NONE) {
    ddb_regs.tf_eflags &= ~PSL_T;
    db_set_breakpoints(0);
  } else {
    ddb_regs.tf_eflags |= PSL_T;
    db_set_breakpoints(pc);
  }
}

function resume(mode: u32, count: i32, modif: usize): void {
  run.mode = mode;
  run.count = count == -1 ? 1 : count;
  run.depth = 1;
  run.instructions = 0;
  run.print = u32(load<u8>(modif) == 112);
  if (mode != STEP_NONE) run.instructions = 0;
  db_cmd_loop_done();
}

/** `continue`. */
export function db_continue_cmd(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  resume(STEP_NONE, 0, modif);
}

/** `step[/p][,count]`. */
export function db_step_cmd(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  resume(STEP_COUNT, count, modif);
}

/** `next`, `match`: to the return that matches. */
export function db_next_cmd(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  resume(STEP_RETURN, 0, modif);
}

/** `until`: to the next call or return. */
export function db_until_cmd(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  resume(STEP_CALLT, 0, modif);
}

/** After stepping, before the location is shown. */
export function db_print_inst_count(): void {
  if (run.instructions > 1) db_printf(cs("After %d instructions (0 loads, 0 stores),\n"), run.instructions);
}
