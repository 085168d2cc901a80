// <sys/malloc.h>: flags and types of the general-purpose allocator. The type
// says who the memory belongs to; only the statistics look at it.

export const M_WAITOK: u32 = 0;
export const M_NOWAIT: u32 = 1;

export const M_FREE: u32 = 0;
export const M_DEVBUF: u32 = 2;
export const M_PCB: u32 = 4;
export const M_IOBUF: u32 = 16;
export const M_NAMEI: u32 = 22;
export const M_VNODE: u32 = 24;
export const M_CACHE: u32 = 25;
export const M_DQUOT: u32 = 26;
export const M_UFSMNT: u32 = 27;
export const M_MAPMEM: u32 = 28;
export const M_MOUNT: u32 = 33;
export const M_PROC: u32 = 39;
export const M_SUBPROC: u32 = 40;
export const M_SEGMENT: u32 = 41;
export const M_LOCKF: u32 = 42;
export const M_MFSNODE: u32 = 47;
export const M_EXEC: u32 = 60;
export const M_VMMAP: u32 = 62;
export const M_VMMAPENT: u32 = 63;
export const M_VMOBJ: u32 = 64;
export const M_VMSWAP: u32 = 66;
export const M_FILE: u32 = 70;
export const M_FILEDESC: u32 = 71;
export const M_PIPE: u32 = 72;
export const M_TTYS: u32 = 73;
export const M_TEMP: u32 = 77;
export const M_UVMAOBJ: u32 = 83;
export const M_UVMAMAP: u32 = 84;
export const M_VMPMAP: u32 = 85;
export const M_LAST: u32 = 96;

/** The name of a type; 0 for numbers that nobody uses. */
export function malloc_type_name(type: u32): usize {
  switch (type) {
    case M_DEVBUF: return cs("devbuf");
    case M_PCB: return cs("pcb");
    case M_IOBUF: return cs("iobuf");
    case M_NAMEI: return cs("namei");
    case M_VNODE: return cs("vnodes");
    case M_CACHE: return cs("namecache");
    case M_DQUOT: return cs("UFS_quota");
    case M_UFSMNT: return cs("UFS_mount");
    case M_MAPMEM: return cs("mapmem");
    case M_MOUNT: return cs("mount");
    case M_PROC: return cs("proc");
    case M_SUBPROC: return cs("subproc");
    case M_SEGMENT: return cs("LDT");
    case M_LOCKF: return cs("lockf");
    case M_MFSNODE: return cs("MFS_node");
    case M_EXEC: return cs("exec");
    case M_VMMAP: return cs("VM_map");
    case M_VMMAPENT: return cs("VM_mapent");
    case M_VMOBJ: return cs("VM_object");
    case M_VMSWAP: return cs("VM_swap");
    case M_FILE: return cs("file");
    case M_FILEDESC: return cs("file_desc");
    case M_PIPE: return cs("pipe");
    case M_TTYS: return cs("ttys");
    case M_TEMP: return cs("temp");
    case M_UVMAOBJ: return cs("UVM_aobj");
    case M_UVMAMAP: return cs("UVM_amap");
    case M_VMPMAP: return cs("VM_pmap");
    default: return 0;
  }
}
