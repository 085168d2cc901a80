// Names of users and groups, from /etc/passwd and /etc/group.
import { strlen, strncmp } from "../../libkern";
import { O_RDONLY } from "./files";
import { free_input, new_input, read_line } from "./input";
import { snprintf } from "./stdio";
import { atoi, is_number, strdup, zalloc } from "./stdlib";
import { close, open } from "./syscalls";

/** A name with its number; users and groups that were asked for are remembered. */
@unmanaged
class Entry {
  next: Entry;
  name: usize;
  number: u32;
}

@unmanaged
class Known {
  users: Entry;
  groups: Entry;
}
const known = changetype<Known>(memory.data(offsetof<Known>()));
const NUMBER_SIZE: u32 = 12;

/** The third field of a line, `name:password:number:…`, or 0. */
function number_field(line: usize): usize {
  let colons = 0;
  for (; load<u8>(line) != 0; line++) if (load<u8>(line) == 0x3a && ++colons == 2) return line + 1;
  return 0;
}

/** Bytes up to the first colon. */
function name_length(line: usize): u32 {
  let n: u32 = 0;
  while (load<u8>(line + n) != 0 && load<u8>(line + n) != 0x3a) n++;
  return n;
}

/** Looks through a file for a name, or when that is 0 for a number. Returns the entry, or NULL. */
function look_up(file: usize, name: usize, number: u32): Entry {
  const fd = open(file, O_RDONLY, 0);
  let found = changetype<Entry>(0);
  if (fd < 0) return found;
  const input = new_input(fd);
  while (changetype<usize>(found) == 0 && read_line(input)) {
    const field = number_field(input.line);
    if (field == 0) continue;
    const n = name_length(input.line);
    const matches = name == 0 ? u32(atoi(field)) == number : strlen(name) == n && strncmp(name, input.line, n) == 0;
    if (!matches) continue;
    found = changetype<Entry>(zalloc(offsetof<Entry>()));
    found.number = u32(atoi(field));
    store<u8>(input.line + n, 0);
    found.name = strdup(input.line);
  }
  free_input(input);
  close(fd);
  return found;
}

/** The name of a number, from the list or the file; the number itself as text when nobody has it. */
function name_of(list: Entry, file: usize, number: u32): Entry {
  for (let at = list; changetype<usize>(at) != 0; at = at.next) if (at.number == number) return at;
  let found = look_up(file, 0, number);
  if (changetype<usize>(found) == 0) {
    found = changetype<Entry>(zalloc(offsetof<Entry>() + NUMBER_SIZE));
    found.number = number;
    found.name = changetype<usize>(found) + offsetof<Entry>();
    snprintf(found.name, NUMBER_SIZE, cs("%u"), number);
  }
  found.next = list;
  return found;
}

/** The name of a user, or the number as text. */
export function user_name(uid: u32): usize {
  const entry = name_of(known.users, cs("/etc/passwd"), uid);
  if (changetype<usize>(known.users) == 0 || entry.next == known.users) known.users = entry;
  return entry.name;
}

/** The name of a group, or the number as text. */
export function group_name(gid: u32): usize {
  const entry = name_of(known.groups, cs("/etc/group"), gid);
  if (changetype<usize>(known.groups) == 0 || entry.next == known.groups) known.groups = entry;
  return entry.name;
}

/** The number of a user by name or as text; -1 when there is none. */
export function user_number(text: usize): i32 {
  const entry = look_up(cs("/etc/passwd"), text, 0);
  return changetype<usize>(entry) != 0 ? i32(entry.number) : is_number(text) ? atoi(text) : -1;
}

/** The number of a group by name or as text; -1 when there is none. */
export function group_number(text: usize): i32 {
  const entry = look_up(cs("/etc/group"), text, 0);
  return changetype<usize>(entry) != 0 ? i32(entry.number) : is_number(text) ? atoi(text) : -1;
}
