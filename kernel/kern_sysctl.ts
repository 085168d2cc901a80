// __sysctl: the names of kern, vm, debug and hw that programs ask for. All are read-only but kern.hostname.
import { frame_alloc } from "./i386/cpufunc";
import { copyin, copyout } from "./i386/support";
import { allproc_first, proc_next } from "./kern_proc";
import { time_second } from "./kern_time";
import { uptime_seconds } from "./kern_clock";
import { memcpy, strlen } from "./libkern";
import { EINVAL, ENOMEM, EOPNOTSUPP, EPERM } from "./sys/errno";
import { ARG_MAX } from "./sys/exec";
import { HZ, PAGE_SIZE } from "./sys/param";
import { Proc, p_comm } from "./sys/proc";
import { Sys__sysctlArgs } from "./syscallargs";
import { uvm_check_print } from "../vm/uvm_check";
import { Uvmexp, uvmexp } from "../vm/uvm_stat";

const CTL_KERN: u32 = 1;
const CTL_VM: u32 = 2;
const CTL_DEBUG: u32 = 5;
const CTL_HW: u32 = 6;
const CTL_MAXNAME: u32 = 12;

const KERN_OSTYPE: u32 = 1;
const KERN_OSRELEASE: u32 = 2;
const KERN_OSREV: u32 = 3;
const KERN_VERSION: u32 = 4;
const KERN_ARGMAX: u32 = 8;
const KERN_HOSTNAME: u32 = 10;
const KERN_CLOCKRATE: u32 = 12;
const KERN_PROC: u32 = 14;
const KERN_BOOTTIME: u32 = 21;

const VM_UVMEXP: u32 = 3;

/** debug.check: the number of violations that uvm_check finds; it prints them on the console. */
const DEBUG_CHECK: u32 = 1;

const HW_MACHINE: u32 = 1;
const HW_MODEL: u32 = 2;
const HW_NCPU: u32 = 3;
const HW_BYTEORDER: u32 = 4;
const HW_PHYSMEM: u32 = 5;
const HW_PAGESIZE: u32 = 7;

/** Room for the name of the host, NUL included. */
const HOSTNAME_SIZE: u32 = 64;
const hostname: usize = memory.data(64, 4);

/**
 * One process as kern.proc lists it: 32 words. A layout of its own, for the kernel's structures are no business of
 * programs: pid, ppid, pgid, sid, uid, state, priority, nice, user ticks, system ticks, start time, map size in bytes,
 * resident pages, flags, wait channel, 0, wait message (8 bytes), name (20 bytes).
 */
export const SIZEOF_KINFO_PROC: u32 = 128;
const KI_WMESG: usize = 64;
const KI_COMM: usize = 72;

/** Copies the value out, as far as the room goes; the length always. ENOMEM when it was too short. */
function sysctl_out(uap: Sys__sysctlArgs, value: usize, size: u32): i32 {
  if (uap.oldlenp == 0) return 0;
  const length = frame_alloc(4);
  let error = copyin(uap.oldlenp, length, 4);
  if (error != 0) return error;
  const room = load<u32>(length);
  if (uap.old != 0) {
    error = copyout(value, uap.old, room < size ? room : size);
    if (error == 0 && room < size) error = ENOMEM;
  }
  store<u32>(length, size);
  const failed = copyout(length, uap.oldlenp, 4);
  return error != 0 ? error : failed;
}

function sysctl_string(uap: Sys__sysctlArgs, value: usize): i32 {
  return sysctl_out(uap, value, strlen(value) + 1);
}

function sysctl_word(uap: Sys__sysctlArgs, value: u32): i32 {
  const word = frame_alloc(4);
  store<u32>(word, value);
  return sysctl_out(uap, word, 4);
}

/** Describes a process at `ki`. */
function fill_kinfo(p: Proc, ki: usize): void {
  memory.fill(ki, 0, SIZEOF_KINFO_PROC);
  store<i32>(ki, p.p_pid);
  store<i32>(ki, changetype<usize>(p.p_pptr) != 0 ? p.p_pptr.p_pid : 0, 4);
  store<i32>(ki, p.p_pgid, 8);
  store<i32>(ki, p.p_sid, 12);
  store<u32>(ki, p.p_uid, 16);
  store<u32>(ki, p.p_stat, 20);
  store<i32>(ki, p.p_priority, 24);
  store<i32>(ki, p.p_nice, 28);
  store<u32>(ki, p.p_uticks, 32);
  store<u32>(ki, p.p_sticks, 36);
  store<u32>(ki, p.p_starttime, 40);
  store<u32>(ki, p.p_vmspace.vm_map.size, 44);
  store<u32>(ki, u32(p.p_vmspace.vm_map.pmap.pm_resident), 48);
  store<u32>(ki, p.p_flag, 52);
  store<u32>(ki, p.p_wchan, 56);
  if (p.p_wchan != 0) {
    const length = strlen(p.p_wmesg);
    memcpy(ki + KI_WMESG, p.p_wmesg, length < 8 ? length : 8);
  }
  memcpy(ki + KI_COMM, p_comm(p), 17);
}

/** kern.proc.all: all processes that fit; the length is that of all. */
function sysctl_processes(uap: Sys__sysctlArgs): i32 {
  const ki = frame_alloc(SIZEOF_KINFO_PROC);
  const length = frame_alloc(4);
  let error = uap.oldlenp != 0 ? copyin(uap.oldlenp, length, 4) : EINVAL;
  if (error != 0) return error;
  const room = load<u32>(length);
  let at: u32 = 0;
  let short = false;
  let p = allproc_first();
  while (changetype<usize>(p) != 0) {
    const next = proc_next(p);
    if (uap.old != 0 && at + SIZEOF_KINFO_PROC <= room) {
      fill_kinfo(p, ki);
      error = copyout(ki, uap.old + at, SIZEOF_KINFO_PROC);
      if (error != 0) return error;
    } else if (uap.old != 0) short = true;
    at += SIZEOF_KINFO_PROC;
    p = next;
  }
  // Without a buffer the answer is a bit more, for processes that come meanwhile.
  if (uap.old == 0) at += 5 * SIZEOF_KINFO_PROC;
  store<u32>(length, short ? room / SIZEOF_KINFO_PROC * SIZEOF_KINFO_PROC : at);
  error = copyout(length, uap.oldlenp, 4);
  return error != 0 ? error : short ? ENOMEM : 0;
}

function sysctl_hostname(p: Proc, uap: Sys__sysctlArgs): i32 {
  const error = sysctl_string(uap, hostname);
  if (error != 0 || uap.new_ == 0) return error;
  if (p.p_uid != 0) return EPERM;
  if (uap.newlen >= HOSTNAME_SIZE) return EINVAL;
  memory.fill(hostname, 0, HOSTNAME_SIZE);
  return copyin(uap.new_, hostname, uap.newlen);
}

function sysctl_kern(p: Proc, uap: Sys__sysctlArgs, name: u32): i32 {
  const words = frame_alloc(20);
  switch (name) {
    case KERN_OSTYPE: return sysctl_string(uap, cs("ptmap"));
    case KERN_OSRELEASE: return sysctl_string(uap, cs("0.1"));
    case KERN_OSREV: return sysctl_word(uap, 1);
    case KERN_VERSION: return sysctl_string(uap, cs("ptmap 0.1 (GENERIC)\n"));
    case KERN_ARGMAX: return sysctl_word(uap, ARG_MAX);
    case KERN_HOSTNAME: return sysctl_hostname(p, uap);
    case KERN_PROC: return sysctl_processes(uap);
    case KERN_CLOCKRATE:
      memory.fill(words, 0, 20);
      store<u32>(words, 1000000 / HZ);
      store<u32>(words, HZ, 8);
      store<u32>(words, HZ, 12);
      store<u32>(words, HZ, 16);
      return sysctl_out(uap, words, 20);
    case KERN_BOOTTIME:
      store<u32>(words, time_second() - uptime_seconds());
      store<u32>(words, 0, 4);
      return sysctl_out(uap, words, 8);
    default: return EOPNOTSUPP;
  }
}

function sysctl_hw(uap: Sys__sysctlArgs, name: u32): i32 {
  switch (name) {
    case HW_MACHINE: return sysctl_string(uap, cs("i386"));
    case HW_MODEL: return sysctl_string(uap, cs("Intel 386-class or 486-class"));
    case HW_NCPU: return sysctl_word(uap, 1);
    case HW_BYTEORDER: return sysctl_word(uap, 1234);
    case HW_PHYSMEM: return sysctl_word(uap, u32(uvmexp.npages) * PAGE_SIZE);
    case HW_PAGESIZE: return sysctl_word(uap, PAGE_SIZE);
    default: return EOPNOTSUPP;
  }
}

export function sys___sysctl(p: Proc, uap: Sys__sysctlArgs, retval: usize): i32 {
  if (uap.namelen < 2 || uap.namelen > CTL_MAXNAME) return EINVAL;
  const name = frame_alloc(48);
  const error = copyin(uap.name, name, uap.namelen * 4);
  if (error != 0) return error;
  const second = load<u32>(name, 4);
  if (uap.new_ != 0 && !(load<u32>(name) == CTL_KERN && second == KERN_HOSTNAME)) return EPERM;
  switch (load<u32>(name)) {
    case CTL_KERN: return sysctl_kern(p, uap, second);
    case CTL_VM:
      if (second != VM_UVMEXP) return EOPNOTSUPP;
      return sysctl_out(uap, changetype<usize>(uvmexp), offsetof<Uvmexp>());
    case CTL_DEBUG: return second == DEBUG_CHECK ? sysctl_word(uap, uvm_check_print()) : EOPNOTSUPP;
    case CTL_HW: return sysctl_hw(uap, second);
    default: return EOPNOTSUPP;
  }
}
