// Redirections of commands. For commands that run in the shell itself the old
// descriptors are put aside and come back afterwards.
import { frame_alloc } from "../../../i386/cpufunc";
import { strcmp, strlen } from "../../../libkern";
import { last_error, strerror } from "../../lib/errors";
import { O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY, SIZEOF_STAT, S_IFREG, Stat } from "../../lib/files";
import { eprintf, write_all } from "../../lib/stdio";
import { atoi, is_number } from "../../lib/stdlib";
import { __stat13, _exit, close, dup2, fcntl, fork, open, pipe } from "../../lib/syscalls";
import { expand_here, expand_string } from "./expand";
import { alloc, sh } from "./state";
import { R_APPEND, R_CLOBBER, R_DUP_IN, R_DUP_OUT, R_HERE, R_IN, R_OUT, Redirection } from "./tree";

const EEXIST: i32 = 17;
const F_DUPFD: i32 = 0;
const F_SETFD: i32 = 2;
/** Descriptors that the shell keeps for itself begin here. */
const FIRST_SAVED: usize = 10;
/** A pipe takes so much without a reader. */
const PIPE_ROOM: u32 = 4096;

/** A descriptor and its copy (-1: it was closed). */
@unmanaged
class Copy {
  next: usize;
  fd: i32;
  copy: i32;
}

/** Saved descriptors of one command, the last one first; they are in the arena. */
@unmanaged
export class Saved {
  first: usize;
}
/** For redirections that stay. */
export const NO_SAVING = changetype<Saved>(0);

/** Puts descriptor `fd` aside, so that it survives programs started meanwhile only here. */
function put_aside(saved: Saved, fd: i32): void {
  const one = changetype<Copy>(alloc(offsetof<Copy>()));
  one.fd = fd;
  one.copy = fcntl(fd, F_DUPFD, FIRST_SAVED);
  if (one.copy >= 0) fcntl(one.copy, F_SETFD, 1);
  one.next = saved.first;
  saved.first = changetype<usize>(one);
}

/** Undoes redirections, the last one first. */
export function restore_descriptors(saved: Saved): void {
  while (saved.first != 0) {
    const one = changetype<Copy>(saved.first);
    saved.first = one.next;
    if (one.copy < 0) close(one.fd);
    else {
      dup2(one.copy, one.fd);
      close(one.copy);
    }
  }
}

/** A descriptor from which the contents of a here-document can be read, or -1. */
function open_here(r: Redirection): i32 {
  const text = r.literal != 0 ? r.word : expand_here(r.word);
  const fds = frame_alloc(8);
  if (sh.failed != 0 || pipe(fds) != 0) return -1;
  const n = strlen(text);
  if (n <= PIPE_ROOM) write_all(load<i32>(fds, 4), text, n);
  else if (fork() == 0) {
    close(load<i32>(fds));
    _exit(write_all(load<i32>(fds, 4), text, n) == 0 ? 0 : 1);
  }
  close(load<i32>(fds, 4));
  return load<i32>(fds);
}

function open_flags(kind: u32): u32 {
  if (kind == R_IN) return O_RDONLY;
  if (kind == R_OUT || kind == R_CLOBBER) return O_WRONLY | O_CREAT | O_TRUNC;
  return kind == R_APPEND ? O_WRONLY | O_CREAT | O_APPEND : O_RDWR | O_CREAT;
}

/** -C: `>` does not overwrite a file. */
function protects(r: Redirection, path: usize): bool {
  if (sh.noclobber == 0 || r.kind != R_OUT) return false;
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  return __stat13(path, changetype<usize>(st)) == 0 && st.type == S_IFREG;
}

/** <&word, >&word. */
function duplicate(r: Redirection, word: usize): bool {
  if (strcmp(word, cs("-")) == 0) {
    close(r.fd);
    return true;
  }
  if (!is_number(word) || dup2(atoi(word), r.fd) < 0) {
    eprintf(cs("%s: %s: Bad file descriptor\n"), sh.arg0, word);
    return false;
  }
  return true;
}

function redirect(r: Redirection): bool {
  const word = r.kind == R_HERE ? r.word : expand_string(r.word);
  if (sh.failed != 0) return false;
  if (r.kind == R_DUP_IN || r.kind == R_DUP_OUT) return duplicate(r, word);
  if (protects(r, word)) {
    eprintf(cs("%s: cannot create %s: %s\n"), sh.arg0, word, strerror(EEXIST));
    return false;
  }
  const fd = r.kind == R_HERE ? open_here(r) : open(word, open_flags(r.kind), 0x1b6);
  if (fd < 0) {
    if (r.kind == R_HERE) return false;
    const creates = r.kind != R_IN;
    eprintf(cs("%s: cannot %s %s: %s\n"), sh.arg0, creates ? cs("create") : cs("open"), word, strerror(last_error()));
    return false;
  }
  if (fd != r.fd) {
    dup2(fd, r.fd);
    close(fd);
  }
  return true;
}

/** Performs redirections. `saved` gets the old descriptors, unless it is 0. False, after a message, when one fails. */
export function redirect_all(list: Redirection, saved: Saved): bool {
  for (; changetype<usize>(list) != 0; list = list.next) {
    if (changetype<usize>(saved) != 0) put_aside(saved, list.fd);
    if (!redirect(list)) return false;
  }
  return true;
}
