// sysctl(8): values of the kernel: `sysctl [-n] name …`, `-a` all of them, `-w name=value …` changes them.
//
// A name that is the beginning of others, such as `vm`, stands for all of these; so does `vm.uvmexp`, whose fields
// have a line each, and `vm.uvmexp.free` is one field.
import { frame_alloc } from "../../i386/cpufunc";
import { memcmp, strchr, strlen } from "../../libkern";
import { last_error, set_progname, strerror, warnx } from "../lib/errors";
import { getopt, optind } from "../lib/getopt";
import { eprintf, exit, flush, printf } from "../lib/stdio";
import { free, is_number, parse_long } from "../lib/stdlib";
import {
  SIZEOF_SYSCTL_COUNT, SIZEOF_SYSCTL_NODE, SYSCTL_COUNT_NAME, SysctlCount, SysctlNode, field_length, find_node, is_kind, next_node,
  node_fields, read_node, write_node,
} from "../lib/sysctl";
import { ctime } from "../lib/time";

const EOPNOTSUPP: i32 = 45;

@unmanaged
class Options {
  /** Values without names. */
  bare: u32;
  /** Nodes that this kernel has not are left out. */
  all: u32;
  status: i32;
}
const options = changetype<Options>(memory.data(12));

/** `name` and `between`, unless -n. */
function print_name(node: SysctlNode, between: usize): void {
  if (options.bare == 0) printf(cs("%.*s%s"), node.name_length, node.name, between);
}

/** Whether `wanted` (with its length) asks for the field. */
function wants(wanted: usize, n: u32, name: usize, length: u32): bool {
  return wanted == 0 || (n == length && memcmp(wanted, name, n) == 0);
}

/** A line for each field of a structure, or for the one wanted. Returns how many. */
function print_words(node: SysctlNode, value: usize, size: u32, wanted: usize): u32 {
  const n = wanted == 0 ? 0 : strlen(wanted);
  let fields = node_fields(node);
  let printed: u32 = 0;
  for (let at: u32 = 0; at + 4 <= size; at += 4) {
    const length = field_length(fields);
    if (wants(wanted, n, fields, length)) {
      if (options.bare == 0) printf(cs("%.*s.%.*s = "), node.name_length, node.name, length, fields);
      printf(cs("%u\n"), load<u32>(value + at));
      printed++;
    }
    fields += length;
    if (load<u8>(fields++) == 0x0a) break;
  }
  return printed;
}

function print_counts(node: SysctlNode, value: usize, size: u32, wanted: usize): u32 {
  const n = wanted == 0 ? 0 : strlen(wanted);
  let printed: u32 = 0;
  for (let at: u32 = 0; at + SIZEOF_SYSCTL_COUNT <= size; at += SIZEOF_SYSCTL_COUNT) {
    const one = changetype<SysctlCount>(value + at);
    let length: u32 = 0;
    while (length < SYSCTL_COUNT_NAME && load<u8>(one.name + length) != 0) length++;
    if (!wants(wanted, n, one.name, length)) continue;
    if (options.bare == 0) printf(cs("%.*s.%.*s = "), node.name_length, node.name, length, one.name);
    printf(cs("%u\n"), one.count);
    printed++;
  }
  return printed;
}

function print_time(node: SysctlNode, value: usize): void {
  print_name(node, cs(" = "));
  printf(cs("%s"), ctime(load<i32>(value)));
}

/** Three averages as fixed point numbers, and the number that stands for 1. */
function print_load(node: SysctlNode, value: usize): void {
  const scale = load<u32>(value, 12);
  print_name(node, cs(":"));
  for (let i: u32 = 0; i < 3; i++) {
    const hundredths = u32((u64(load<u32>(value + 4 * i)) * 100 + u64(scale) / 2) / u64(scale == 0 ? 1 : scale));
    printf(i == 0 && options.bare != 0 ? cs("%u.%02u") : cs(" %u.%02u"), hundredths / 100, hundredths % 100);
  }
  printf(cs("\n"));
}

function print_clock(node: SysctlNode, value: usize): void {
  print_name(node, cs(": "));
  printf(
    cs("tick = %d, tickadj = %d, hz = %d, profhz = %d, stathz = %d\n"), load<u32>(value, 4), load<u32>(value, 8),
    load<u32>(value), load<u32>(value, 16), load<u32>(value, 12),
  );
}

function print_ticks(node: SysctlNode, value: usize): void {
  print_name(node, cs(": "));
  printf(
    cs("user = %u, nice = %u, sys = %u, intr = %u, idle = %u\n"), load<u32>(value), load<u32>(value, 4),
    load<u32>(value, 8), load<u32>(value, 12), load<u32>(value, 16),
  );
}

/** What vmstat(1) puts into words; silent among others, as NetBSD's. */
function print_elsewhere(node: SysctlNode): void {
  if (options.all == 0) warnx(cs("Use vmstat to view %.*s information"), node.name_length, node.name);
}

/** A number of `size` bytes or a string. */
function print_plain(node: SysctlNode, value: usize, size: u32): void {
  if (is_kind(node, cs("int"))) printf(cs("%d"), load<u32>(value));
  else if (is_kind(node, cs("quad"))) printf(cs("%qd"), load<u32>(value), load<u32>(value, 4));
  else {
    // The kernel's version ends in a newline.
    const length = size > 1 && load<u8>(value + size - 2) == 0x0a ? size - 2 : strlen(value);
    printf(cs("%.*s"), length, value);
  }
}

/** Prints a node, or the field `wanted` of it. Returns how many values were printed. */
function print_node(node: SysctlNode, wanted: usize): u32 {
  const sizep = frame_alloc(4);
  const value = read_node(node, sizep);
  const size = load<u32>(sizep);
  let printed: u32 = 1;
  if (value == 0) {
    if (options.all != 0 && last_error() == EOPNOTSUPP) return 1;
    flush();
    const why = last_error() == EOPNOTSUPP ? cs("value is not available") : strerror(last_error());
    warnx(cs("%.*s: %s"), node.name_length, node.name, why);
    options.status = 1;
    return 1;
  }
  if (is_kind(node, cs("words:"))) printed = print_words(node, value, size, wanted);
  else if (is_kind(node, cs("counts"))) printed = print_counts(node, value, size, wanted);
  else if (wanted != 0) printed = 0;
  else if (is_kind(node, cs("total")) || is_kind(node, cs("records"))) print_elsewhere(node);
  else if (is_kind(node, cs("time"))) print_time(node, value);
  else if (is_kind(node, cs("load"))) print_load(node, value);
  else if (is_kind(node, cs("clock"))) print_clock(node, value);
  else if (is_kind(node, cs("ticks"))) print_ticks(node, value);
  else {
    print_name(node, cs(" = "));
    print_plain(node, value, size);
    printf(cs("\n"));
  }
  free(value);
  return printed;
}

function unknown(name: usize): void {
  let dots: u32 = 0;
  for (let at = name; load<u8>(at) != 0; at++) if (load<u8>(at) == 0x2e) dots++;
  const level = dots == 0 ? cs("top") : dots == 1 ? cs("second") : cs("third");
  warnx(cs("%s level name in %s is invalid"), level, name);
  options.status = 1;
}

/** Whether `name` (n bytes) is that of the node or one of its parents. */
function covers(name: usize, n: u32, node: SysctlNode): bool {
  if (n > node.name_length || memcmp(name, node.name, n) != 0) return false;
  return n == node.name_length || load<u8>(node.name + n) == 0x2e;
}

/** Prints all nodes that the name covers, or the one whose field it is. */
function show(name: usize): void {
  const node = changetype<SysctlNode>(frame_alloc(SIZEOF_SYSCTL_NODE));
  const n = strlen(name);
  let found: u32 = 0;
  node.following = 0;
  while (next_node(node)) {
    const inside = n > node.name_length && memcmp(name, node.name, node.name_length) == 0 &&
      load<u8>(name + node.name_length) == 0x2e;
    if (covers(name, n, node)) {
      options.all |= u32(n < node.name_length);
      found += print_node(node, 0);
    } else if (inside) found += print_node(node, name + node.name_length + 1);
  }
  if (found == 0) unknown(name);
}

function show_all(): void {
  const node = changetype<SysctlNode>(frame_alloc(SIZEOF_SYSCTL_NODE));
  options.all = 1;
  node.following = 0;
  while (next_node(node)) print_node(node, 0);
}

/** Writes the new value of `node`; -1 after a message. */
function store_value(node: SysctlNode, text: usize): i32 {
  const word = frame_alloc(8);
  const isInt = is_kind(node, cs("int"));
  const isNumber = isInt || is_kind(node, cs("quad"));
  if (!isNumber && !is_kind(node, cs("string"))) {
    warnx(cs("%.*s: cannot be changed"), node.name_length, node.name);
    return -1;
  }
  if (isNumber && !is_number(text)) {
    warnx(cs("%.*s: %s is no number"), node.name_length, node.name, text);
    return -1;
  }
  if (isNumber) store<i64>(word, parse_long(text, 0));
  const done = isNumber ? write_node(node, word, isInt ? 4 : 8) : write_node(node, text, strlen(text) + 1);
  if (done != 0) warnx(cs("%.*s: %s"), node.name_length, node.name, strerror(last_error()));
  return done;
}

/** `name=value`: prints the old value and the new one. */
function change(name: usize): void {
  const node = changetype<SysctlNode>(frame_alloc(SIZEOF_SYSCTL_NODE));
  const sizep = frame_alloc(4);
  const equals = strchr(name, 0x3d);
  if (equals == 0) return show(name);
  store<u8>(equals, 0);
  if (!find_node(name, node)) return unknown(name);
  const old = read_node(node, sizep);
  if (old == 0 || store_value(node, equals + 1) != 0) {
    if (old == 0) warnx(cs("%s: %s"), name, strerror(last_error()));
    options.status = 1;
    return;
  }
  print_name(node, cs(": "));
  if (options.bare == 0) {
    print_plain(node, old, load<u32>(sizep));
    printf(cs(" -> "));
  }
  printf(cs("%s\n"), equals + 1);
}

function usage_lines(): void {
  eprintf(cs("usage:\tsysctl [-n] variable ...\n\tsysctl [-n] -w variable=value ...\n\tsysctl [-n] -a\n"));
  exit(1);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("sysctl"));
  let everything = false;
  let writes = false;
  for (let letter = getopt(argc, argv, cs("anw")); letter != -1; letter = getopt(argc, argv, cs("anw"))) {
    if (letter == 0x61) everything = true;
    else if (letter == 0x6e) options.bare = 1;
    else if (letter == 0x77) writes = true;
    else usage_lines();
  }
  if (everything == (optind() < argc)) usage_lines();
  if (everything) show_all();
  for (let i = optind(); i < argc; i++) {
    const name = load<usize>(argv + 4 * i);
    options.all = 0;
    if (writes) change(name);
    else show(name);
  }
  return options.status;
}
