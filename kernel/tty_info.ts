// What ^T shows: the load of the machine, and what the foreground group is doing.
import { frame_alloc } from "./i386/cpufunc";
import { allproc_first, proc_next } from "./kern_proc";
import { snprintf } from "./subr_prf";
import { HZ, PAGE_SIZE } from "./sys/param";
import { Proc, SRUN, SSTOP, SZOMB, p_comm } from "./sys/proc";
import { ttyoutput } from "./tty";
import { FSCALE, averunnable } from "../vm/uvm_meter";

const LINE_SIZE: u32 = 120;

/** The process of the group that tells most: one that runs, else the youngest. NULL for a group without any. */
function pick(pgid: i32): Proc {
  let best = changetype<Proc>(0);
  for (let p = allproc_first(); changetype<usize>(p) != 0; p = proc_next(p)) {
    if (p.p_pgid != pgid || p.p_stat == SZOMB) continue;
    const first = changetype<usize>(best) == 0;
    if (first || (p.p_stat == SRUN && best.p_stat != SRUN)) best = p;
    else if ((p.p_stat == SRUN) == (best.p_stat == SRUN) && p.p_pid > best.p_pid) best = p;
  }
  return best;
}

function show(text: usize): void {
  for (; load<u8>(text) != 0; text++) ttyoutput(load<u8>(text));
}

function show_process(p: Proc, line: usize): void {
  const state = p.p_stat == SRUN ? cs("running") : p.p_stat == SSTOP ? cs("stopped") : p.p_wmesg != 0 ? p.p_wmesg
    : cs("iowait");
  snprintf(line, LINE_SIZE, cs(" cmd: %s %d [%s] "), p_comm(p), p.p_pid, state);
  show(line);
  const hundredths = 100 / HZ;
  snprintf(
    line, LINE_SIZE, cs("%u.%02uu %u.%02us %uk\n"), p.p_uticks / HZ, p.p_uticks % HZ * hundredths, p.p_sticks / HZ,
    p.p_sticks % HZ * hundredths, u32(p.p_vmspace.vm_map.pmap.pm_resident) * (PAGE_SIZE / 1024),
  );
  show(line);
}

/** Shows a line about the group on the terminal. => spltty */
export function ttyinfo(pgid: i32): void {
  const line = frame_alloc(LINE_SIZE);
  const average = (load<u32>(averunnable) * 100 + FSCALE / 2) / FSCALE;
  snprintf(line, LINE_SIZE, cs("load: %u.%02u "), average / 100, average % 100);
  show(line);
  const p = pick(pgid);
  if (changetype<usize>(p) != 0) show_process(p, line);
  else show(pgid == 0 ? cs("not a controlling terminal\n") : cs("empty foreground process group\n"));
}
