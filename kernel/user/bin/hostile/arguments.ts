// Arguments of hostile's calls, by the letters of the table: often something that makes sense, often something that
// must not do harm.
import { bss } from "../../../i386/cpufunc";
import { getpid } from "../../lib/syscalls";
import { ARENA, ARENA_PAGES, arena_store } from "./arena";
import { Call } from "./calls";
import { one_in, random, random_below } from "./random";

const PAGE: u32 = 4096;
const SYS_mount: u32 = 21;
const SYS_chroot: u32 = 61;
const SYS_fchroot: u32 = 297;
/** Where memory calls play. */
const PLAYGROUND: usize = 0x50000000;
const PLAYGROUND_PAGES: u32 = 64;
/** What the program itself lives in: its data, and its stack. */
const DATA_START: usize = 0x08100000;
const DATA_END: usize = 0x08800000;
const STACK_START: usize = 0xbf900000;
const TOP: usize = 0xbfbfe000;

/** Who makes the calls. */
@unmanaged
class Caller {
  /** uid 0 must not be let at what the machine needs. */
  privileged: u32;
}
const caller = changetype<Caller>(memory.data(offsetof<Caller>()));

export function set_privileged(privileged: bool): void {
  caller.privileged = privileged ? 1 : 0;
}

/** The words of a call, in the order of the user's stack. */
export function words(): usize {
  return bss(32, 4);
}

/** Is [at, at + PAGE) part of what the program needs to go on? */
function is_own(at: usize): bool {
  if (at + PAGE > ARENA && at < ARENA + ARENA_PAGES * PAGE) return true;
  return (at + PAGE > DATA_START && at < DATA_END) || (at + PAGE > STACK_START && at < TOP);
}

/** Words on the edges. */
function edge_word(): u32 {
  switch (random_below(20)) {
    case 0: return 0;
    case 1: return 1;
    case 2: return 0xffffffff;
    case 3: return 0x7fffffff;
    case 4: return 0x80000000;
    case 5: return 0x80000001;
    case 6: return 0xfffffffe;
    case 7: return 0xfffff000;
    case 8: return 4095;
    case 9: return 4096;
    case 10: return 4097;
    case 11: return 0xffff0000;
    case 12: return 0x7ffff000;
    case 13: return 0xc0000000;
    case 14: return 512;
    case 15: return 0x10000;
    case 16: return 1 << random_below(32);
    case 17: return random_below(100);
    case 18: return 0 - random_below(100);
    default: return random();
  }
}

/** An address that the kernel must find fault with, or that leads nowhere. */
function bad_address(): usize {
  switch (random_below(16)) {
    case 0: return 0;
    case 1: return 1 + random_below(4095);
    case 2: return 0xc0000000;
    case 3: return 0xc0100000 + random_below(0x200000);
    case 4: return 0xbfc00000 + random_below(0x400000);
    case 5: return 0xbfeff000 + random_below(PAGE);
    case 6: return 0xffc00000 + random_below(0x400000);
    case 7: return 0xffffffff - random_below(16);
    case 8: return TOP + random_below(0x2000);
    case 9: return 0x08048000 + random_below(PAGE);
    case 10: return ARENA + 2 * PAGE + random_below(PAGE);
    case 11: return ARENA + 5 * PAGE + random_below(PAGE);
    case 12: return ARENA + 8 * PAGE - 1 - random_below(32);
    case 13: return 0xc0000000 - 1 - random_below(64);
    case 14: return PLAYGROUND + random_below(PLAYGROUND_PAGES * PAGE);
    default: {
      const at = random();
      return is_own(at) ? 0 : at;
    }
  }
}

/** An address in the arena: anywhere, at the end of a page, before read-only memory. */
function arena_address(): usize {
  switch (random_below(6)) {
    case 0: return ARENA + PAGE - random_below(64);
    case 1: return ARENA + 2 * PAGE - 1 - random_below(64);
    case 2: return ARENA + 7 * PAGE - 1 - random_below(64);
    case 3: return ARENA + 3 * PAGE + random_below(PAGE);
    default: return ARENA + random_below(2 * PAGE);
  }
}

function pointer(): usize {
  return one_in(3) ? bad_address() : arena_address();
}

/** A path of the sandbox as text. */
function path_text_of(index: u32): usize {
  switch (index) {
    case 0: return cs("a");
    case 1: return cs("b");
    case 2: return cs("dir");
    case 3: return cs("dir/x");
    case 4: return cs("dir/sub");
    case 5: return cs("loop");
    case 6: return cs("link");
    case 7: return cs("null");
    case 8: return cs("zero");
    case 9: return cs(".");
    case 10: return cs("..");
    case 11: return cs("/");
    case 12: return cs("dir/..");
    case 13: return cs("a/x");
    case 14: return cs("");
    case 15: return cs("new");
    case 16: return cs("dir/new");
    case 17: return cs("/dir/../b");
    case 18: return cs("none/x");
    case 19: return cs("//");
    case 20: return cs("dir/");
    case 21: return cs("new/");
    case 22: return cs("loop/x");
    case 23: return cs("empty");
    default: return long_path();
  }
}
const PATHS: u32 = 25;

/** A name that is too long. */
function long_path(): usize {
  const text = bss(1200, 4);
  memory.fill(text, 0x6c, 1100);
  store<u8>(text + 256 + random_below(844), 0x2f);
  return text;
}

function path_argument(): usize {
  return one_in(6) ? pointer() : path_text_of(random_below(PATHS));
}

function descriptor(): u32 {
  switch (random_below(10)) {
    case 0: return edge_word();
    case 1: return random_below(140);
    default: return random_below(14);
  }
}

/** uid 0 may only name itself, its children, and processes that there are not. */
function process(): u32 {
  switch (random_below(8)) {
    case 0: return 0;
    case 1: return 30000 + random_below(100);
    case 2: return 0 - u32(getpid());
    case 3: return caller.privileged != 0 ? 0x7fffffff : edge_word();
    case 4: return caller.privileged != 0 ? 0x80000000 : random_below(60);
    case 5: return caller.privileged != 0 ? 0 - u32(30000) : 0xffffffff;
    default: return u32(getpid());
  }
}

/** A device number: of null, of zero, of no driver. */
function device(): u32 {
  if (caller.privileged == 0) return edge_word();
  switch (random_below(4)) {
    case 0: return 0x202;
    case 1: return 0x20c;
    default: return 0xfd00 + random_below(256);
  }
}

/** What kind of file, with its mode. */
function mode(): u32 {
  if (one_in(4)) return edge_word();
  const bits = one_in(3) ? random_below(0o10000) : 0o777;
  return bits | (one_in(2) ? random_below(16) << 12 : 0);
}

function length(): u32 {
  if (one_in(3)) return edge_word();
  return one_in(2) ? random_below(64) : random_below(3 * PAGE);
}

/** Lengths of memory: pages, odd numbers, too much. */
function memory_length(): u32 {
  switch (random_below(5)) {
    case 0: return edge_word();
    case 1: return random_below(3 * PAGE);
    default: return random_below(16) * PAGE;
  }
}

function memory_address(): usize {
  if (one_in(4)) {
    const at = bad_address();
    return is_own(at) || (at >= 0x08000000 && at < DATA_END) ? 0xc0000000 : at;
  }
  return PLAYGROUND + random_below(PLAYGROUND_PAGES) * PAGE + (one_in(4) ? random_below(PAGE) : 0);
}

/** An ioctl command: one that there is, or any. */
function command(): u32 {
  switch (random_below(12)) {
    case 0: return 0x402c7413;
    case 1: return 0x802c7414;
    case 2: return 0x20007461;
    case 3: return 0x80047476;
    case 4: return 0x40087468;
    case 5: return 0x4004667f;
    case 6: return 0x8004667e;
    case 7: return 0x40946464 + random_below(16);
    case 8: return random() | 0xc0000000;
    default: return random();
  }
}

/** A structure for mount: three words that are paths or numbers, in the arena. */
function mount_data(): usize {
  if (one_in(3)) return pointer();
  const at = ARENA + (random_below(PAGE) & ~3);
  arena_store(at, path_argument());
  for (let i: u32 = 4; i < 24; i += 4) arena_store(at + i, one_in(2) ? pointer() : edge_word());
  return at;
}

/** A vector of pieces (or pointers) in the arena: addresses and lengths. */
function filled_input(): usize {
  if (one_in(3)) return pointer();
  const at = ARENA + random_below(2 * PAGE - 64);
  const n = random_below(8);
  for (let i: u32 = 0; i < n; i++) {
    const value = one_in(3) ? pointer() : one_in(2) ? random_below(200) : edge_word();
    arena_store(at + i * 4, value);
  }
  return at;
}

function type_name(): usize {
  switch (random_below(5)) {
    case 0: return pointer();
    case 1: return cs("nonsense");
    case 2: return cs("ffs");
    default: return cs("mfs");
  }
}

/** An argument for the letter; `q` is for two words and not among them. */
function argument(letter: u32): u32 {
  switch (letter) {
    case 0x64: return descriptor();
    case 0x70: return path_argument();
    case 0x69: return filled_input();
    case 0x6e: return length();
    case 0x66: return one_in(3) ? edge_word() : random_below(20);
    case 0x73: return one_in(4) ? edge_word() : random_below(33);
    case 0x50: return process();
    case 0x75: return one_in(2) ? 1000 : edge_word();
    case 0x77: return edge_word();
    case 0x30: return random();
    case 0x61: return memory_address();
    case 0x6c: return memory_length();
    case 0x6f: return command();
    case 0x6d: return mode();
    case 0x76: return device();
    case 0x79: return type_name();
    case 0x78: return mount_data();
    case 0x74: return one_in(4) ? edge_word() : random_below(12);
    // The new value of a kernel variable: uid 0 must not set any.
    case 0x7a: return caller.privileged != 0 ? 0 : pointer();
    default: return pointer();
  }
}

/** Stores an offset: small, far, negative. */
function put_offset(at: usize): void {
  switch (random_below(5)) {
    case 0:
      store<u32>(at, edge_word());
      store<u32>(at, edge_word(), 4);
      return;
    case 1:
      store<i64>(at, -1 - i64(random_below(1000)));
      return;
    default: store<u64>(at, u64(random_below(100000)));
  }
}

/** Does [at, at + n) hold anything of what the program needs, or wrap? */
function covers_own(at: usize, n: u32): bool {
  const end = at + n;
  if (end < at || is_own(at)) return true;
  if (at < ARENA && end > ARENA) return true;
  return (at < DATA_START && end > 0x08048000) || (at < STACK_START && end > STACK_START);
}

/** A memory call must not take the program's own memory: one that would gets a length that no mapping has. */
function spare_own(call: Call): void {
  if (load<u8>(call.kinds) != 0x61 || load<u8>(call.kinds + 1) != 0x6c) return;
  if (covers_own(load<usize>(words()), load<u32>(words(), 4))) store<u32>(words(), 0xffffffff, 4);
}

/** uid 0 could leave its root by way of another one below it, or of a mount on it. */
function keep_inside(call: Call): void {
  if (call.number == SYS_chroot) store<usize>(words(), bad_address());
  if (call.number == SYS_fchroot) store<u32>(words(), 100 + random_below(200));
  if (call.number == SYS_mount) store<usize>(words(), one_in(3) ? bad_address() : path_text_of(2 + random_below(3)), 4);
}

/** Makes the arguments of a call in words(). */
export function make_arguments(call: Call): void {
  let at = words();
  for (let kind = call.kinds; load<u8>(kind) != 0; kind++) {
    const letter = load<u8>(kind);
    if (letter == 0x71) {
      put_offset(at);
      at += 8;
      continue;
    }
    store<u32>(at, argument(letter));
    at += 4;
  }
  while (at < words() + 32) {
    store<u32>(at, random());
    at += 4;
  }
  spare_own(call);
  if (caller.privileged != 0) keep_inside(call);
}

/** Arguments for a call that nothing is known of. */
export function make_any_arguments(): void {
  for (let i: u32 = 0; i < 8; i++) store<u32>(words() + i * 4, one_in(2) ? pointer() : edge_word());
}
