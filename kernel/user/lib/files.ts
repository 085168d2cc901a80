// Files as programs see them: struct stat, modes, flags, directories, paths.
import { strcpy, strlen } from "../../libkern";
import { set_error } from "./errors";
import { free, malloc, strrchr, zalloc } from "./stdlib";
import { close, getdents, open } from "./syscalls";

export const O_RDONLY: u32 = 0;
export const O_WRONLY: u32 = 1;
export const O_RDWR: u32 = 2;
export const O_APPEND: u32 = 8;
export const O_CREAT: u32 = 0x200;
export const O_TRUNC: u32 = 0x400;
export const O_EXCL: u32 = 0x800;

export const S_IFMT: u32 = 0xf000;
export const S_IFIFO: u32 = 0x1000;
export const S_IFCHR: u32 = 0x2000;
export const S_IFDIR: u32 = 0x4000;
export const S_IFBLK: u32 = 0x6000;
export const S_IFREG: u32 = 0x8000;
export const S_IFLNK: u32 = 0xa000;
export const S_IFSOCK: u32 = 0xc000;

/** struct stat of the 13 calls; 64-bit members are halves, since the ABI aligns them to 4. */
@unmanaged
export class Stat {
  st_dev: u32;
  st_ino: u32;
  st_mode: u32;
  st_nlink: u32;
  st_uid: u32;
  st_gid: u32;
  st_rdev: u32;
  st_atime: i32;
  st_atimensec: u32;
  st_mtime: i32;
  st_mtimensec: u32;
  st_ctime: i32;
  st_ctimensec: u32;
  st_size_low: u32;
  st_size_high: u32;
  st_blocks_low: u32;
  st_blocks_high: u32;
  st_blksize: u32;
  st_flags: u32;
  st_gen: u32;
  st_spare0: u32;
  st_spare1: u32;
  st_spare2: u32;
  st_spare3: u32;

  @inline get size(): u64 { return (u64(this.st_size_high) << 32) | this.st_size_low; }
  @inline get type(): u32 { return this.st_mode & 0xf000; }
}
export const SIZEOF_STAT: u32 = 96;

/** struct statfs. */
@unmanaged
export class Statfs {
  f_type: u16;
  f_oflags: u16;
  f_bsize: u32;
  f_iosize: u32;
  f_blocks: u32;
  f_bfree: u32;
  f_bavail: i32;
  f_files: u32;
  f_ffree: u32;
  f_fsid0: u32;
  f_fsid1: u32;
  f_owner: u32;
  f_flags: u32;

  @inline get typename(): usize { return changetype<usize>(this) + 60; }
  @inline get mntonname(): usize { return changetype<usize>(this) + 76; }
  @inline get mntfromname(): usize { return changetype<usize>(this) + 166; }
}
export const SIZEOF_STATFS: u32 = 256;

/** struct dirent of getdents; the name follows. */
@unmanaged
export class Dirent {
  d_fileno: u32;
  d_reclen: u16;
  d_type: u8;
  d_namlen: u8;

  @inline get name(): usize { return changetype<usize>(this) + 8; }
}

const DIR_BUFFER: u32 = 4096;
/** Bytes of an entry before the name. */
const DIRENT_HEAD: u32 = 8;
const EINVAL: i32 = 22;

/** An open directory. */
@unmanaged
export class Dir {
  dd_fd: i32;
  dd_size: i32;
  dd_loc: i32;
  dd_error: i32;
  dd_buf: usize;
}

/** Opens a directory; 0 with errno set when that fails. */
export function opendir(path: usize): Dir {
  const fd = open(path, O_RDONLY, 0);
  if (fd < 0) return changetype<Dir>(0);
  const dir = changetype<Dir>(zalloc(offsetof<Dir>()));
  dir.dd_fd = fd;
  dir.dd_buf = malloc(DIR_BUFFER);
  // What is no directory shows it now, not at the first entry.
  dir.dd_size = getdents(fd, dir.dd_buf, DIR_BUFFER);
  if (dir.dd_size >= 0) return dir;
  closedir(dir);
  return changetype<Dir>(0);
}

/** Whether what a folder holds at this place is an entry: `left` bytes of the buffer remain. */
function is_entry(entry: Dirent, left: u32): bool {
  const length = u32(entry.d_reclen);
  if (left < DIRENT_HEAD || length < DIRENT_HEAD || length > left || (length & 3) != 0) return false;
  if (entry.d_fileno == 0) return true;
  const name = u32(entry.d_namlen);
  return name != 0 && DIRENT_HEAD + name < length && strlen(entry.name) == name;
}

/** The next entry, `.` and `..` among them, or 0 at the end; or with dd_error and errno set, for what is no folder. */
export function readdir(dir: Dir): Dirent {
  while (true) {
    if (dir.dd_loc >= dir.dd_size) {
      if (dir.dd_size <= 0) return changetype<Dirent>(0);
      dir.dd_size = getdents(dir.dd_fd, dir.dd_buf, DIR_BUFFER);
      dir.dd_loc = 0;
      if (dir.dd_size < 0) dir.dd_error = 1;
      continue;
    }
    const entry = changetype<Dirent>(dir.dd_buf + dir.dd_loc);
    if (!is_entry(entry, u32(dir.dd_size - dir.dd_loc))) {
      dir.dd_error = 1;
      set_error(EINVAL);
      return changetype<Dirent>(0);
    }
    dir.dd_loc += entry.d_reclen;
    if (entry.d_fileno != 0) return entry;
  }
}

export function closedir(dir: Dir): void {
  close(dir.dd_fd);
  free(dir.dd_buf);
  free(changetype<usize>(dir));
}

/** Whether a name is `.` or `..`. */
export function is_dot(name: usize): bool {
  if (load<u8>(name) != 0x2e) return false;
  return load<u8>(name + 1) == 0 || (load<u8>(name + 1) == 0x2e && load<u8>(name + 2) == 0);
}

/** A sorted list of the names in a directory. */
@unmanaged
export class Names {
  count: u32;
  /** Words: addresses of names. */
  list: usize;
}

/** `folder/name` in memory of its own. */
export function join_path(folder: usize, name: usize): usize {
  const n = strlen(folder);
  const path = malloc(n + strlen(name) + 2);
  strcpy(path, folder);
  const slash = n > 0 && load<u8>(folder + n - 1) != 0x2f;
  if (slash) store<u8>(path + n, 0x2f);
  strcpy(path + n + (slash ? 1 : 0), name);
  return path;
}

/** The part of a path behind its last slash; trailing slashes do not count. */
export function base_name(path: usize): usize {
  let end = path + strlen(path);
  while (end > path + 1 && load<u8>(end - 1) == 0x2f) store<u8>(--end, 0);
  const slash = strrchr(path, 0x2f);
  return slash == 0 || load<u8>(slash + 1) == 0 ? path : slash + 1;
}

/** Writes `-rwxr-xr-x` for a mode to `out` (11 bytes with the NUL). */
export function strmode(mode: u32, out: usize): void {
  const type = mode & S_IFMT;
  const letter: u32 = type == S_IFDIR ? 0x64 : type == S_IFCHR ? 0x63 : type == S_IFBLK ? 0x62 : type == S_IFLNK ? 0x6c
    : type == S_IFIFO ? 0x70 : type == S_IFSOCK ? 0x73 : 0x2d;
  store<u8>(out, letter);
  const letters = cs("rwxrwxrwx");
  for (let i: u32 = 0; i < 9; i++) {
    store<u8>(out + 1 + i, (mode & (0x100 >> i)) != 0 ? load<u8>(letters + i) : 0x2d);
  }
  if ((mode & 0x800) != 0) store<u8>(out + 3, (mode & 0x40) != 0 ? 0x73 : 0x53);
  if ((mode & 0x400) != 0) store<u8>(out + 6, (mode & 0x8) != 0 ? 0x73 : 0x53);
  if ((mode & 0x200) != 0) store<u8>(out + 9, (mode & 0x1) != 0 ? 0x74 : 0x54);
  store<u8>(out + 10, 0);
}
