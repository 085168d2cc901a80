// The system calls as hostile makes them: what each argument means, and which errors the call may give.
//
// Letters of arguments:
//   d descriptor   p path   i address to read from   n length   f flags or a small number   s signal   P process
//   u user   w any word   q offset (two words)   0 padding   a address and l length of memory calls   o ioctl command
//   m mode   v device   y file system type   x data of mount   t command of fcntl
// Letters of addresses to write to, with the bytes that may change there:
//   S 96 (stat)  F 256 (statfs)  T 8  U 16  R 72 (rusage)  G 24 (sigaction)  K 12 (stack_t)  W 4
//   B as many as the next argument says   L 8 times the next argument   C as many as the argument before says, in words
//   V a 4096th of the argument before   * unknown
import { bss } from "../../../i386/cpufunc";
import { strncmp } from "../../../libkern";

/** Most calls in the table. */
const MAXROWS: u32 = 160;

@unmanaged
export class Call {
  number: u32;
  name: usize;
  kinds: usize;
  /** Bit e of these words: errno e is documented. */
  errors0: u32;
  errors1: u32;
  errors2: u32;
}

@unmanaged
class Calls {
  count: u32;
}
const calls = changetype<Calls>(memory.data(offsetof<Calls>()));

export function call_count(): u32 {
  return calls.count;
}

export function call_at(index: u32): Call {
  return changetype<Call>(bss(3840, 4) + index * offsetof<Call>());
}

/** Names by number from 1 on, one after the other, each with a NUL. */
function error_names(): usize {
  return cs(
    "EPERM\0ENOENT\0ESRCH\0EINTR\0EIO\0ENXIO\0E2BIG\0ENOEXEC\0EBADF\0ECHILD\0EDEADLK\0ENOMEM\0EACCES\0EFAULT\0" +
    "ENOTBLK\0EBUSY\0EEXIST\0EXDEV\0ENODEV\0ENOTDIR\0EISDIR\0EINVAL\0ENFILE\0EMFILE\0ENOTTY\0ETXTBSY\0EFBIG\0ENOSPC\0" +
    "ESPIPE\0EROFS\0EMLINK\0EPIPE\0EDOM\0ERANGE\0EAGAIN\0EINPROGRESS\0EALREADY\0ENOTSOCK\0EDESTADDRREQ\0EMSGSIZE\0" +
    "EPROTOTYPE\0ENOPROTOOPT\0EPROTONOSUPPORT\0ESOCKTNOSUPPORT\0EOPNOTSUPP\0EPFNOSUPPORT\0EAFNOSUPPORT\0EADDRINUSE\0" +
    "EADDRNOTAVAIL\0ENETDOWN\0ENETUNREACH\0ENETRESET\0ECONNABORTED\0ECONNRESET\0ENOBUFS\0EISCONN\0ENOTCONN\0" +
    "ESHUTDOWN\0ETOOMANYREFS\0ETIMEDOUT\0ECONNREFUSED\0ELOOP\0ENAMETOOLONG\0EHOSTDOWN\0EHOSTUNREACH\0ENOTEMPTY\0" +
    "EPROCLIM\0EUSERS\0EDQUOT\0ESTALE\0EREMOTE\0EBADRPC\0ERPCMISMATCH\0EPROGUNAVAIL\0EPROGMISMATCH\0EPROCUNAVAIL\0" +
    "ENOLCK\0ENOSYS\0EFTYPE\0EAUTH\0ENEEDAUTH\0EIDRM\0ENOMSG\0EOVERFLOW\0",
  );
}
const LAST_ERROR: i32 = 84;

/** What a path may come to, the letter P of the table. */
function path_errors(): usize {
  return cs("ENOENT ENOTDIR ENAMETOOLONG ELOOP EACCES EFAULT EIO");
}

/** What writing may come to, the letter W; EPERM is an append-only file. */
function write_errors(): usize {
  return cs("EBADF EFAULT EINVAL EAGAIN EINTR EIO EPIPE EFBIG ENOSPC EROFS EPERM");
}

/** The name of an error number. */
export function error_name(number: i32): usize {
  if (number < 1 || number > LAST_ERROR) return cs("an unknown error");
  let at = error_names();
  for (; number > 1; number--) {
    while (load<u8>(at) != 0) at++;
    at++;
  }
  return at;
}

/** The number of the error whose name is the `n` bytes at `name`. */
function error_number(name: usize, n: u32): i32 {
  let other = error_names();
  for (let number = 1; number <= LAST_ERROR; number++) {
    if (strncmp(name, other, n) == 0 && load<u8>(other + n) == 0) return number;
    while (load<u8>(other) != 0) other++;
    other++;
  }
  assert(false);
  return 0;
}

/** Adds the errors that `names` lists to the call's. */
function add_errors(call: Call, names: usize): void {
  while (load<u8>(names) != 0) {
    let n: u32 = 0;
    while (load<u8>(names + n) != 0 && load<u8>(names + n) != 0x20) n++;
    if (n == 1) add_errors(call, load<u8>(names) == 0x50 ? path_errors() : write_errors());
    else {
      const word = changetype<usize>(call) + offsetof<Call>("errors0") + ((error_number(names, n) >> 5) << 2);
      store<u32>(word, load<u32>(word) | (1 << (error_number(names, n) & 31)));
    }
    names += n;
    if (load<u8>(names) != 0) names++;
  }
}

/** May the call give this error? */
export function is_documented(call: Call, number: i32): bool {
  const word = changetype<usize>(call) + offsetof<Call>("errors0") + ((number >> 5) << 2);
  return number > 0 && number <= LAST_ERROR && (load<u32>(word) & (1 << (number & 31))) != 0;
}

/** One row of the table. */
function row(number: u32, name: usize, kinds: usize, errors: usize): void {
  assert(calls.count < MAXROWS);
  const call = call_at(calls.count++);
  call.number = number;
  call.name = name;
  call.kinds = kinds;
  add_errors(call, errors);
}

/** Fills the table. What is not in it: exit, reboot, and the calls that return twice (see child.ts). */
export function calls_init(): void {
  file_rows();
  path_rows();
  process_rows();
  memory_rows();
}

function file_rows(): void {
  row(3, cs("read"), cs("dBn"), cs("EBADF EFAULT EINVAL EISDIR EAGAIN EINTR EIO EFBIG"));
  row(4, cs("write"), cs("din"), cs("W"));
  row(5, cs("open"), cs("pfm"), cs("P EINVAL EISDIR EEXIST EMFILE ENFILE ENXIO EROFS EPERM ETXTBSY EFTYPE EOPNOTSUPP " +
    "ENOSPC EINTR EBUSY EAGAIN"));
  row(6, cs("close"), cs("d"), cs("EBADF EIO ENOSPC EINTR"));
  row(13, cs("fchdir"), cs("d"), cs("EBADF ENOTDIR EACCES EIO"));
  row(18, cs("getfsstat"), cs("Bnf"), cs("EFAULT EIO EINVAL"));
  row(35, cs("fchflags"), cs("df"), cs("EBADF EINVAL EPERM EROFS EIO EOPNOTSUPP"));
  row(41, cs("dup"), cs("d"), cs("EBADF EMFILE"));
  row(54, cs("ioctl"), cs("do*"), cs("EBADF EFAULT EINVAL ENOTTY ENODEV ENXIO EIO EPERM EAGAIN EBUSY EOPNOTSUPP"));
  row(90, cs("dup2"), cs("dd"), cs("EBADF EMFILE"));
  row(92, cs("fcntl"), cs("dtw"), cs("EBADF EINVAL EMFILE EFAULT EAGAIN EDEADLK EACCES ENOLCK EINTR ESRCH " +
    "EPERM ENOTTY"));
  row(93, cs("select"), cs("fUUUi"), cs("EBADF EFAULT EINVAL EINTR"));
  row(95, cs("fsync"), cs("d"), cs("EBADF EINVAL EIO ENOSPC"));
  row(120, cs("readv"), cs("d*n"), cs("EBADF EFAULT EINVAL EISDIR EAGAIN EINTR EIO EFBIG"));
  row(121, cs("writev"), cs("din"), cs("W"));
  row(123, cs("fchown"), cs("duu"), cs("EBADF EINVAL EPERM EROFS EIO"));
  row(124, cs("fchmod"), cs("dm"), cs("EBADF EINVAL EPERM EROFS EIO"));
  row(158, cs("fstatfs"), cs("dF"), cs("EBADF EINVAL EFAULT EIO"));
  row(173, cs("pread"), cs("dBn0q"), cs("EBADF EFAULT EINVAL EISDIR ESPIPE EAGAIN EINTR EIO EFBIG"));
  row(174, cs("pwrite"), cs("din0q"), cs("W ESPIPE"));
  row(199, cs("lseek"), cs("d0qf"), cs("EBADF EINVAL ESPIPE EIO"));
  row(201, cs("ftruncate"), cs("d0q"), cs("EBADF EINVAL EISDIR EFBIG ENOSPC EPERM EROFS EIO"));
  row(206, cs("futimes"), cs("di"), cs("EBADF EFAULT EINVAL EPERM EROFS EIO"));
  row(209, cs("poll"), cs("Lnf"), cs("EFAULT EINVAL EINTR"));
  row(241, cs("fdatasync"), cs("d"), cs("EBADF EINVAL EIO ENOSPC"));
  row(131, cs("flock"), cs("df"), cs("EBADF EINVAL EOPNOTSUPP EAGAIN EINTR ENOLCK ENOMEM EDEADLK"));
  row(192, cs("fpathconf"), cs("df"), cs("EBADF EINVAL EIO EOPNOTSUPP"));
  row(284, cs("__posix_fchown"), cs("duu"), cs("EBADF EINVAL EPERM EROFS EIO"));
  row(289, cs("preadv"), cs("d*n0q"), cs("EBADF EFAULT EINVAL EISDIR ESPIPE EAGAIN EINTR EIO EFBIG"));
  row(290, cs("pwritev"), cs("din0q"), cs("W ESPIPE"));
  row(297, cs("fchroot"), cs("d"), cs("EBADF ENOTDIR EACCES EPERM EIO EINVAL"));
  row(272, cs("getdents"), cs("dBn"), cs("EBADF EFAULT EINVAL EIO ENOTDIR ENOENT"));
  row(279, cs("__fstat13"), cs("dS"), cs("EBADF EFAULT EIO"));
}

function path_rows(): void {
  row(9, cs("link"), cs("pp"), cs("P EEXIST EPERM EXDEV EROFS ENOSPC EMLINK EISDIR EBUSY"));
  row(10, cs("unlink"), cs("p"), cs("P EPERM EBUSY EROFS EISDIR"));
  row(12, cs("chdir"), cs("p"), cs("P"));
  row(14, cs("mknod"), cs("pmv"), cs("P EEXIST EPERM EINVAL EROFS ENOSPC EISDIR"));
  row(15, cs("chmod"), cs("pm"), cs("P EPERM EROFS EINVAL"));
  row(16, cs("chown"), cs("puu"), cs("P EPERM EROFS EINVAL"));
  row(21, cs("mount"), cs("ypfx"), cs("P EPERM EINVAL EBUSY ENODEV ENXIO ENOTBLK EOPNOTSUPP ENOMEM EROFS EINTR"));
  row(22, cs("unmount"), cs("pf"), cs("P EPERM EINVAL EBUSY"));
  row(33, cs("access"), cs("pf"), cs("P EINVAL EROFS EPERM ETXTBSY"));
  row(34, cs("chflags"), cs("pf"), cs("P EPERM EROFS EINVAL EOPNOTSUPP"));
  row(36, cs("sync"), cs(""), cs(""));
  row(56, cs("revoke"), cs("p"), cs("P EINVAL EPERM"));
  row(57, cs("symlink"), cs("pp"), cs("P EEXIST EROFS ENOSPC EISDIR EPERM"));
  row(58, cs("readlink"), cs("pBn"), cs("P EINVAL"));
  row(59, cs("execve"), cs("pii"), cs("P ENOEXEC EPERM E2BIG ETXTBSY ENOMEM EISDIR"));
  row(60, cs("umask"), cs("m"), cs(""));
  row(61, cs("chroot"), cs("p"), cs("P EPERM"));
  row(128, cs("rename"), cs("pp"), cs("P EISDIR EINVAL ENOTEMPTY EEXIST EXDEV EROFS EPERM EBUSY ENOSPC EMLINK"));
  row(132, cs("mkfifo"), cs("pm"), cs("P EEXIST EPERM EROFS ENOSPC EISDIR"));
  row(191, cs("pathconf"), cs("pf"), cs("P EINVAL EOPNOTSUPP"));
  row(270, cs("__posix_rename"), cs("pp"), cs("P EISDIR EINVAL ENOTEMPTY EEXIST EXDEV EROFS EPERM EBUSY ENOSPC " +
    "EMLINK"));
  row(274, cs("lchmod"), cs("pm"), cs("P EPERM EROFS EINVAL"));
  row(275, cs("lchown"), cs("puu"), cs("P EPERM EROFS EINVAL"));
  row(276, cs("lutimes"), cs("pi"), cs("P EPERM EROFS EINVAL"));
  row(283, cs("__posix_chown"), cs("puu"), cs("P EPERM EROFS EINVAL"));
  row(285, cs("__posix_lchown"), cs("puu"), cs("P EPERM EROFS EINVAL"));
  row(304, cs("lchflags"), cs("pf"), cs("P EPERM EROFS EINVAL EOPNOTSUPP"));
  row(136, cs("mkdir"), cs("pm"), cs("P EEXIST EROFS ENOSPC EMLINK EISDIR EPERM"));
  row(137, cs("rmdir"), cs("p"), cs("P ENOTEMPTY EBUSY EINVAL EROFS EPERM EISDIR"));
  row(138, cs("utimes"), cs("pi"), cs("P EPERM EROFS EINVAL"));
  row(157, cs("statfs"), cs("pF"), cs("P"));
  row(200, cs("truncate"), cs("p0q"), cs("P EINVAL EISDIR EFBIG ENOSPC EPERM EROFS ETXTBSY"));
  row(278, cs("__stat13"), cs("pS"), cs("P"));
  row(280, cs("__lstat13"), cs("pS"), cs("P"));
  row(296, cs("__getcwd"), cs("Bn"), cs("EFAULT EINVAL ERANGE ENOENT EIO EACCES ENOTDIR"));
}

function process_rows(): void {
  row(7, cs("wait4"), cs("PWfR"), cs("ECHILD EINVAL EFAULT EINTR"));
  row(20, cs("getpid"), cs(""), cs(""));
  row(23, cs("setuid"), cs("u"), cs("EPERM EINVAL"));
  row(24, cs("getuid"), cs(""), cs(""));
  row(25, cs("geteuid"), cs(""), cs(""));
  row(37, cs("kill"), cs("Ps"), cs("EINVAL ESRCH EPERM"));
  row(39, cs("getppid"), cs(""), cs(""));
  row(42, cs("pipe"), cs(""), cs("EMFILE ENFILE"));
  row(43, cs("getegid"), cs(""), cs(""));
  row(47, cs("getgid"), cs(""), cs(""));
  row(79, cs("getgroups"), cs("nC"), cs("EFAULT EINVAL"));
  row(81, cs("getpgrp"), cs(""), cs(""));
  row(82, cs("setpgid"), cs("PP"), cs("ESRCH EPERM EACCES EINVAL"));
  row(83, cs("setitimer"), cs("fiU"), cs("EINVAL EFAULT"));
  row(86, cs("getitimer"), cs("fU"), cs("EINVAL EFAULT"));
  row(96, cs("setpriority"), cs("fPw"), cs("EINVAL ESRCH EPERM EACCES"));
  row(100, cs("getpriority"), cs("fP"), cs("EINVAL ESRCH"));
  row(116, cs("gettimeofday"), cs("TT"), cs("EFAULT"));
  row(117, cs("getrusage"), cs("fR"), cs("EINVAL EFAULT"));
  row(49, cs("__getlogin"), cs("Bn"), cs("EFAULT EINVAL ERANGE"));
  row(50, cs("setlogin"), cs("i"), cs("EFAULT EINVAL EPERM ENAMETOOLONG"));
  row(80, cs("setgroups"), cs("ni"), cs("EFAULT EINVAL EPERM"));
  row(122, cs("settimeofday"), cs("ii"), cs("EFAULT EINVAL EPERM"));
  row(126, cs("setreuid"), cs("uu"), cs("EPERM EINVAL"));
  row(127, cs("setregid"), cs("uu"), cs("EPERM EINVAL"));
  row(140, cs("adjtime"), cs("iT"), cs("EFAULT EINVAL EPERM"));
  row(233, cs("clock_settime"), cs("fi"), cs("EFAULT EINVAL EPERM"));
  row(147, cs("setsid"), cs(""), cs("EPERM"));
  row(181, cs("setgid"), cs("u"), cs("EPERM EINVAL"));
  row(182, cs("setegid"), cs("u"), cs("EPERM EINVAL"));
  row(183, cs("seteuid"), cs("u"), cs("EPERM EINVAL"));
  row(194, cs("getrlimit"), cs("fU"), cs("EINVAL EFAULT"));
  row(195, cs("setrlimit"), cs("fi"), cs("EINVAL EFAULT EPERM"));
  row(202, cs("__sysctl"), cs("in*Wzn"), cs("EFAULT EINVAL ENOMEM EOPNOTSUPP EPERM ENOTDIR EISDIR ENOENT ESRCH"));
  row(207, cs("getpgid"), cs("P"), cs("ESRCH"));
  row(232, cs("clock_gettime"), cs("fT"), cs("EINVAL EFAULT"));
  row(234, cs("clock_getres"), cs("fT"), cs("EINVAL EFAULT"));
  row(240, cs("nanosleep"), cs("iT"), cs("EINVAL EFAULT EINTR"));
  row(281, cs("__sigaltstack14"), cs("iK"), cs("EFAULT EINVAL ENOMEM EPERM"));
  row(286, cs("getsid"), cs("P"), cs("ESRCH EPERM"));
  row(291, cs("__sigaction14"), cs("siG"), cs("EFAULT EINVAL"));
  row(292, cs("__sigpending14"), cs("U"), cs("EFAULT"));
  row(293, cs("__sigprocmask14"), cs("fiU"), cs("EFAULT EINVAL"));
  row(294, cs("__sigsuspend14"), cs("i"), cs("EFAULT EINTR"));
  row(295, cs("__sigreturn14"), cs("i"), cs("EFAULT EINVAL"));
  row(305, cs("issetugid"), cs(""), cs(""));
}

function memory_rows(): void {
  row(17, cs("break"), cs("a"), cs("ENOMEM"));
  row(73, cs("munmap"), cs("al"), cs("EINVAL"));
  row(74, cs("mprotect"), cs("alf"), cs("EACCES EINVAL ENOMEM"));
  row(75, cs("madvise"), cs("alf"), cs("EINVAL ENOMEM EBUSY EIO"));
  row(78, cs("mincore"), cs("alV"), cs("EINVAL ENOMEM EFAULT"));
  row(197, cs("mmap"), cs("alffd0q"), cs("EACCES EBADF EINVAL ENODEV ENOMEM EAGAIN EOVERFLOW"));
  row(203, cs("mlock"), cs("al"), cs("EINVAL ENOMEM EAGAIN"));
  row(204, cs("munlock"), cs("al"), cs("EINVAL ENOMEM"));
  row(242, cs("mlockall"), cs("f"), cs("EINVAL ENOMEM EAGAIN"));
  row(243, cs("munlockall"), cs(""), cs("EINVAL ENOMEM"));
  row(273, cs("minherit"), cs("alf"), cs("EINVAL"));
  row(277, cs("__msync13"), cs("alf"), cs("EINVAL ENOMEM EBUSY EIO ENOSPC"));
}
