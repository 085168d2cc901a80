// storm: operations on the names that all processes share. Somebody else may
// always have been quicker, so many errors are in order; but a file that is found
// is whole, and nothing else happens.
import { frame_alloc } from "../../../i386/cpufunc";
import { one_in, random_below } from "../../lib/random";
import { link, mkdir, rename, rmdir, unlink } from "../../lib/syscalls";
import { MAKE, check_error, error_of, note, read_contents, write_contents } from "./contents";
import { COMMON_FILES, COMMON_FOLDERS, PATH_SIZE, common_path, storm } from "./state";
import { snprintf } from "../../lib/stdio";

const ENOENT: i32 = 2;
const EEXIST: i32 = 17;
const EINVAL: i32 = 22;
const ENOTEMPTY: i32 = 66;

function common_file(out: usize): void {
  common_path(0x63, random_below(COMMON_FILES), random_below(storm.places), out);
}

/** A common folder in a shared place, sometimes in another common folder. */
function common_folder(out: usize): void {
  const place = random_below(storm.places);
  common_path(0x78, random_below(COMMON_FOLDERS), place, out);
  if (!one_in(3)) return;
  let n: u32 = 0;
  while (load<u8>(out + n) != 0) n++;
  snprintf(out + n, PATH_SIZE - n, cs("/x%u"), random_below(COMMON_FOLDERS));
}

/** Ends the process when the error is none of those that a race explains. */
function allow(what: usize, path: usize, error: i32, a: i32, b: i32, c: i32): void {
  if (error != a && error != b && error != c) check_error(what, path, error, 0);
}

/** Makes a file under a name of its own and gives it a common one, by rename or link. */
export function common_create(): void {
  const own = frame_alloc(256);
  const path = frame_alloc(256);
  snprintf(own, PATH_SIZE, cs("%s/d%u/p%u.new"), storm.top, random_below(storm.places), storm.proc);
  common_file(path);
  note(cs("common create"), own, path);
  check_error(cs("create"), own, write_contents(own, ++storm.serial, MAKE), 0);
  if (one_in(2)) {
    check_error(cs("rename"), path, error_of(rename(own, path)), 0);
    return;
  }
  allow(cs("link"), path, error_of(link(own, path)), 0, EEXIST, EEXIST);
  check_error(cs("unlink"), own, error_of(unlink(own)), 0);
}

export function common_unlink(): void {
  const path = frame_alloc(256);
  common_file(path);
  note(cs("common unlink"), path, cs(""));
  allow(cs("unlink"), path, error_of(unlink(path)), 0, ENOENT, ENOENT);
}

export function common_rename(): void {
  const path = frame_alloc(256);
  const other = frame_alloc(256);
  common_file(path);
  common_file(other);
  note(cs("common rename"), path, other);
  allow(cs("rename"), path, error_of(rename(path, other)), 0, ENOENT, ENOENT);
}

export function common_link(): void {
  const path = frame_alloc(256);
  const other = frame_alloc(256);
  common_file(path);
  common_file(other);
  note(cs("common link"), path, other);
  allow(cs("link"), path, error_of(link(path, other)), 0, ENOENT, EEXIST);
}

export function common_read(): void {
  const path = frame_alloc(256);
  const who = frame_alloc(8);
  common_file(path);
  note(cs("common read"), path, cs(""));
  allow(cs("read"), path, read_contents(path, who), 0, ENOENT, ENOENT);
}

export function common_mkdir(): void {
  const path = frame_alloc(256);
  common_folder(path);
  note(cs("common mkdir"), path, cs(""));
  allow(cs("mkdir"), path, error_of(mkdir(path, 0x1ff)), 0, ENOENT, EEXIST);
}

export function common_rmdir(): void {
  const path = frame_alloc(256);
  common_folder(path);
  note(cs("common rmdir"), path, cs(""));
  allow(cs("rmdir"), path, error_of(rmdir(path)), 0, ENOENT, ENOTEMPTY);
}

/** Moves a common folder; EINVAL when that would put it below itself or somebody moves it, too. */
export function common_move(): void {
  const path = frame_alloc(256);
  const other = frame_alloc(256);
  common_folder(path);
  common_folder(other);
  note(cs("common move"), path, other);
  const error = error_of(rename(path, other));
  if (error != EINVAL) allow(cs("move"), path, error, 0, ENOENT, ENOTEMPTY);
}
