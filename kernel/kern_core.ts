// The core file of a process that a signal ends: PROG.core in its current directory.
//
// An ELF file of type ET_CORE:
//
//   header, program headers, notes | a page multiple | the memory that can be written, segment by segment
//
// The notes hold the registers in the form that gdb reads for an i386 (NT_PRSTATUS, NT_PRPSINFO, NT_FPREGSET of SVR4).
// Memory that cannot be written has a program header without contents: it is in the program's file. Pages of private
// memory that were never touched are holes in the core file.
import { frame_alloc, rfs, rgs } from "./i386/cpufunc";
import { Pcb, PCB_SAVEFPU, PCB_USEDFPU, SIZEOF_SAVEFPU } from "./i386/pcb";
import { npxsave } from "./i386/npx";
import { p_md_regs } from "./i386/vm_machdep";
import { free, malloc } from "./kern_malloc";
import { RLIMIT_CORE, limit_of } from "./kern_resource";
import { memcpy } from "./libkern";
import { snprintf } from "./subr_prf";
import { EFAULT, EFBIG, EINVAL, EPERM } from "./sys/errno";
import {
  ELF_IDENT1, ELF_MAGIC, EM_386, ET_CORE, Elf32Ehdr, Elf32Phdr, PF_R, PF_W, PF_X, PT_LOAD, PT_NOTE, SIZEOF_EHDR,
  SIZEOF_PHDR,
} from "./sys/exec";
import { M_EXEC, M_WAITOK } from "./sys/malloc";
import { PAGE_SIZE, round_page } from "./sys/param";
import { P_COMM_SIZE, P_SUGID, Proc, p_comm } from "./sys/proc";
import { UIO_SYSSPACE, UIO_USERSPACE, UIO_WRITE } from "./sys/uio";
import { FWRITE, O_CREAT } from "../fs/fcntl";
import { LOOKUP, NOFOLLOW, Nameidata } from "../fs/namei";
import { NDINIT } from "../fs/vfs_lookup";
import { VATTR_SIZE, vn_close, vn_open, vn_rdwr } from "../fs/vfs_vnops";
import { IO_NODELOCKED, IO_UNIT, VATTR_NULL, VREG, Vattr, Vnode } from "../fs/vnode";
import { VOP_GETATTR, VOP_SETATTR, VOP_UNLOCK } from "../fs/vnode_if";
import { VM_PROT_EXECUTE, VM_PROT_READ, VM_PROT_WRITE } from "../vm/uvm_extern";
import { uvm_never_touched } from "../vm/uvm_glue";
import { uvm_deviceops } from "../vm/uvm_device";
import { VmMap, VmMapEntry } from "../vm/uvm_map_h";

const NT_PRSTATUS: u32 = 1;
const NT_FPREGSET: u32 = 2;
const NT_PRPSINFO: u32 = 3;
const SIZEOF_PRSTATUS: u32 = 144;
const SIZEOF_PRPSINFO: u32 = 124;
/** Header and name ("CORE", NUL, padding) of a note. */
const NOTE_HEAD: u32 = 20;

// Offsets in struct prstatus and struct prpsinfo.
const PR_CURSIG: usize = 12;
const PR_PID: usize = 24;
const PR_REG: usize = 72;
const PR_FPVALID: usize = 140;
const PS_UID: usize = 8;
const PS_PID: usize = 12;
const PS_FNAME: usize = 28;
const PS_ARGS: usize = 44;

/** A core file in the making. */
@unmanaged class Core {
  /** Headers and notes, and how many bytes they are. */
  head: usize;
  headsize: u32;
  /** Program headers, that of the notes included. */
  count: u32;
  /** Bytes of the whole file. */
  size: u64;
  vp: Vnode;
  p: Proc;
}

function phdr_of(core: Core, index: u32): Elf32Phdr {
  return changetype<Elf32Phdr>(core.head + SIZEOF_EHDR + index * SIZEOF_PHDR);
}

function has_fpu(p: Proc): bool {
  return (changetype<Pcb>(p.p_addr).pcb_flags & PCB_USEDFPU) != 0;
}

function notes_size(p: Proc): u32 {
  return 2 * NOTE_HEAD + SIZEOF_PRSTATUS + SIZEOF_PRPSINFO + (has_fpu(p) ? NOTE_HEAD + SIZEOF_SAVEFPU : 0);
}

/** Begins a note; the address of its contents, which are zero, is returned. */
function begin_note(at: usize, type: u32, size: u32): usize {
  store<u32>(at, 5);
  store<u32>(at, size, 4);
  store<u32>(at, type, 8);
  memcpy(at + 12, cs("CORE"), 5);
  return at + NOTE_HEAD;
}

/** Four words: pid, parent, group, session. */
function put_pids(at: usize, p: Proc): void {
  store<i32>(at, p.p_pid);
  store<i32>(at, p.p_pptr.p_pid, 4);
  store<i32>(at, p.p_pgid, 8);
  store<i32>(at, p.p_sid, 12);
}

function put_registers(at: usize, p: Proc): void {
  const frame = p_md_regs(p);
  store<u32>(at, frame.tf_ebx);
  store<u32>(at, frame.tf_ecx, 4);
  store<u32>(at, frame.tf_edx, 8);
  store<u32>(at, frame.tf_esi, 12);
  store<u32>(at, frame.tf_edi, 16);
  store<u32>(at, frame.tf_ebp, 20);
  store<u32>(at, frame.tf_eax, 24);
  store<u32>(at, frame.tf_ds & 0xffff, 28);
  store<u32>(at, frame.tf_es & 0xffff, 32);
  store<u32>(at, rfs() & 0xffff, 36);
  store<u32>(at, rgs() & 0xffff, 40);
  // No system call to begin again.
  store<u32>(at, 0xffffffff, 44);
  store<u32>(at, frame.tf_eip, 48);
  store<u32>(at, frame.tf_cs & 0xffff, 52);
  store<u32>(at, frame.tf_eflags, 56);
  store<u32>(at, frame.tf_esp, 60);
  store<u32>(at, frame.tf_ss & 0xffff, 64);
}

function put_notes(at: usize, p: Proc, signum: u32): void {
  const status = begin_note(at, NT_PRSTATUS, SIZEOF_PRSTATUS);
  store<u32>(status, signum);
  store<u16>(status + PR_CURSIG, u16(signum));
  put_pids(status + PR_PID, p);
  put_registers(status + PR_REG, p);
  store<u32>(status + PR_FPVALID, has_fpu(p) ? 1 : 0);
  const info = begin_note(status + SIZEOF_PRSTATUS, NT_PRPSINFO, SIZEOF_PRPSINFO);
  store<u16>(info + PS_UID, u16(p.p_ruid));
  store<u16>(info + PS_UID + 2, u16(p.p_rgid));
  put_pids(info + PS_PID, p);
  memcpy(info + PS_FNAME, p_comm(p), P_COMM_SIZE - 1);
  memcpy(info + PS_ARGS, p_comm(p), P_COMM_SIZE);
  if (!has_fpu(p)) return;
  const registers = begin_note(info + SIZEOF_PRPSINFO, NT_FPREGSET, SIZEOF_SAVEFPU);
  memcpy(registers, p.p_addr + PCB_SAVEFPU, SIZEOF_SAVEFPU);
}

function put_ehdr(core: Core): void {
  const eh = changetype<Elf32Ehdr>(core.head);
  eh.e_ident0 = ELF_MAGIC;
  eh.e_ident1 = ELF_IDENT1;
  eh.e_type = u16(ET_CORE);
  eh.e_machine = u16(EM_386);
  eh.e_version = 1;
  eh.e_phoff = SIZEOF_EHDR;
  eh.e_ehsize = u16(SIZEOF_EHDR);
  eh.e_phentsize = u16(SIZEOF_PHDR);
  eh.e_phnum = u16(core.count);
}

/** Is the memory of the entry part of the core? A device's is not. */
function is_dumped(entry: VmMapEntry): bool {
  if ((entry.protection & (VM_PROT_READ | VM_PROT_WRITE)) != (VM_PROT_READ | VM_PROT_WRITE)) return false;
  return !entry.isobj || entry.uvm_obj.pgops != uvm_deviceops;
}

function put_segment(ph: Elf32Phdr, entry: VmMapEntry, offset: u32): void {
  ph.p_type = PT_LOAD;
  ph.p_offset = offset;
  ph.p_vaddr = entry.start;
  ph.p_memsz = entry.end - entry.start;
  ph.p_filesz = is_dumped(entry) ? ph.p_memsz : 0;
  const prot = entry.protection;
  ph.p_flags = ((prot & VM_PROT_READ) != 0 ? PF_R : 0) | ((prot & VM_PROT_WRITE) != 0 ? PF_W : 0)
    | ((prot & VM_PROT_EXECUTE) != 0 ? PF_X : 0);
  ph.p_align = PAGE_SIZE;
}

/** Makes headers and notes of the process as it is now; core.size is the file's then. EFBIG: too large for ELF. */
function make_head(core: Core, signum: u32): i32 {
  const map: VmMap = core.p.p_vmspace.vm_map;
  const notes = notes_size(core.p);
  core.count = u32(map.nentries) + 1;
  core.headsize = round_page(SIZEOF_EHDR + core.count * SIZEOF_PHDR + notes);
  core.head = malloc(core.headsize, M_EXEC, M_WAITOK);
  memory.fill(core.head, 0, core.headsize);
  put_ehdr(core);
  const note = phdr_of(core, 0);
  note.p_type = PT_NOTE;
  note.p_offset = SIZEOF_EHDR + core.count * SIZEOF_PHDR;
  note.p_filesz = notes;
  note.p_align = 4;
  put_notes(core.head + note.p_offset, core.p, signum);
  core.size = u64(core.headsize);
  let entry = map.header.next;
  for (let i: u32 = 1; i < core.count; i++) {
    const ph = phdr_of(core, i);
    put_segment(ph, entry, u32(core.size));
    core.size += u64(ph.p_filesz);
    if (core.size > 0x7fffffff) return EFBIG;
    entry = entry.next;
  }
  return 0;
}

/** Writes `length` bytes of the kernel or the process to the core file. */
function write_core(core: Core, base: usize, length: u32, offset: u32, segflg: u32): i32 {
  return vn_rdwr(UIO_WRITE, core.vp, base, length, i64(offset), segflg, IO_NODELOCKED | IO_UNIT,
    changetype<usize>(core.p), 0, core.p);
}

/** Writes the pages of a segment that somebody has touched, and that are there: a mapped file may have become short. */
function write_segment(core: Core, ph: Elf32Phdr): i32 {
  for (let at: u32 = 0; at < ph.p_filesz; at += PAGE_SIZE) {
    if (uvm_never_touched(core.p.p_vmspace.vm_map, ph.p_vaddr + at)) continue;
    const error = write_core(core, ph.p_vaddr + at, PAGE_SIZE, ph.p_offset + at, UIO_USERSPACE);
    if (error != 0 && error != EFAULT) return error;
  }
  return 0;
}

/** Sets the size of the locked file. */
function set_size(core: Core, size: u64): i32 {
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  VATTR_NULL(va);
  va.va_size = size;
  return VOP_SETATTR(core.vp, va, changetype<usize>(core.p), core.p);
}

/** Fills the locked file. EINVAL when it is not a plain file with one name. */
function write_file(core: Core): i32 {
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  let error = VOP_GETATTR(core.vp, va, changetype<usize>(core.p), core.p);
  if (error == 0 && (core.vp.v_type != VREG || va.va_nlink != 1)) error = EINVAL;
  if (error == 0) error = set_size(core, 0);
  if (error == 0) error = set_size(core, core.size);
  if (error == 0) error = write_core(core, core.head, core.headsize, 0, UIO_SYSSPACE);
  for (let i: u32 = 1; i < core.count && error == 0; i++) error = write_segment(core, phdr_of(core, i));
  return error;
}

/** Opens PROG.core, fills it, closes it. */
function write_named(core: Core): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  const name = frame_alloc(24);
  snprintf(name, 24, cs("%s.core"), p_comm(core.p));
  NDINIT(nd, LOOKUP, NOFOLLOW, UIO_SYSSPACE, name, core.p);
  let error = vn_open(nd, O_CREAT | FWRITE, 0o600);
  if (error != 0) return error;
  core.vp = nd.ni_vp;
  error = write_file(core);
  VOP_UNLOCK(core.vp, 0);
  const failed = vn_close(core.vp, FWRITE, changetype<usize>(core.p), core.p);
  return error != 0 ? error : failed;
}

/**
 * Writes the core file of the current process, which signal `signum` ends. An errno when there is none: EPERM for
 * processes that have changed their ids, EFBIG when RLIMIT_CORE forbids it. Sleeps.
 */
export function coredump(p: Proc, signum: u32): i32 {
  if ((p.p_flag & P_SUGID) != 0) return EPERM;
  const core = changetype<Core>(frame_alloc(offsetof<Core>()));
  npxsave(p);
  core.p = p;
  let error = make_head(core, signum);
  if (error == 0 && core.size > u64(limit_of(p, RLIMIT_CORE))) error = EFBIG;
  if (error == 0) error = write_named(core);
  free(core.head, M_EXEC);
  return error;
}
