// The machine-dependent start, the way down, and what is known of the processor.
import { disable_intr, frame_alloc, hlt, lidt, outb } from "./cpufunc";
import { delay, startrtclock } from "./clock";
import { icu_init } from "./intr";
import { multiboot_map_modules, multiboot_memory_size, multiboot_physload, multiboot_print, multiboot_read }
  from "./multiboot";
import { npxinit } from "./npx";
import { Pcb } from "./pcb";
import { pmap_bootstrap, pmap_kernel } from "./pmap";
import { segments_init } from "./segments";
import { cpu_Debugger } from "./support";
import { sym } from "./sym";
import { trap_init } from "./trap";
import { cngetc, consinit } from "../cons";
import { db_active, db_onpanic, ddb_init } from "../ddb/db_interface";
import { proc0_init } from "../kern_proc";
import { bootarg } from "../subr_bootargs";
import { panicstr, printf } from "../subr_prf";
import { PAGE_SIZE, USPACE } from "../sys/param";
import { RB_HALT, RB_NOSYNC } from "../sys/reboot";
import { vfs_shutdown } from "../../fs/vfs_mount";
import { uvmexp } from "../../vm/uvm_stat";

/** Port of isa-debug-exit: a byte ends the run. */
const DEBUG_EXIT_PORT: u32 = 0xf4;
const DEBUG_EXIT_PANIC: u32 = 1;

/** Keyboard controller: the command that pulls the reset line. */
const KBCMD: u32 = 0x64;
const KBC_PULSE_RESET: u32 = 0xfe;

@unmanaged
class MachState {
  /** Devices and file systems are not there yet. */
  cold: bool;
  /** cpu_reboot has begun to sync. */
  waittime: bool;
  /** What a run without a panic ends with: 0, or what a failed workload set. */
  exit_status: u32;
}
const mach_state = changetype<MachState>(memory.data(offsetof<MachState>(), 4));

/** Is the system still starting? Sleeping is impossible then. */
export function cold(): bool {
  return mach_state.cold;
}

/** The system has started. */
export function set_warm(): void {
  mach_state.cold = false;
}

/**
 * First guest function, called by locore on proc0's stack with interrupts
 * disabled: console, tables, memory. `first_avail` is the physical address of
 * the first page after the image.
 */
export function init386(first_avail: usize): void {
  mach_state.cold = true;
  consinit();
  multiboot_read();
  const stack_top = sym.proc0_uarea() + USPACE;
  segments_init(stack_top);
  trap_init();
  pmap_bootstrap();
  multiboot_physload(first_avail);
  multiboot_map_modules();
  const pcb = changetype<Pcb>(sym.proc0_uarea());
  pcb.pcb_cr3 = pmap_kernel().pm_pdirpa;
  pcb.pcb_pmap = changetype<usize>(pmap_kernel());
  store<usize>(sym.curpcb(), sym.proc0_uarea());
  proc0_init(sym.proc0_uarea());
  icu_init();
  npxinit();
  startrtclock();
  ddb_init();
  // RB_KDB: into the debugger before anything else happens.
  if (bootarg(cs("-d")) != 0) kernel_debugger();
}

/** Which processor this is. */
export function cpu_model(): usize {
  return load<u32>(sym.cpu_class()) == 3 ? cs("Intel 386-class") : cs("Intel 486-class");
}

/** Says so. */
export function identifycpu(): void {
  printf(cs("cpu0: %s\n"), cpu_model());
}

/** The messages about processor and memory; UVM runs. */
export function cpu_startup(): void {
  identifycpu();
  if (bootarg(cs("-v")) != 0) multiboot_print();
  printf(cs("total memory = %u KB\n"), multiboot_memory_size() / 1024);
  printf(cs("avail memory = %u KB\n"), u32(uvmexp.free) * (PAGE_SIZE / 1024));
}

/** A run that does not panic ends with this status on the exit port; 1 is taken by panics. */
export function set_exit_status(status: u32): void {
  mach_state.exit_status = status;
}

/** Enters DDB if it is there and wanted at panics. */
export function kernel_debugger(): void {
  if (db_onpanic()) cpu_Debugger();
}

/** Ends the run with a status on machines with isa-debug-exit; does nothing elsewhere. */
export function debug_exit(status: u32): void {
  outb(DEBUG_EXIT_PORT, status);
}

/** Resets the machine: keyboard controller first, then a fault without an IDT. */
function cpu_reset(): void {
  disable_intr();
  outb(KBCMD, KBC_PULSE_RESET);
  delay(500000);
  const region = frame_alloc(8);
  store<u32>(region, 0);
  store<u32>(region + 4, 0);
  lidt(region);
  store<u32>(0, 0);
  for (; ;) hlt();
}

/**
 * Goes down: syncs and unmounts unless RB_NOSYNC, then halts (RB_HALT) or
 * resets. `bootstr` is for firmware that takes one; there is none. Does not return.
 */
export function cpu_reboot(howto: u32, bootstr: usize): void {
  if (mach_state.cold) howto |= RB_HALT;
  else if ((howto & RB_NOSYNC) == 0 && !mach_state.waittime) {
    mach_state.waittime = true;
    vfs_shutdown();
  }
  // RB_DUMP: there is no dump device, and the era prints nothing then.
  disable_intr();
  const failed = panicstr() != 0 || db_active();
  const status = failed ? DEBUG_EXIT_PANIC : mach_state.exit_status;
  if ((howto & RB_HALT) != 0) {
    printf(cs("\nThe operating system has halted.\n"));
    printf(cs("Please press any key to reboot.\n\n"));
    debug_exit(status);
    cngetc();
  }
  printf(cs("rebooting...\n"));
  debug_exit(status);
  cpu_reset();
}
