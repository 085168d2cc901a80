// What vmstat looks at, read at one time: vm.uvmexp, vm.vmmeter, kern.cp_time.
import { frame_alloc } from "../../../i386/cpufunc";
import { SIZEOF_VMTOTAL } from "../../../sys/sysctl";
import { err, errx } from "../../lib/errors";
import { free, malloc, zalloc } from "../../lib/stdlib";
import { SIZEOF_SYSCTL_NODE, SysctlNode, field_offset, find_node, sysctl_value } from "../../lib/sysctl";
import { now } from "../../lib/time";

/** Numbers of one time. */
@unmanaged
export class Snapshot {
  /** The values of the three nodes, in malloc's memory. */
  uvmexp: usize;
  total: usize;
  ticks: usize;
  uvmexp_size: u32;

  /** Ticks that the processor spent in a state: user, nice, system, interrupt, idle. */
  @inline tick(state: u32): u32 { return load<u32>(this.ticks + 4 * state); }

  /** Gives its memory back. */
  release(): void {
    free(this.uvmexp);
    free(this.total);
    free(this.ticks);
    free(changetype<usize>(this));
  }

  /** A snapshot of the time of boot, when all was 0. */
  origin(): Snapshot {
    const zero = changetype<Snapshot>(malloc(offsetof<Snapshot>()));
    zero.uvmexp = zalloc(this.uvmexp_size);
    zero.total = zalloc(SIZEOF_VMTOTAL);
    zero.ticks = zalloc(20);
    zero.uvmexp_size = this.uvmexp_size;
    return zero;
  }

  /** Seconds since boot, at least 1. */
  uptime(): u32 {
    const size = frame_alloc(4);
    const boot = sysctl_value(cs("kern.boottime"), size);
    if (boot == 0) err(1, cs("kern.boottime"));
    const seconds = now() - load<i32>(boot);
    free(boot);
    return seconds > 0 ? u32(seconds) : 1;
  }
}

/** The value of a node; ends the program when the kernel has none. */
function value_of(name: usize, sizep: usize): usize {
  const value = sysctl_value(name, sizep);
  if (value == 0) err(1, name);
  return value;
}

/** Reads everything now. */
export function take_snapshot(): Snapshot {
  const sizep = frame_alloc(4);
  const s = changetype<Snapshot>(malloc(offsetof<Snapshot>()));
  s.uvmexp = value_of(cs("vm.uvmexp"), sizep);
  s.uvmexp_size = load<u32>(sizep);
  s.total = value_of(cs("vm.vmmeter"), sizep);
  s.ticks = value_of(cs("kern.cp_time"), sizep);
  return s;
}

/** A field of vm.uvmexp. */
export function word(s: Snapshot, name: usize): u32 {
  const node = changetype<SysctlNode>(frame_alloc(SIZEOF_SYSCTL_NODE));
  const offset = find_node(cs("vm.uvmexp"), node) ? field_offset(node, name) : -1;
  if (offset < 0 || u32(offset) + 4 > s.uvmexp_size) errx(1, cs("the kernel has no vm.uvmexp.%s"), name);
  return load<u32>(s.uvmexp + u32(offset));
}
