// <sys/sysctl.h>: the names of sysctl as numbers, and the records that it copies out.
//
// A name is a row of words: a subtree, a variable of it, and for some a third word.
// The texts of the names are in kernel/user/lib/sysctl.ts.

export const CTL_KERN: u32 = 1;
export const CTL_VM: u32 = 2;
export const CTL_DEBUG: u32 = 5;
export const CTL_HW: u32 = 6;
export const CTL_MACHDEP: u32 = 7;
export const CTL_DDB: u32 = 9;
/** Most words of a name. */
export const CTL_MAXNAME: u32 = 12;

export const KERN_OSTYPE: u32 = 1;
export const KERN_OSRELEASE: u32 = 2;
export const KERN_OSREV: u32 = 3;
export const KERN_VERSION: u32 = 4;
export const KERN_MAXVNODES: u32 = 5;
export const KERN_MAXPROC: u32 = 6;
export const KERN_MAXFILES: u32 = 7;
export const KERN_ARGMAX: u32 = 8;
export const KERN_HOSTNAME: u32 = 10;
export const KERN_HOSTID: u32 = 11;
/** {hz, tick in microseconds, tickadj, stathz, profhz}, words. */
export const KERN_CLOCKRATE: u32 = 12;
/** Third word: KERN_PROC_…; fourth: the number that is asked for. */
export const KERN_PROC: u32 = 14;
export const KERN_POSIX1: u32 = 17;
export const KERN_NGROUPS: u32 = 18;
export const KERN_JOB_CONTROL: u32 = 19;
export const KERN_SAVED_IDS: u32 = 20;
/** {seconds, microseconds}. */
export const KERN_BOOTTIME: u32 = 21;
export const KERN_DOMAINNAME: u32 = 22;
export const KERN_MAXPARTITIONS: u32 = 23;
export const KERN_RAWPARTITION: u32 = 24;
export const KERN_ROOT_DEVICE: u32 = 30;
export const KERN_FSYNC: u32 = 32;
export const KERN_SYNCHRONIZED_IO: u32 = 37;
export const KERN_IOV_MAX: u32 = 38;
export const KERN_MAPPED_FILES: u32 = 40;
export const KERN_MEMLOCK: u32 = 41;
export const KERN_MEMLOCK_RANGE: u32 = 42;
export const KERN_MEMORY_PROTECTION: u32 = 43;
export const KERN_LOGIN_NAME_MAX: u32 = 44;
export const KERN_FSCALE: u32 = 49;
/** Ticks spent in user mode, niced user mode, the kernel, interrupts, idle. */
export const KERN_CP_TIME: u32 = 51;

export const KERN_PROC_ALL: u32 = 0;
export const KERN_PROC_PID: u32 = 1;
export const KERN_PROC_PGRP: u32 = 2;
export const KERN_PROC_SESSION: u32 = 3;
export const KERN_PROC_UID: u32 = 5;
export const KERN_PROC_RUID: u32 = 6;

/** struct vmtotal. */
export const VM_METER: u32 = 1;
/** struct loadavg: three averages times fscale, fscale. */
export const VM_LOADAVG: u32 = 2;
/** struct uvmexp (vm/uvm_stat.ts). */
export const VM_UVMEXP: u32 = 3;
export const VM_NKMEMPAGES: u32 = 4;

/** The number of violations of the laws of the kernel's memory; each is printed on the console. */
export const DEBUG_CHECK: u32 = 1;
/** Inuse records: what must return to its start. */
export const DEBUG_INUSE: u32 = 2;
/** Inuse records: requests of all memory file systems since boot. */
export const DEBUG_MFS: u32 = 3;
/** KinfoBucket, KinfoMalloc, KinfoPool records: the kernel's own memory. */
export const DEBUG_BUCKETS: u32 = 4;
export const DEBUG_KMEMSTATS: u32 = 5;
export const DEBUG_POOLS: u32 = 6;
/** struct nchstats (fs/vfs_cache.ts) without the state behind it. */
export const DEBUG_NCHSTATS: u32 = 7;
export const SIZEOF_NCHSTATS: u32 = 24;
/** A text that programs set to say what they are about to do; see kernel/subr_meter.ts for both. */
export const DEBUG_MARK: u32 = 8;
/** How many copies of 8 KB to make; reads as 0. */
export const DEBUG_COPIES: u32 = 9;
/** Writing a text makes the kernel panic with it. */
export const DEBUG_PANIC: u32 = 10;

export const HW_MACHINE: u32 = 1;
export const HW_MODEL: u32 = 2;
export const HW_NCPU: u32 = 3;
export const HW_BYTEORDER: u32 = 4;
export const HW_PHYSMEM: u32 = 5;
export const HW_USERMEM: u32 = 6;
export const HW_PAGESIZE: u32 = 7;
export const HW_DISKNAMES: u32 = 8;
export const HW_MACHINE_ARCH: u32 = 10;
export const HW_ALIGNBYTES: u32 = 11;

export const CPU_CONSDEV: u32 = 1;
export const CPU_FPU_PRESENT: u32 = 7;

export const DDBCTL_RADIX: u32 = 1;
export const DDBCTL_MAXOFF: u32 = 2;
export const DDBCTL_MAXWIDTH: u32 = 3;
export const DDBCTL_LINES: u32 = 4;
export const DDBCTL_TABSTOPS: u32 = 5;
export const DDBCTL_ONPANIC: u32 = 6;
export const DDBCTL_FROMCONSOLE: u32 = 7;

/** One count of debug.inuse or debug.mfs. */
@unmanaged export class Inuse {
  /** 28 bytes of name, NUL-terminated. */
  private name0: u64;
  private name1: u64;
  private name2: u64;
  private name3: u32;
  iu_count: u32;

  @inline get iu_name(): usize { return changetype<usize>(this); }
}
export const SIZEOF_INUSE: u32 = 32;
export const INUSE_NAME_SIZE: u32 = 28;

/** One process as kern.proc tells of it; a layout of its own, for struct proc is no business of programs. */
@unmanaged export class KinfoProc {
  ki_pid: i32;
  ki_ppid: i32;
  ki_pgid: i32;
  ki_sid: i32;
  ki_uid: u32;
  ki_stat: u32;
  ki_priority: i32;
  ki_nice: i32;
  /** Clock ticks charged. */
  ki_uticks: u32;
  ki_sticks: u32;
  /** Seconds since 1970. */
  ki_starttime: u32;
  /** Bytes of address space, pages resident. */
  ki_vsize: u32;
  ki_rssize: u32;
  ki_flag: u32;
  ki_wchan: u32;
  ki_ruid: u32;
  /** 8 bytes of wait message, 20 of name, the rest zero. */
  private wmesg: u64;
  private comm0: u64;
  private comm1: u64;
  private rest0: u64;
  private rest1: u64;
  private rest2: u64;
  private rest3: u64;
  private rest4: u64;

  @inline get ki_wmesg(): usize { return changetype<usize>(this) + offsetof<KinfoProc>("wmesg"); }
  @inline get ki_comm(): usize { return changetype<usize>(this) + offsetof<KinfoProc>("comm0"); }
}
export const SIZEOF_KINFO_PROC: u32 = 128;

/** struct vmtotal: numbers of processes, then pages; "active" are those of processes that ran in the last 20 seconds. */
@unmanaged export class Vmtotal {
  /** Runnable, in disk wait, in page wait, asleep, swapped out. */
  t_rq: i16;
  t_dw: i16;
  t_pw: i16;
  t_sl: i16;
  t_sw: i16;
  private pad: i16;
  /** Virtual, and active virtual; real, and active real. */
  t_vm: i32;
  t_avm: i32;
  t_rm: i32;
  t_arm: i32;
  /** Shared; the same order. Not counted: 0. */
  t_vmshr: i32;
  t_avmshr: i32;
  t_rmshr: i32;
  t_armshr: i32;
  t_free: i32;
}
export const SIZEOF_VMTOTAL: u32 = 48;

/** Bytes of a name in the records of kernel memory, NUL included. */
export const KMEM_NAME_SIZE: u32 = 20;

/** A bucket of malloc: size and counts of its items. */
@unmanaged export class KinfoBucket {
  kb_size: u32;
  kb_calls: u32;
  kb_total: u32;
  kb_totalfree: u32;
}

/** A type of malloc. */
@unmanaged export class KinfoMalloc {
  /** 20 bytes. */
  km_name: u32;
  private name1: u32;
  private name2: u32;
  private name3: u32;
  private name4: u32;
  km_inuse: u32;
  km_calls: u32;
  /** Bytes now, the most there were. */
  km_memuse: u32;
  km_maxused: u32;
  /** Sizes in use so far: powers of two, or-ed. */
  km_sizes: u32;
}

/** A pool, with pool(9)'s counts. */
@unmanaged export class KinfoPool {
  /** 20 bytes. */
  kp_name: u32;
  private name1: u32;
  private name2: u32;
  private name3: u32;
  private name4: u32;
  kp_size: u32;
  kp_pagesz: u32;
  kp_nget: u32;
  kp_nfail: u32;
  kp_nput: u32;
  kp_npagealloc: u32;
  kp_npagefree: u32;
  kp_npages: u32;
  kp_hiwat: u32;
  kp_minpages: u32;
  /** 0xffffffff: no limit. */
  kp_maxpages: u32;
  kp_nidle: u32;
}
