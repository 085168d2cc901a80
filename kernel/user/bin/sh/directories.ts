// cd and pwd. PWD holds the way that was gone, with its symbolic links; -P asks the kernel.
import { frame_alloc } from "../../../i386/cpufunc";
import { strcmp, strlen } from "../../../libkern";
import { last_error, strerror } from "../../lib/errors";
import { SIZEOF_STAT, Stat } from "../../lib/files";
import { eprintf, printf } from "../../lib/stdio";
import { __getcwd, __stat13, chdir } from "../../lib/syscalls";
import { alloc, sh } from "./state";
import { get_variable, set_variable } from "./variables";

const PATH_SIZE: u32 = 1024;

/** Whether PWD names the current directory. */
function pwd_is_true(): bool {
  const path = get_variable(cs("PWD"));
  if (path == 0 || load<u8>(path) != 0x2f) return false;
  const here = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const there = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  if (__stat13(cs("."), changetype<usize>(here)) != 0 || __stat13(path, changetype<usize>(there)) != 0) return false;
  return here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

/** The current directory in the arena; 0 when nobody knows. */
function working_directory(physical: bool): usize {
  if (!physical && pwd_is_true()) return get_variable(cs("PWD"));
  const path = alloc(PATH_SIZE);
  return __getcwd(path, PATH_SIZE) < 0 ? 0 : path;
}

/** Appends the components of `path` to `to`; `..` takes the last one away. */
function append_components(to: usize, path: usize): void {
  while (load<u8>(path) != 0) {
    while (load<u8>(path) == 0x2f) path++;
    let n: u32 = 0;
    while (load<u8>(path + n) != 0 && load<u8>(path + n) != 0x2f) n++;
    const dots = n == 2 && load<u8>(path) == 0x2e && load<u8>(path + 1) == 0x2e;
    let end = strlen(to);
    if (dots) {
      while (end > 0 && load<u8>(to + end - 1) != 0x2f) end--;
      store<u8>(to + (end > 0 ? end - 1 : 0), 0);
    } else if (n > 0 && !(n == 1 && load<u8>(path) == 0x2e)) {
      store<u8>(to + end, 0x2f);
      memory.copy(to + end + 1, path, n);
      store<u8>(to + end + 1 + n, 0);
    }
    path += n;
  }
}

/** `path` seen from `from`, without dots, in the arena. */
function logical_path(from: usize, path: usize): usize {
  const absolute = load<u8>(path) == 0x2f;
  const result = alloc(strlen(from) + strlen(path) + 3);
  if (!absolute) append_components(result, from);
  append_components(result, path);
  if (load<u8>(result) == 0) store<u8>(result, 0x2f);
  return result;
}

function fail(path: usize, why: usize): i32 {
  eprintf(cs("%s: cd: %s: %s\n"), sh.arg0, path, why);
  return 2;
}

/** A folder along CDPATH in the arena, or 0. */
function along_cdpath(path: usize): usize {
  const first = load<u8>(path);
  let folders = get_variable(cs("CDPATH"));
  if (folders == 0 || first == 0x2f || first == 0x2e) return 0;
  const st = frame_alloc(SIZEOF_STAT);
  while (true) {
    let n: u32 = 0;
    while (load<u8>(folders + n) != 0 && load<u8>(folders + n) != 0x3a) n++;
    const candidate = alloc(n + strlen(path) + 2);
    memory.copy(candidate, folders, n);
    if (n > 0) store<u8>(candidate + n, 0x2f);
    memory.copy(candidate + strlen(candidate), path, strlen(path));
    if (__stat13(candidate, st) == 0) return n > 0 ? candidate : 0;
    if (load<u8>(folders + n) == 0) return 0;
    folders += n + 1;
  }
}

/** cd [-L | -P] [folder | -]. */
export function change_directory(argc: i32, argv: usize): i32 {
  let at = 1;
  let physical = false;
  for (; at < argc; at++) {
    const word = load<usize>(argv + 4 * at);
    if (strcmp(word, cs("-P")) == 0) physical = true;
    else if (strcmp(word, cs("-L")) == 0) physical = false;
    else break;
  }
  const given: usize = at < argc ? load<usize>(argv + 4 * at) : 0;
  const back = given != 0 && strcmp(given, cs("-")) == 0;
  let target = given;
  if (given == 0) target = get_variable(cs("HOME"));
  else if (back) target = get_variable(cs("OLDPWD"));
  if (target == 0) return fail(back ? cs("OLDPWD") : cs("HOME"), cs("not set"));
  const found = back || given == 0 ? 0 : along_cdpath(target);
  if (found != 0) target = found;
  const old = working_directory(false);
  const logical = old == 0 || physical ? 0 : logical_path(old, target);
  if (chdir(logical != 0 ? logical : target) != 0) return fail(target, strerror(last_error()));
  if (old != 0) set_variable(cs("OLDPWD"), old);
  const now = logical != 0 ? logical : working_directory(true);
  if (now != 0) set_variable(cs("PWD"), now);
  if (back || found != 0) printf(cs("%s\n"), now == 0 ? target : now);
  return 0;
}

/** pwd [-L | -P]. */
export function print_directory(argc: i32, argv: usize): i32 {
  const physical = argc > 1 && strcmp(load<usize>(argv + 4), cs("-P")) == 0;
  const path = working_directory(physical);
  if (path == 0) {
    eprintf(cs("%s: pwd: %s\n"), sh.arg0, strerror(last_error()));
    return 1;
  }
  printf(cs("%s\n"), path);
  return 0;
}
