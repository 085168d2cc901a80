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
