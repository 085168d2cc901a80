// sysctl kern.proc: processes, all or some.
import { free, malloc } from "./kern_malloc";
import { allproc_first, nprocs, proc_next } from "./kern_proc";
import { sysctl_out } from "./kern_sysctl";
import { memcpy, strlen } from "./libkern";
import { EINVAL } from "./sys/errno";
import { M_TEMP, M_WAITOK } from "./sys/malloc";
import { P_COMM_SIZE, Proc, p_comm } from "./sys/proc";
import {
  KERN_PROC_ALL, KERN_PROC_PGRP, KERN_PROC_PID, KERN_PROC_RUID, KERN_PROC_SESSION, KERN_PROC_UID, KinfoProc,
  SIZEOF_KINFO_PROC,
} from "./sys/sysctl";
import { Sys__sysctlArgs } from "./syscallargs";

/** Room for processes that come between the question how much it is and the next one. */
const SLACK: u32 = 5;
const WMESG_SIZE: u32 = 8;

function fill_kinfo(p: Proc, ki: KinfoProc): void {
  memory.fill(changetype<usize>(ki), 0, SIZEOF_KINFO_PROC);
  ki.ki_pid = p.p_pid;
  ki.ki_ppid = changetype<usize>(p.p_pptr) != 0 ? p.p_pptr.p_pid : 0;
  ki.ki_pgid = p.p_pgid;
  ki.ki_sid = p.p_sid;
  ki.ki_uid = p.p_uid;
  ki.ki_ruid = p.p_ruid;
  ki.ki_stat = p.p_stat;
  ki.ki_priority = p.p_priority;
  ki.ki_nice = p.p_nice;
  ki.ki_uticks = p.p_uticks;
  ki.ki_sticks = p.p_sticks;
  ki.ki_starttime = p.p_starttime;
  if (changetype<usize>(p.p_vmspace) != 0) {
    ki.ki_vsize = p.p_vmspace.vm_map.size;
    ki.ki_rssize = u32(p.p_vmspace.vm_map.pmap.pm_resident);
  }
  ki.ki_flag = p.p_flag;
  ki.ki_wchan = p.p_wchan;
  if (p.p_wchan != 0) {
    const length = strlen(p.p_wmesg);
    memcpy(ki.ki_wmesg, p.p_wmesg, length < WMESG_SIZE ? length : WMESG_SIZE);
  }
  memcpy(ki.ki_comm, p_comm(p), P_COMM_SIZE);
}

/** Is `p` one of those that are asked for? */
function is_asked(p: Proc, op: u32, id: u32): bool {
  switch (op) {
    case KERN_PROC_PID: return u32(p.p_pid) == id;
    case KERN_PROC_PGRP: return u32(p.p_pgid) == id;
    case KERN_PROC_SESSION: return u32(p.p_sid) == id;
    case KERN_PROC_UID: return p.p_uid == id;
    case KERN_PROC_RUID: return p.p_ruid == id;
    default: return true;
  }
}

/** kern.proc.OP.ID: the processes, KinfoProc records. Without a buffer the length is a bit more. Sleeps. */
export function sysctl_kern_proc(uap: Sys__sysctlArgs, name: usize, count: u32): i32 {
  if (count < 1 || (count < 2 && load<u32>(name) != KERN_PROC_ALL)) return EINVAL;
  const op = load<u32>(name);
  const id = count < 2 ? 0 : load<u32>(name, 4);
  if (op > KERN_PROC_RUID || (op > KERN_PROC_SESSION && op < KERN_PROC_UID)) return EINVAL;
  const room = (u32(nprocs()) + SLACK) * SIZEOF_KINFO_PROC;
  const records = malloc(room, M_TEMP, M_WAITOK);
  // Nothing sleeps from here to the copy, so the list stays as it is.
  let at: u32 = 0;
  let p = allproc_first();
  while (changetype<usize>(p) != 0) {
    if (is_asked(p, op, id) && at < room) {
      fill_kinfo(p, changetype<KinfoProc>(records + at));
      at += SIZEOF_KINFO_PROC;
    }
    p = proc_next(p);
  }
  if (uap.old == 0) at += SLACK * SIZEOF_KINFO_PROC;
  const error = sysctl_out(uap, records, at);
  free(records, M_TEMP);
  return error;
}
