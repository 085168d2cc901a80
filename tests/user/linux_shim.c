// Runs a program of user space on 32-bit Linux: `shim PROGRAM ARGV0 ARG...`.
//
// The program's `int $0x80` has NetBSD's numbers, its arguments on the stack and
// its errors in carry and eax. A seccomp filter turns every system call made
// from the program's text into SIGSYS; the handler performs it with Linux's
// calls, translates flags, errors and structures, and puts results where the
// program expects them. So fork, pipes, signals and files are real, and no part
// of our kernel is needed to test a program.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { TEXT = 0x08048000, TEXT_END = 0x08100000, STACK_SIZE = 1 << 20 };
static char shim_path[4096];

static int to_netbsd_errno(int e) {
  switch (e) {
    case EAGAIN: return 35;
    case EDEADLK: return 11;
    case ENAMETOOLONG: return 63;
    case ENOLCK: return 77;
    case ENOSYS: return 78;
    case ENOTEMPTY: return 66;
    case ELOOP: return 62;
    case EOVERFLOW: return 84;
    case EOPNOTSUPP: return 45;
    default: return e;
  }
}

/* NetBSD's signal numbers where they differ from Linux's. */
static const struct { int netbsd, linux_; } signals[] = {
  {10, SIGBUS}, {12, SIGSYS}, {16, SIGURG}, {17, SIGSTOP}, {18, SIGTSTP}, {19, SIGCONT}, {20, SIGCHLD},
  {23, SIGIO}, {30, SIGUSR1}, {31, SIGUSR2}, {7, SIGSTKFLT},
};
static int to_linux_signal(int sig) {
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) if (signals[i].netbsd == sig) return signals[i].linux_;
  return sig;
}
static int to_netbsd_signal(int sig) {
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) if (signals[i].linux_ == sig) return signals[i].netbsd;
  return sig;
}
static void to_linux_set(sigset_t *set, const uint32_t *mask) {
  sigemptyset(set);
  for (int i = 1; i <= 31; i++) if (mask[0] & (1u << (i - 1))) sigaddset(set, to_linux_signal(i));
  sigdelset(set, SIGSYS);
}
static void to_netbsd_set(uint32_t *mask, const sigset_t *set) {
  memset(mask, 0, 16);
  for (int i = 1; i <= 31; i++) if (sigismember(set, to_linux_signal(i))) mask[0] |= 1u << (i - 1);
}

static uint32_t handlers[64];
static void forward(int sig) { ((void (*)(int))(uintptr_t)handlers[sig])(to_netbsd_signal(sig)); }

struct action { uint32_t handler, mask[4], flags; };
static int do_sigaction(int sig, const struct action *new, struct action *old) {
  struct sigaction sa;
  sig = to_linux_signal(sig);
  if (sigaction(sig, NULL, &sa) < 0) return -1;
  if (old) {
    memset(old, 0, sizeof *old);
    old->handler = sa.sa_handler == SIG_DFL ? 0 : sa.sa_handler == SIG_IGN ? 1 : handlers[sig];
  }
  if (!new) return 0;
  memset(&sa, 0, sizeof sa);
  handlers[sig] = new->handler;
  sa.sa_handler = new->handler == 0 ? SIG_DFL : new->handler == 1 ? SIG_IGN : forward;
  sa.sa_flags = (new->flags & 2) ? SA_RESTART : 0;
  to_linux_set(&sa.sa_mask, new->mask);
  return sigaction(sig, &sa, NULL);
}

static int open_flags(int f) {
  static const struct { int netbsd, linux_; } map[] = {
    {4, O_NONBLOCK}, {8, O_APPEND}, {0x80, O_SYNC}, {0x200, O_CREAT}, {0x400, O_TRUNC}, {0x800, O_EXCL},
  };
  int flags = f & 3;
  for (unsigned i = 0; i < sizeof map / sizeof *map; i++) if (f & map[i].netbsd) flags |= map[i].linux_;
  return flags;
}

static int give_stat(int result, const struct stat *st, uint8_t *out) {
  if (result < 0) return result;
  uint32_t w[24] = {0};
  w[0] = st->st_dev; w[1] = st->st_ino; w[2] = st->st_mode; w[3] = st->st_nlink; w[4] = st->st_uid; w[5] = st->st_gid;
  w[6] = st->st_rdev; w[7] = st->st_atime; w[8] = st->st_atim.tv_nsec; w[9] = st->st_mtime; w[10] = st->st_mtim.tv_nsec;
  w[11] = st->st_ctime; w[12] = st->st_ctim.tv_nsec;
  int64_t size = st->st_size, blocks = st->st_blocks;
  memcpy(w + 13, &size, 8);
  memcpy(w + 15, &blocks, 8);
  w[17] = st->st_blksize;
  memcpy(out, w, 96);
  return 0;
}

static int give_statfs(int result, const struct statfs *fs, uint8_t *out, const char *on) {
  if (result < 0) return result;
  memset(out, 0, 256);
  uint32_t w[8] = {0, fs->f_bsize, fs->f_bsize, fs->f_blocks, fs->f_bfree, fs->f_bavail, fs->f_files, fs->f_ffree};
  memcpy(out, w, sizeof w);
  strcpy((char *)out + 60, "host");
  snprintf((char *)out + 76, 90, "%s", on);
  strcpy((char *)out + 166, "root_device");
  return 0;
}

/* getdents64 of Linux fits in the same room: our records are shorter. */
static int do_getdents(int fd, uint8_t *out, unsigned n) {
  static uint8_t in[4096];
  long got = syscall(SYS_getdents64, fd, in, n < sizeof in ? n : sizeof in);
  if (got <= 0) return got;
  unsigned at = 0;
  for (long i = 0; i < got;) {
    uint16_t reclen = *(uint16_t *)(in + i + 16);
    const char *name = (char *)in + i + 19;
    unsigned length = strlen(name), size = (8 + length + 1 + 3) & ~3u;
    uint32_t ino = *(uint32_t *)(in + i);
    memset(out + at, 0, size);
    *(uint32_t *)(out + at) = ino;
    *(uint16_t *)(out + at + 4) = size;
    out[at + 6] = in[i + 18];
    out[at + 7] = length;
    memcpy(out + at + 8, name, length);
    at += size;
    i += reclen;
  }
  return at;
}

static int do_execve(const char *path, char **argv, char **envp) {
  uint8_t head[20];
  int fd = open(path, O_RDONLY);
  if (fd < 0) return -1;
  if (access(path, X_OK) < 0) { close(fd); return -1; }
  int n = read(fd, head, sizeof head);
  close(fd);
  if (n < (int)sizeof head || memcmp(head, "\177ELF\1\1\1", 7) != 0) { errno = ENOEXEC; return -1; }
  int count = 0;
  while (argv[count]) count++;
  char **args = malloc((count + 3) * sizeof *args);
  args[0] = shim_path;
  args[1] = (char *)path;
  memcpy(args + 2, argv, (count + 1) * sizeof *args);
  execve(shim_path, args, envp);
  return -1;
}

static int give_times(int result, const struct timeval *tv, int32_t *out) {
  if (result == 0 && out) { out[0] = tv->tv_sec; out[1] = tv->tv_usec; }
  return result;
}

static int64_t perform(unsigned nr, uint32_t *a, uint32_t *second) {
  struct stat st;
  struct statfs fs;
  struct timeval tv[2];
  int fds[2];
  switch (nr) {
    case 1: _exit(a[0]);
    case 2: case 66: case 282: return fork();
    case 3: return read(a[0], (void *)a[1], a[2]);
    case 4: return write(a[0], (void *)a[1], a[2]);
    case 5: return open((char *)a[0], open_flags(a[1]), a[2]);
    case 6: return close(a[0]);
    case 7: {
      int status = 0;
      int pid = waitpid((int)a[0], &status, a[2]);
      if (pid > 0 && WIFSIGNALED(status)) status = (status & ~0x7f) | to_netbsd_signal(WTERMSIG(status));
      if (pid > 0 && a[1]) *(int *)a[1] = status;
      return pid;
    }
    case 9: return link((char *)a[0], (char *)a[1]);
    case 10: return unlink((char *)a[0]);
    case 12: return chdir((char *)a[0]);
    case 13: return fchdir(a[0]);
    case 14: return mknod((char *)a[0], a[1], a[2]);
    case 15: return chmod((char *)a[0], a[1]);
    case 16: return chown((char *)a[0], a[1], a[2]);
    case 20: return getpid();
    case 24: case 25: return getuid();
    case 43: case 47: return getgid();
    case 33: return access((char *)a[0], a[1]);
    case 36: return 0;
    case 37: return kill(a[0], to_linux_signal(a[1]));
    case 39: return getppid();
    case 41: return dup(a[0]);
    case 42:
      if (pipe(fds) < 0) return -1;
      *second = fds[1];
      return fds[0];
    case 54: {
      uint8_t scratch[256];
      if (ioctl(a[0], TCGETS, scratch) < 0) return -1;
      errno = EINVAL;
      return a[1] == 0x402c7413 ? 0 : -1;
    }
    case 57: return symlink((char *)a[0], (char *)a[1]);
    case 58: return readlink((char *)a[0], (char *)a[1], a[2]);
    case 59: return do_execve((char *)a[0], (char **)a[1], (char **)a[2]);
    case 60: return umask(a[0]);
    case 73: return munmap((void *)a[0], a[1]);
    case 81: return getpgrp();
    case 82: return setpgid(a[0], a[1]);
    case 90: return dup2(a[0], a[1]);
    case 92: return fcntl(a[0], a[1], a[1] == 4 ? (uint32_t)open_flags(a[2]) : a[2]);
    case 95: case 241: return fsync(a[0]);
    case 116: return give_times(gettimeofday(tv, NULL), tv, (int32_t *)a[0]);
    case 117: {
      struct rusage ru;
      int result = getrusage((int)a[0], &ru);
      memset((void *)a[1], 0, 72);
      give_times(result, &ru.ru_utime, (int32_t *)a[1]);
      return give_times(result, &ru.ru_stime, (int32_t *)a[1] + 2);
    }
    case 124: return fchmod(a[0], a[1]);
    case 128: return rename((char *)a[0], (char *)a[1]);
    case 136: return mkdir((char *)a[0], a[1]);
    case 137: return rmdir((char *)a[0]);
    case 138: {
      const int32_t *t = (int32_t *)a[1];
      if (t) { tv[0].tv_sec = t[0]; tv[0].tv_usec = t[1]; tv[1].tv_sec = t[2]; tv[1].tv_usec = t[3]; }
      return utimes((char *)a[0], t ? tv : NULL);
    }
    case 147: return setsid();
    case 157: return give_statfs(statfs((char *)a[0], &fs), &fs, (uint8_t *)a[1], (char *)a[0]);
    case 158: return give_statfs(fstatfs(a[0], &fs), &fs, (uint8_t *)a[1], "/");
    case 197: {
      int flags = (a[3] & 3) | (a[3] & 0x10 ? MAP_FIXED : 0) | (a[3] & 0x1000 ? MAP_ANONYMOUS : 0);
      void *at = mmap((void *)a[0], a[1], a[2], flags, a[4], a[6]);
      return at == MAP_FAILED ? -1 : (int64_t)(uint32_t)at;
    }
    case 199: {
      int64_t offset;
      memcpy(&offset, a + 2, 8);
      offset = lseek64(a[0], offset, a[4]);
      *second = offset >> 32;
      return offset < 0 ? -1 : (int64_t)(uint32_t)offset;
    }
    case 200: { int64_t n; memcpy(&n, a + 2, 8); return truncate64((char *)a[0], n); }
    case 201: { int64_t n; memcpy(&n, a + 2, 8); return ftruncate64(a[0], n); }
    case 240: {
      struct timespec t = {((int32_t *)a[0])[0], ((int32_t *)a[0])[1]};
      return nanosleep(&t, NULL);
    }
    case 272: return do_getdents(a[0], (uint8_t *)a[1], a[2]);
    case 278: return give_stat(stat((char *)a[0], &st), &st, (uint8_t *)a[1]);
    case 279: return give_stat(fstat(a[0], &st), &st, (uint8_t *)a[1]);
    case 280: return give_stat(lstat((char *)a[0], &st), &st, (uint8_t *)a[1]);
    case 291: return do_sigaction(a[0], (struct action *)a[1], (struct action *)a[2]);
    case 293: {
      sigset_t set, old;
      if (a[1]) to_linux_set(&set, (uint32_t *)a[1]);
      int how = a[0] == 1 ? SIG_BLOCK : a[0] == 2 ? SIG_UNBLOCK : SIG_SETMASK;
      int result = sigprocmask(how, a[1] ? &set : NULL, &old);
      if (a[2]) to_netbsd_set((uint32_t *)a[2], &old);
      return result;
    }
    case 294: {
      sigset_t set;
      to_linux_set(&set, (uint32_t *)a[0]);
      return sigsuspend(&set);
    }
    case 296: return getcwd((char *)a[0], a[1]) ? (int64_t)strlen((char *)a[0]) + 1 : -1;
    default:
      errno = ENOSYS;
      return -1;
  }
}

static void on_syscall(int sig, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  greg_t *r = uc->uc_mcontext.gregs;
  uint32_t second = r[REG_EDX];
  (void)sig;
  int64_t result = perform(info->si_syscall, (uint32_t *)r[REG_ESP] + 1, &second);
  if (result < 0) {
    r[REG_EAX] = to_netbsd_errno(errno);
    r[REG_EFL] |= 1;
  } else {
    r[REG_EAX] = (uint32_t)result;
    r[REG_EDX] = second;
    r[REG_EFL] &= ~1;
  }
}

static void trap_system_calls(void) {
  struct sock_filter filter[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer)),
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, TEXT, 0, 2),
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, TEXT_END, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  struct sigaction sa;
  memset(&sa, 0, sizeof sa);
  sa.sa_sigaction = on_syscall;
  sa.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSYS, &sa, NULL);
  if (prctl(PR_GET_SECCOMP) == 2) return;
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) { perror("seccomp"); _exit(126); }
}

/* Maps the two segments; returns the entry. */
static uint32_t load(const char *path) {
  int fd = open(path, O_RDONLY);
  uint8_t head[4096];
  if (fd < 0 || read(fd, head, sizeof head) < 52) { perror(path); _exit(126); }
  uint32_t phoff = *(uint32_t *)(head + 28);
  for (int i = 0; i < *(uint16_t *)(head + 44); i++) {
    uint32_t *ph = (uint32_t *)(head + phoff + 32 * i);
    if (ph[0] != 1) continue;
    uint32_t size = (ph[5] + 4095) & ~4095u;
    if (mmap((void *)ph[2], size, 7, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) { perror("mmap"); _exit(126); }
    if (pread(fd, (void *)ph[2], ph[4], ph[1]) != (ssize_t)ph[4]) { perror(path); _exit(126); }
  }
  close(fd);
  return *(uint32_t *)(head + 24);
}

int main(int argc, char **argv, char **envp) {
  if (argc < 3) return 126;
  if (readlink("/proc/self/exe", shim_path, sizeof shim_path - 1) < 0) return 126;
  uint32_t entry = load(argv[1]);
  int envc = 0;
  while (envp[envc]) envc++;
  uint32_t words = argc - 2 + envc + 4;
  uint8_t *stack = mmap(NULL, STACK_SIZE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint32_t *esp = (uint32_t *)(stack + STACK_SIZE) - words - 16;
  uint32_t *at = esp;
  *at++ = argc - 2;
  for (int i = 2; i < argc; i++) *at++ = (uint32_t)argv[i];
  *at++ = 0;
  for (int i = 0; i < envc; i++) *at++ = (uint32_t)envp[i];
  *at = 0;
  trap_system_calls();
  __asm__ volatile("movl %0,%%esp; jmp *%1" : : "r"(esp), "r"(entry));
  return 0;
}
