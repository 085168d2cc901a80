// File names that a pattern matches.
import { strchr, strlen } from "../../../libkern";
import { frame_alloc } from "../../../i386/cpufunc";
import { SIZEOF_STAT, closedir, opendir, readdir } from "../../lib/files";
import { match } from "../../lib/match";
import { compare_strings, free, malloc, sort_words, strdup } from "../../lib/stdlib";
import { __lstat13 } from "../../lib/syscalls";
import { alloc, alloc_string } from "./state";
import { Word } from "./tree";

/** Whether a component of a pattern is one, and not a plain name. */
function is_pattern(s: usize, n: u32): bool {
  for (let i: u32 = 0; i < n; i++) {
    const byte = load<u8>(s + i);
    if (byte == 0x5c) i++;
    else if (byte == 0x2a || byte == 0x3f || byte == 0x5b) return true;
  }
  return false;
}

/** `folder` + `name` (n bytes) + `/` if more follows, in the arena. */
function extend(folder: usize, name: usize, n: u32, more: bool): usize {
  const length = strlen(folder);
  const path = alloc(length + n + 2);
  memory.copy(path, folder, length);
  memory.copy(path + length, name, n);
  if (more) store<u8>(path + length + n, 0x2f);
  return path;
}

/** A component without the backslashes of its quoting. */
function unescape(s: usize, n: u32): usize {
  const plain = alloc(n + 1);
  let to = plain;
  for (let i: u32 = 0; i < n; i++) {
    if (load<u8>(s + i) == 0x5c && i + 1 < n) i++;
    store<u8>(to++, load<u8>(s + i));
  }
  return plain;
}

function append(last: Word, path: usize): Word {
  const word = changetype<Word>(alloc(offsetof<Word>()));
  word.text = path;
  last.next = word;
  return word;
}

/** The names in `folder` that match, sorted: a vector of words, its count at `countp`. */
function matching(folder: usize, pattern: usize, countp: usize): usize {
  let names: usize = 0;
  let count: u32 = 0;
  const dir = opendir(load<u8>(folder) == 0 ? cs(".") : folder);
  store<u32>(countp, 0);
  if (changetype<usize>(dir) == 0) return 0;
  const hidden = load<u8>(pattern) == 0x2e;
  for (let entry = readdir(dir); changetype<usize>(entry) != 0; entry = readdir(dir)) {
    if (load<u8>(entry.name) == 0x2e && !hidden) continue;
    if (!match(pattern, entry.name)) continue;
    if ((count & (count - 1)) == 0) {
      const grown = malloc(8 * (count + 1));
      memory.copy(grown, names, 4 * count);
      free(names);
      names = grown;
    }
    store<usize>(names + 4 * count++, strdup(entry.name));
  }
  closedir(dir);
  sort_words(names, count, compare_strings.index);
  store<u32>(countp, count);
  return names;
}

/** Appends what `folder` (ending in / or empty) and `pattern` name. */
function expand_from(folder: usize, pattern: usize, last: Word): Word {
  let slashes: u32 = 0;
  while (load<u8>(pattern + slashes) == 0x2f) slashes++;
  if (slashes > 0) folder = extend(folder, pattern, slashes, false);
  pattern += slashes;
  const slash = strchr(pattern, 0x2f);
  const n = slash == 0 ? strlen(pattern) : u32(slash - pattern);
  if (!is_pattern(pattern, n)) {
    const plain = unescape(pattern, n);
    const path = extend(folder, plain, strlen(plain), false);
    if (slash != 0) return expand_from(path, slash, last);
    const st = frame_alloc(SIZEOF_STAT);
    return __lstat13(path, st) == 0 ? append(last, path) : last;
  }
  const count = frame_alloc(4);
  const names = matching(folder, alloc_string(pattern, n), count);
  for (let i: u32 = 0; i < load<u32>(count); i++) {
    const name = load<usize>(names + 4 * i);
    const path = extend(folder, name, strlen(name), false);
    last = slash == 0 ? append(last, path) : expand_from(path, slash, last);
    free(name);
  }
  free(names);
  return last;
}

/** Appends the names that match, sorted, behind `last`. Returns the last word; `last` itself when there is none. */
export function glob(pattern: usize, last: Word): Word {
  return expand_from(cs(""), pattern, last);
}
