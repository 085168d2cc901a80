// Takes the place of kernel/user/init.ts in the kernel of the boot test:
// process 1 exercises what needs a machine: traps, page tables, processes,
// timeouts. The boot argument `case=` names what to do; every case prints one line
// that ends in `ok`, or dies in the way that the test expects.
import { breakpoint, frame_alloc } from "../i386/cpufunc";
import { splbio, splhigh, splx } from "../i386/intr";
import { multiboot_module } from "../i386/multiboot";
import { pmap_extract, pmap_kernel } from "../i386/pmap";
import { copyin, copyinstr, copyout, kcopy } from "../i386/support";
import { ticks, timeout, untimeout } from "../kern_clock";
import { exit1, kwait } from "../kern_exit";
import { fork_kernel_proc, kthread_create1 } from "../kern_fork";
import { lockinit, lockmgr, lockstatus } from "../kern_lock";
import { free, malloc } from "../kern_malloc";
import { curproc, nprocs } from "../kern_proc";
import { lbolt, preempt, psignal, tsleep, wakeup } from "../kern_synch";
import { time_second } from "../kern_time";
import { strcmp } from "../libkern";
import { bootarg, bootarg_u32 } from "../subr_bootargs";
import { Pool, pool_get, pool_init, pool_put, pool_reclaim, PR_WAITOK } from "../subr_pool";
import { panic, printf } from "../subr_prf";
import { ECHILD, EFAULT, EINTR, ENAMETOOLONG, EWOULDBLOCK } from "../sys/errno";
import { LK_EXCLUSIVE, LK_RELEASE, LK_SHARED, Lock } from "../sys/lock";
import { M_TEMP, M_WAITOK } from "../sys/malloc";
import { PAGE_SIZE, PCATCH, PWAIT, PZERO } from "../sys/param";
import { Proc } from "../sys/proc";
import { KERN_SUCCESS, UVM_ADV_NORMAL, UVM_FLAG_FIXED, UVM_INH_NONE, UVM_MAPFLAG, UVM_PROT_ALL, UVM_PROT_R,
  UVM_PROT_RW } from "../../vm/uvm_extern";
import { uao_create, uao_reference } from "../../vm/uvm_aobj";
import { kernel_map, uvm_km_alloc, uvm_km_free, uvm_km_valloc } from "../../vm/uvm_km";
import { uvm_map, uvm_unmap } from "../../vm/uvm_map";
import { UvmObject } from "../../vm/uvm_object";
import { uvmexp } from "../../vm/uvm_stat";

const USER_BASE: usize = 0x10000000;
const RW_FLAGS: u32 = 0x723;

function check(condition: bool, what: usize): void {
  if (!condition) panic(cs("selftest: %s"), what);
}

function done(name: usize): void {
  printf(cs("%s ok\n"), name);
}

/** Maps `size` bytes of a new object at `va` in the current process. */
function map_user(va: usize, size: u32, prot: u32): void {
  const at = frame_alloc(4);
  store<usize>(at, va);
  const uobj = uao_create(size, 0);
  const flags = UVM_MAPFLAG(prot, UVM_PROT_ALL, UVM_INH_NONE, UVM_ADV_NORMAL, UVM_FLAG_FIXED);
  check(uvm_map(curproc().p_vmspace.vm_map, at, size, uobj, 0, flags) == KERN_SUCCESS, cs("uvm_map"));
}

const counter: usize = memory.data<u32>([0]);

function count_timeout(arg: usize): void {
  store<u32>(counter, load<u32>(counter) + u32(arg));
}

function test_clock(): void {
  const before = ticks();
  check(tsleep(counter, PWAIT, cs("nap"), 7) == EWOULDBLOCK, cs("tsleep times out"));
  check(ticks() - before >= 7 && ticks() - before <= 9, cs("tsleep takes its time"));
  store<u32>(counter, 0);
  timeout(count_timeout.index, 1, 3);
  timeout(count_timeout.index, 10, 1);
  timeout(count_timeout.index, 100, 2);
  untimeout(count_timeout.index, 100);
  tsleep(counter + 1, PWAIT, cs("nap"), 6);
  check(load<u32>(counter) == 11, cs("timeouts run once, cancelled ones never"));
  const second = time_second();
  tsleep(lbolt(), PZERO, cs("lbolt"), 0);
  tsleep(lbolt(), PZERO, cs("lbolt"), 0);
  check(time_second() - second >= 1 && second > 900000000, cs("time of day"));
  done(cs("clock"));
}

/** Touches its own memory in its own space, then sleeps so that the others run in between. */
function space_child(arg: usize): void {
  map_user(USER_BASE, 0x10000, UVM_PROT_RW);
  let i: u32 = 0;
  while (i < 16) {
    store<u32>(USER_BASE + i * PAGE_SIZE, u32(arg) + i);
    i++;
  }
  tsleep(counter, PWAIT, cs("other"), i32(arg & 3) + 1);
  i = 0;
  while (i < 16) {
    check(load<u32>(USER_BASE + i * PAGE_SIZE) == u32(arg) + i, cs("spaces are separate"));
    if ((i & 3) == 0) preempt();
    i++;
  }
  exit1(curproc(), i32(arg) << 8);
}

function test_spaces(): void {
  const status = frame_alloc(4);
  const newp = frame_alloc(4);
  check(kwait(curproc(), -1, status) == ECHILD, cs("no children"));
  const free_before = uvmexp.free;
  let round: u32 = 0;
  while (round < 3) {
    let n: u32 = 0;
    while (n < 8) check(fork_kernel_proc(curproc(), space_child.index, ++n, cs("child"), newp) == 0, cs("fork"));
    let sum: i32 = 0;
    while (kwait(curproc(), -1, status) == 0) sum += load<i32>(status) >> 8;
    check(sum == 36, cs("statuses of all children"));
    round++;
    if (round == 1) tsleep(counter, PWAIT, cs("settle"), 5);
  }
  check(nprocs() <= 6, cs("all reaped"));
  const lost = free_before - uvmexp.free;
  check(lost < 40, cs("memory comes back"));
  done(cs("spaces"));
}

function test_copy(): void {
  map_user(USER_BASE, 0x4000, UVM_PROT_RW);
  map_user(USER_BASE + 0x100000, PAGE_SIZE, UVM_PROT_R);
  const text = cs("through the wall");
  const buffer = frame_alloc(64);
  const length = frame_alloc(4);
  check(copyout(text, USER_BASE + 0xff8, 17) == 0, cs("copyout over a page boundary"));
  check(copyin(USER_BASE + 0xff8, buffer, 17) == 0 && strcmp(buffer, text) == 0, cs("copyin"));
  check(copyinstr(USER_BASE + 0xff8, buffer, 64, length) == 0 && load<u32>(length) == 17, cs("copyinstr"));
  check(copyinstr(USER_BASE + 0xff8, buffer, 8, length) == ENAMETOOLONG, cs("copyinstr with a limit"));
  check(copyin(USER_BASE + 0x50000, buffer, 4) == EFAULT, cs("copyin from nowhere"));
  check(copyin(USER_BASE + 0x3ffe, buffer, 4) == EFAULT, cs("copyin over the end"));
  check(copyin(0xc0100000, buffer, 4) == EFAULT, cs("copyin from the kernel"));
  check(copyout(text, USER_BASE + 0x100000, 4) == EFAULT, cs("copyout to a read-only page"));
  check(load<u32>(USER_BASE + 0x100000) == 0, cs("a read-only page can be read"));
  check(copyout(text, USER_BASE + 0x100000, 4) == EFAULT, cs("copyout to a read-only page that is mapped"));
  check(load<u32>(USER_BASE + 0x100000) == 0, cs("and nothing was written"));
  check(kcopy(0xffb00000, buffer, 4) == EFAULT, cs("kcopy from nowhere"));
  check(load<u32>(USER_BASE + 0x3000) == 0, cs("fresh pages are zero"));
  done(cs("copy"));
}

/** Many mappings in the kernel: growth, wiring, removal of more than PMAP_RR_MAX pages. */
function test_kernel_memory(): void {
  const size: u32 = 6 * 1024 * 1024;
  const wired = uvmexp.wired;
  const free_before = uvmexp.free;
  const va = uvm_km_valloc(kernel_map(), size);
  let i: u32 = 0;
  while (i < size) {
    store<u32>(va + i, i ^ 0x5a5a);
    i += PAGE_SIZE;
  }
  i = 0;
  while (i < size) {
    check(load<u32>(va + i) == (i ^ 0x5a5a), cs("kernel pages keep their contents"));
    i += PAGE_SIZE;
  }
  check(pmap_extract(pmap_kernel(), va, 0), cs("pmap_extract"));
  uvm_km_free(kernel_map(), va, size);
  const once = uvm_km_alloc(kernel_map(), 0x14000);
  memory.fill(once, 0xa5, 0x14000);
  uvm_km_free(kernel_map(), once, 0x14000);
  check(uvmexp.wired == wired, cs("wired pages"));
  check(free_before - uvmexp.free < 16, cs("kernel memory comes back"));
  done(cs("kernel memory"));
}

const test_pool = changetype<Pool>(memory.data(offsetof<Pool>(), 4));

function test_allocators(): void {
  pool_init(test_pool, 52, 0, 0, 0, cs("testpl"), 0, 0, 0, M_TEMP);
  let list: usize = 0;
  let i: u32 = 0;
  while (i < 1000) {
    const item = pool_get(test_pool, PR_WAITOK);
    store<usize>(item, list);
    store<u32>(item + 48, i++);
    list = item;
  }
  while (list != 0) {
    const next = load<usize>(list);
    check(load<u32>(list + 48) == --i, cs("pool items are separate"));
    pool_put(test_pool, list);
    list = next;
  }
  check(test_pool.pr_nout == 0 && pool_reclaim(test_pool) > 10, cs("pool_reclaim"));
  let size: u32 = 1;
  while (size < 200000) {
    const piece = malloc(size, M_TEMP, M_WAITOK);
    memory.fill(piece, 0x11, size);
    free(piece, M_TEMP);
    size = size * 3 + 1;
  }
  done(cs("allocators"));
}

const test_lock = changetype<Lock>(memory.data(offsetof<Lock>(), 4));
const lock_order: usize = memory.data<u32>([0]);

function lock_child(arg: usize): void {
  check(lockmgr(test_lock, LK_EXCLUSIVE, 0) == 0, cs("exclusive"));
  const seen = load<u32>(lock_order);
  tsleep(counter, PWAIT, cs("hold"), 2);
  check(load<u32>(lock_order) == seen, cs("nobody else holds it"));
  store<u32>(lock_order, seen * 10 + u32(arg));
  lockmgr(test_lock, LK_RELEASE, 0);
}

function test_locks(): void {
  lockinit(test_lock, PZERO, cs("tstlock"), 0, 0);
  lockmgr(test_lock, LK_SHARED, 0);
  let n: u32 = 0;
  while (n < 3) fork_kernel_proc(curproc(), lock_child.index, ++n, cs("locker"), 0);
  tsleep(counter, PWAIT, cs("start"), 2);
  check(load<u32>(lock_order) == 0, cs("the shared holder keeps them out"));
  lockmgr(test_lock, LK_RELEASE, 0);
  while (kwait(curproc(), -1, 0) == 0) continue;
  check(load<u32>(lock_order) == 123, cs("first come, first served"));
  check(lockstatus(test_lock) == 0, cs("free at the end"));
  done(cs("locks"));
}

function signal_child(arg: usize): void {
  const error = tsleep(counter, PWAIT | PCATCH, cs("victim"), 0);
  exit1(curproc(), error == EINTR ? 0 : 1 << 8);
}

function test_signals(): void {
  const newp = frame_alloc(4);
  const status = frame_alloc(4);
  fork_kernel_proc(curproc(), signal_child.index, 0, cs("victim"), newp);
  tsleep(lock_order, PWAIT, cs("aim"), 2);
  psignal(changetype<Proc>(load<usize>(newp)), 15);
  check(kwait(curproc(), -1, status) == 0 && load<i32>(status) == 0, cs("a signal ends an interruptible sleep"));
  done(cs("signals"));
}

function test_modules(): void {
  const start = frame_alloc(4);
  const end = frame_alloc(4);
  if (!multiboot_module(0, start, end)) {
    printf(cs("no module\n"));
    return;
  }
  let sum: u32 = 0;
  let at = load<usize>(start);
  while (at < load<usize>(end)) sum = sum * 31 + load<u8>(at++);
  printf(cs("module of %u bytes, sum %u\n"), load<usize>(end) - load<usize>(start), sum);
}

function recurse(depth: u32): u32 {
  const room = frame_alloc(64);
  store<u32>(room, depth);
  return recurse(depth + 1) + load<u32>(room);
}

function run_case(name: usize): void {
  if (strcmp(name, cs("null")) == 0) call_indirect<void>(load<u32>(counter), u32(7));
  else if (strcmp(name, cs("overflow")) == 0) printf(cs("%u\n"), recurse(0));
  else if (strcmp(name, cs("panic")) == 0) panic(cs("asked to, %s %d"), cs("times"), 3);
  else if (strcmp(name, cs("assert")) == 0) assert(load<u32>(counter) == 7, "counter is seven");
  else if (strcmp(name, cs("divide")) == 0) printf(cs("%u\n"), 7 / load<u32>(counter));
  else if (strcmp(name, cs("breakpoint")) == 0) breakpoint();
  else if (strcmp(name, cs("write")) == 0) store<u32>(0xffb00000, 1);
  else if (strcmp(name, cs("malloc")) == 0) for (; ;) malloc(65536, M_TEMP, M_WAITOK);
}

/** Process 1. */
export function init_program(): void {
  const name = bootarg(cs("case"));
  if (name != 0) {
    run_case(name);
    return;
  }
  test_modules();
  test_clock();
  test_spaces();
  test_copy();
  test_kernel_memory();
  test_allocators();
  test_locks();
  test_signals();
}
