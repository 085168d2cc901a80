// Descriptors: small numbers that mean open files.
//
//   Filedesc: fd_ofiles[MAXFILES] (addresses of File, 0 = free), fd_ofileflags[MAXFILES] (bytes)
import { frame_alloc } from "./i386/cpufunc";
import { copyout } from "./i386/support";
import { free, malloc } from "./kern_malloc";
import { MAXFILES, RLIMIT_NOFILE, limit_of } from "./kern_resource";
import { memcpy } from "./libkern";
import { Pool, PR_WAITOK, pool_get, pool_init, pool_put } from "./subr_pool";
import { F_GETLK, F_SETLKW, fcntl_lock, unlock_file, unlock_process } from "./sys_lock";
import { EBADF, EINVAL, EMFILE } from "./sys/errno";
import { File, SIZEOF_FILE } from "./sys/file";
import { M_FILE, M_FILEDESC, M_WAITOK } from "./sys/malloc";
import { Proc } from "./sys/proc";
import { SysCloseArgs, SysDup2Args, SysDupArgs, SysFcntlArgs, Sys__fstat13Args } from "./syscallargs";
import { O_APPEND, O_NONBLOCK } from "../fs/fcntl";
import { Stat } from "../fs/stat";

/** In fd_ofileflags: closed by exec. */
const UF_EXCLOSE: u32 = 1;
const SIZEOF_FILEDESC: u32 = 128 * 5;
const SIZEOF_STAT: u32 = 96;

const F_DUPFD: i32 = 0;
const F_GETFD: i32 = 1;
const F_SETFD: i32 = 2;
const F_GETFL: i32 = 3;
const F_SETFL: i32 = 4;
/** What F_SETFL may change. */
const FCNTLFLAGS: u32 = O_APPEND | O_NONBLOCK | 0x40;

const file_pool = changetype<Pool>(memory.data(offsetof<Pool>(), 4));

/** Makes the pool of open files. */
export function file_init(): void {
  pool_init(file_pool, SIZEOF_FILE, 8, 0, 0, cs("filepl"), 0, 0, 0, M_FILE);
}

/** Number of open files, each counted once. */
export function open_files(): u32 {
  return file_pool.pr_nout;
}

/** Gives a process an empty descriptor table. => may sleep */
export function fdinit(p: Proc): void {
  p.p_fd = malloc(SIZEOF_FILEDESC, M_FILEDESC, M_WAITOK);
  memory.fill(p.p_fd, 0, SIZEOF_FILEDESC);
}

/** A copy of the process's table for a child: every file has one user more. => may sleep */
export function fdcopy(p: Proc): usize {
  const copy = malloc(SIZEOF_FILEDESC, M_FILEDESC, M_WAITOK);
  memcpy(copy, p.p_fd, SIZEOF_FILEDESC);
  for (let fd: u32 = 0; fd < MAXFILES; fd++) {
    const fp = load<usize>(copy + fd * 4);
    if (fp != 0) changetype<File>(fp).f_count++;
  }
  return copy;
}

function flags_address(p: Proc, fd: u32): usize {
  return p.p_fd + MAXFILES * 4 + fd;
}

/** Closes everything and frees the table. => may sleep */
export function fdfree(p: Proc): void {
  if (p.p_fd == 0) return;
  for (let fd: u32 = 0; fd < MAXFILES; fd++) fdrelease(p, fd);
  free(p.p_fd, M_FILEDESC);
  p.p_fd = 0;
}

/** exec: closes what is marked so. => may sleep */
export function fdcloseexec(p: Proc): void {
  for (let fd: u32 = 0; fd < MAXFILES; fd++) {
    if ((load<u8>(flags_address(p, fd)) & UF_EXCLOSE) != 0) fdrelease(p, fd);
  }
}

/** The open file of a descriptor that allows what `mode` says (FREAD, FWRITE, 0), or NULL. */
export function fd_getfile(p: Proc, fd: i32, mode: u32): File {
  if (u32(fd) >= MAXFILES) return changetype<File>(0);
  const fp = changetype<File>(load<usize>(p.p_fd + u32(fd) * 4));
  if (changetype<usize>(fp) != 0 && (fp.f_flag & mode) != mode) return changetype<File>(0);
  return fp;
}

/** The lowest free descriptor from `want` on; to the word at `result`. => 0 or EMFILE */
function fdalloc(p: Proc, want: u32, result: usize): i32 {
  let limit = limit_of(p, RLIMIT_NOFILE);
  if (limit > MAXFILES) limit = MAXFILES;
  for (let fd = want; fd < limit; fd++) {
    if (load<usize>(p.p_fd + fd * 4) != 0) continue;
    store<u8>(flags_address(p, fd), 0);
    store<u32>(result, fd);
    return 0;
  }
  return EMFILE;
}

/**
 * A new open file with one user and the lowest free descriptor; the File goes to `resultfp`, the number to
 * `resultfd`. The caller fills it in. => 0 or EMFILE; may sleep
 */
export function falloc(p: Proc, resultfp: usize, resultfd: usize): i32 {
  const error = fdalloc(p, 0, resultfd);
  if (error != 0) return error;
  const fp = changetype<File>(pool_get(file_pool, PR_WAITOK));
  memory.fill(changetype<usize>(fp), 0, SIZEOF_FILE);
  fp.f_count = 1;
  store<usize>(p.p_fd + load<u32>(resultfd) * 4, changetype<usize>(fp));
  store<usize>(resultfp, changetype<usize>(fp));
  return 0;
}

/** Gives up a File of falloc whose opening failed. */
export function ffree(p: Proc, fp: File, fd: u32): void {
  store<usize>(p.p_fd + fd * 4, 0);
  pool_put(file_pool, changetype<usize>(fp));
}

/** Keeps a file open during a call that may sleep; closef ends it. */
export function FILE_USE(fp: File): void {
  fp.f_count++;
}

/** One user less; the last one closes the file. => may sleep */
export function closef(fp: File, p: Proc): i32 {
  fp.f_count--;
  if (fp.f_count > 0) return 0;
  unlock_file(fp);
  const error = changetype<usize>(fp.f_ops) != 0 ? fp.f_ops.close(fp, p) : 0;
  pool_put(file_pool, changetype<usize>(fp));
  return error;
}

/** Closes a descriptor. => 0, EBADF, or the error of the close */
export function fdrelease(p: Proc, fd: u32): i32 {
  if (fd >= MAXFILES) return EBADF;
  const fp = load<usize>(p.p_fd + fd * 4);
  if (fp == 0) return EBADF;
  store<usize>(p.p_fd + fd * 4, 0);
  store<u8>(flags_address(p, fd), 0);
  unlock_process(p, changetype<File>(fp));
  return closef(changetype<File>(fp), p);
}

export function sys_close(p: Proc, uap: SysCloseArgs, retval: usize): i32 {
  return fdrelease(p, u32(uap.fd));
}

/** Makes descriptor `to` mean what `fp` is. */
function finishdup(p: Proc, fp: File, to: u32, retval: usize): i32 {
  fp.f_count++;
  store<usize>(p.p_fd + to * 4, changetype<usize>(fp));
  store<u8>(flags_address(p, to), 0);
  store<u32>(retval, to);
  return 0;
}

export function sys_dup(p: Proc, uap: SysDupArgs, retval: usize): i32 {
  const fp = fd_getfile(p, uap.fd, 0);
  if (changetype<usize>(fp) == 0) return EBADF;
  const fd = frame_alloc(4);
  const error = fdalloc(p, 0, fd);
  return error != 0 ? error : finishdup(p, fp, load<u32>(fd), retval);
}

export function sys_dup2(p: Proc, uap: SysDup2Args, retval: usize): i32 {
  const fp = fd_getfile(p, uap.from, 0);
  if (changetype<usize>(fp) == 0 || u32(uap.to) >= MAXFILES || u32(uap.to) >= limit_of(p, RLIMIT_NOFILE)) return EBADF;
  if (uap.from == uap.to) {
    store<i32>(retval, uap.to);
    return 0;
  }
  // The file must survive even if closing the old one sleeps.
  fp.f_count++;
  fdrelease(p, u32(uap.to));
  fp.f_count--;
  return finishdup(p, fp, u32(uap.to), retval);
}

export function sys_fcntl(p: Proc, uap: SysFcntlArgs, retval: usize): i32 {
  const fp = fd_getfile(p, uap.fd, 0);
  if (changetype<usize>(fp) == 0) return EBADF;
  const flags = flags_address(p, u32(uap.fd));
  if (uap.cmd == F_DUPFD) {
    if (uap.arg >= MAXFILES || uap.arg >= limit_of(p, RLIMIT_NOFILE)) return EINVAL;
    const fd = frame_alloc(4);
    const error = fdalloc(p, uap.arg, fd);
    return error != 0 ? error : finishdup(p, fp, load<u32>(fd), retval);
  }
  if (uap.cmd == F_GETFD) store<u32>(retval, load<u8>(flags) & UF_EXCLOSE);
  else if (uap.cmd == F_SETFD) store<u8>(flags, uap.arg & UF_EXCLOSE);
  else if (uap.cmd == F_GETFL) store<u32>(retval, fp.f_flag - 1);
  else if (uap.cmd >= F_GETLK && uap.cmd <= F_SETLKW) return fcntl_lock(p, fp, uap.cmd, uap.arg);
  else if (uap.cmd == F_SETFL) fp.f_flag = (fp.f_flag & ~FCNTLFLAGS) | (uap.arg & FCNTLFLAGS);
  else return EINVAL;
  return 0;
}

export function sys___fstat13(p: Proc, uap: Sys__fstat13Args, retval: usize): i32 {
  const fp = fd_getfile(p, uap.fd, 0);
  if (changetype<usize>(fp) == 0) return EBADF;
  const sb = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const error = fp.f_ops.stat(fp, sb, p);
  return error != 0 ? error : copyout(changetype<usize>(sb), uap.sb, SIZEOF_STAT);
}
