// vmstat -m: the kernel's memory by sizes and types of malloc(9), and its pools.
import { frame_alloc } from "../../../i386/cpufunc";
import { strlen } from "../../../libkern";
import { KinfoBucket, KinfoMalloc, KinfoPool } from "../../../sys/sysctl";
import { err } from "../../lib/errors";
import { printf, puts, snprintf } from "../../lib/stdio";
import { sysctl_int, sysctl_value } from "../../lib/sysctl";

const LINE_WIDTH: u32 = 80;
const NO_LIMIT: u32 = 0xffffffff;

/** An array of records of the kernel. */
@unmanaged
class Records {
  first: usize;
  end: usize;
}

function read_records(name: usize, into: Records): void {
  const size = frame_alloc(4);
  into.first = sysctl_value(name, size);
  if (into.first == 0) err(1, name);
  into.end = into.first + load<u32>(size);
}

function kilobytes(bytes: u32): u32 {
  return (bytes + 1023) / 1024;
}

/** The buckets in use; returns the bytes that are free in them. */
function print_buckets(list: Records): u32 {
  let unused: u32 = 0;
  puts(cs("Memory statistics by bucket size\n    Size   In Use   Free   Requests\n"));
  for (let at = list.first; at < list.end; at += offsetof<KinfoBucket>()) {
    const kb = changetype<KinfoBucket>(at);
    if (kb.kb_calls == 0) continue;
    printf(cs("%8u %8u %6u %10u\n"), kb.kb_size, kb.kb_total - kb.kb_totalfree, kb.kb_totalfree, kb.kb_calls);
    unused += kb.kb_size * kb.kb_totalfree;
  }
  return unused;
}

/** The names of the types that have asked for this size. */
function print_users(size: u32, types: Records): void {
  let column: u32 = 8;
  let first = true;
  for (let at = types.first; at < types.end; at += offsetof<KinfoMalloc>()) {
    const km = changetype<KinfoMalloc>(at);
    if ((km.km_sizes & size) == 0) continue;
    column += 2 + strlen(at);
    if (first) printf(cs("%8u  %s"), size, at);
    else {
      puts(cs(","));
      if (column >= LINE_WIDTH) {
        puts(cs("\n\t "));
        column = 10 + strlen(at);
      }
      printf(cs(" %s"), at);
    }
    first = false;
  }
  if (!first) puts(cs("\n"));
}

function print_usage(types: Records): void {
  puts(cs("\nMemory usage type by bucket size\n    Size  Type(s)\n"));
  for (let shift: u32 = 4; shift < 24; shift++) print_users(u32(1) << shift, types);
}

function print_sizes(sizes: u32): void {
  let first = true;
  for (let shift: u32 = 4; shift < 24; shift++) {
    if ((sizes & (u32(1) << shift)) == 0) continue;
    printf(first ? cs("  %u") : cs(",%u"), u32(1) << shift);
    first = false;
  }
  puts(cs("\n"));
}

function print_types(types: Records, unused: u32): void {
  const limit = u32(sysctl_int(cs("vm.nkmempages"), 0)) * (u32(sysctl_int(cs("hw.pagesize"), 4096)) / 1024);
  let bytes: u32 = 0;
  let requests: u32 = 0;
  puts(cs("\nMemory statistics by type\n           Type  InUse  MemUse HighUse   Limit   Requests  Size(s)\n"));
  for (let at = types.first; at < types.end; at += offsetof<KinfoMalloc>()) {
    const km = changetype<KinfoMalloc>(at);
    if (km.km_calls == 0) continue;
    printf(
      cs("%15s %6u %6uK %6uK %6uK %10u"), at, km.km_inuse, kilobytes(km.km_memuse), kilobytes(km.km_maxused), limit,
      km.km_calls,
    );
    print_sizes(km.km_sizes);
    bytes += km.km_memuse;
    requests += km.km_calls;
  }
  puts(cs("\nMemory Totals:  In Use    Free    Requests\n"));
  printf(cs("              %7uK %6uK    %8u\n"), kilobytes(bytes), kilobytes(unused), requests);
}

function print_pool(kp: KinfoPool): void {
  const most = frame_alloc(12);
  snprintf(most, 12, kp.kp_maxpages == NO_LIMIT ? cs("inf") : cs("%u"), kp.kp_maxpages);
  printf(
    cs("%-11s%5u%9u%5u%9u"), changetype<usize>(kp), kp.kp_size, kp.kp_nget, kp.kp_nfail, kp.kp_nput,
  );
  printf(
    cs("%6u%6u%6u%6u%6u%6s%5u\n"), kp.kp_npagealloc, kp.kp_npagefree, kp.kp_npages, kp.kp_hiwat, kp.kp_minpages, most,
    kp.kp_nidle,
  );
}

function print_pools(pools: Records): void {
  let used: u32 = 0;
  let total: u32 = 0;
  puts(cs("\nMemory resource pool statistics\n"));
  puts(cs("Name        Size Requests Fail Releases Pgreq Pgrel Npage Hiwat Minpg Maxpg Idle\n"));
  for (let at = pools.first; at < pools.end; at += offsetof<KinfoPool>()) {
    const kp = changetype<KinfoPool>(at);
    if (kp.kp_nget == 0) continue;
    print_pool(kp);
    used += (kp.kp_nget - kp.kp_nput) * kp.kp_size;
    total += kp.kp_npages * kp.kp_pagesz;
  }
  const tenths = total == 0 ? 0 : u32(u64(used) * 1000 / u64(total));
  printf(
    cs("\nIn use %uK, total allocated %uK; utilization %u.%u%%\n"), used / 1024, total / 1024, tenths / 10, tenths % 10,
  );
}

/** Prints who has the kernel's memory. */
export function print_kernel_memory(): void {
  const buckets = changetype<Records>(frame_alloc(8));
  const types = changetype<Records>(frame_alloc(8));
  const pools = changetype<Records>(frame_alloc(8));
  read_records(cs("debug.buckets"), buckets);
  read_records(cs("debug.kmemstats"), types);
  read_records(cs("debug.pools"), pools);
  const unused = print_buckets(buckets);
  print_usage(types);
  print_types(types, unused);
  print_pools(pools);
}
