// The switch of the system calls, their argument counts and names.
//
// Made from kernel/syscalls.master by tools/kcc/syscalls.ts: change that table, not this file.
import { Proc } from "./sys/proc";
import { sys___sigreturn14 } from "./i386/sendsig";
import {
  sys___getlogin, sys_getegid, sys_geteuid, sys_getgid, sys_getgroups, sys_getuid, sys_issetugid, sys_setegid,
  sys_seteuid, sys_setgid, sys_setgroups, sys_setlogin, sys_setregid, sys_setreuid, sys_setuid,
} from "./kern_cred";
import { sys___fstat13, sys_close, sys_dup, sys_dup2, sys_fcntl } from "./kern_descrip";
import { sys_execve } from "./kern_exec";
import { sys_exit, sys_wait4 } from "./kern_exit";
import { sys___vfork14, sys_fork, sys_vfork } from "./kern_fork";
import { sys_getpgid, sys_getpgrp, sys_getpid, sys_getppid, sys_getsid, sys_setpgid, sys_setsid } from "./kern_prot";
import { sys_getpriority, sys_getrlimit, sys_getrusage, sys_setpriority, sys_setrlimit } from "./kern_resource";
import {
  sys___sigaction14, sys___sigaltstack14, sys___sigpending14, sys___sigprocmask14, sys___sigsuspend14, sys_kill,
} from "./kern_sig_calls";
import { sys___sysctl } from "./kern_sysctl";
import {
  sys_adjtime, sys_clock_getres, sys_clock_gettime, sys_clock_settime, sys_getitimer, sys_gettimeofday, sys_nanosleep,
  sys_setitimer, sys_settimeofday,
} from "./kern_time_calls";
import { sys_reboot } from "./kern_xxx";
import {
  sys___posix_chown, sys___posix_fchown, sys___posix_lchown, sys_chflags, sys_chmod, sys_chown, sys_fchflags,
  sys_fchmod, sys_fchown, sys_fpathconf, sys_futimes, sys_lchflags, sys_lchmod, sys_lchown, sys_lutimes, sys_pathconf,
  sys_utimes,
} from "./sys_attributes";
import {
  sys_fchdir, sys_fchroot, sys_fdatasync, sys_fstatfs, sys_fsync, sys_ftruncate, sys_getdents, sys_getfsstat,
  sys_lseek, sys_open,
} from "./sys_file";
import {
  sys_ioctl, sys_poll, sys_pread, sys_preadv, sys_pwrite, sys_pwritev, sys_read, sys_readv, sys_select, sys_write,
  sys_writev,
} from "./sys_generic";
import { sys_flock } from "./sys_lock";
import {
  sys___msync13, sys_break, sys_madvise, sys_mincore, sys_minherit, sys_mlock, sys_mlockall, sys_mmap, sys_mprotect,
  sys_munlock, sys_munlockall, sys_munmap,
} from "./sys_mmap";
import {
  sys___getcwd, sys___lstat13, sys___posix_rename, sys___stat13, sys_access, sys_chdir, sys_chroot, sys_link,
  sys_mkdir, sys_mkfifo, sys_mknod, sys_mount, sys_readlink, sys_rename, sys_revoke, sys_rmdir, sys_statfs,
  sys_symlink, sys_sync, sys_truncate, sys_umask, sys_unlink, sys_unmount,
} from "./sys_path";
import { sys_pipe } from "./sys_pipe";
import {
  SysAccessArgs, SysAdjtimeArgs, SysBreakArgs, SysChdirArgs, SysChflagsArgs, SysChmodArgs, SysChownArgs, SysChrootArgs,
  SysClock_getresArgs, SysClock_gettimeArgs, SysClock_settimeArgs, SysCloseArgs, SysDup2Args, SysDupArgs,
  SysExecveArgs, SysExitArgs, SysFchdirArgs, SysFchflagsArgs, SysFchmodArgs, SysFchownArgs, SysFchrootArgs,
  SysFcntlArgs, SysFdatasyncArgs, SysFlockArgs, SysFpathconfArgs, SysFstatfsArgs, SysFsyncArgs, SysFtruncateArgs,
  SysFutimesArgs, SysGetdentsArgs, SysGetfsstatArgs, SysGetgroupsArgs, SysGetitimerArgs, SysGetpgidArgs,
  SysGetpriorityArgs, SysGetrlimitArgs, SysGetrusageArgs, SysGetsidArgs, SysGettimeofdayArgs, SysIoctlArgs,
  SysKillArgs, SysLchflagsArgs, SysLchmodArgs, SysLchownArgs, SysLinkArgs, SysLseekArgs, SysLutimesArgs,
  SysMadviseArgs, SysMincoreArgs, SysMinheritArgs, SysMkdirArgs, SysMkfifoArgs, SysMknodArgs, SysMlockArgs,
  SysMlockallArgs, SysMmapArgs, SysMountArgs, SysMprotectArgs, SysMunlockArgs, SysMunmapArgs, SysNanosleepArgs,
  SysOpenArgs, SysPathconfArgs, SysPollArgs, SysPreadArgs, SysPreadvArgs, SysPwriteArgs, SysPwritevArgs, SysReadArgs,
  SysReadlinkArgs, SysReadvArgs, SysRebootArgs, SysRenameArgs, SysRevokeArgs, SysRmdirArgs, SysSelectArgs,
  SysSetegidArgs, SysSeteuidArgs, SysSetgidArgs, SysSetgroupsArgs, SysSetitimerArgs, SysSetloginArgs, SysSetpgidArgs,
  SysSetpriorityArgs, SysSetregidArgs, SysSetreuidArgs, SysSetrlimitArgs, SysSettimeofdayArgs, SysSetuidArgs,
  SysStatfsArgs, SysSymlinkArgs, SysTruncateArgs, SysUmaskArgs, SysUnlinkArgs, SysUnmountArgs, SysUtimesArgs,
  SysWait4Args, SysWriteArgs, SysWritevArgs, Sys__fstat13Args, Sys__getcwdArgs, Sys__getloginArgs, Sys__lstat13Args,
  Sys__msync13Args, Sys__posix_chownArgs, Sys__posix_fchownArgs, Sys__posix_lchownArgs, Sys__posix_renameArgs,
  Sys__sigaction14Args, Sys__sigaltstack14Args, Sys__sigpending14Args, Sys__sigprocmask14Args, Sys__sigreturn14Args,
  Sys__sigsuspend14Args, Sys__stat13Args, Sys__sysctlArgs,
} from "./syscallargs";

/** The highest number. */
const SYS_MAXSYSCALL: u32 = 305;

/** Words of arguments of each number; -1 for numbers without a call. */
const sysent_words: usize = memory.data<i8>([
  -1, 1, 0, 3, 3, 3, 1, 4, -1, 2, 1, -1, 1, 1, 3, 2, 3, 1, 3, -1,
  0, 4, 2, 1, 0, 0, -1, -1, -1, -1, -1, -1, -1, 2, 2, 2, 0, 2, -1, 0,
  -1, 1, 0, 0, -1, -1, -1, 0, -1, 2, 1, -1, -1, -1, 3, -1, 1, 2, 3, 3,
  1, 1, -1, -1, -1, -1, 0, -1, -1, -1, -1, -1, -1, 2, 3, 3, -1, -1, 3, 2,
  2, 0, 2, 3, -1, -1, 2, -1, -1, -1, 2, -1, 3, 5, -1, 1, 3, -1, -1, -1,
  2, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 2, 2, -1, -1,
  3, 3, 2, 3, 2, -1, 2, 2, 2, -1, -1, 2, 2, -1, -1, -1, 2, 1, 2, -1,
  2, -1, -1, -1, -1, -1, -1, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, 2, 2, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 6, 6, -1, -1, -1, -1, -1,
  -1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1, 2, 2, -1, 2, 2, -1, 8, -1, 5,
  4, 4, 6, 2, 2, -1, 2, 1, 2, 3, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 2, 2, 2, -1, -1, -1, -1, -1,
  2, 1, 1, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 2, -1, 3, 3, 2, 3, 2, 3, 2, 2,
  2, 2, 0, 3, 3, 3, 1, -1, -1, 6, 6, 3, 1, 3, 1, 1, 2, 1, -1, -1,
  -1, -1, -1, -1, 2, 0,
]);

/** Words of arguments that call `code` takes; -1 when there is no such call. */
export function syscall_words(code: u32): i32 {
  return code > SYS_MAXSYSCALL ? -1 : i32(load<i8>(sysent_words + code));
}

/** Calls the handler of `code`, which exists. `args`: its arguments; `retval`: two words for eax and edx. */
export function syscall_dispatch(code: u32, p: Proc, args: usize, retval: usize): i32 {
  switch (code) {
    case 1: return sys_exit(p, changetype<SysExitArgs>(args), retval);
    case 2: return sys_fork(p, retval);
    case 3: return sys_read(p, changetype<SysReadArgs>(args), retval);
    case 4: return sys_write(p, changetype<SysWriteArgs>(args), retval);
    case 5: return sys_open(p, changetype<SysOpenArgs>(args), retval);
    case 6: return sys_close(p, changetype<SysCloseArgs>(args), retval);
    case 7: return sys_wait4(p, changetype<SysWait4Args>(args), retval);
    case 9: return sys_link(p, changetype<SysLinkArgs>(args), retval);
    case 10: return sys_unlink(p, changetype<SysUnlinkArgs>(args), retval);
    case 12: return sys_chdir(p, changetype<SysChdirArgs>(args), retval);
    case 13: return sys_fchdir(p, changetype<SysFchdirArgs>(args), retval);
    case 14: return sys_mknod(p, changetype<SysMknodArgs>(args), retval);
    case 15: return sys_chmod(p, changetype<SysChmodArgs>(args), retval);
    case 16: return sys_chown(p, changetype<SysChownArgs>(args), retval);
    case 17: return sys_break(p, changetype<SysBreakArgs>(args), retval);
    case 18: return sys_getfsstat(p, changetype<SysGetfsstatArgs>(args), retval);
    case 20: return sys_getpid(p, retval);
    case 21: return sys_mount(p, changetype<SysMountArgs>(args), retval);
    case 22: return sys_unmount(p, changetype<SysUnmountArgs>(args), retval);
    case 23: return sys_setuid(p, changetype<SysSetuidArgs>(args), retval);
    case 24: return sys_getuid(p, retval);
    case 25: return sys_geteuid(p, retval);
    case 33: return sys_access(p, changetype<SysAccessArgs>(args), retval);
    case 34: return sys_chflags(p, changetype<SysChflagsArgs>(args), retval);
    case 35: return sys_fchflags(p, changetype<SysFchflagsArgs>(args), retval);
    case 36: return sys_sync(p, retval);
    case 37: return sys_kill(p, changetype<SysKillArgs>(args), retval);
    case 39: return sys_getppid(p, retval);
    case 41: return sys_dup(p, changetype<SysDupArgs>(args), retval);
    case 42: return sys_pipe(p, retval);
    case 43: return sys_getegid(p, retval);
    case 47: return sys_getgid(p, retval);
    case 49: return sys___getlogin(p, changetype<Sys__getloginArgs>(args), retval);
    case 50: return sys_setlogin(p, changetype<SysSetloginArgs>(args), retval);
    case 54: return sys_ioctl(p, changetype<SysIoctlArgs>(args), retval);
    case 56: return sys_revoke(p, changetype<SysRevokeArgs>(args), retval);
    case 57: return sys_symlink(p, changetype<SysSymlinkArgs>(args), retval);
    case 58: return sys_readlink(p, changetype<SysReadlinkArgs>(args), retval);
    case 59: return sys_execve(p, changetype<SysExecveArgs>(args), retval);
    case 60: return sys_umask(p, changetype<SysUmaskArgs>(args), retval);
    case 61: return sys_chroot(p, changetype<SysChrootArgs>(args), retval);
    case 66: return sys_vfork(p, retval);
    case 73: return sys_munmap(p, changetype<SysMunmapArgs>(args), retval);
    case 74: return sys_mprotect(p, changetype<SysMprotectArgs>(args), retval);
    case 75: return sys_madvise(p, changetype<SysMadviseArgs>(args), retval);
    case 78: return sys_mincore(p, changetype<SysMincoreArgs>(args), retval);
    case 79: return sys_getgroups(p, changetype<SysGetgroupsArgs>(args), retval);
    case 80: return sys_setgroups(p, changetype<SysSetgroupsArgs>(args), retval);
    case 81: return sys_getpgrp(p, retval);
    case 82: return sys_setpgid(p, changetype<SysSetpgidArgs>(args), retval);
    case 83: return sys_setitimer(p, changetype<SysSetitimerArgs>(args), retval);
    case 86: return sys_getitimer(p, changetype<SysGetitimerArgs>(args), retval);
    case 90: return sys_dup2(p, changetype<SysDup2Args>(args), retval);
    case 92: return sys_fcntl(p, changetype<SysFcntlArgs>(args), retval);
    case 93: return sys_select(p, changetype<SysSelectArgs>(args), retval);
    case 95: return sys_fsync(p, changetype<SysFsyncArgs>(args), retval);
    case 96: return sys_setpriority(p, changetype<SysSetpriorityArgs>(args), retval);
    case 100: return sys_getpriority(p, changetype<SysGetpriorityArgs>(args), retval);
    case 116: return sys_gettimeofday(p, changetype<SysGettimeofdayArgs>(args), retval);
    case 117: return sys_getrusage(p, changetype<SysGetrusageArgs>(args), retval);
    case 120: return sys_readv(p, changetype<SysReadvArgs>(args), retval);
    case 121: return sys_writev(p, changetype<SysWritevArgs>(args), retval);
    case 122: return sys_settimeofday(p, changetype<SysSettimeofdayArgs>(args), retval);
    case 123: return sys_fchown(p, changetype<SysFchownArgs>(args), retval);
    case 124: return sys_fchmod(p, changetype<SysFchmodArgs>(args), retval);
    case 126: return sys_setreuid(p, changetype<SysSetreuidArgs>(args), retval);
    case 127: return sys_setregid(p, changetype<SysSetregidArgs>(args), retval);
    case 128: return sys_rename(p, changetype<SysRenameArgs>(args), retval);
    case 131: return sys_flock(p, changetype<SysFlockArgs>(args), retval);
    case 132: return sys_mkfifo(p, changetype<SysMkfifoArgs>(args), retval);
    case 136: return sys_mkdir(p, changetype<SysMkdirArgs>(args), retval);
    case 137: return sys_rmdir(p, changetype<SysRmdirArgs>(args), retval);
    case 138: return sys_utimes(p, changetype<SysUtimesArgs>(args), retval);
    case 140: return sys_adjtime(p, changetype<SysAdjtimeArgs>(args), retval);
    case 147: return sys_setsid(p, retval);
    case 157: return sys_statfs(p, changetype<SysStatfsArgs>(args), retval);
    case 158: return sys_fstatfs(p, changetype<SysFstatfsArgs>(args), retval);
    case 173: return sys_pread(p, changetype<SysPreadArgs>(args), retval);
    case 174: return sys_pwrite(p, changetype<SysPwriteArgs>(args), retval);
    case 181: return sys_setgid(p, changetype<SysSetgidArgs>(args), retval);
    case 182: return sys_setegid(p, changetype<SysSetegidArgs>(args), retval);
    case 183: return sys_seteuid(p, changetype<SysSeteuidArgs>(args), retval);
    case 191: return sys_pathconf(p, changetype<SysPathconfArgs>(args), retval);
    case 192: return sys_fpathconf(p, changetype<SysFpathconfArgs>(args), retval);
    case 194: return sys_getrlimit(p, changetype<SysGetrlimitArgs>(args), retval);
    case 195: return sys_setrlimit(p, changetype<SysSetrlimitArgs>(args), retval);
    case 197: return sys_mmap(p, changetype<SysMmapArgs>(args), retval);
    case 199: return sys_lseek(p, changetype<SysLseekArgs>(args), retval);
    case 200: return sys_truncate(p, changetype<SysTruncateArgs>(args), retval);
    case 201: return sys_ftruncate(p, changetype<SysFtruncateArgs>(args), retval);
    case 202: return sys___sysctl(p, changetype<Sys__sysctlArgs>(args), retval);
    case 203: return sys_mlock(p, changetype<SysMlockArgs>(args), retval);
    case 204: return sys_munlock(p, changetype<SysMunlockArgs>(args), retval);
    case 206: return sys_futimes(p, changetype<SysFutimesArgs>(args), retval);
    case 207: return sys_getpgid(p, changetype<SysGetpgidArgs>(args), retval);
    case 208: return sys_reboot(p, changetype<SysRebootArgs>(args), retval);
    case 209: return sys_poll(p, changetype<SysPollArgs>(args), retval);
    case 232: return sys_clock_gettime(p, changetype<SysClock_gettimeArgs>(args), retval);
    case 233: return sys_clock_settime(p, changetype<SysClock_settimeArgs>(args), retval);
    case 234: return sys_clock_getres(p, changetype<SysClock_getresArgs>(args), retval);
    case 240: return sys_nanosleep(p, changetype<SysNanosleepArgs>(args), retval);
    case 241: return sys_fdatasync(p, changetype<SysFdatasyncArgs>(args), retval);
    case 242: return sys_mlockall(p, changetype<SysMlockallArgs>(args), retval);
    case 243: return sys_munlockall(p, retval);
    case 270: return sys___posix_rename(p, changetype<Sys__posix_renameArgs>(args), retval);
    case 272: return sys_getdents(p, changetype<SysGetdentsArgs>(args), retval);
    case 273: return sys_minherit(p, changetype<SysMinheritArgs>(args), retval);
    case 274: return sys_lchmod(p, changetype<SysLchmodArgs>(args), retval);
    case 275: return sys_lchown(p, changetype<SysLchownArgs>(args), retval);
    case 276: return sys_lutimes(p, changetype<SysLutimesArgs>(args), retval);
    case 277: return sys___msync13(p, changetype<Sys__msync13Args>(args), retval);
    case 278: return sys___stat13(p, changetype<Sys__stat13Args>(args), retval);
    case 279: return sys___fstat13(p, changetype<Sys__fstat13Args>(args), retval);
    case 280: return sys___lstat13(p, changetype<Sys__lstat13Args>(args), retval);
    case 281: return sys___sigaltstack14(p, changetype<Sys__sigaltstack14Args>(args), retval);
    case 282: return sys___vfork14(p, retval);
    case 283: return sys___posix_chown(p, changetype<Sys__posix_chownArgs>(args), retval);
    case 284: return sys___posix_fchown(p, changetype<Sys__posix_fchownArgs>(args), retval);
    case 285: return sys___posix_lchown(p, changetype<Sys__posix_lchownArgs>(args), retval);
    case 286: return sys_getsid(p, changetype<SysGetsidArgs>(args), retval);
    case 289: return sys_preadv(p, changetype<SysPreadvArgs>(args), retval);
    case 290: return sys_pwritev(p, changetype<SysPwritevArgs>(args), retval);
    case 291: return sys___sigaction14(p, changetype<Sys__sigaction14Args>(args), retval);
    case 292: return sys___sigpending14(p, changetype<Sys__sigpending14Args>(args), retval);
    case 293: return sys___sigprocmask14(p, changetype<Sys__sigprocmask14Args>(args), retval);
    case 294: return sys___sigsuspend14(p, changetype<Sys__sigsuspend14Args>(args), retval);
    case 295: return sys___sigreturn14(p, changetype<Sys__sigreturn14Args>(args), retval);
    case 296: return sys___getcwd(p, changetype<Sys__getcwdArgs>(args), retval);
    case 297: return sys_fchroot(p, changetype<SysFchrootArgs>(args), retval);
    case 304: return sys_lchflags(p, changetype<SysLchflagsArgs>(args), retval);
    case 305: return sys_issetugid(p, retval);
    default: return 78; // ENOSYS
  }
}

/** Name of call `code`; 0 when there is no such call. */
export function syscall_name(code: u32): usize {
  switch (code) {
    case 1: return cs("exit");
    case 2: return cs("fork");
    case 3: return cs("read");
    case 4: return cs("write");
    case 5: return cs("open");
    case 6: return cs("close");
    case 7: return cs("wait4");
    case 9: return cs("link");
    case 10: return cs("unlink");
    case 12: return cs("chdir");
    case 13: return cs("fchdir");
    case 14: return cs("mknod");
    case 15: return cs("chmod");
    case 16: return cs("chown");
    case 17: return cs("break");
    case 18: return cs("getfsstat");
    case 20: return cs("getpid");
    case 21: return cs("mount");
    case 22: return cs("unmount");
    case 23: return cs("setuid");
    case 24: return cs("getuid");
    case 25: return cs("geteuid");
    case 33: return cs("access");
    case 34: return cs("chflags");
    case 35: return cs("fchflags");
    case 36: return cs("sync");
    case 37: return cs("kill");
    case 39: return cs("getppid");
    case 41: return cs("dup");
    case 42: return cs("pipe");
    case 43: return cs("getegid");
    case 47: return cs("getgid");
    case 49: return cs("__getlogin");
    case 50: return cs("setlogin");
    case 54: return cs("ioctl");
    case 56: return cs("revoke");
    case 57: return cs("symlink");
    case 58: return cs("readlink");
    case 59: return cs("execve");
    case 60: return cs("umask");
    case 61: return cs("chroot");
    case 66: return cs("vfork");
    case 73: return cs("munmap");
    case 74: return cs("mprotect");
    case 75: return cs("madvise");
    case 78: return cs("mincore");
    case 79: return cs("getgroups");
    case 80: return cs("setgroups");
    case 81: return cs("getpgrp");
    case 82: return cs("setpgid");
    case 83: return cs("setitimer");
    case 86: return cs("getitimer");
    case 90: return cs("dup2");
    case 92: return cs("fcntl");
    case 93: return cs("select");
    case 95: return cs("fsync");
    case 96: return cs("setpriority");
    case 100: return cs("getpriority");
    case 116: return cs("gettimeofday");
    case 117: return cs("getrusage");
    case 120: return cs("readv");
    case 121: return cs("writev");
    case 122: return cs("settimeofday");
    case 123: return cs("fchown");
    case 124: return cs("fchmod");
    case 126: return cs("setreuid");
    case 127: return cs("setregid");
    case 128: return cs("rename");
    case 131: return cs("flock");
    case 132: return cs("mkfifo");
    case 136: return cs("mkdir");
    case 137: return cs("rmdir");
    case 138: return cs("utimes");
    case 140: return cs("adjtime");
    case 147: return cs("setsid");
    case 157: return cs("statfs");
    case 158: return cs("fstatfs");
    case 173: return cs("pread");
    case 174: return cs("pwrite");
    case 181: return cs("setgid");
    case 182: return cs("setegid");
    case 183: return cs("seteuid");
    case 191: return cs("pathconf");
    case 192: return cs("fpathconf");
    case 194: return cs("getrlimit");
    case 195: return cs("setrlimit");
    case 197: return cs("mmap");
    case 199: return cs("lseek");
    case 200: return cs("truncate");
    case 201: return cs("ftruncate");
    case 202: return cs("__sysctl");
    case 203: return cs("mlock");
    case 204: return cs("munlock");
    case 206: return cs("futimes");
    case 207: return cs("getpgid");
    case 208: return cs("reboot");
    case 209: return cs("poll");
    case 232: return cs("clock_gettime");
    case 233: return cs("clock_settime");
    case 234: return cs("clock_getres");
    case 240: return cs("nanosleep");
    case 241: return cs("fdatasync");
    case 242: return cs("mlockall");
    case 243: return cs("munlockall");
    case 270: return cs("__posix_rename");
    case 272: return cs("getdents");
    case 273: return cs("minherit");
    case 274: return cs("lchmod");
    case 275: return cs("lchown");
    case 276: return cs("lutimes");
    case 277: return cs("__msync13");
    case 278: return cs("__stat13");
    case 279: return cs("__fstat13");
    case 280: return cs("__lstat13");
    case 281: return cs("__sigaltstack14");
    case 282: return cs("__vfork14");
    case 283: return cs("__posix_chown");
    case 284: return cs("__posix_fchown");
    case 285: return cs("__posix_lchown");
    case 286: return cs("getsid");
    case 289: return cs("preadv");
    case 290: return cs("pwritev");
    case 291: return cs("__sigaction14");
    case 292: return cs("__sigpending14");
    case 293: return cs("__sigprocmask14");
    case 294: return cs("__sigsuspend14");
    case 295: return cs("__sigreturn14");
    case 296: return cs("__getcwd");
    case 297: return cs("fchroot");
    case 304: return cs("lchflags");
    case 305: return cs("issetugid");
    default: return 0;
  }
}
