// main(): from a machine with memory to a system with processes.
//
// locore calls it after init386, on proc0's stack, with interrupts disabled.
// proc0 starts everything and then becomes the swapper, which has nothing to
// swap: it buries the dead among its own children.
import { enable_intr, frame_alloc } from "./i386/cpufunc";
import { cpu_initclocks } from "./i386/clock";
import { spl0 } from "./i386/intr";
import { multiboot_module } from "./i386/multiboot";
import { cpu_reboot, cpu_startup, set_warm } from "./i386/machdep";
import { find_zombie, proc_reap } from "./kern_exit";
import { fork_kernel_proc, kthread_create1 } from "./kern_fork";
import { callout_init } from "./kern_clock";
import { proc0, procinit, set_initproc } from "./kern_proc";
import { sched_init, sched_start, tsleep } from "./kern_synch";
import { inittodr } from "./kern_time";
import { bootarg } from "./subr_bootargs";
import { panic, printf } from "./subr_prf";
import { exec_init } from "./init_exec";
import { file_init } from "./kern_descrip";
import { cnattach } from "./dev/cons";
import { mmattach } from "./dev/mem";
import { policyattach } from "./dev/policy";
import { rawattach } from "./dev/rawdisk";
import { init_program } from "./user/init";
import { PVM } from "./sys/param";
import { Proc } from "./sys/proc";
import { RB_HALT } from "./sys/reboot";
import { version } from "./vers";
import { devconfig, rootvnode, vfs_mountroot, vfsinit } from "../fs/vfs_conf";
import { syncer_start } from "../fs/vfs_sync";
import { uvm_init } from "../vm/uvm_init";
import { uvm_meter_start } from "../vm/uvm_meter";
import { uvm_pageout } from "../vm/uvm_pdaemon";

/**
 * Process 1: execs the file that the boot argument `init=/path` names, or runs a workload in the kernel and takes the
 * system down.
 */
function start_init(arg: usize): void {
  const path = bootarg(cs("init"));
  if (path != 0 && load<u8>(path) == 0x2f) exec_init(path);
  else init_program();
  cpu_reboot(RB_HALT, 0);
}

function create_init(): void {
  const newp = frame_alloc(4);
  if (fork_kernel_proc(proc0(), start_init.index, 0, cs("init"), newp) != 0) panic(cs("fork init"));
  set_initproc(changetype<Proc>(load<usize>(newp)));
}

function create_threads(): void {
  if (kthread_create1(uvm_pageout.index, 0, 0, cs("pagedaemon")) != 0) panic(cs("fork pagedaemon"));
  syncer_start();
}

/** proc0 from now on. */
function scheduler(): void {
  const found = frame_alloc(4);
  for (; ;) {
    for (; ;) {
      const child = find_zombie(proc0(), -1, found);
      if (changetype<usize>(child) == 0) break;
      proc_reap(child, 0);
    }
    tsleep(changetype<usize>(proc0()), PVM, cs("schedul"), 0);
  }
}

/** Says what the system was booted from: the boot module or the disk that `root=` names. */
function print_boot_device(): void {
  const module = frame_alloc(8);
  const fallback = multiboot_module(0, module, module + 4) ? cs("md0") : cs("wd0");
  const root = bootarg(cs("root"));
  printf(cs("boot device: %.3s\n"), root != 0 ? root : fallback);
}

/** Starts the system. Does not return. */
export function main(): void {
  printf(cs("%s\n"), version());
  callout_init();
  sched_init();
  uvm_init();
  procinit();
  cpu_startup();
  vfsinit();
  file_init();
  printf(cs("com0 at port 0x3f8 irq 4: ns16550a, console\n"));
  cpu_initclocks();
  enable_intr();
  spl0();
  inittodr();
  set_warm();
  sched_start();
  uvm_meter_start();
  devconfig();
  cnattach();
  mmattach();
  rawattach();
  policyattach();
  print_boot_device();
  vfs_mountroot();
  proc0().p_cdir = changetype<usize>(rootvnode());
  create_init();
  create_threads();
  scheduler();
}
