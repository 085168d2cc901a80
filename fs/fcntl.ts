// File flags: as open(2) takes them (O_), as the kernel keeps them (F).
export const FREAD: u32 = 0x0001;
export const FWRITE: u32 = 0x0002;
export const O_RDONLY: u32 = 0x0000;
export const O_WRONLY: u32 = 0x0001;
export const O_RDWR: u32 = 0x0002;
export const O_NONBLOCK: u32 = 0x0004;
export const FNONBLOCK: u32 = 0x0004;
export const O_APPEND: u32 = 0x0008;
export const O_SHLOCK: u32 = 0x0010;
export const O_EXLOCK: u32 = 0x0020;
export const O_SYNC: u32 = 0x0080;
export const O_CREAT: u32 = 0x0200;
export const O_NOCTTY: u32 = 0x8000;
export const O_TRUNC: u32 = 0x0400;
export const O_EXCL: u32 = 0x0800;
/** Kernel only: the open was done on behalf of a system call, not by a lookup in the kernel. */
export const FHASLOCK: u32 = 0x4000;

/** open(2) flags to kernel flags: O_RDONLY becomes FREAD and so on. */
export function FFLAGS(oflags: u32): u32 {
  return oflags + 1;
}
