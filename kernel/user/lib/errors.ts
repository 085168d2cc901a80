// Messages of programs: texts of error numbers, and the lines `program: what: why`.
import { eprintf, exit } from "./stdio";
import { errno } from "./sym";

/** Texts by number, one after the other, as NetBSD's strerror(3) has them. */
function error_texts(): usize {
  return cs(
    "Undefined error: 0\0Operation not permitted\0No such file or directory\0No such process\0" +
    "Interrupted system call\0Input/output error\0Device not configured\0Argument list too long\0" +
    "Exec format error\0Bad file descriptor\0No child processes\0Resource deadlock avoided\0" +
    "Cannot allocate memory\0Permission denied\0Bad address\0Block device required\0Device busy\0File exists\0" +
    "Cross-device link\0Operation not supported by device\0Not a directory\0Is a directory\0Invalid argument\0" +
    "Too many open files in system\0Too many open files\0Inappropriate ioctl for device\0Text file busy\0" +
    "File too large\0No space left on device\0Illegal seek\0Read-only file system\0Too many links\0Broken pipe\0" +
    "Numerical argument out of domain\0Result too large or too small\0Resource temporarily unavailable\0" +
    "Operation now in progress\0Operation already in progress\0Socket operation on non-socket\0" +
    "Destination address required\0Message too long\0Protocol wrong type for socket\0Protocol option not available\0" +
    "Protocol not supported\0Socket type not supported\0Operation not supported\0Protocol family not supported\0" +
    "Address family not supported by protocol family\0Address already in use\0Can't assign requested address\0" +
    "Network is down\0Network is unreachable\0Network dropped connection on reset\0" +
    "Software caused connection abort\0Connection reset by peer\0No buffer space available\0" +
    "Socket is already connected\0Socket is not connected\0Can't send after socket shutdown\0" +
    "Too many references: can't splice\0Operation timed out\0Connection refused\0" +
    "Too many levels of symbolic links\0File name too long\0Host is down\0No route to host\0Directory not empty\0" +
    "Too many processes\0Too many users\0Disc quota exceeded\0Stale NFS file handle\0" +
    "Too many levels of remote in path\0RPC struct is bad\0RPC version wrong\0RPC prog. not avail\0" +
    "Program version wrong\0Bad procedure for program\0No locks available\0Function not implemented\0" +
    "Inappropriate file type or format\0Authentication error\0Need authenticator\0Identifier removed\0" +
    "No message of desired type\0Value too large to be stored in data type\0",
  );
}
const LAST_ERROR: i32 = 84;

@unmanaged
class Messages {
  /** Name of the program, for its messages. */
  program: usize;
}
const messages = changetype<Messages>(memory.data(offsetof<Messages>()));

/** Text of an error number. */
export function strerror(number: i32): usize {
  if (number < 0 || number > LAST_ERROR) return cs("Unknown error");
  let at = error_texts();
  while (number > 0) {
    while (load<u8>(at) != 0) at++;
    at++;
    number--;
  }
  return at;
}

/** The error number of the last system call that failed. */
export function last_error(): i32 {
  return load<i32>(errno());
}

/** Makes `number` the error of the last call. */
export function set_error(number: i32): void {
  store<i32>(errno(), number);
}

/** Says under which name messages come. */
export function set_progname(name: usize): void {
  messages.program = name;
}

export function progname(): usize {
  return messages.program;
}

/** `program: what: text of errno` on the standard error. */
export function warn(what: usize): void {
  const number = last_error();
  eprintf(cs("%s: %s: %s\n"), messages.program, what, strerror(number));
}

/** `program: ` and a formatted line. */
export function warnx(fmt: usize, a0: u32 = 0, a1: u32 = 0, a2: u32 = 0, a3: u32 = 0): void {
  eprintf(cs("%s: "), messages.program);
  eprintf(fmt, a0, a1, a2, a3);
  eprintf(cs("\n"));
}

/** As warn; ends the program with `status`. */
export function err(status: i32, what: usize): void {
  warn(what);
  exit(status);
}

/** As warnx; ends the program with `status`. */
export function errx(status: i32, fmt: usize, a0: u32 = 0, a1: u32 = 0, a2: u32 = 0, a3: u32 = 0): void {
  warnx(fmt, a0, a1, a2, a3);
  exit(status);
}

/** `usage: text` and exit status 1. */
export function usage(text: usize): void {
  eprintf(cs("usage: %s\n"), text);
  exit(1);
}
