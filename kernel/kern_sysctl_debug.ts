// sysctl debug: does the kernel keep its laws, what does it hold, what has it done.
import { frame_alloc } from "./i386/cpufunc";
import { free, malloc, malloc_stats } from "./kern_malloc";
import { nprocs } from "./kern_proc";
import { sysctl_out, sysctl_set_string, sysctl_set_word, sysctl_word } from "./kern_sysctl";
import { sysctl_buckets, sysctl_kmemstats, sysctl_pools } from "./kern_sysctl_kmem";
import { open_files } from "./kern_descrip";
import { METER_MARK, meter_copies, meter_mark, meter_text } from "./subr_meter";
import { Pool, pool_list_first, pool_list_next } from "./subr_pool";
import { panic, snprintf } from "./subr_prf";
import { ENOTDIR, EOPNOTSUPP } from "./sys/errno";
import { M_LAST, M_TEMP, M_WAITOK, malloc_type_name } from "./sys/malloc";
import { PAGE_SIZE } from "./sys/param";
import {
  DEBUG_BUCKETS, DEBUG_CHECK, DEBUG_COPIES, DEBUG_INUSE, DEBUG_KMEMSTATS, DEBUG_MARK, DEBUG_MFS, DEBUG_NCHSTATS,
  DEBUG_PANIC, DEBUG_POOLS, INUSE_NAME_SIZE, Inuse, SIZEOF_INUSE, SIZEOF_NCHSTATS,
} from "./sys/sysctl";
import { Sys__sysctlArgs } from "./syscallargs";
import { mfs_stats } from "../fs/mfs/mfsnode";
import { B_BUSY, B_DELWRI } from "../fs/buf";
import { count_buffers } from "../fs/vfs_bio";
import { nchstats } from "../fs/vfs_cache";
import { vnodes_in_use } from "../fs/vfs_subr";
import { uvm_check_print } from "../vm/uvm_check";
import { map_entries_in_use } from "../vm/uvm_mapent";
import { uvmexp } from "../vm/uvm_stat";

/** Records that are being gathered. */
@unmanaged class Gather {
  records: usize;
  count: u32;
}
const INUSE_ROOM: u32 = PAGE_SIZE * 2;
const MOST_COPIES: u32 = 1000000;

/** Adds a count; %s of `format` is `name`. */
function add(gather: Gather, format: usize, name: usize, count: u32): void {
  const at = gather.count * SIZEOF_INUSE;
  if (at + SIZEOF_INUSE > INUSE_ROOM) return;
  const record = changetype<Inuse>(gather.records + at);
  snprintf(record.iu_name, INUSE_NAME_SIZE, format, name);
  record.iu_count = count;
  gather.count++;
}

function add_memory(gather: Gather): void {
  add(gather, cs("free_pages"), 0, u32(uvmexp.free));
  add(gather, cs("wired_pages"), 0, u32(uvmexp.wired));
  add(gather, cs("map_entries"), 0, map_entries_in_use());
  add(gather, cs("anons"), 0, u32(uvmexp.nanon - uvmexp.nfreeanon));
}

function add_files(gather: Gather): void {
  add(gather, cs("vnodes_in_use"), 0, vnodes_in_use());
  add(gather, cs("busy_buffers"), 0, u32(count_buffers(B_BUSY, B_BUSY)));
  add(gather, cs("dirty_buffers"), 0, u32(count_buffers(B_DELWRI, B_DELWRI)));
  add(gather, cs("open_files"), 0, open_files());
  add(gather, cs("processes"), 0, u32(nprocs()));
}

/** Items out of each pool, and bytes of each type of malloc. */
function add_allocators(gather: Gather): void {
  let at = pool_list_first();
  while (at != 0) {
    const pool = changetype<Pool>(at);
    add(gather, cs("pool_%s"), pool.pr_wchan, pool.pr_nout);
    at = pool_list_next(at);
  }
  for (let type: u32 = 0; type < M_LAST; type++) {
    const name = malloc_type_name(type);
    if (name != 0) add(gather, cs("malloc_%s"), name, malloc_stats(type).ks_memuse);
  }
}

function add_inuse(gather: Gather): void {
  add_memory(gather);
  add_files(gather);
  add_allocators(gather);
}

function add_mfs(gather: Gather): void {
  add(gather, cs("strategy"), 0, mfs_stats.strategy);
  add(gather, cs("reads"), 0, mfs_stats.reads);
  add(gather, cs("writes"), 0, mfs_stats.writes);
  add(gather, cs("bytes"), 0, u32(mfs_stats.bytes));
  add(gather, cs("bytes_high"), 0, u32(mfs_stats.bytes >> 32));
}

/** The records that `fill`, the code address of a function of Gather, adds. */
function gathered(uap: Sys__sysctlArgs, fill: u32): i32 {
  const gather = changetype<Gather>(frame_alloc(offsetof<Gather>()));
  gather.records = malloc(INUSE_ROOM, M_TEMP, M_WAITOK);
  gather.count = 0;
  memory.fill(gather.records, 0, INUSE_ROOM);
  call_indirect<void>(fill, gather);
  const error = sysctl_out(uap, gather.records, gather.count * SIZEOF_INUSE);
  free(gather.records, M_TEMP);
  return error;
}

function set_mark(uap: Sys__sysctlArgs): i32 {
  const error = sysctl_set_string(uap, meter_text, METER_MARK);
  if (error == 0 && uap.new_ != 0) meter_mark(meter_text);
  return error;
}

/** Writing a text ends it all, for a look at what a panic does. */
function make_panic(uap: Sys__sysctlArgs): i32 {
  const text = frame_alloc(METER_MARK);
  memory.fill(text, 0, METER_MARK);
  const error = sysctl_set_string(uap, text, METER_MARK);
  if (error == 0 && uap.new_ != 0) panic(cs("%s"), text);
  return error;
}

/** Writing a number has so many copies made. */
function make_copies(uap: Sys__sysctlArgs): i32 {
  const count = frame_alloc(4);
  store<u32>(count, 0);
  const error = sysctl_set_word(uap, count, 0, MOST_COPIES);
  return error == 0 && load<u32>(count) != 0 ? meter_copies(load<u32>(count)) : error;
}

/** The variables of debug. EOPNOTSUPP for one that there is not. Sleeps. */
export function sysctl_debug(uap: Sys__sysctlArgs, name: usize, count: u32): i32 {
  if (count != 1) return ENOTDIR;
  switch (load<u32>(name)) {
    case DEBUG_CHECK: return sysctl_word(uap, uvm_check_print());
    case DEBUG_INUSE: return gathered(uap, add_inuse.index);
    case DEBUG_MFS: return gathered(uap, add_mfs.index);
    case DEBUG_BUCKETS: return sysctl_buckets(uap);
    case DEBUG_KMEMSTATS: return sysctl_kmemstats(uap);
    case DEBUG_POOLS: return sysctl_pools(uap);
    case DEBUG_NCHSTATS: return sysctl_out(uap, changetype<usize>(nchstats), SIZEOF_NCHSTATS);
    case DEBUG_MARK: return set_mark(uap);
    case DEBUG_COPIES: return make_copies(uap);
    case DEBUG_PANIC: return make_panic(uap);
    default: return EOPNOTSUPP;
  }
}
