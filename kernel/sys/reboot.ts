// <sys/reboot.h>: how to go down, argument of cpu_reboot.
export const RB_AUTOBOOT: u32 = 0;
export const RB_ASKNAME: u32 = 0x1;
export const RB_SINGLE: u32 = 0x2;
export const RB_NOSYNC: u32 = 0x4;
export const RB_HALT: u32 = 0x8;
export const RB_KDB: u32 = 0x40;
export const RB_DUMP: u32 = 0x100;
export const RB_STRING: u32 = 0x400;
