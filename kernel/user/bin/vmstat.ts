// vmstat(1): `vmstat [-c count] [-w wait]`: processes, memory, paging, traps and processor time, a line each interval;
// -s: sums since boot (vmstat/sums.ts); -m: the kernel's memory (vmstat/kmem.ts).
import { frame_alloc } from "../../i386/cpufunc";
import { Vmtotal } from "../../sys/sysctl";
import { set_progname, usage } from "../lib/errors";
import { getopt, optarg, optind } from "../lib/getopt";
import { flush, printf, puts } from "../lib/stdio";
import { atoi } from "../lib/stdlib";
import { nanosleep } from "../lib/syscalls";
import { print_kernel_memory } from "./vmstat/kmem";
import { Snapshot, take_snapshot, word } from "./vmstat/snapshot";
import { print_sums } from "./vmstat/sums";

/** Lines between two titles, for a screen of 24. */
const LINES_A_TITLE: u32 = 20;

function print_title(): void {
  puts(cs(" procs   memory     page                         faults      cpu\n"));
  puts(cs(" r b w   avm   fre  flt  re  pi   po   fr   sr   in   sy  cs us sy id\n"));
}

/** What a field of uvmexp grew by in a second; both snapshots are `seconds` apart. */
function rate(now: Snapshot, before: Snapshot, name: usize, seconds: u32): u32 {
  return (word(now, name) - word(before, name) + seconds / 2) / seconds;
}

/** Share of `part` of `total` in percent. */
function percent(part: u32, total: u32): u32 {
  return total == 0 ? 0 : u32((u64(part) * 100 + u64(total) / 2) / u64(total));
}

/** User, system and idle time between the snapshots. */
function print_cpu(now: Snapshot, before: Snapshot): void {
  let total: u32 = 0;
  for (let state: u32 = 0; state < 5; state++) total += now.tick(state) - before.tick(state);
  const user = now.tick(0) + now.tick(1) - before.tick(0) - before.tick(1);
  const system = now.tick(2) + now.tick(3) - before.tick(2) - before.tick(3);
  const idle = now.tick(4) - before.tick(4);
  printf(cs("%2u %2u %2u\n"), percent(user, total), percent(system, total), percent(idle, total));
}

function print_line(now: Snapshot, before: Snapshot, seconds: u32): void {
  const total = changetype<Vmtotal>(now.total);
  const kilobytes = word(now, cs("pagesize")) / 1024;
  // The process that asks does not count.
  printf(cs("%2d%2d%2d"), total.t_rq - 1, total.t_dw + total.t_pw, total.t_sw);
  printf(cs("%6u%6u "), u32(total.t_avm) * kilobytes, u32(total.t_free) * kilobytes);
  printf(
    cs("%4u %3u %3u %4u %4u %4u "), rate(now, before, cs("faults"), seconds), rate(now, before, cs("pdreact"), seconds),
    rate(now, before, cs("pageins"), seconds), rate(now, before, cs("pdpageouts"), seconds),
    rate(now, before, cs("pdfreed"), seconds), rate(now, before, cs("pdscans"), seconds),
  );
  printf(
    cs("%4u %4u %3u "), rate(now, before, cs("intrs"), seconds), rate(now, before, cs("syscalls"), seconds),
    rate(now, before, cs("swtch"), seconds),
  );
  print_cpu(now, before);
  flush();
}

/** `count` lines (0: no end), `wait` seconds apart. The first one tells the averages since boot. */
function print_lines(count: u32, wait: u32): void {
  const pause = frame_alloc(8);
  let before = changetype<Snapshot>(0);
  for (let line: u32 = 0; count == 0 || line < count; line++) {
    if (line > 0) {
      store<u32>(pause, wait);
      store<u32>(pause, 0, 4);
      nanosleep(pause, 0);
    }
    const now = take_snapshot();
    if (line % LINES_A_TITLE == 0) print_title();
    if (line == 0) before = now.origin();
    print_line(now, before, line == 0 ? now.uptime() : wait);
    before.release();
    before = now;
  }
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const how = cs("vmstat [-ms] [-c count] [-w wait]");
  set_progname(cs("vmstat"));
  let count: i32 = -1;
  let wait: i32 = 0;
  let sums = false;
  let memory_use = false;
  for (let letter = getopt(argc, argv, cs("c:msw:")); letter != -1; letter = getopt(argc, argv, cs("c:msw:"))) {
    if (letter == 0x63) count = atoi(optarg());
    else if (letter == 0x77) wait = atoi(optarg());
    else if (letter == 0x73) sums = true;
    else if (letter == 0x6d) memory_use = true;
    else usage(how);
  }
  // The old form: vmstat wait count.
  let at = optind();
  if (at < argc) wait = atoi(load<usize>(argv + 4 * at++));
  if (at < argc) count = atoi(load<usize>(argv + 4 * at++));
  if (at < argc) usage(how);
  if (sums) print_sums();
  if (memory_use) print_kernel_memory();
  if (sums || memory_use) return 0;
  if (count < 0) count = wait > 0 ? 0 : 1;
  print_lines(u32(count), wait > 0 ? u32(wait) : 1);
  return 0;
}
