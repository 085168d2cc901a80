// Values of the kernel by name: the tree of sysctl(3), and reading and writing its nodes.
import { frame_alloc } from "../../i386/cpufunc";
import { memcmp, strlen } from "../../libkern";
import { last_error } from "./errors";
import { free, is_digit, malloc } from "./stdlib";
import { __sysctl } from "./syscalls";

const ENOENT: i32 = 2;
const ENOMEM: i32 = 12;
const MAXNAME: u32 = 12;

/**
 * The nodes in the order of their numbers, one a line: name, numbers, kind. A kernel need not have all of them.
 *
 *   string, int, quad          a NUL-terminated string, a word, a 64-bit number
 *   clock, time, load, ticks   the structures of kern.clockrate, kern.boottime, vm.loadavg, kern.cp_time
 *   words:NAME,…               32-bit fields
 *   counts                     an array of SysctlCount
 *   total, records             for vmstat(1) only: struct vmtotal, arrays of kernel/sys/sysctl.ts
 */
function nodes(): usize {
  return cs(
    "kern.ostype 1.1 string\n" +
    "kern.osrelease 1.2 string\n" +
    "kern.osrevision 1.3 int\n" +
    "kern.version 1.4 string\n" +
    "kern.maxvnodes 1.5 int\n" +
    "kern.maxproc 1.6 int\n" +
    "kern.maxfiles 1.7 int\n" +
    "kern.argmax 1.8 int\n" +
    "kern.securelevel 1.9 int\n" +
    "kern.hostname 1.10 string\n" +
    "kern.hostid 1.11 int\n" +
    "kern.clockrate 1.12 clock\n" +
    "kern.posix1version 1.17 int\n" +
    "kern.ngroups 1.18 int\n" +
    "kern.job_control 1.19 int\n" +
    "kern.saved_ids 1.20 int\n" +
    "kern.boottime 1.21 time\n" +
    "kern.domainname 1.22 string\n" +
    "kern.maxpartitions 1.23 int\n" +
    "kern.rawpartition 1.24 int\n" +
    "kern.autonicetime 1.27 int\n" +
    "kern.autoniceval 1.28 int\n" +
    "kern.rtc_offset 1.29 int\n" +
    "kern.root_device 1.30 string\n" +
    "kern.msgbufsize 1.31 int\n" +
    "kern.fsync 1.32 int\n" +
    "kern.synchronized_io 1.37 int\n" +
    "kern.iov_max 1.38 int\n" +
    "kern.mapped_files 1.40 int\n" +
    "kern.memlock 1.41 int\n" +
    "kern.memlock_range 1.42 int\n" +
    "kern.memory_protection 1.43 int\n" +
    "kern.login_name_max 1.44 int\n" +
    "kern.defcorename 1.45 string\n" +
    "kern.logsigexit 1.46 int\n" +
    "kern.fscale 1.49 int\n" +
    "kern.ccpu 1.50 int\n" +
    "kern.cp_time 1.51 ticks\n" +
    "vm.vmmeter 2.1 total\n" +
    "vm.loadavg 2.2 load\n" +
    "vm.uvmexp 2.3 words:pagesize,pagemask,pageshift,npages,free,active,inactive,paging,wired,reserve_pagedaemon," +
    "reserve_kernel,freemin,freetarg,inactarg,wiredmax,nswapdev,swpages,swpguniq,swpginuse,swpgonly,nswget,nanon," +
    "nanonneeded,nfreeanon,faults,traps,intrs,swtch,softs,syscalls,pageins,swapins,swapouts,pgswapin,pgswapout,forks," +
    "forks_ppwait,forks_sharevm,fltnoram,fltnoanon,fltpgwait,fltpgrele,fltrelck,fltrelckok,fltanget,fltanretry," +
    "fltamcopy,fltnamap,fltnomap,fltlget,fltget,flt_anon,flt_acow,flt_obj,flt_prcopy,flt_przero,pdwoke,pdrevs,pdswout," +
    "pdfreed,pdscans,pdanscan,pdobscan,pdreact,pdbusy,pdpageouts,pdpending,pddeact,kmem_object,mb_object,fltwire," +
    "fltfail,fltmapped,map_calls,map_backmerge,map_forwmerge,map_lookups,map_hinthits,mapent_static,mapent_static_max," +
    "pgnospace,waiters,mapent_allocs,filepages,filemin\n" +
    "vm.nkmempages 2.4 int\n" +
    "debug.check 5.1 int\n" +
    "debug.inuse 5.2 counts\n" +
    "debug.mfs 5.3 counts\n" +
    "debug.buckets 5.4 records\n" +
    "debug.kmemstats 5.5 records\n" +
    "debug.pools 5.6 records\n" +
    "debug.nchstats 5.7 words:goodhits,neghits,badhits,falsehits,miss,long\n" +
    "debug.mark 5.8 string\n" +
    "debug.copies 5.9 int\n" +
    "debug.panic 5.10 string\n" +
    "hw.machine 6.1 string\n" +
    "hw.model 6.2 string\n" +
    "hw.ncpu 6.3 int\n" +
    "hw.byteorder 6.4 int\n" +
    "hw.physmem 6.5 int\n" +
    "hw.usermem 6.6 int\n" +
    "hw.pagesize 6.7 int\n" +
    "hw.disknames 6.8 string\n" +
    "hw.machine_arch 6.10 string\n" +
    "hw.alignbytes 6.11 int\n" +
    "machdep.console_device 7.1 int\n" +
    "machdep.fpu_present 7.7 int\n" +
    "ddb.radix 9.1 int\n" +
    "ddb.maxoff 9.2 int\n" +
    "ddb.maxwidth 9.3 int\n" +
    "ddb.lines 9.4 int\n" +
    "ddb.tabstops 9.5 int\n" +
    "ddb.onpanic 9.6 int\n" +
    "ddb.fromconsole 9.7 int\n",
  );
}

/** A node of the tree. Its name and its kind point into the table, and have a length. */
@unmanaged
export class SysctlNode {
  name: usize;
  name_length: u32;
  kind: usize;
  kind_length: u32;
  depth: u32;
  /** The line behind this one. */
  following: usize;

  @inline get numbers(): usize { return changetype<usize>(this) + 24; }
}
export const SIZEOF_SYSCTL_NODE: u32 = 24 + 4 * MAXNAME;

/** An element of debug.inuse and its kin. */
@unmanaged
export class SysctlCount {
  @inline get name(): usize { return changetype<usize>(this); }
  @inline get count(): u32 { return load<u32>(changetype<usize>(this) + SYSCTL_COUNT_NAME); }
}
export const SYSCTL_COUNT_NAME: u32 = 28;
export const SIZEOF_SYSCTL_COUNT: u32 = 32;

function end_of(s: usize, byte: u32): usize {
  while (load<u8>(s) != byte) s++;
  return s;
}

/** Makes `node` the first node of the table, or the one behind it when `node` is one. False at the end. */
export function next_node(node: SysctlNode): bool {
  let at = node.following == 0 ? nodes() : node.following;
  if (load<u8>(at) == 0) return false;
  node.name = at;
  at = end_of(at, 0x20);
  node.name_length = u32(at - node.name);
  node.depth = 0;
  while (load<u8>(at) != 0x20 || node.depth == 0) {
    let number: u32 = 0;
    at++;
    while (is_digit(load<u8>(at))) number = number * 10 + load<u8>(at++) - 0x30;
    store<u32>(node.numbers + 4 * node.depth++, number);
  }
  node.kind = at + 1;
  at = end_of(at, 0x0a);
  node.kind_length = u32(at - node.kind);
  node.following = at + 1;
  return true;
}

/** Looks for the node of that name. False when the table has none. */
export function find_node(name: usize, node: SysctlNode): bool {
  const n = strlen(name);
  node.following = 0;
  while (next_node(node)) if (node.name_length == n && memcmp(node.name, name, n) == 0) return true;
  return false;
}

/** Whether the node's kind begins with `kind`. */
export function is_kind(node: SysctlNode, kind: usize): bool {
  const n = strlen(kind);
  return n <= node.kind_length && memcmp(node.kind, kind, n) == 0;
}

/** The value in malloc's memory with a NUL behind it, its size at `sizep`; 0 with errno set when there is none. */
export function read_node(node: SysctlNode, sizep: usize): usize {
  while (true) {
    if (__sysctl(node.numbers, node.depth, 0, sizep, 0, 0) != 0) return 0;
    const room = load<u32>(sizep);
    const value = malloc(room + 1);
    if (__sysctl(node.numbers, node.depth, value, sizep, 0, 0) == 0) {
      store<u8>(value + load<u32>(sizep), 0);
      return value;
    }
    free(value);
    // It has grown meanwhile.
    if (last_error() != ENOMEM) return 0;
  }
}

/** Gives the node a value of `size` bytes. -1 with errno set when that fails. */
export function write_node(node: SysctlNode, value: usize, size: u32): i32 {
  return __sysctl(node.numbers, node.depth, 0, 0, value, size);
}

/** As read_node, by name. */
export function sysctl_value(name: usize, sizep: usize): usize {
  const node = changetype<SysctlNode>(frame_alloc(SIZEOF_SYSCTL_NODE));
  return find_node(name, node) ? read_node(node, sizep) : 0;
}

/** The number that a node of kind `int` has, or `otherwise` when the kernel does not tell. */
export function sysctl_int(name: usize, otherwise: i32): i32 {
  const size = frame_alloc(4);
  const value = sysctl_value(name, size);
  if (value == 0) return otherwise;
  const number = load<u32>(size) < 4 ? otherwise : load<i32>(value);
  free(value);
  return number;
}

/** Bytes of the name at the start of a list with commas, as the kind `words:` has. */
export function field_length(fields: usize): u32 {
  let at = fields;
  while (load<u8>(at) != 0x2c && load<u8>(at) != 0x0a) at++;
  return u32(at - fields);
}

/** The list of fields of a node of kind `words:`. */
export function node_fields(node: SysctlNode): usize {
  return node.kind + 6;
}

/** Offset of a field in the value of a node of kind `words:`; -1 when it has none of that name. */
export function field_offset(node: SysctlNode, name: usize): i32 {
  const n = strlen(name);
  let at = node_fields(node);
  let offset = 0;
  while (true) {
    const length = field_length(at);
    if (length == n && memcmp(at, name, n) == 0) return offset;
    at += length;
    if (load<u8>(at++) == 0x0a) return -1;
    offset += 4;
  }
}
