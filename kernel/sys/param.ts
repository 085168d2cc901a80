// Constants of <sys/param.h>, <machine/param.h> and <machine/vmparam.h>.

export const PAGE_SHIFT: u32 = 12;
export const PAGE_SIZE: u32 = 4096;
export const PAGE_MASK: u32 = 4095;

/** Kernel virtual addresses start here; physical = virtual - KERNBASE in the range mapped at boot. */
export const KERNBASE: usize = 0xc0000000;
export const VM_MIN_ADDRESS: usize = 0;
export const VM_MAXUSER_ADDRESS: usize = 0xbfbfe000;
export const VM_MAX_ADDRESS: usize = 0xbfeff000;
export const VM_MIN_KERNEL_ADDRESS: usize = 0xc0000000;
export const VM_MAX_KERNEL_ADDRESS: usize = 0xffc00000;

/** Size of the u-area: the pcb at its start, the kernel stack above it. */
export const UPAGES: u32 = 2;
export const USPACE: u32 = 8192;

export const DEV_BSIZE: u32 = 512;
export const DEV_BSHIFT: u32 = 9;
export const MAXBSIZE: u32 = 65536;
export const MAXPHYS: u32 = 65536;
export const MAXPATHLEN: u32 = 1024;
export const MAXSYMLINKS: u32 = 32;
export const MAXCOMLEN: u32 = 16;
export const NAME_MAX: u32 = 255;
export const NODEV: u32 = 0xffffffff;
/** Clock interrupts per second. */
export const HZ: u32 = 100;

// Sleep priorities.
export const PSWP: i32 = 0;
export const PVM: i32 = 4;
export const PINOD: i32 = 8;
export const PRIBIO: i32 = 16;
export const PVFS: i32 = 20;
export const PZERO: i32 = 22;
export const PSOCK: i32 = 24;
export const PWAIT: i32 = 32;
export const PLOCK: i32 = 36;
export const PPAUSE: i32 = 40;
export const PUSER: i32 = 50;
/** OR'ed to a sleep priority: signals interrupt the sleep. */
export const PCATCH: i32 = 0x100;

export function round_page(x: usize): usize {
  return (x + PAGE_MASK) & ~PAGE_MASK;
}

export function trunc_page(x: usize): usize {
  return x & ~PAGE_MASK;
}

export function major(dev: u32): u32 {
  return (dev >> 8) & 0xff;
}

export function minor(dev: u32): u32 {
  return dev & 0xff;
}

export function makedev(maj: u32, min: u32): u32 {
  return (maj << 8) | min;
}
