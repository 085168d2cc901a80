// execve: the current process becomes another program.
//
// First everything is checked that can be: the file, its headers, the arguments
// (which are copied into the kernel, for the memory they lie in is about to go).
// After that there is no way back: the old memory is unmapped, the segments are
// mapped from the file (privately; nothing is read before it is touched), the new
// stack is filled. A failure then ends the process.
//
// Static ELF files for the i386 are run, and scripts by their interpreters (exec_script.ts).
import { frame_alloc } from "./i386/cpufunc";
import { pmap_activate } from "./i386/pmap";
import { setregs, sigcode_user_address, szsigcode } from "./i386/sendsig";
import { copyin, copyinstr, copyout, copystr } from "./i386/support";
import { sym } from "./i386/sym";
import { fdcloseexec } from "./kern_descrip";
import { exec_script, is_script } from "./exec_script";
import { exit1, vfork_done } from "./kern_exit";
import { free, malloc } from "./kern_malloc";
import { set_p_comm } from "./kern_proc";
import { RLIMIT_STACK, limit_of } from "./kern_resource";
import { execsigs } from "./kern_sig";
import { E2BIG, EACCES, EFAULT, EJUSTRETURN, ENAMETOOLONG, ENOEXEC, ENOMEM, ETXTBSY } from "./sys/errno";
import {
  ARG_MAX, AT_BASE, AT_ENTRY, AT_FLAGS, AT_PAGESZ, AT_PHENT, AT_PHNUM, ELF_IDENT1, ELF_MAGIC, EM_386, ET_EXEC,
  Elf32Ehdr, Elf32Phdr, MAXINTERP, MAXSSIZ, PF_W, PF_X, PS_STRINGS, PT_INTERP, PT_LOAD, SIZEOF_EHDR, SIZEOF_PHDR,
  STACKGAPLEN, USRSTACK,
} from "./sys/exec";
import { M_EXEC, M_WAITOK } from "./sys/malloc";
import {
  MAXPATHLEN, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, VM_MAXUSER_ADDRESS, VM_MIN_ADDRESS, round_page, trunc_page,
} from "./sys/param";
import { P_EXEC, P_SUGID, Proc } from "./sys/proc";
import { SIGABRT } from "./sys/signal";
import { UIO_READ, UIO_SYSSPACE, UIO_USERSPACE } from "./sys/uio";
import { SysExecveArgs } from "./syscallargs";
import { MNT_NOEXEC } from "../fs/mount";
import { FOLLOW, LOCKLEAF, LOOKUP, Nameidata } from "../fs/namei";
import { NDINIT, namei } from "../fs/vfs_lookup";
import { vput } from "../fs/vfs_subr";
import { VATTR_SIZE, vn_rdwr } from "../fs/vfs_vnops";
import { IO_NODELOCKED, VEXEC, VREG, VTEXT, Vattr, Vnode } from "../fs/vnode";
import { VOP_ACCESS, VOP_GETATTR } from "../fs/vnode_if";
import {
  KERN_SUCCESS, UVM_ADV_NORMAL, UVM_FLAG_COPYONW, UVM_FLAG_FIXED, UVM_INH_COPY, UVM_MAPFLAG, VM_PROT_ALL,
  VM_PROT_EXECUTE, VM_PROT_READ, VM_PROT_WRITE,
} from "../vm/uvm_extern";
import { uvmspace_alloc, uvmspace_free } from "../vm/uvm_glue";
import { kernel_map, uvm_km_free, uvm_km_valloc_wait } from "../vm/uvm_km";
import { VmMap, uvm_map, uvm_map_protect, uvm_unmap } from "../vm/uvm_map";
import { uvn_attach } from "../vm/uvm_vnode";
import { UvmObject } from "../vm/uvm_object";

/** Most program headers of a file. */
const MAXPHNUM: u32 = 32;
/** Words of the auxiliary vector: six pairs and the end. */
const AUX_WORDS: u32 = 14;
/** Lowest address of a segment: a page of nothing catches null pointers. */
const LOWEST_TEXT: usize = 0x1000;

/** What is to be run. */
@unmanaged export class ExecPackage {
  /** The path, in the kernel. */
  path: usize;
  /** Kernel memory of 2 * ARG_MAX bytes: the strings of argv and envp, then room for the words of the new stack. */
  strings: usize;
  /** Bytes of strings so far. */
  length: u32;
  argc: u32;
  envc: u32;
  /** The file, locked. */
  vp: Vnode;
  ehdr: Elf32Ehdr;
  phdrs: usize;
  /** The first line of a script: MAXINTERP bytes. */
  line: usize;
  /** Whose rights the program has. */
  uid: u32;
  gid: u32;
  /** Bytes of the file. */
  size: u64;
}

/** A package with room for arguments. => may sleep */
export function exec_package_init(pack: ExecPackage): void {
  memory.fill(changetype<usize>(pack), 0, offsetof<ExecPackage>());
  pack.strings = uvm_km_valloc_wait(kernel_map(), 2 * ARG_MAX);
  pack.ehdr = changetype<Elf32Ehdr>(malloc(SIZEOF_EHDR + 4, M_EXEC, M_WAITOK));
  pack.phdrs = malloc(MAXPHNUM * SIZEOF_PHDR, M_EXEC, M_WAITOK);
  pack.line = malloc(MAXINTERP, M_EXEC, M_WAITOK);
}

export function exec_package_free(pack: ExecPackage): void {
  uvm_km_free(kernel_map(), pack.strings, 2 * ARG_MAX);
  free(changetype<usize>(pack.ehdr), M_EXEC);
  free(pack.phdrs, M_EXEC);
  free(pack.line, M_EXEC);
}

/** Appends a string (from user space or the kernel) to the package. => 0, E2BIG, EFAULT */
export function exec_add_string(pack: ExecPackage, string: usize, user: bool): i32 {
  const done = frame_alloc(4);
  const room = ARG_MAX - pack.length;
  const to = pack.strings + pack.length;
  const error = user ? copyinstr(string, to, room, done) : copystr(string, to, room, done);
  if (error == ENAMETOOLONG) return E2BIG;
  if (error != 0) return error;
  pack.length += load<u32>(done);
  return 0;
}

/** Appends the strings of a NULL-terminated vector in user space (0: an empty one); their number to `countp`. */
function add_vector(pack: ExecPackage, vector: usize, countp: usize): i32 {
  const word = frame_alloc(4);
  let count: u32 = 0;
  while (vector != 0) {
    if (copyin(vector + count * 4, word, 4) != 0) return EFAULT;
    if (load<usize>(word) == 0) break;
    const error = exec_add_string(pack, load<usize>(word), true);
    if (error != 0) return error;
    count++;
    // Each pointer takes room on the new stack, too.
    if ((count + AUX_WORDS + 8) * 4 + pack.length > ARG_MAX) return E2BIG;
  }
  store<u32>(countp, count);
  return 0;
}

/** May the locked file be run? EACCES, ETXTBSY. */
function check_file(pack: ExecPackage, p: Proc): i32 {
  const vp = pack.vp;
  if (vp.v_type != VREG) return EACCES;
  if (vp.v_writecount != 0) return ETXTBSY;
  if ((vp.v_mount.mnt_flag & MNT_NOEXEC) != 0) return EACCES;
  const error = VOP_ACCESS(vp, VEXEC, changetype<usize>(p), p);
  if (error != 0) return error;
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  const failed = VOP_GETATTR(vp, va, changetype<usize>(p), p);
  if (failed != 0) return failed;
  if ((va.va_mode & 0o111) == 0) return EACCES;
  pack.uid = (va.va_mode & 0o4000) != 0 ? va.va_uid : p.p_uid;
  pack.gid = (va.va_mode & 0o2000) != 0 ? va.va_gid : p.p_gid;
  pack.size = va.va_size;
  return 0;
}

function read_file(pack: ExecPackage, to: usize, length: u32, offset: u32, segflg: u32, residp: usize, p: Proc): i32 {
  return vn_rdwr(UIO_READ, pack.vp, to, length, i64(offset), segflg, IO_NODELOCKED, changetype<usize>(p), residp, p);
}

/** Reads and checks the ELF header and the program headers. ENOEXEC. */
function read_headers(pack: ExecPackage, p: Proc): i32 {
  const resid = frame_alloc(4);
  const eh = pack.ehdr;
  let error = read_file(pack, changetype<usize>(eh), SIZEOF_EHDR, 0, UIO_SYSSPACE, resid, p);
  if (error != 0) return error;
  if (load<u32>(resid) != 0 || eh.e_ident0 != ELF_MAGIC || (eh.e_ident1 & 0xffffff) != ELF_IDENT1) return ENOEXEC;
  if (eh.e_type != ET_EXEC || eh.e_machine != EM_386 || eh.e_version != 1) return ENOEXEC;
  if (eh.e_phentsize != SIZEOF_PHDR || eh.e_phnum == 0 || eh.e_phnum > MAXPHNUM) return ENOEXEC;
  const bytes = u32(eh.e_phnum) * SIZEOF_PHDR;
  error = read_file(pack, pack.phdrs, bytes, eh.e_phoff, UIO_SYSSPACE, resid, p);
  if (error != 0) return error;
  if (load<u32>(resid) != 0 || eh.e_entry >= VM_MAXUSER_ADDRESS) return ENOEXEC;
  return check_segments(pack, pack.size);
}

function phdr(pack: ExecPackage, index: u32): Elf32Phdr {
  return changetype<Elf32Phdr>(pack.phdrs + index * SIZEOF_PHDR);
}

/** Do the segments lie in user space, upwards, on pages of their own, below the stack, and inside the file? */
function check_segments(pack: ExecPackage, size: u64): i32 {
  let end: usize = LOWEST_TEXT;
  let loads: u32 = 0;
  for (let i: u32 = 0; i < pack.ehdr.e_phnum; i++) {
    const ph = phdr(pack, i);
    if (ph.p_type == PT_INTERP) return ENOEXEC;
    if (ph.p_type != PT_LOAD || ph.p_memsz == 0) continue;
    const top = u64(ph.p_vaddr) + u64(ph.p_memsz);
    if (trunc_page(ph.p_vaddr) < end || top > u64(USRSTACK - MAXSSIZ) || ph.p_filesz > ph.p_memsz) return ENOEXEC;
    if (u64(ph.p_offset) + u64(ph.p_filesz) > size) return ENOEXEC;
    end = round_page(usize(top));
    loads++;
  }
  return loads == 0 ? ENOEXEC : 0;
}

/** Maps fresh memory at [start, end) for the process. => 0 or ENOMEM */
function map_memory(map: VmMap, start: usize, end: usize, prot: u32): i32 {
  const va = frame_alloc(4);
  store<usize>(va, start);
  const flags = UVM_MAPFLAG(prot, VM_PROT_ALL, UVM_INH_COPY, UVM_ADV_NORMAL, UVM_FLAG_FIXED | UVM_FLAG_COPYONW);
  return uvm_map(map, va, end - start, changetype<UvmObject>(0), 0, flags) == KERN_SUCCESS ? 0 : ENOMEM;
}

/** An empty address space for the process: its own, unmapped, or a new one when others use it, too. => may sleep */
function new_space(p: Proc): void {
  const old = p.p_vmspace;
  if (old.vm_refcnt == 1) {
    uvm_unmap(old.vm_map, VM_MIN_ADDRESS, VM_MAXUSER_ADDRESS);
    return;
  }
  p.p_vmspace = uvmspace_alloc(VM_MIN_ADDRESS, VM_MAXUSER_ADDRESS, true);
  pmap_activate(p);
  uvmspace_free(old);
}

function segment_protection(ph: Elf32Phdr): u32 {
  let prot: u32 = VM_PROT_READ;
  if ((ph.p_flags & PF_W) != 0) prot |= VM_PROT_WRITE;
  if ((ph.p_flags & PF_X) != 0) prot |= VM_PROT_EXECUTE;
  return prot;
}

/** Maps [start, end) of the process to the file from `offset` (a page multiple) on, privately. => 0 or ENOMEM */
function map_file(pack: ExecPackage, map: VmMap, start: usize, end: usize, offset: u32): i32 {
  const va = frame_alloc(4);
  const uobj = uvn_attach(pack.vp, VM_PROT_READ | VM_PROT_EXECUTE);
  if (changetype<usize>(uobj) == 0) return ENOMEM;
  store<usize>(va, start);
  const flags = UVM_MAPFLAG(VM_PROT_ALL, VM_PROT_ALL, UVM_INH_COPY, UVM_ADV_NORMAL, UVM_FLAG_FIXED | UVM_FLAG_COPYONW);
  if (uvm_map(map, va, end - start, uobj, u64(offset), flags) == KERN_SUCCESS) return 0;
  uobj.pgops.pgo_detach(uobj);
  return ENOMEM;
}

/** Writes zeros to [start, end) of the process. */
function zero_user(start: usize, end: usize): i32 {
  const zeros = frame_alloc(128);
  memory.fill(zeros, 0, 128);
  let error: i32 = 0;
  while (start < end && error == 0) {
    const count: u32 = end - start < 128 ? end - start : 128;
    error = copyout(zeros, start, count);
    start += count;
  }
  return error;
}

/** Can the file's pages be the segment's? Its place in page and file must agree; a tail of zeros needs a write. */
function can_map(ph: Elf32Phdr): bool {
  if (ph.p_filesz == 0 || ((ph.p_vaddr ^ ph.p_offset) & PAGE_MASK) != 0) return false;
  return ph.p_filesz == ph.p_memsz || (ph.p_flags & PF_W) != 0;
}

/** Fills [start, end) of the process, the segment's pages. */
function fill_segment(pack: ExecPackage, ph: Elf32Phdr, start: usize, end: usize, p: Proc): i32 {
  const map = p.p_vmspace.vm_map;
  if (!can_map(ph)) {
    const error = map_memory(map, start, end, VM_PROT_ALL);
    if (error != 0 || ph.p_filesz == 0) return error;
    return read_file(pack, ph.p_vaddr, ph.p_filesz, ph.p_offset, UIO_USERSPACE, 0, p);
  }
  const data_end = ph.p_vaddr + ph.p_filesz;
  const file_end = round_page(data_end);
  let error = map_file(pack, map, start, file_end, trunc_page(ph.p_offset));
  if (error == 0 && file_end < end) error = map_memory(map, file_end, end, VM_PROT_ALL);
  if (error == 0 && ph.p_memsz != ph.p_filesz) error = zero_user(data_end, file_end);
  return error;
}

/** Puts one segment into memory. */
function load_segment(pack: ExecPackage, ph: Elf32Phdr, p: Proc): i32 {
  const vm = p.p_vmspace;
  const start = trunc_page(ph.p_vaddr);
  const end = round_page(ph.p_vaddr + ph.p_memsz);
  const error = fill_segment(pack, ph, start, end, p);
  if (error != 0) return error;
  uvm_map_protect(vm.vm_map, start, end, segment_protection(ph), false);
  if ((ph.p_flags & PF_W) != 0) {
    vm.vm_daddr = start;
    vm.vm_dsize = (end - start) >> PAGE_SHIFT;
  } else if (vm.vm_taddr == 0) {
    vm.vm_taddr = start;
    vm.vm_tsize = (end - start) >> PAGE_SHIFT;
  }
  // Without a data segment the break begins behind the last one.
  if (vm.vm_daddr < start) vm.vm_daddr = end;
  return 0;
}

/** Segments and stack. */
function load_program(pack: ExecPackage, p: Proc): i32 {
  const vm = p.p_vmspace;
  vm.vm_taddr = 0;
  vm.vm_tsize = 0;
  vm.vm_daddr = 0;
  vm.vm_dsize = 0;
  for (let i: u32 = 0; i < pack.ehdr.e_phnum; i++) {
    const ph = phdr(pack, i);
    if (ph.p_type != PT_LOAD || ph.p_memsz == 0) continue;
    const error = load_segment(pack, ph, p);
    if (error != 0) return error;
  }
  const size = round_page(limit_of(p, RLIMIT_STACK));
  vm.vm_ssize = size >> PAGE_SHIFT;
  vm.vm_maxsaddr = USRSTACK - MAXSSIZ;
  return map_memory(vm.vm_map, USRSTACK - size, USRSTACK, VM_PROT_READ | VM_PROT_WRITE | VM_PROT_EXECUTE);
}

/** Stores a pair of the auxiliary vector; the address behind it is returned. */
function put_aux(at: usize, type: u32, value: u32): usize {
  store<u32>(at, type);
  store<u32>(at, value, 4);
  return at + 8;
}

/** Pointers to `count` strings from `string` (user address) on, then NULL; the string behind them goes to `nextp`. */
function put_pointers(at: usize, count: u32, kernel: usize, delta: usize, nextp: usize): usize {
  for (let i: u32 = 0; i < count; i++) {
    store<usize>(at, kernel + delta);
    at += 4;
    while (load<u8>(kernel) != 0) kernel++;
    kernel++;
  }
  store<usize>(at, 0);
  store<usize>(nextp, kernel);
  return at + 4;
}

/** Fills the top of the new stack; the stack pointer to begin with goes to `stackp`. */
function fill_stack(pack: ExecPackage, stackp: usize): i32 {
  const strings = (PS_STRINGS - szsigcode() - STACKGAPLEN - pack.length) & ~3;
  const words = 1 + pack.argc + 1 + pack.envc + 1 + AUX_WORDS;
  const stack = (strings - words * 4) & ~15;
  const next = frame_alloc(4);
  const block = pack.strings + ARG_MAX;
  const delta = strings - pack.strings;
  store<u32>(block, pack.argc);
  let at = put_pointers(block + 4, pack.argc, pack.strings, delta, next);
  at = put_pointers(at, pack.envc, load<usize>(next), delta, next);
  at = put_aux(at, AT_PHENT, SIZEOF_PHDR);
  at = put_aux(at, AT_PHNUM, pack.ehdr.e_phnum);
  at = put_aux(at, AT_PAGESZ, PAGE_SIZE);
  at = put_aux(at, AT_BASE, 0);
  at = put_aux(at, AT_FLAGS, 0);
  at = put_aux(at, AT_ENTRY, pack.ehdr.e_entry);
  put_aux(at, 0, 0);
  const ps_strings = frame_alloc(16);
  store<usize>(ps_strings, stack + 4);
  store<u32>(ps_strings, pack.argc, 4);
  store<usize>(ps_strings, stack + 4 + (pack.argc + 1) * 4, 8);
  store<u32>(ps_strings, pack.envc, 12);
  let error = copyout(block, stack, words * 4);
  if (error == 0 && pack.length != 0) error = copyout(pack.strings, strings, pack.length);
  if (error == 0) error = copyout(sym.sigcode(), sigcode_user_address(), sym.esigcode() - sym.sigcode());
  if (error == 0) error = copyout(ps_strings, PS_STRINGS, 16);
  store<usize>(stackp, stack);
  return error;
}

/** Finds the file of the package and locks it, if the process may run it. */
function find_file(pack: ExecPackage, p: Proc): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  NDINIT(nd, LOOKUP, FOLLOW | LOCKLEAF, UIO_SYSSPACE, pack.path, p);
  let error = namei(nd);
  if (error != 0) return error;
  pack.vp = nd.ni_vp;
  error = check_file(pack, p);
  if (error != 0) vput(pack.vp);
  return error;
}

/** A script's package becomes that of its interpreter, whose file is locked instead. Others stay as they are. */
function find_interpreter(pack: ExecPackage, p: Proc): i32 {
  const resid = frame_alloc(4);
  let error = read_file(pack, pack.line, MAXINTERP, 0, UIO_SYSSPACE, resid, p);
  const length = MAXINTERP - load<u32>(resid);
  if (error == 0 && !is_script(pack.line, length)) return 0;
  vput(pack.vp);
  if (error == 0) error = exec_script(pack, pack.line, length);
  return error != 0 ? error : find_file(pack, p);
}

/** Finds what really runs, and locks its file: 0 when it can be run. */
function find_program(pack: ExecPackage, p: Proc): i32 {
  let error = find_file(pack, p);
  if (error == 0) error = find_interpreter(pack, p);
  if (error != 0) return error;
  error = read_headers(pack, p);
  if (error != 0) vput(pack.vp);
  return error;
}

/** Names the process after the last component of the path. */
function name_process(p: Proc, path: usize): void {
  let name = path;
  for (; load<u8>(path) != 0; path++) {
    if (load<u8>(path) == 0x2f && load<u8>(path + 1) != 0) name = path + 1;
  }
  set_p_comm(p, name);
}

/**
 * Makes the current process `p` run the package. => 0: its user registers are those of the new program's start;
 * an errno: nothing has changed. A failure after the point of no return ends the process. May sleep.
 */
export function exec_run(p: Proc, pack: ExecPackage): i32 {
  const found = find_program(pack, p);
  if (found != 0) return found;
  const stack = frame_alloc(4);
  new_space(p);
  let error = load_program(pack, p);
  pack.vp.v_flag |= VTEXT;
  vput(pack.vp);
  if (error == 0) error = fill_stack(pack, stack);
  if (error != 0) {
    exec_package_free(pack);
    exit1(p, i32(SIGABRT));
  }
  fdcloseexec(p);
  execsigs(p);
  name_process(p, pack.path);
  if (p.p_uid == pack.uid && p.p_gid == pack.gid) p.p_flag &= ~P_SUGID;
  else p.p_flag |= P_SUGID;
  p.p_uid = pack.uid;
  p.p_svuid = pack.uid;
  p.p_gid = pack.gid;
  p.p_svgid = pack.gid;
  p.p_flag |= P_EXEC;
  vfork_done(p);
  setregs(p, pack.ehdr.e_entry, load<usize>(stack));
  return 0;
}

export function sys_execve(p: Proc, uap: SysExecveArgs, retval: usize): i32 {
  const pack = changetype<ExecPackage>(frame_alloc(offsetof<ExecPackage>()));
  const count = frame_alloc(4);
  const path = malloc(MAXPATHLEN, M_EXEC, M_WAITOK);
  exec_package_init(pack);
  pack.path = path;
  let error = copyinstr(uap.path, path, MAXPATHLEN, 0);
  if (error == 0) error = add_vector(pack, uap.argp, count);
  if (error == 0) {
    pack.argc = load<u32>(count);
    error = add_vector(pack, uap.envp, count);
    pack.envc = load<u32>(count);
  }
  if (error == 0) error = exec_run(p, pack);
  exec_package_free(pack);
  free(path, M_EXEC);
  return error != 0 ? error : EJUSTRETURN;
}
