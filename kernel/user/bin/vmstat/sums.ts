// vmstat -s: the counters of the virtual memory system since boot, and those of the name cache.
import { frame_alloc } from "../../../i386/cpufunc";
import { err } from "../../lib/errors";
import { printf } from "../../lib/stdio";
import { sysctl_value } from "../../lib/sysctl";
import { Snapshot, take_snapshot, word } from "./snapshot";

/** Fields of vm.uvmexp with their texts, as NetBSD's vmstat prints them, one a line. */
function sums(): usize {
  return cs(
    "pagesize bytes per page\n" +
    "npages pages managed\n" +
    "free pages free\n" +
    "active pages active\n" +
    "inactive pages inactive\n" +
    "paging pages paging\n" +
    "wired pages wired\n" +
    "reserve_pagedaemon reserve pagedaemon pages\n" +
    "reserve_kernel reserve kernel pages\n" +
    "freemin minimum free pages\n" +
    "freetarg target free pages\n" +
    "inactarg target inactive pages\n" +
    "wiredmax maximum wired pages\n" +
    "nswapdev swap devices\n" +
    "swpages swap pages\n" +
    "swpginuse swap pages in use\n" +
    "nswget swap allocations\n" +
    "nanon total anons\n" +
    "nfreeanon free anons\n" +
    "faults total faults taken\n" +
    "traps traps\n" +
    "intrs device interrupts\n" +
    "swtch cpu context switches\n" +
    "softs software interrupts\n" +
    "syscalls system calls\n" +
    "pageins pagein requests\n" +
    "swapins swap ins\n" +
    "swapouts swap outs\n" +
    "pgswapin pages swapped in\n" +
    "pgswapout pages swapped out\n" +
    "forks forks total\n" +
    "forks_ppwait forks blocked parent\n" +
    "forks_sharevm forks shared address space with parent\n" +
    "fltnoram faults with no memory\n" +
    "fltnoanon faults with no anons\n" +
    "fltpgwait faults had to wait on pages\n" +
    "fltpgrele faults found released page\n" +
    "fltrelck faults relock\n" +
    "fltrelckok faults relock ok\n" +
    "fltanget anon page faults\n" +
    "fltanretry anon retry faults\n" +
    "fltamcopy amap copy faults\n" +
    "fltnamap neighbour anon page faults\n" +
    "fltnomap neighbour object page faults\n" +
    "fltlget locked pager get faults\n" +
    "fltget unlocked pager get faults\n" +
    "flt_anon anon faults\n" +
    "flt_acow anon copy on write faults\n" +
    "flt_obj object faults\n" +
    "flt_prcopy promote copy faults\n" +
    "flt_przero promote zero fill faults\n" +
    "pdwoke times daemon wokeup\n" +
    "pdrevs revolutions of the clock hand\n" +
    "pdswout times daemon attempted swapout\n" +
    "pdfreed pages freed by daemon\n" +
    "pdscans pages scanned by daemon\n" +
    "pdanscan anonymous pages scanned by daemon\n" +
    "pdobscan object pages scanned by daemon\n" +
    "pdreact pages reactivated\n" +
    "pdbusy pages found busy by daemon\n" +
    "pdpending total pending pageouts\n" +
    "pddeact pages deactivated\n",
  );
}

const NAME_SIZE: u32 = 32;

/** Prints the line of the table at `at`; returns the next one. */
function print_sum(s: Snapshot, at: usize): usize {
  const name = frame_alloc(NAME_SIZE);
  let n: u32 = 0;
  for (; load<u8>(at) != 0x20; at++) store<u8>(name + n++, load<u8>(at));
  store<u8>(name + n, 0);
  let end = at;
  while (load<u8>(end) != 0x0a) end++;
  printf(cs("%9u%.*s\n"), word(s, name), u32(end - at), at);
  return end + 1;
}

function percent(part: u32, total: u32): u32 {
  return total == 0 ? 0 : u32(u64(part) * 100 / u64(total));
}

/** struct nchstats: good hits, negative hits, bad hits, false hits, misses, long names. */
function print_names(): void {
  const size = frame_alloc(4);
  const counts = sysctl_value(cs("debug.nchstats"), size);
  if (counts == 0) err(1, cs("debug.nchstats"));
  let total: u32 = 0;
  for (let at: u32 = 0; at < load<u32>(size); at += 4) total += load<u32>(counts + at);
  printf(cs("%9u total name lookups\n"), total);
  printf(cs("%9s cache hits (%u%% pos + %u%% neg)\n"), cs(""), percent(load<u32>(counts), total),
    percent(load<u32>(counts, 4), total));
  printf(cs("%9s deletions %u%%, falsehits %u%%, toolong %u%%\n"), cs(""), percent(load<u32>(counts, 8), total),
    percent(load<u32>(counts, 12), total), percent(load<u32>(counts, 20), total));
}

/** Prints all sums. */
export function print_sums(): void {
  const s = take_snapshot();
  for (let at = sums(); load<u8>(at) != 0; ) at = print_sum(s, at);
  print_names();
}
