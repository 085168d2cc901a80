// uvmtest: shows an anonymous object in kernel_map piece by piece, a window per
// request: map, wire, copy, unmap. As it stands this way of doing it has four
// mistakes; each has a repair, by boot argument:
//
//   script=32K,40K     offsets of the requests, in order; A-B is all of a range,
//                      in steps of the size, upwards or downwards
//   request=8K         size of a request
//   repair=LIST        any of: end     unmap to the window's end, not its length
//                              ref     take a reference for each mapping
//                              unwire  unwire before unmapping
//                              offset  respect an offset inside a page
//
// Without repairs nothing is ever unmapped (a length is an end below the map),
// so the next window comes right behind; and if it also continues the object,
// the two mappings merge, the one reference is dropped, the object dies under
// its mappings, and the next fault calls through a free pool item. In any other
// order entries, addresses and wirings leak.
import { exit1, kwait } from "../kern_exit";
import { fork_kernel_proc } from "../kern_fork";
import { curproc } from "../kern_proc";
import { memcmp, memcpy, strlen, strncmp, strtoul } from "../libkern";
import { bootarg, bootarg_u32 } from "../subr_bootargs";
import { panic, printf } from "../subr_prf";
import { frame_alloc } from "../i386/cpufunc";
import { MAXBSIZE, PAGE_MASK, PAGE_SIZE, round_page, trunc_page } from "../sys/param";
import { Proc } from "../sys/proc";
import { uao_create, uao_reference } from "../../vm/uvm_aobj";
import {
  KERN_SUCCESS, UVM_ADV_NORMAL, UVM_INH_NONE, UVM_MAPFLAG, UVM_PROT_RW, VM_PROT_ALL, VM_PROT_READ, VM_PROT_WRITE,
} from "../../vm/uvm_extern";
import { uvm_fault_unwire, uvm_fault_wire } from "../../vm/uvm_fault";
import { kernel_map, uvm_km_valloc_wait, uvm_km_zalloc } from "../../vm/uvm_km";
import { uvm_map, uvm_unmap } from "../../vm/uvm_map";
import { UvmObject } from "../../vm/uvm_object";
import { uvmexp } from "../../vm/uvm_stat";
import { exit_program } from "./unistd";

const OBJECT_SIZE: u32 = 8 << 20;
const COMMA: u32 = 0x2c;
const DASH: u32 = 0x2d;

@unmanaged
class Uvmtest {
  object: UvmObject;
  /** The last window: hint for the next. */
  window: usize;
  buffer: usize;
  requests: u32;
  mismatches: u32;
}

const test = changetype<Uvmtest>(memory.data(offsetof<Uvmtest>(), 4));

/** Does the boot argument `repair` list `name`? */
function repaired(name: usize): bool {
  const length = strlen(name);
  let at = bootarg(cs("repair"));
  if (at == 0) return false;
  while (load<u8>(at) != 0) {
    const after: u32 = strncmp(at, name, length) == 0 ? load<u8>(at + length) : 1;
    if (after == 0 || after == COMMA) return true;
    while (load<u8>(at) != 0 && load<u8>(at) != COMMA) at++;
    if (load<u8>(at) == COMMA) at++;
  }
  return false;
}

/** Writes `size` bytes of the buffer to the object at `offset`, through a window. Returns a KERN_* result. */
function uvmtest_strategy(offset: u32, size: u32): i32 {
  const skip = repaired(cs("offset")) ? offset & PAGE_MASK : 0;
  const length = round_page(skip + size);
  const windowp = changetype<usize>(test) + offsetof<Uvmtest>("window");
  if (repaired(cs("ref"))) uao_reference(test.object);
  let error = uvm_map(kernel_map(), windowp, length, test.object, u64(trunc_page(offset)),
    UVM_MAPFLAG(UVM_PROT_RW, VM_PROT_ALL, UVM_INH_NONE, UVM_ADV_NORMAL, 0));
  if (error != KERN_SUCCESS) return error;
  error = uvm_fault_wire(kernel_map(), test.window, round_page(test.window + skip + size),
    VM_PROT_READ | VM_PROT_WRITE);
  if (error != KERN_SUCCESS) return error;
  memcpy(test.window + skip, test.buffer, size);
  if (memcmp(test.window + skip, test.buffer, size) != 0) test.mismatches++;
  if (repaired(cs("unwire"))) uvm_fault_unwire(kernel_map(), test.window, test.window + length);
  uvm_unmap(kernel_map(), test.window, repaired(cs("end")) ? test.window + length : length);
  return KERN_SUCCESS;
}

/** Entries of kernel_map that show the object; with `pages` the pages of address space they take. */
function windows(pages: bool): u32 {
  let count: u32 = 0;
  let entry = kernel_map().header.next;
  while (entry != kernel_map().header) {
    if (entry.isobj && entry.uvm_obj == test.object) count += pages ? (entry.end - entry.start) / PAGE_SIZE : 1;
    entry = entry.next;
  }
  return count;
}

function make_request(offset: u32, size: u32): void {
  const before = test.window;
  test.requests++;
  memory.fill(test.buffer, u8(test.requests), size);
  const error = uvmtest_strategy(offset, size);
  if (error != KERN_SUCCESS) panic(cs("uvmtest: request %u: %d"), test.requests, error);
  printf(cs("uvmtest: offset 0x%x: window %p, 0x%x further; %u entries, %d references\n"), offset, test.window,
    test.window - before, windows(false), test.object.uo_refs);
}

/** The number at `at` with a suffix K or M; the address behind it goes to `endp`. */
function number_at(at: usize, endp: usize): u32 {
  const value = strtoul(at, endp, 0);
  const suffix = load<u8>(load<usize>(endp)) | 0x20;
  if (suffix != 0x6b && suffix != 0x6d) return value;
  store<usize>(endp, load<usize>(endp) + 1);
  return suffix == 0x6b ? value << 10 : value << 20;
}

/** Requests from `first` to `last`, both included, in steps of their size. */
function make_requests(first: u32, last: u32, size: u32): void {
  let offset = first;
  make_request(offset, size);
  while (offset != last) {
    offset = last > offset ? offset + size : offset - size;
    make_request(offset, size);
  }
}

/** Makes the requests of the script: numbers and ranges between commas. */
function run_script(size: u32): void {
  const endp = frame_alloc(4);
  let at = bootarg(cs("script"));
  if (at == 0) at = cs("32K,40K");
  while (load<u8>(at) != 0) {
    const first = number_at(at, endp);
    let last = first;
    if (load<u8>(load<usize>(endp)) == DASH) last = number_at(load<usize>(endp) + 1, endp);
    const next = load<usize>(endp);
    const span = first < last ? last - first : first - last;
    if (next == at || span % size != 0 || (load<u8>(next) != COMMA && load<u8>(next) != 0)) {
      panic(cs("uvmtest: script: not offsets or ranges of whole requests: \"%s\""), at);
    }
    make_requests(first, last, size);
    at = load<u8>(next) == COMMA ? next + 1 : next;
  }
}

function uvmtest_main(arg: usize): void {
  const size = bootarg_u32(cs("request"), 8192);
  const wired = uvmexp.wired;
  test.object = uao_create(OBJECT_SIZE, 0);
  test.buffer = uvm_km_zalloc(kernel_map(), round_page(size));
  test.window = uvm_km_valloc_wait(kernel_map(), MAXBSIZE);
  run_script(size);
  printf(cs("uvmtest: %u requests done: %u entries, %u pages of kernel_map and %d wired pages kept, "),
    test.requests, windows(false), windows(true), uvmexp.wired - wired);
  printf(cs("%d references, %u mismatches\n"), test.object.uo_refs, test.mismatches);
  exit1(curproc(), test.mismatches != 0 ? 1 << 8 : 0);
}

/** Runs the script in a process of its own. Returns its wait status, or an errno. */
export function uvmtest(): i32 {
  const newp = frame_alloc(4);
  const status = frame_alloc(4);
  const error = fork_kernel_proc(curproc(), uvmtest_main.index, 0, cs("uvmtest"), newp);
  if (error != 0) return error;
  const waited = kwait(curproc(), changetype<Proc>(load<usize>(newp)).p_pid, status);
  return waited != 0 ? waited : load<i32>(status);
}
