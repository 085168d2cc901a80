// <sys/exec.h>, <sys/exec_elf.h> and the user part of <machine/vmparam.h>: how a program gets into memory.
//
// The top of a user's stack, downwards from USRSTACK:
//
//   ps_strings (16 bytes)
//   sigcode
//   (gap of STACKGAPLEN)
//   strings of arguments and environment
//   auxiliary vector, envp[], argv[], argc     <- esp at the start
import { VM_MAXUSER_ADDRESS } from "./param";

export const USRSTACK: usize = VM_MAXUSER_ADDRESS;
export const PS_STRINGS: usize = VM_MAXUSER_ADDRESS - 16;
export const STACKGAPLEN: u32 = 400;
export const MAXTSIZ: u32 = 64 << 20;
export const DFLDSIZ: u32 = 128 << 20;
export const MAXDSIZ: u32 = 1 << 30;
export const DFLSSIZ: u32 = 2 << 20;
export const MAXSSIZ: u32 = 32 << 20;
/** Most bytes of arguments and environment together. */
export const ARG_MAX: u32 = 256 * 1024;

/** Most bytes of the first line of a script, `#!` and newline included. */
export const MAXINTERP: u32 = 64;

export const ELF_MAGIC: u32 = 0x464c457f;
/** Class 32 bits, little-endian, version 1. */
export const ELF_IDENT1: u32 = 0x00010101;
export const ET_EXEC: u32 = 2;
export const ET_CORE: u32 = 4;
export const EM_386: u32 = 3;
export const PT_LOAD: u32 = 1;
export const PT_INTERP: u32 = 3;
export const PT_NOTE: u32 = 4;
export const PF_X: u32 = 1;
export const PF_W: u32 = 2;
export const PF_R: u32 = 4;

export const AT_NULL: u32 = 0;
export const AT_PHDR: u32 = 3;
export const AT_PHENT: u32 = 4;
export const AT_PHNUM: u32 = 5;
export const AT_PAGESZ: u32 = 6;
export const AT_BASE: u32 = 7;
export const AT_FLAGS: u32 = 8;
export const AT_ENTRY: u32 = 9;

@unmanaged export class Elf32Ehdr {
  e_ident0: u32;
  e_ident1: u32;
  e_ident2: u32;
  e_ident3: u32;
  e_type: u16;
  e_machine: u16;
  e_version: u32;
  e_entry: u32;
  e_phoff: u32;
  e_shoff: u32;
  e_flags: u32;
  e_ehsize: u16;
  e_phentsize: u16;
  e_phnum: u16;
  e_shentsize: u16;
  e_shnum: u16;
  e_shstrndx: u16;
}

@unmanaged export class Elf32Phdr {
  p_type: u32;
  p_offset: u32;
  p_vaddr: u32;
  p_paddr: u32;
  p_filesz: u32;
  p_memsz: u32;
  p_flags: u32;
  p_align: u32;
}
export const SIZEOF_EHDR: u32 = 52;
export const SIZEOF_PHDR: u32 = 32;
