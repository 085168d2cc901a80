// Averages and sums for people: how many processes want to run, and what they hold.
import { allproc_first, proc_next } from "../kernel/kern_proc";
import { timeout } from "../kernel/kern_clock";
import { HZ, PAGE_SHIFT, PZERO } from "../kernel/sys/param";
import { Proc, SIDL, SRUN, SSLEEP, SSTOP, SZOMB } from "../kernel/sys/proc";
import { SIZEOF_VMTOTAL, Vmtotal } from "../kernel/sys/sysctl";
import { uvmexp } from "./uvm_stat";

/** Averages are fixed-point numbers with this much for 1. */
export const FSCALE: u32 = 2048;
const FSHIFT: u32 = 11;

/** struct loadavg: runnable processes, averaged over 1, 5 and 15 minutes, times FSCALE; FSCALE. */
export const averunnable: usize = memory.data<u32>([0, 0, 0, 2048]);
export const SIZEOF_LOADAVG: u32 = 16;

/** Seconds between two looks, and how much of the average stays at each: exp(-5/60), exp(-5/300), exp(-5/900). */
const INTERVAL: i32 = 5;
const cexp: usize = memory.data<u32>([1884, 2014, 2036]);

/** Seconds of sleep after which a process is idle. */
const MAXSLP: u32 = 20;

/** Processes that run or would, or sleep for something short. */
function count_runnable(): u32 {
  let count: u32 = 0;
  let p = allproc_first();
  while (changetype<usize>(p) != 0) {
    const short_sleep = p.p_stat == SSLEEP && p.p_priority <= PZERO && p.p_slptime <= 1 && p.p_pid > 2;
    if (p.p_stat == SRUN || p.p_stat == SIDL || short_sleep) count++;
    p = proc_next(p);
  }
  return count;
}

/** Brings the averages up to date, and comes again. At splsoftclock. */
function uvm_loadav(arg: usize): void {
  const nrun = count_runnable();
  for (let i: usize = 0; i < 12; i += 4) {
    const stays = load<u32>(cexp + i);
    const average = stays * load<u32>(averunnable + i) + nrun * FSCALE * (FSCALE - stays);
    store<u32>(averunnable + i, average >> FSHIFT);
  }
  timeout(uvm_loadav.index, 0, INTERVAL * HZ);
}

/** Starts averaging. Once, when the clock ticks. */
export function uvm_meter_start(): void {
  timeout(uvm_loadav.index, 0, INTERVAL * HZ);
}

/** Counts a process where it belongs; is it active? */
function count_process(p: Proc, total: Vmtotal): bool {
  if (p.p_stat == SSLEEP || p.p_stat == SSTOP) {
    if (p.p_stat == SSLEEP && p.p_priority <= PZERO) total.t_dw++;
    else if (p.p_slptime < MAXSLP) total.t_sl++;
    return p.p_slptime < MAXSLP;
  }
  total.t_rq++;
  return true;
}

/** Fills in what all processes together do and have. */
export function uvm_total(total: Vmtotal): void {
  memory.fill(changetype<usize>(total), 0, SIZEOF_VMTOTAL);
  let p = allproc_first();
  while (changetype<usize>(p) != 0) {
    if (p.p_stat != SZOMB && changetype<usize>(p.p_vmspace) != 0 && p.p_sigacts != 0) {
      const active = count_process(p, total);
      const pages = i32(p.p_vmspace.vm_map.size >> PAGE_SHIFT);
      const resident = p.p_vmspace.vm_map.pmap.pm_resident;
      total.t_vm += pages;
      total.t_rm += resident;
      if (active) {
        total.t_avm += pages;
        total.t_arm += resident;
      }
    }
    p = proc_next(p);
  }
  total.t_free = uvmexp.free;
}
