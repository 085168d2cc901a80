// vmtest: virtual memory as programs use it, in processes with address spaces of
// their own: copy-on-write, partial unmapping, mappings of files beside read and
// write, other processes' memory, the errors. A line per case; the boot argument
// `vmtest=NAME` runs one. Each case must leave every counter as it was, and the
// laws of uvm_check must hold.
import { exit1, kwait } from "../kern_exit";
import { fork_kernel_proc } from "../kern_fork";
import { curproc } from "../kern_proc";
import { memcmp, strcmp } from "../libkern";
import { bootarg } from "../subr_bootargs";
import { printf } from "../subr_prf";
import { frame_alloc } from "../i386/cpufunc";
import { pmap_activate, vtophys } from "../i386/pmap";
import { copyin, copyout } from "../i386/support";
import { EACCES, EAGAIN, EFAULT, EINVAL, ENOMEM } from "../sys/errno";
import { PAGE_SIZE, round_page } from "../sys/param";
import { Proc } from "../sys/proc";
import { Iovec, SIZEOF_IOVEC, SIZEOF_UIO, UIO_READ, UIO_SYSSPACE, UIO_USERSPACE, UIO_WRITE, Uio } from "../sys/uio";
import { MNT_UPDATE } from "../../fs/mount";
import { do_mount } from "../../fs/vfs_mount_calls";
import { do_truncate, do_unlink, do_sync } from "../../fs/vfs_syscalls";
import { vn_rdwr } from "../../fs/vfs_vnops";
import { Vnode } from "../../fs/vnode";
import { FREAD, FWRITE } from "../../fs/fcntl";
import { uvm_check_print } from "../../vm/uvm_check";
import { udv_attach, udv_fault_told, udv_register } from "../../vm/uvm_device";
import {
  UVM_ADV_RANDOM, UVM_FLAG_COPYONW, UVM_FLAG_NOMERGE, UVM_MAPFLAG, VM_INHERIT_NONE, VM_PROT_WRITE,
} from "../../vm/uvm_extern";
import { uvm_io } from "../../vm/uvm_extract";
import { uvmspace_fork } from "../../vm/uvm_fork";
import { uvmspace_free } from "../../vm/uvm_glue";
import { kernel_map, uvm_km_alloc, uvm_km_free } from "../../vm/uvm_km";
import { uvm_map } from "../../vm/uvm_map";
import { VmMap } from "../../vm/uvm_map_h";
import { uvm_map_incore } from "../../vm/uvm_map_clean";
import {
  MAP_ANON, MAP_FIXED, MAP_PRIVATE, MAP_SHARED, MS_INVALIDATE, MS_SYNC, uvm_brk, uvm_minherit, uvm_mlock, uvm_mmap_user,
  uvm_mprotect, uvm_msync, uvm_munlock, uvm_munmap,
} from "../../vm/uvm_mmap";
import { uvmexp } from "../../vm/uvm_stat";
import { uvm_vnp_uncached_writes } from "../../vm/uvm_vnp";
import { append_file, close_file, open_file, read_file, write_file } from "./unistd";

const RW: u32 = 3;
const FILE_SIZE: u32 = 50000;

@unmanaged
class Vmtest {
  /** What went wrong first: line of the check, 0 = nothing. */
  failed: u32;
  vp: Vnode;
  buffer: usize;
}

const test = changetype<Vmtest>(memory.data(offsetof<Vmtest>(), 4));

function file_name(): usize {
  return cs("/vmtest.file");
}

/** Notes the number of a check that does not hold. */
function expect(ok: bool, number: u32): void {
  if (!ok && test.failed == 0) test.failed = number;
}

function my_map(): VmMap {
  return curproc().p_vmspace.vm_map;
}

/** mmap(2) without hint. => the address, or 0 with a failed check */
function map(size: usize, flags: u32, vp: Vnode, offset: u64): usize {
  const addrp = frame_alloc(4);
  store<usize>(addrp, 0);
  const error = uvm_mmap_user(curproc().p_vmspace, 0, size, RW, flags, vp, FREAD | FWRITE, i64(offset), 0, addrp);
  expect(error == 0, 1000 + u32(error));
  return error == 0 ? load<usize>(addrp) : 0;
}

function map_anon(size: usize, flags: u32): usize {
  return map(size, flags | MAP_ANON, changetype<Vnode>(0), 0);
}

/** fork(2): a child of the current process with a copy of its space, which runs main(arg). => its wait status */
function fork_and_wait(main: u32, arg: usize): i32 {
  const newp = frame_alloc(4);
  const status = frame_alloc(4);
  const space = uvmspace_fork(curproc().p_vmspace);
  if (fork_kernel_proc(curproc(), main, arg, cs("child"), newp) != 0) return -1;
  const child = changetype<Proc>(load<usize>(newp));
  uvmspace_free(child.p_vmspace);
  child.p_vmspace = space;
  pmap_activate(child);
  kwait(curproc(), child.p_pid, status);
  return load<i32>(status);
}

/** Is the word at a user address there, and `value`? */
function user_word(addr: usize, value: u32): bool {
  const word = frame_alloc(4);
  return copyin(addr, word, 4) == 0 && load<u32>(word) == value;
}

function set_user_word(addr: usize, value: u32): bool {
  const word = frame_alloc(4);
  store<u32>(word, value);
  return copyout(word, addr, 4) == 0;
}

/** Writes a byte as a user program would, on any processor. */
function put(addr: usize, value: u32): void {
  const byte = frame_alloc(4);
  store<u8>(byte, u8(value));
  expect(copyout(byte, addr, 1) == 0, 999);
}

// cow: what parent and child see of private, shared and withheld memory.

function cow_child(at: usize): void {
  const shared = at + 8 * PAGE_SIZE;
  const withheld = at + 16 * PAGE_SIZE;
  const copied = user_word(at, 1) && user_word(at + PAGE_SIZE, 2) && user_word(shared, 3);
  set_user_word(at, 11);
  set_user_word(at + 2 * PAGE_SIZE, 12);
  set_user_word(shared, 13);
  const mine = user_word(at, 11) && user_word(at + 2 * PAGE_SIZE, 12) && user_word(at + 3 * PAGE_SIZE, 0);
  const hidden = !user_word(withheld, 4);
  exit1(curproc(), copied && mine && hidden ? 0 : 1 << 8);
}

function case_cow(): void {
  const at = map_anon(24 * PAGE_SIZE, MAP_PRIVATE);
  const shared = at + 8 * PAGE_SIZE;
  const addrp = frame_alloc(4);
  expect(uvm_munmap(my_map(), shared, 8 * PAGE_SIZE) == 0, 1);
  store<usize>(addrp, shared);
  expect(uvm_mmap_user(curproc().p_vmspace, shared, 8 * PAGE_SIZE, RW, MAP_ANON | MAP_SHARED | MAP_FIXED,
    changetype<Vnode>(0), 0, 0, 0, addrp) == 0, 2);
  expect(uvm_minherit(my_map(), at + 16 * PAGE_SIZE, 8 * PAGE_SIZE, VM_INHERIT_NONE) == 0, 3);
  set_user_word(at, 1);
  set_user_word(at + PAGE_SIZE, 2);
  set_user_word(shared, 3);
  set_user_word(at + 16 * PAGE_SIZE, 4);
  for (let round: u32 = 0; round < 3; round++) {
    expect(fork_and_wait(cow_child.index, at) == 0, 4);
    expect(user_word(at, 1) && user_word(at + 2 * PAGE_SIZE, 0), 5);
    expect(user_word(shared, 13), 6);
    set_user_word(shared, 3);
  }
  // Wired memory is copied at once, and stays wired and writable here.
  expect(uvm_mlock(my_map(), at, 2 * PAGE_SIZE, 0) == 0, 7);
  expect(fork_and_wait(cow_child.index, at) == 0, 8);
  expect(user_word(at, 1) && set_user_word(at, 5) && user_word(at, 5), 9);
  expect(uvm_munlock(my_map(), at, 2 * PAGE_SIZE) == 0, 10);
}

// unmap: a part of private memory goes with its pages.

function case_unmap(): void {
  const at = map_anon(16 * PAGE_SIZE, MAP_PRIVATE);
  const free = uvmexp.nfreeanon;
  for (let i: u32 = 0; i < 16; i++) set_user_word(at + i * PAGE_SIZE, 100 + i);
  expect(uvmexp.nfreeanon == free - 16, 1);
  expect(uvm_munmap(my_map(), at + 4 * PAGE_SIZE, 8 * PAGE_SIZE) == 0, 2);
  expect(uvmexp.nfreeanon == free - 8, 3);
  expect(user_word(at + 3 * PAGE_SIZE, 103) && user_word(at + 12 * PAGE_SIZE, 112), 4);
  expect(!user_word(at + 4 * PAGE_SIZE, 104), 5);
  const addrp = frame_alloc(4);
  store<usize>(addrp, at + 4 * PAGE_SIZE);
  expect(uvm_mmap_user(curproc().p_vmspace, at + 4 * PAGE_SIZE, 8 * PAGE_SIZE, RW, MAP_ANON | MAP_PRIVATE | MAP_FIXED,
    changetype<Vnode>(0), 0, 0, 0, addrp) == 0, 6);
  for (let i: u32 = 4; i < 12; i++) expect(user_word(at + i * PAGE_SIZE, 0), 7);
  expect(uvm_munmap(my_map(), at + 0x100000, PAGE_SIZE) == EINVAL, 8);
}

// brk: the heap grows and shrinks, and is zero when it comes again.

function case_brk(): void {
  const vm = curproc().p_vmspace;
  const base: usize = 0x08100000;
  vm.vm_daddr = base;
  vm.vm_dsize = 0;
  expect(uvm_brk(vm, base + 10000, 1 << 27) == 0, 1);
  expect(set_user_word(base + 9000, 7), 2);
  expect(!set_user_word(base + 3 * PAGE_SIZE, 7), 3);
  expect(uvm_brk(vm, base + 0x400000, 1 << 27) == 0, 4);
  expect(set_user_word(base + 0x3ffff0, 8) && user_word(base + 9000, 7), 5);
  expect(uvm_brk(vm, base + PAGE_SIZE, 1 << 27) == 0, 6);
  expect(!user_word(base + 9000, 7), 7);
  expect(uvm_brk(vm, base + 10000, 1 << 27) == 0, 8);
  expect(user_word(base + 9000, 0), 9);
  expect(uvm_brk(vm, base + 0x10000000, 1 << 27) == ENOMEM && uvm_brk(vm, base - 1, 1 << 27) == ENOMEM, 10);
  expect(vm.vm_dsize == 3, 11);
}

// errors: what the calls refuse.

function case_errors(): void {
  const at = map_anon(4 * PAGE_SIZE, MAP_PRIVATE);
  const addrp = frame_alloc(4);
  const vm = curproc().p_vmspace;
  const none = changetype<Vnode>(0);
  expect(set_user_word(at, 1), 1);
  expect(uvm_mprotect(my_map(), at, PAGE_SIZE, 1) == 0, 2);
  expect(!set_user_word(at, 2) && user_word(at, 1), 3);
  expect(uvm_mprotect(my_map(), at, PAGE_SIZE, 0) == 0 && !user_word(at, 1), 4);
  expect(uvm_mprotect(my_map(), at, PAGE_SIZE, RW) == 0 && set_user_word(at, 2), 5);
  expect(uvm_mmap_user(vm, 0, PAGE_SIZE, RW, MAP_ANON | MAP_SHARED | MAP_PRIVATE, none, 0, 0, 0, addrp) == EINVAL, 6);
  expect(uvm_mmap_user(vm, 0xc0000000, PAGE_SIZE, RW, MAP_ANON | MAP_FIXED, none, 0, 0, 0, addrp) == EINVAL, 7);
  expect(uvm_mmap_user(vm, 0, 0xfffff001, RW, MAP_ANON, none, 0, 0, 0, addrp) == EINVAL, 8);
  expect(uvm_mmap_user(vm, 0, 0x7ffff000, RW, MAP_ANON, none, 0, 0, 0, addrp) == ENOMEM, 9);
  expect(uvm_mmap_user(vm, 0, PAGE_SIZE, RW, MAP_PRIVATE, none, 0, 0, 0, addrp) == EINVAL, 10);
  expect(uvm_mmap_user(vm, 0, PAGE_SIZE, RW, MAP_SHARED, test.vp, FREAD, 0, 0, addrp) == EACCES, 11);
  expect(uvm_mlock(my_map(), at, 4 * PAGE_SIZE, PAGE_SIZE) == EAGAIN, 12);
  expect(uvm_mlock(my_map(), at, 8 * PAGE_SIZE, 0) == ENOMEM, 13);
  expect(uvm_msync(my_map(), at + 2 * PAGE_SIZE, 4 * PAGE_SIZE, MS_SYNC) == ENOMEM, 14);
  expect(uvm_munmap(my_map(), 0xffffff00, 0x200) == EINVAL, 15);
  expect(copyin(0, addrp, 4) == EFAULT, 16);
}

// file: one file through a mapping, read and write.

/** The byte that stands at `offset` of the file at the beginning. */
function pattern(offset: u32): u32 {
  return (offset * 7 + (offset >> 12)) & 0xff;
}

function file_byte(offset: u32): u32 {
  const byte = frame_alloc(4);
  const count = frame_alloc(4);
  store<u32>(byte, 0);
  if (read_file(test.vp, byte, 1, offset, count) != 0 || load<u32>(count) != 1) return 0x100;
  return load<u8>(byte);
}

function write_byte(offset: u32, value: u32): bool {
  const byte = frame_alloc(4);
  store<u8>(byte, u8(value));
  return write_file(test.vp, byte, 1, offset) == 0;
}

function case_file(): void {
  const at = map(FILE_SIZE, MAP_SHARED, test.vp, 0);
  if (at == 0) return;
  for (let i: u32 = 0; i < FILE_SIZE; i += 997) expect(load<u8>(at + i) == pattern(i), 1);
  const end = round_page(FILE_SIZE);
  for (let i: u32 = FILE_SIZE; i < end; i++) expect(load<u8>(at + i) == 0, 2);
  expect(!user_word(at + end, 0), 3);
  // A mapping writes, read(2) sees it; write(2) writes, the mapping sees it; neighbours stay.
  put(at + 5000, 0xaa);
  expect(file_byte(5000) == 0xaa, 4);
  put(at + 5001, 0xab);
  expect(write_byte(5002, 0xac), 5);
  expect(load<u8>(at + 5002) == 0xac && load<u8>(at + 5001) == 0xab, 6);
  expect(file_byte(5001) == 0xab && file_byte(5002) == 0xac, 7);
  // A private mapping sees the file until it writes, and the file never sees what it wrote.
  const mine = map(FILE_SIZE, MAP_PRIVATE, test.vp, 0);
  expect(load<u8>(mine + 5000) == 0xaa, 8);
  put(mine + 5000, 1);
  expect(file_byte(5000) == 0xaa && load<u8>(at + 5000) == 0xaa && load<u8>(mine + 5000) == 1, 9);
  // Dropped pages come back as they were written.
  put(at + 20000, 0x77);
  expect(uvm_msync(my_map(), at, FILE_SIZE, MS_SYNC | MS_INVALIDATE) == 0, 10);
  expect(uvm_map_incore(my_map(), at + 20000) == 0 && load<u8>(at + 20000) == 0x77, 11);
  expect(uvm_munmap(my_map(), at, FILE_SIZE) == 0 && uvm_munmap(my_map(), mine, FILE_SIZE) == 0, 12);
  // The object persists with its pages.
  const again = map(FILE_SIZE, MAP_SHARED, test.vp, 0);
  expect(uvm_map_incore(my_map(), again + 20000) == 1, 13);
  expect(load<u8>(again + 20000) == 0x77, 14);
}

// caches: does a mapping see what write(2) wrote, and read(2) what a mapping wrote?

function case_caches(): void {
  const at = map(FILE_SIZE, MAP_SHARED, test.vp, 0);
  const before = load<u8>(at + 9000);
  expect(file_byte(9000) == before, 1);
  put(at + 9000, before + 1);
  const read_sees = file_byte(9000) == ((before + 1) & 0xff);
  write_byte(9001, 0x5a);
  const mapping_sees = load<u8>(at + 9001) == 0x5a;
  const yes = cs("yes");
  const no = cs("no");
  printf(cs("vmtest: read sees what a mapping wrote: %s; a mapping sees what write wrote: %s\n"),
    read_sees ? yes : no, mapping_sees ? yes : no);
  const separate = uvm_vnp_uncached_writes();
  expect(read_sees != separate && mapping_sees != separate, 2);
}

// truncate: cutting and growing a mapped file.

function case_truncate(): void {
  const p = curproc();
  const at = map(FILE_SIZE, MAP_SHARED, test.vp, 0);
  put(at + 30000, 1);
  put(at + 40000, 1);
  expect(do_truncate(file_name(), 30500, p) == 0, 1);
  expect(load<u8>(at + 30000) == 1 && load<u8>(at + 30600) == 0, 2);
  expect(!user_word(at + 40000, 0), 3);
  // What is written behind the end is not part of the file, even when it grows.
  put(at + 30600, 9);
  expect(do_truncate(file_name(), FILE_SIZE, p) == 0, 4);
  expect(load<u8>(at + 30600) == 0 && load<u8>(at + 40000) == 0 && file_byte(30600) == 0, 5);
  put(at + 40000, 3);
  do_sync(p);
  expect(file_byte(40000) == 3, 6);
}

// self: read(2) and write(2) between a file and a mapping of the same file.

function self_io(rw: u32, at: usize, len: u32, offset: u64): i32 {
  return vn_rdwr(rw, test.vp, at, len, i64(offset), UIO_USERSPACE, 0, changetype<usize>(curproc()), 0, curproc());
}

function case_self(): void {
  const at = map(FILE_SIZE, MAP_SHARED, test.vp, 0);
  for (let i: u32 = 0; i < 16384; i++) put(at + i, i * 3);
  expect(uvm_msync(my_map(), at, FILE_SIZE, MS_SYNC | MS_INVALIDATE) == 0, 1);
  // The file's own block is the source and the target, none of it in memory.
  expect(self_io(UIO_WRITE, at + 100, 8000, 200) == 0, 2);
  expect(load<u8>(at + 199) == u8(199 * 3) && load<u8>(at + 200) == u8(100 * 3), 3);
  expect(self_io(UIO_READ, at + 12000, 3000, 200) == 0, 4);
  expect(load<u8>(at + 12000) == u8(100 * 3) && load<u8>(at + 12001) == u8(101 * 3), 5);
  expect(file_byte(12001) == u32(u8(101 * 3)), 6);
}

// io: another process's memory.

function case_io(): void {
  const uio = changetype<Uio>(frame_alloc(SIZEOF_UIO));
  const iov = changetype<Iovec>(frame_alloc(SIZEOF_IOVEC));
  const at = map_anon(40 * PAGE_SIZE, MAP_PRIVATE);
  const file = map(FILE_SIZE, MAP_PRIVATE, test.vp, 0);
  const entries = kernel_map().nentries;
  for (let i: u32 = 0; i < 40; i += 2) set_user_word(at + i * PAGE_SIZE + 100, i);
  for (let pass: u32 = 0; pass < 3; pass++) {
    const rw = pass == 1 ? UIO_WRITE : UIO_READ;
    const from = pass == 2 ? file : at + 50;
    const len: u32 = pass == 2 ? 5000 : 35 * PAGE_SIZE;
    iov.iov_base = test.buffer;
    iov.iov_len = len;
    uio.uio_iov = iov;
    uio.uio_iovcnt = 1;
    uio.uio_offset = i64(from);
    uio.uio_resid = len;
    uio.uio_segflg = UIO_SYSSPACE;
    uio.uio_rw = rw;
    uio.uio_procp = 0;
    if (pass == 1) memory.fill(test.buffer, 0x33, 35 * PAGE_SIZE);
    expect(uvm_io(my_map(), uio) == 0 && uio.uio_resid == 0, 1 + pass);
    if (pass == 0) expect(load<u32>(test.buffer + 50 + 2 * PAGE_SIZE) == 2, 4);
    if (pass == 1) expect(user_word(at + 2 * PAGE_SIZE, 0x33333333) && user_word(at + 39 * PAGE_SIZE + 100, 0), 5);
    if (pass == 2) expect(memcmp(test.buffer, file, 5000) == 0, 6);
  }
  expect(kernel_map().nentries == entries, 7);
  iov.iov_base = test.buffer;
  iov.iov_len = 100;
  uio.uio_resid = 100;
  uio.uio_offset = 16;
  expect(uvm_io(my_map(), uio) == EINVAL && kernel_map().nentries == entries, 8);
}

// device: a mapping whose driver is told who touches what.

const DEVICE_MAJOR: u32 = 100;

/** A device of two pages: the first may be read and written, the second only be read. */
function device_mmap(dev: u32, off: u64, prot: u32): i32 {
  if (off >= u64(2 * PAGE_SIZE)) return -1;
  if (off >= u64(PAGE_SIZE) && (prot & VM_PROT_WRITE) != 0) return -1;
  return i32(vtophys(test.buffer + usize(off)) >> 12);
}

/** Maps `size` bytes of the device. => the address, or 0 when the driver refuses */
function map_device(size: usize, prot: u32, flags: u32): usize {
  const addrp = frame_alloc(4);
  store<usize>(addrp, 0x50000000);
  const uobj = udv_attach(DEVICE_MAJOR << 8, prot, 0, size);
  if (changetype<usize>(uobj) == 0) return 0;
  const rv = uvm_map(my_map(), addrp, size, uobj, 0, UVM_MAPFLAG(prot, prot, 0, UVM_ADV_RANDOM, flags));
  return rv == 0 ? load<usize>(addrp) : 0;
}

function case_device(): void {
  udv_register(DEVICE_MAJOR, device_mmap.index);
  memory.fill(test.buffer, 0, 2 * PAGE_SIZE);
  expect(map_device(2 * PAGE_SIZE, RW, 0) == 0 && map_device(3 * PAGE_SIZE, 1, 0) == 0, 1);
  const at = map_device(PAGE_SIZE, RW, 0);
  expect(set_user_word(at + 8, 42) && load<u32>(test.buffer + 8) == 42, 2);
  expect(udv_fault_told.vaddr == at && (udv_fault_told.access_type & VM_PROT_WRITE) != 0, 3);
  const both = map_device(2 * PAGE_SIZE, 1, UVM_FLAG_NOMERGE);
  expect(user_word(both + 8, 42), 4);
  expect(udv_fault_told.vaddr == both && udv_fault_told.access_type == 1, 5);
  expect(user_word(both + PAGE_SIZE, 0) && udv_fault_told.vaddr == both + PAGE_SIZE, 6);
  expect(!set_user_word(both + 8, 1), 7);
  // A device has no private copies.
  const mine = map_device(PAGE_SIZE, 1, UVM_FLAG_COPYONW | UVM_FLAG_NOMERGE);
  expect(!user_word(mine, 0), 8);
}

/** Makes the file anew, with the pattern in it. */
function make_file(): i32 {
  const vpp = frame_alloc(4);
  let error = open_file(file_name(), true, 0o644, vpp);
  if (error != 0) return error;
  for (let i: u32 = 0; i < FILE_SIZE; i++) store<u8>(test.buffer + i, u8(pattern(i)));
  error = write_file(changetype<Vnode>(load<usize>(vpp)), test.buffer, FILE_SIZE, 0);
  close_file(changetype<Vnode>(load<usize>(vpp)), true);
  if (error != 0) return error;
  error = append_file(file_name(), vpp);
  test.vp = changetype<Vnode>(load<usize>(vpp));
  return error;
}

function run_main(main: usize): void {
  call_indirect<void>(u32(main));
  exit1(curproc(), test.failed != 0 ? 1 << 8 : 0);
}

/** Runs a case in a process of its own. => did it and its surroundings stay sound? */
function run_case(name: usize, main: u32): bool {
  const only = bootarg(cs("vmtest"));
  if (only != 0 && strcmp(only, name) != 0) return true;
  const newp = frame_alloc(4);
  const status = frame_alloc(4);
  test.failed = 0;
  const error = make_file();
  if (error != 0) {
    printf(cs("vmtest: %s: cannot make the file: error %d\n"), name, error);
    return false;
  }
  const wired = uvmexp.wired;
  const anons = uvmexp.nfreeanon;
  const entries = kernel_map().nentries;
  if (fork_kernel_proc(curproc(), run_main.index, main, cs("vmtest"), newp) != 0) return false;
  kwait(curproc(), changetype<Proc>(load<usize>(newp)).p_pid, status);
  close_file(test.vp, true);
  do_unlink(file_name(), curproc());
  const violations = uvm_check_print();
  const lost = anons - uvmexp.nfreeanon;
  if (test.failed == 0 && violations == 0 && lost == 0) {
    printf(cs("vmtest: %s: ok\n"), name);
    return true;
  }
  printf(cs("vmtest: %s: FAILED at check %d; %d violations, %d anons lost, %d pages wired, %d entries\n"), name,
    test.failed, violations, lost, uvmexp.wired - wired, kernel_map().nentries - entries);
  return false;
}

/** The program. => 0, or 1 when a case failed */
export function vmtest(): i32 {
  const error = do_mount(cs("ffs"), cs("/"), MNT_UPDATE, 0, curproc());
  if (error != 0) printf(cs("vmtest: cannot make the root writable: error %d\n"), error);
  test.buffer = uvm_km_alloc(kernel_map(), 40 * PAGE_SIZE);
  let ok = run_case(cs("cow"), case_cow.index);
  ok = run_case(cs("unmap"), case_unmap.index) && ok;
  ok = run_case(cs("brk"), case_brk.index) && ok;
  ok = run_case(cs("errors"), case_errors.index) && ok;
  ok = run_case(cs("caches"), case_caches.index) && ok;
  if (!uvm_vnp_uncached_writes()) {
    ok = run_case(cs("file"), case_file.index) && ok;
    ok = run_case(cs("truncate"), case_truncate.index) && ok;
    ok = run_case(cs("self"), case_self.index) && ok;
  }
  ok = run_case(cs("io"), case_io.index) && ok;
  ok = run_case(cs("device"), case_device.index) && ok;
  uvm_km_free(kernel_map(), test.buffer, 40 * PAGE_SIZE);
  return ok ? 0 : 1;
}
