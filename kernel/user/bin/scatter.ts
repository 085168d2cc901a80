// scatter: requests of 8 KB to a raw disk (or a file) in an order that no read-ahead could guess.
//
// `scatter [-l label] [-n requests] [-s start] file`: reads all blocks of the megabyte from `start` on (the second of
// the file) and writes each back, so that whatever holds them is there; then the measured requests, block after block, each read and written back. What was
// read must be the same both times. Prints, when there is a label, how many requests were made, and the process
// switches, page faults and map entries made meanwhile in the whole system; debug.mark is the label meanwhile.
import { frame_alloc } from "../../i386/cpufunc";
import { strlen } from "../../libkern";
import { err, errx, set_progname, usage } from "../lib/errors";
import { O_RDWR } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { printf } from "../lib/stdio";
import { free, is_number, malloc, parse_long, parse_size } from "../lib/stdlib";
import { open, pread, pwrite } from "../lib/syscalls";
import { SIZEOF_SYSCTL_NODE, SysctlNode, field_offset, find_node, read_node, write_node } from "../lib/sysctl";

const REQUEST: u32 = 8192;
/** Blocks that are read and written, and how far the next is from the last: prime to their number. */
const AREA_BLOCKS: u32 = 128;
const STRIDE: u32 = 37;

@unmanaged
class Area {
  start: i64;
}
const area = changetype<Area>(memory.data(offsetof<Area>(), 8));

/** What the kernel counts. */
@unmanaged
class Counts {
  switches: u32;
  faults: u32;
  entries: u32;
}
const SIZEOF_COUNTS: u32 = 12;

function find(name: usize, node: SysctlNode): void {
  if (!find_node(name, node)) errx(1, cs("%s: unknown to sysctl"), name);
}

function read_counts(node: SysctlNode, counts: Counts): void {
  const size = frame_alloc(4);
  const value = read_node(node, size);
  if (value == 0) err(1, cs("vm.uvmexp"));
  counts.switches = load<u32>(value + field_offset(node, cs("swtch")));
  counts.faults = load<u32>(value + field_offset(node, cs("faults")));
  counts.entries = load<u32>(value + field_offset(node, cs("mapent_allocs")));
  free(value);
}

/** Adds up the words of a request. */
function sum_of(data: usize): u32 {
  let sum: u32 = 0;
  for (let at: u32 = 0; at < REQUEST; at += 4) sum = (sum << 1 | sum >> 31) + load<u32>(data + at);
  return sum;
}

/** Reads `count` blocks and writes each back; the sum of the first round of the area. */
function transfer_blocks(fd: i32, buffer: usize, count: u32): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const block = i * STRIDE % AREA_BLOCKS;
    const offset = area.start + i64(block * REQUEST);
    const count = pread(fd, buffer, REQUEST, 0, offset);
    if (count >= 0 && count != REQUEST) errx(1, cs("the file ends before sector %u"), u32((offset + REQUEST) >> 9));
    if (count < 0) err(1, cs("read"));
    if (i < AREA_BLOCKS) sum += sum_of(buffer) * (block + 1);
    if (pwrite(fd, buffer, REQUEST, 0, offset) != REQUEST) err(1, cs("write"));
  }
  return sum;
}

/** The measured requests. */
function measure(fd: i32, buffer: usize, requests: u32, label: usize): u32 {
  const mark = changetype<SysctlNode>(frame_alloc(SIZEOF_SYSCTL_NODE));
  const uvmexp = changetype<SysctlNode>(frame_alloc(SIZEOF_SYSCTL_NODE));
  const before = changetype<Counts>(frame_alloc(SIZEOF_COUNTS));
  const after = changetype<Counts>(frame_alloc(SIZEOF_COUNTS));
  find(cs("debug.mark"), mark);
  find(cs("vm.uvmexp"), uvmexp);
  // From now on all that this process needs is in memory: it takes no faults of its own.
  read_counts(uvmexp, before);
  if (write_node(mark, label, strlen(label)) != 0) err(1, cs("debug.mark"));
  read_counts(uvmexp, before);
  const sum = transfer_blocks(fd, buffer, requests / 2);
  read_counts(uvmexp, after);
  if (write_node(mark, cs(""), 0) != 0) err(1, cs("debug.mark"));
  if (load<u8>(label) == 0) return sum;
  printf(cs("%s requests %u switches %u faults %u entries %u\n"), label, requests / 2 * 2,
    after.switches - before.switches, after.faults - before.faults, after.entries - before.entries);
  return sum;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const how = cs("scatter [-l label] [-n requests] [-s start] file");
  set_progname(cs("scatter"));
  let label = cs("");
  let requests: i64 = 2 * AREA_BLOCKS;
  area.start = 0x100000;
  for (let letter = getopt(argc, argv, cs("l:n:s:")); letter != -1; letter = getopt(argc, argv, cs("l:n:s:"))) {
    if (letter == 0x6c) label = optarg();
    else if (letter == 0x6e) requests = is_number(optarg()) ? parse_long(optarg(), 0) : 0;
    else if (letter == 0x73) area.start = parse_size(optarg());
    else usage(how);
  }
  if (argc - optind() != 1) usage(how);
  if (requests < 2 || requests > 0x7fffffff) errx(1, cs("-n: from 2 to 2147483647 requests"));
  const path = load<usize>(argv + 4 * optind());
  const fd = open(path, O_RDWR, 0);
  if (fd < 0) err(1, path);
  const buffer = malloc(REQUEST);
  const first = transfer_blocks(fd, buffer, AREA_BLOCKS);
  const second = measure(fd, buffer, u32(requests), label);
  if (requests >= 2 * AREA_BLOCKS && first != second) errx(1, cs("%s: what was written is not what is read"), path);
  return 0;
}
