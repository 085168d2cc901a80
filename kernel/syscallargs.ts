// Arguments of the system calls as they lie on the user's stack.
//
// Made from kernel/syscalls.master by tools/kcc/syscalls.ts: change that table, not this file.

/** exit, 1. */
@unmanaged export class SysExitArgs {
  rval: i32;
}

/** read, 3. */
@unmanaged export class SysReadArgs {
  fd: i32;
  buf: usize;
  nbyte: u32;
}

/** write, 4. */
@unmanaged export class SysWriteArgs {
  fd: i32;
  buf: usize;
  nbyte: u32;
}

/** open, 5. */
@unmanaged export class SysOpenArgs {
  path: usize;
  flags: u32;
  mode: u32;
}

/** close, 6. */
@unmanaged export class SysCloseArgs {
  fd: i32;
}

/** wait4, 7. */
@unmanaged export class SysWait4Args {
  pid: i32;
  status: usize;
  options: i32;
  rusage: usize;
}

/** link, 9. */
@unmanaged export class SysLinkArgs {
  path: usize;
  link: usize;
}

/** unlink, 10. */
@unmanaged export class SysUnlinkArgs {
  path: usize;
}

/** chdir, 12. */
@unmanaged export class SysChdirArgs {
  path: usize;
}

/** fchdir, 13. */
@unmanaged export class SysFchdirArgs {
  fd: i32;
}

/** mknod, 14. */
@unmanaged export class SysMknodArgs {
  path: usize;
  mode: u32;
  dev: u32;
}

/** chmod, 15. */
@unmanaged export class SysChmodArgs {
  path: usize;
  mode: u32;
}

/** chown, 16. */
@unmanaged export class SysChownArgs {
  path: usize;
  uid: u32;
  gid: u32;
}

/** break, 17. */
@unmanaged export class SysBreakArgs {
  nsize: usize;
}

/** getfsstat, 18. */
@unmanaged export class SysGetfsstatArgs {
  buf: usize;
  bufsize: u32;
  flags: i32;
}

/** mount, 21. */
@unmanaged export class SysMountArgs {
  type: usize;
  path: usize;
  flags: u32;
  data: usize;
}

/** unmount, 22. */
@unmanaged export class SysUnmountArgs {
  path: usize;
  flags: u32;
}

/** setuid, 23. */
@unmanaged export class SysSetuidArgs {
  uid: u32;
}

/** access, 33. */
@unmanaged export class SysAccessArgs {
  path: usize;
  flags: u32;
}

/** chflags, 34. */
@unmanaged export class SysChflagsArgs {
  path: usize;
  flags: u32;
}

/** fchflags, 35. */
@unmanaged export class SysFchflagsArgs {
  fd: i32;
  flags: u32;
}

/** kill, 37. */
@unmanaged export class SysKillArgs {
  pid: i32;
  signum: i32;
}

/** dup, 41. */
@unmanaged export class SysDupArgs {
  fd: i32;
}

/** __getlogin, 49. */
@unmanaged export class Sys__getloginArgs {
  namebuf: usize;
  namelen: u32;
}

/** setlogin, 50. */
@unmanaged export class SysSetloginArgs {
  namebuf: usize;
}

/** ioctl, 54. */
@unmanaged export class SysIoctlArgs {
  fd: i32;
  com: u32;
  data: usize;
}

/** revoke, 56. */
@unmanaged export class SysRevokeArgs {
  path: usize;
}

/** symlink, 57. */
@unmanaged export class SysSymlinkArgs {
  path: usize;
  link: usize;
}

/** readlink, 58. */
@unmanaged export class SysReadlinkArgs {
  path: usize;
  buf: usize;
  count: u32;
}

/** execve, 59. */
@unmanaged export class SysExecveArgs {
  path: usize;
  argp: usize;
  envp: usize;
}

/** umask, 60. */
@unmanaged export class SysUmaskArgs {
  newmask: u32;
}

/** chroot, 61. */
@unmanaged export class SysChrootArgs {
  path: usize;
}

/** munmap, 73. */
@unmanaged export class SysMunmapArgs {
  addr: usize;
  len: u32;
}

/** mprotect, 74. */
@unmanaged export class SysMprotectArgs {
  addr: usize;
  len: u32;
  prot: u32;
}

/** madvise, 75. */
@unmanaged export class SysMadviseArgs {
  addr: usize;
  len: u32;
  behav: u32;
}

/** mincore, 78. */
@unmanaged export class SysMincoreArgs {
  addr: usize;
  len: u32;
  vec: usize;
}

/** getgroups, 79. */
@unmanaged export class SysGetgroupsArgs {
  gidsetsize: u32;
  gidset: usize;
}

/** setgroups, 80. */
@unmanaged export class SysSetgroupsArgs {
  gidsetsize: u32;
  gidset: usize;
}

/** setpgid, 82. */
@unmanaged export class SysSetpgidArgs {
  pid: i32;
  pgid: i32;
}

/** setitimer, 83. */
@unmanaged export class SysSetitimerArgs {
  which: u32;
  itv: usize;
  oitv: usize;
}

/** getitimer, 86. */
@unmanaged export class SysGetitimerArgs {
  which: u32;
  itv: usize;
}

/** dup2, 90. */
@unmanaged export class SysDup2Args {
  from: i32;
  to: i32;
}

/** fcntl, 92. */
@unmanaged export class SysFcntlArgs {
  fd: i32;
  cmd: i32;
  arg: usize;
}

/** select, 93. */
@unmanaged export class SysSelectArgs {
  nd: i32;
  in: usize;
  ou: usize;
  ex: usize;
  tv: usize;
}

/** fsync, 95. */
@unmanaged export class SysFsyncArgs {
  fd: i32;
}

/** setpriority, 96. */
@unmanaged export class SysSetpriorityArgs {
  which: i32;
  who: i32;
  prio: i32;
}

/** getpriority, 100. */
@unmanaged export class SysGetpriorityArgs {
  which: i32;
  who: i32;
}

/** gettimeofday, 116. */
@unmanaged export class SysGettimeofdayArgs {
  tp: usize;
  tzp: usize;
}

/** getrusage, 117. */
@unmanaged export class SysGetrusageArgs {
  who: i32;
  rusage: usize;
}

/** readv, 120. */
@unmanaged export class SysReadvArgs {
  fd: i32;
  iovp: usize;
  iovcnt: u32;
}

/** writev, 121. */
@unmanaged export class SysWritevArgs {
  fd: i32;
  iovp: usize;
  iovcnt: u32;
}

/** settimeofday, 122. */
@unmanaged export class SysSettimeofdayArgs {
  tv: usize;
  tzp: usize;
}

/** fchown, 123. */
@unmanaged export class SysFchownArgs {
  fd: i32;
  uid: u32;
  gid: u32;
}

/** fchmod, 124. */
@unmanaged export class SysFchmodArgs {
  fd: i32;
  mode: u32;
}

/** setreuid, 126. */
@unmanaged export class SysSetreuidArgs {
  ruid: u32;
  euid: u32;
}

/** setregid, 127. */
@unmanaged export class SysSetregidArgs {
  rgid: u32;
  egid: u32;
}

/** rename, 128. */
@unmanaged export class SysRenameArgs {
  from: usize;
  to: usize;
}

/** flock, 131. */
@unmanaged export class SysFlockArgs {
  fd: i32;
  how: u32;
}

/** mkfifo, 132. */
@unmanaged export class SysMkfifoArgs {
  path: usize;
  mode: u32;
}

/** mkdir, 136. */
@unmanaged export class SysMkdirArgs {
  path: usize;
  mode: u32;
}

/** rmdir, 137. */
@unmanaged export class SysRmdirArgs {
  path: usize;
}

/** utimes, 138. */
@unmanaged export class SysUtimesArgs {
  path: usize;
  tptr: usize;
}

/** adjtime, 140. */
@unmanaged export class SysAdjtimeArgs {
  delta: usize;
  olddelta: usize;
}

/** statfs, 157. */
@unmanaged export class SysStatfsArgs {
  path: usize;
  buf: usize;
}

/** fstatfs, 158. */
@unmanaged export class SysFstatfsArgs {
  fd: i32;
  buf: usize;
}

/** pread, 173. */
@unmanaged export class SysPreadArgs {
  fd: i32;
  buf: usize;
  nbyte: u32;
  pad: i32;
  offset: i64;
}

/** pwrite, 174. */
@unmanaged export class SysPwriteArgs {
  fd: i32;
  buf: usize;
  nbyte: u32;
  pad: i32;
  offset: i64;
}

/** setgid, 181. */
@unmanaged export class SysSetgidArgs {
  gid: u32;
}

/** setegid, 182. */
@unmanaged export class SysSetegidArgs {
  egid: u32;
}

/** seteuid, 183. */
@unmanaged export class SysSeteuidArgs {
  euid: u32;
}

/** pathconf, 191. */
@unmanaged export class SysPathconfArgs {
  path: usize;
  name: u32;
}

/** fpathconf, 192. */
@unmanaged export class SysFpathconfArgs {
  fd: i32;
  name: u32;
}

/** getrlimit, 194. */
@unmanaged export class SysGetrlimitArgs {
  which: u32;
  rlp: usize;
}

/** setrlimit, 195. */
@unmanaged export class SysSetrlimitArgs {
  which: u32;
  rlp: usize;
}

/** mmap, 197. */
@unmanaged export class SysMmapArgs {
  addr: usize;
  len: u32;
  prot: u32;
  flags: u32;
  fd: i32;
  pad: i32;
  pos: i64;
}

/** lseek, 199. */
@unmanaged export class SysLseekArgs {
  fd: i32;
  pad: i32;
  offset: i64;
  whence: i32;
}

/** truncate, 200. */
@unmanaged export class SysTruncateArgs {
  path: usize;
  pad: i32;
  length: i64;
}

/** ftruncate, 201. */
@unmanaged export class SysFtruncateArgs {
  fd: i32;
  pad: i32;
  length: i64;
}

/** __sysctl, 202. */
@unmanaged export class Sys__sysctlArgs {
  name: usize;
  namelen: u32;
  old: usize;
  oldlenp: usize;
  new_: usize;
  newlen: u32;
}

/** mlock, 203. */
@unmanaged export class SysMlockArgs {
  addr: usize;
  len: u32;
}

/** munlock, 204. */
@unmanaged export class SysMunlockArgs {
  addr: usize;
  len: u32;
}

/** futimes, 206. */
@unmanaged export class SysFutimesArgs {
  fd: i32;
  tptr: usize;
}

/** getpgid, 207. */
@unmanaged export class SysGetpgidArgs {
  pid: i32;
}

/** reboot, 208. */
@unmanaged export class SysRebootArgs {
  opt: u32;
  bootstr: usize;
}

/** poll, 209. */
@unmanaged export class SysPollArgs {
  fds: usize;
  nfds: u32;
  timeout: i32;
}

/** clock_gettime, 232. */
@unmanaged export class SysClock_gettimeArgs {
  clock_id: i32;
  tp: usize;
}

/** clock_settime, 233. */
@unmanaged export class SysClock_settimeArgs {
  clock_id: i32;
  tp: usize;
}

/** clock_getres, 234. */
@unmanaged export class SysClock_getresArgs {
  clock_id: i32;
  tp: usize;
}

/** nanosleep, 240. */
@unmanaged export class SysNanosleepArgs {
  rqtp: usize;
  rmtp: usize;
}

/** fdatasync, 241. */
@unmanaged export class SysFdatasyncArgs {
  fd: i32;
}

/** mlockall, 242. */
@unmanaged export class SysMlockallArgs {
  flags: u32;
}

/** __posix_rename, 270. */
@unmanaged export class Sys__posix_renameArgs {
  from: usize;
  to: usize;
}

/** getdents, 272. */
@unmanaged export class SysGetdentsArgs {
  fd: i32;
  buf: usize;
  count: u32;
}

/** minherit, 273. */
@unmanaged export class SysMinheritArgs {
  addr: usize;
  len: u32;
  inherit: u32;
}

/** lchmod, 274. */
@unmanaged export class SysLchmodArgs {
  path: usize;
  mode: u32;
}

/** lchown, 275. */
@unmanaged export class SysLchownArgs {
  path: usize;
  uid: u32;
  gid: u32;
}

/** lutimes, 276. */
@unmanaged export class SysLutimesArgs {
  path: usize;
  tptr: usize;
}

/** __msync13, 277. */
@unmanaged export class Sys__msync13Args {
  addr: usize;
  len: u32;
  flags: u32;
}

/** __stat13, 278. */
@unmanaged export class Sys__stat13Args {
  path: usize;
  sb: usize;
}

/** __fstat13, 279. */
@unmanaged export class Sys__fstat13Args {
  fd: i32;
  sb: usize;
}

/** __lstat13, 280. */
@unmanaged export class Sys__lstat13Args {
  path: usize;
  sb: usize;
}

/** __sigaltstack14, 281. */
@unmanaged export class Sys__sigaltstack14Args {
  nss: usize;
  oss: usize;
}

/** __posix_chown, 283. */
@unmanaged export class Sys__posix_chownArgs {
  path: usize;
  uid: u32;
  gid: u32;
}

/** __posix_fchown, 284. */
@unmanaged export class Sys__posix_fchownArgs {
  fd: i32;
  uid: u32;
  gid: u32;
}

/** __posix_lchown, 285. */
@unmanaged export class Sys__posix_lchownArgs {
  path: usize;
  uid: u32;
  gid: u32;
}

/** getsid, 286. */
@unmanaged export class SysGetsidArgs {
  pid: i32;
}

/** preadv, 289. */
@unmanaged export class SysPreadvArgs {
  fd: i32;
  iovp: usize;
  iovcnt: u32;
  pad: i32;
  offset: i64;
}

/** pwritev, 290. */
@unmanaged export class SysPwritevArgs {
  fd: i32;
  iovp: usize;
  iovcnt: u32;
  pad: i32;
  offset: i64;
}

/** __sigaction14, 291. */
@unmanaged export class Sys__sigaction14Args {
  signum: i32;
  nsa: usize;
  osa: usize;
}

/** __sigpending14, 292. */
@unmanaged export class Sys__sigpending14Args {
  set: usize;
}

/** __sigprocmask14, 293. */
@unmanaged export class Sys__sigprocmask14Args {
  how: i32;
  set: usize;
  oset: usize;
}

/** __sigsuspend14, 294. */
@unmanaged export class Sys__sigsuspend14Args {
  set: usize;
}

/** __sigreturn14, 295. */
@unmanaged export class Sys__sigreturn14Args {
  sigcntxp: usize;
}

/** __getcwd, 296. */
@unmanaged export class Sys__getcwdArgs {
  buf: usize;
  length: u32;
}

/** fchroot, 297. */
@unmanaged export class SysFchrootArgs {
  fd: i32;
}

/** lchflags, 304. */
@unmanaged export class SysLchflagsArgs {
  path: usize;
  flags: u32;
}
