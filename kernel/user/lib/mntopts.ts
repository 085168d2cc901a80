// Options of mount(2) as -o gives them: words separated by commas, most of which
// a leading `no` turns round; and the words that mount(8) shows for them.
import { strcmp, strncmp } from "../../libkern";

export const MNT_RDONLY: u32 = 0x1;
export const MNT_ASYNC: u32 = 0x40;
export const MNT_UPDATE: u32 = 0x10000;
export const MNT_FORCE: u32 = 0x80000;

/** One flag: how -o names it, whether that name means the flag's absence, and how a list of mounts shows it. */
@unmanaged
class MountOption {
  flag: u32;
  name: usize;
  inverse: u32;
  shown: usize;
}
const mount_option_entry = changetype<MountOption>(memory.data(offsetof<MountOption>()));

function entry(flag: u32, name: usize, inverse: u32, shown: usize): MountOption {
  const option = mount_option_entry;
  option.flag = flag;
  option.name = name;
  option.inverse = inverse;
  option.shown = shown;
  return option;
}

/** Option number n; its flag is 0 after the last. The next call changes the structure. */
function option_at(n: u32): MountOption {
  if (n == 0) return entry(MNT_ASYNC, cs("async"), 0, cs("asynchronous"));
  if (n == 1) return entry(0x1000, 0, 0, cs("local"));
  if (n == 2) return entry(0x10, cs("dev"), 1, cs("nodev"));
  if (n == 3) return entry(0x4, cs("exec"), 1, cs("noexec"));
  if (n == 4) return entry(0x8, cs("suid"), 1, cs("nosuid"));
  if (n == 5) return entry(MNT_RDONLY, cs("rdonly"), 0, cs("read-only"));
  if (n == 6) return entry(0x2, cs("sync"), 0, cs("synchronous"));
  if (n == 7) return entry(0x20, cs("union"), 0, cs("union"));
  if (n == 8) return entry(0x8000, cs("coredump"), 1, cs("nocoredump"));
  if (n == 9) return entry(0x4000000, cs("atime"), 1, cs("noatime"));
  if (n == 10) return entry(0x20000000, cs("symperm"), 0, cs("symperm"));
  if (n == 11) return entry(0x40000000, cs("devmtime"), 1, cs("nodevmtime"));
  if (n == 12) return entry(MNT_UPDATE, cs("update"), 0, 0);
  if (n == 13) return entry(MNT_FORCE, cs("force"), 0, 0);
  return entry(0, 0, 0, 0);
}

/** Flags of a mounted file system that an update keeps unless it is told otherwise. */
export const MNT_KEPT: u32 = 0x6400807e;

/** How mount(8) shows the n-th flag of `flags`: 0 when it is not set or not shown, -1 after the last. */
export function shown_flag(n: u32, flags: u32): usize {
  const option = option_at(n);
  if (option.flag == 0) return usize(-1);
  return (flags & option.flag) != 0 ? option.shown : 0;
}

/** Cuts the next word off the list whose address is at `textp`; 0 after the last. The commas become NULs. */
export function next_option(textp: usize): usize {
  const text = load<usize>(textp);
  if (text == 0) return 0;
  let end = text;
  while (load<u8>(end) != 0 && load<u8>(end) != 0x2c) end++;
  store<usize>(textp, load<u8>(end) != 0 ? end + 1 : 0);
  store<u8>(end, 0);
  return text;
}

/** Sets or clears in the word at `flagsp` what `word` says. False when mount knows no such option. */
export function mount_option(word: usize, flagsp: usize): bool {
  if (load<u8>(word) == 0) return true;
  if (strcmp(word, cs("ro")) == 0) word = cs("rdonly");
  if (strcmp(word, cs("rw")) == 0) word = cs("nordonly");
  const negative: u32 = strncmp(word, cs("no"), 2) == 0 ? 1 : 0;
  const name = word + 2 * negative;
  let n: u32 = 0;
  while (true) {
    const option = option_at(n++);
    if (option.flag == 0) return false;
    if (option.name == 0 || strcmp(option.name, name) != 0) continue;
    const set = (option.inverse ^ negative) == 0;
    store<u32>(flagsp, set ? load<u32>(flagsp) | option.flag : load<u32>(flagsp) & ~option.flag);
    return true;
  }
}
