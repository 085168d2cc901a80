// shortage: what happens when memory runs out, row by row of docs/shortage.md. Each
// case runs in a process of its own; afterwards all memory must be back and the
// laws of uvm_check hold.
//
//   anon    private memory until it ends: file pages go first, then the access fails
//   aobj    the same with shared memory
//   file    a mapping of a file that is larger than memory is written and read back
//   full    a mapping of a file is written when the file system is full
//   kernel  allocations of the kernel that must not wait, while a process has all memory
//
// Boot arguments: shortage=NAME runs one case; shortage.file=SIZE is the size of the large file (12M).
import { exit1, kwait } from "../kern_exit";
import { fork_kernel_proc } from "../kern_fork";
import { curproc } from "../kern_proc";
import { tsleep } from "../kern_synch";
import { strcmp } from "../libkern";
import { bootarg, bootarg_u32 } from "../subr_bootargs";
import { printf } from "../subr_prf";
import { frame_alloc } from "../i386/cpufunc";
import { copyin, copyout } from "../i386/support";
import { EIO } from "../sys/errno";
import { HZ, PAGE_SIZE, PWAIT } from "../sys/param";
import { Proc } from "../sys/proc";
import { FREAD, FWRITE } from "../../fs/fcntl";
import { MNT_UPDATE } from "../../fs/mount";
import { do_mount } from "../../fs/vfs_mount_calls";
import { do_truncate, do_unlink, sys_sync } from "../../fs/vfs_syscalls";
import { Vnode } from "../../fs/vnode";
import { uvm_check_print } from "../../vm/uvm_check";
import { UVM_KMF_NOWAIT } from "../../vm/uvm_extern";
import { kernel_map, kernel_object, uvm_km_alloc, uvm_km_free, uvm_km_kmemalloc } from "../../vm/uvm_km";
import { MAP_ANON, MAP_PRIVATE, MAP_SHARED, MS_SYNC, uvm_mmap_user, uvm_msync } from "../../vm/uvm_mmap";
import { uvmexp } from "../../vm/uvm_stat";
import { append_file, close_file, open_file, read_file, write_file } from "./unistd";

const CHUNK: u32 = 65536;

@unmanaged
class Shortage {
  failed: u32;
  vp: Vnode;
  buffer: usize;
}

const shortage_state = changetype<Shortage>(memory.data(offsetof<Shortage>(), 4));

function expect(ok: bool, number: u32): void {
  if (!ok && shortage_state.failed == 0) shortage_state.failed = number;
}

function map(size: usize, flags: u32, vp: Vnode): usize {
  const addrp = frame_alloc(4);
  store<usize>(addrp, 0);
  const error = uvm_mmap_user(curproc().p_vmspace, 0, size, 3, flags, vp, FREAD | FWRITE, 0, 0, addrp);
  expect(error == 0, 1000 + u32(error));
  return error == 0 ? load<usize>(addrp) : 0;
}

/** Writes a word of each page of [at, at + size). => the number of pages that could be written */
function touch(at: usize, size: usize): u32 {
  const word = frame_alloc(4);
  let pages: u32 = 0;
  for (let done: usize = 0; done < size; done += PAGE_SIZE) {
    store<u32>(word, u32(done) ^ 0x5a5a5a5a);
    if (copyout(word, at + done, 4) != 0) return pages;
    pages++;
  }
  return pages;
}

/** Does each page of [at, at + size) hold what touch wrote? */
function touched(at: usize, size: usize): bool {
  const word = frame_alloc(4);
  for (let done: usize = 0; done < size; done += PAGE_SIZE) {
    if (copyin(at + done, word, 4) != 0 || load<u32>(word) != (u32(done) ^ 0x5a5a5a5a)) return false;
  }
  return true;
}

function all_memory(): usize {
  return usize(uvmexp.npages) * PAGE_SIZE;
}

/** Makes the file `shortage_state.vp` `size` bytes long, a hole. */
function resize_file(size: u32): i32 {
  return do_truncate(cs("/shortage.file"), i64(size), curproc());
}

function hog(flags: u32): void {
  // 64 clean pages of a file are there first.
  expect(resize_file(64 * PAGE_SIZE) == 0, 1);
  const file = map(64 * PAGE_SIZE, MAP_SHARED, shortage_state.vp);
  expect(touch(file, 64 * PAGE_SIZE) == 64, 2);
  const resident = shortage_state.vp.uo_npages;
  const at = map(all_memory(), flags | MAP_ANON, changetype<Vnode>(0));
  const pages = touch(at, all_memory());
  expect(pages < u32(uvmexp.npages) && pages > 100, 3);
  expect(resident == 64 && shortage_state.vp.uo_npages < 8, 4);
  // The file's pages were written before they were freed, and come back when there is memory.
  expect(touched(at, (pages - 1) * PAGE_SIZE), 5);
}

function case_anon(): void {
  hog(MAP_PRIVATE);
}

function case_aobj(): void {
  hog(MAP_SHARED);
}

function case_file(): void {
  const size = bootarg_u32(cs("shortage.file"), 12 << 20);
  const countp = frame_alloc(4);
  expect(resize_file(size) == 0, 1);
  const at = map(size, MAP_SHARED, shortage_state.vp);
  expect(touch(at, size) == size / PAGE_SIZE, 2);
  expect(touched(at, size), 3);
  expect(uvmexp.pdpageouts > 0, 4);
  for (let offset: u32 = 0; offset < size; offset += 16 * PAGE_SIZE) {
    expect(read_file(shortage_state.vp, shortage_state.buffer, 4, offset, countp) == 0, 5);
    expect(load<u32>(shortage_state.buffer) == (offset ^ 0x5a5a5a5a), 6);
  }
}

/** Writes another file until the file system is full. => the vnode, open */
function fill(path: usize): Vnode {
  const vpp = frame_alloc(4);
  expect(open_file(path, true, 0o600, vpp) == 0, 2);
  const vp = changetype<Vnode>(load<usize>(vpp));
  let offset: u64 = 0;
  let piece = CHUNK;
  while (piece >= 512) {
    if (write_file(vp, shortage_state.buffer, piece, offset) == 0) offset += u64(piece);
    else piece >>= 1;
  }
  return vp;
}

function case_full(): void {
  const size = 32 * PAGE_SIZE;
  expect(resize_file(size) == 0, 1);
  const at = map(size, MAP_SHARED, shortage_state.vp);
  const filler = fill(cs("/shortage.fill"));
  // Holes have no blocks: the writes succeed, writing them back does not.
  expect(touch(at, size) == 32, 3);
  expect(uvm_msync(curproc().p_vmspace.vm_map, at, size, MS_SYNC) == EIO, 4);
  expect(touched(at, size), 5);
  // With space again they can be written.
  close_file(filler, true);
  do_unlink(cs("/shortage.fill"), curproc());
  sys_sync(curproc());
  expect(uvm_msync(curproc().p_vmspace.vm_map, at, size, MS_SYNC) == 0, 6);
  expect(touched(at, size), 7);
}

function case_kernel(): void {
  const at = map(all_memory(), MAP_PRIVATE | MAP_ANON, changetype<Vnode>(0));
  touch(at, all_memory());
  const kva = uvm_km_kmemalloc(kernel_map(), kernel_object(), 64 * PAGE_SIZE, UVM_KMF_NOWAIT);
  expect(kva == 0, 1);
  // What is gained with the reserve is little, but a page is to be had for the kernel itself.
  const page = uvm_km_kmemalloc(kernel_map(), kernel_object(), PAGE_SIZE, UVM_KMF_NOWAIT);
  expect(page != 0, 2);
  if (page != 0) uvm_km_free(kernel_map(), page, PAGE_SIZE);
}

function run_main(main: usize): void {
  call_indirect<void>(u32(main));
  exit1(curproc(), 0);
}

function run_case(name: usize, main: u32): bool {
  const only = bootarg(cs("shortage"));
  if (only != 0 && strcmp(only, name) != 0) return true;
  const newp = frame_alloc(4);
  const vpp = frame_alloc(4);
  shortage_state.failed = 0;
  let error = open_file(cs("/shortage.file"), true, 0o600, vpp);
  if (error == 0) {
    close_file(changetype<Vnode>(load<usize>(vpp)), true);
    error = append_file(cs("/shortage.file"), vpp);
  }
  if (error != 0) {
    printf(cs("shortage: %s: cannot make the file: error %d\n"), name, error);
    return false;
  }
  shortage_state.vp = changetype<Vnode>(load<usize>(vpp));
  const anons = uvmexp.nfreeanon;
  const free = uvmexp.free;
  if (fork_kernel_proc(curproc(), run_main.index, main, cs("hog"), newp) != 0) return false;
  kwait(curproc(), changetype<Proc>(load<usize>(newp)).p_pid, 0);
  close_file(shortage_state.vp, true);
  do_unlink(cs("/shortage.file"), curproc());
  const violations = uvm_check_print();
  const lost = free - uvmexp.free;
  if (shortage_state.failed == 0 && violations == 0 && anons == uvmexp.nfreeanon && lost < 32) {
    printf(cs("shortage: %s: ok\n"), name);
    return true;
  }
  printf(cs("shortage: %s: FAILED at check %d; %d violations, %d anons and %d pages lost\n"), name,
    shortage_state.failed, violations, anons - uvmexp.nfreeanon, lost);
  return false;
}

/** The program. => 0, or 1 when a case failed */
export function shortage(): i32 {
  const error = do_mount(cs("ffs"), cs("/"), MNT_UPDATE, 0, curproc());
  if (error != 0) printf(cs("shortage: cannot make the root writable: error %d\n"), error);
  // Let the system settle, so that the counters mean something.
  tsleep(changetype<usize>(shortage_state), PWAIT, cs("settle"), HZ);
  shortage_state.buffer = uvm_km_alloc(kernel_map(), CHUNK);
  let ok = run_case(cs("anon"), case_anon.index);
  ok = run_case(cs("aobj"), case_aobj.index) && ok;
  ok = run_case(cs("file"), case_file.index) && ok;
  ok = run_case(cs("full"), case_full.index) && ok;
  ok = run_case(cs("kernel"), case_kernel.index) && ok;
  uvm_km_free(kernel_map(), shortage_state.buffer, CHUNK);
  return ok ? 0 : 1;
}
