/* Process 1 of the tests: tries the system calls and prints one line for each case. */
#include "crt.h"

#include "harness.h"

static char page[8192];

static void t_fork(void) {
  volatile int shared = 1;
  int status, pid = fork();
  if (pid == 0) { shared = 2; exit(shared == 2 && getppid() == 1 ? 7 : 1); }
  CHECK(pid > 1);
  CHECK(wait4(pid, &status, 0, 0) == pid);
  CHECK(status == 7 << 8);
  CHECK(shared == 1);
  FAILS(wait4(-1, &status, 0, 0), 10);
}

static void t_cow(void) {
  int n, status;
  for (n = 0; n < 8192; n++) page[n] = n;
  for (n = 0; n < 5; n++) {
    int pid = fork();
    if (pid == 0) {
      int i;
      for (i = 0; i < 8192; i++) if (page[i] != (char)i) exit(1);
      for (i = 0; i < 8192; i += 512) page[i] = n + 100;
      for (i = 0; i < 8192; i += 512) if (page[i] != n + 100) exit(2);
      exit(0);
    }
    CHECK(wait4(pid, &status, 0, 0) == pid && status == 0);
  }
  for (n = 0; n < 8192; n++) CHECK(page[n] == (char)n);
}

/* The kernel's writes, too, must not reach the other process. */
static void t_cow_copyout(void) {
  int status, pid, fd = open("/usertest", 0, 0);
  CHECK(fd >= 0);
  page[0] = 'x';
  pid = fork();
  if (pid == 0) exit(read(fd, page, 4096) == 4096 && page[0] == 0x7f ? 0 : 1);
  CHECK(wait4(pid, &status, 0, 0) == pid && status == 0);
  CHECK(page[0] == 'x');
  close(fd);
}

static void t_vfork(void) {
  int status, pid = vfork();
  char *argv[] = {"usertest", "exec", "two words", 0};
  char *envp[] = {"NAME=value", 0};
  if (pid == 0) { execve("/usertest", argv, envp); exit(99); }
  CHECK(pid > 1 && wait4(pid, &status, 0, 0) == pid);
  CHECK(status == 42 << 8);
}

static void t_exec_errors(void) {
  char *argv[] = {"x", 0};
  FAILS(execve("/nothing", argv, argv), 2);
  FAILS(execve("/", argv, argv), 13);
  FAILS(execve("/text", argv, argv), 13);
  FAILS(execve("/notelf", argv, argv), 8);
  FAILS(execve("/truncated", argv, argv), 8);
  FAILS(execve("/liar0", argv, argv), 8);
  FAILS(execve("/liar1", argv, argv), 8);
  FAILS(execve("/liar2", argv, argv), 8);
  FAILS(execve("/liar3", argv, argv), 8);
  FAILS(execve("/liar4", argv, argv), 8);
  FAILS(execve("/liar5", argv, argv), 8);
  FAILS(execve("/liar6", argv, argv), 8);
  FAILS(execve("/usertest", (char **)4, argv), 14);
  FAILS(execve((char *)0xc0100000, argv, argv), 14);
}

static void t_files(void) {
  char b[64];
  struct { u32 w[24]; } st;
  int fd = open("/mnt/file", 0x602, 0644);
  CHECK(fd >= 0);
  CHECK(write(fd, "hello, world\n", 13) == 13);
  CHECK(lseek(fd, 0, 0, 0) == 0 && read(fd, b, 64) == 13 && same(b, "hello, world\n", 13));
  CHECK(read(fd, b, 64) == 0);
  CHECK(lseek(fd, 0, -6, 2) == 7 && read(fd, b, 5) == 5 && same(b, "world", 5));
  CHECK(pwrite(fd, "HELLO", 5, 0, 0) == 5 && pread(fd, b, 5, 0, 0) == 5 && same(b, "HELLO", 5));
  CHECK(lseek(fd, 0, 0, 1) == 12);
  CHECK(lseek(fd, 0, 0x123456789LL, 0) == 0x123456789LL);
  CHECK(__fstat13(fd, &st) == 0 && st.w[2] == 0100644 && st.w[13] == 13 && st.w[3] == 1);
  CHECK(ftruncate(fd, 0, 5) == 0 && __fstat13(fd, &st) == 0 && st.w[13] == 5);
  CHECK(fcntl(fd, 3, 0) == 2);
  CHECK(dup2(fd, 9) == 9 && close(fd) == 0 && pread(9, b, 5, 0, 0) == 5);
  CHECK(fsync(9) == 0 && close(9) == 0);
  FAILS(read(9, b, 1), 9);
  FAILS(open("/mnt/none", 0, 0), 2);
  FAILS(read(0x7fffffff, b, 1), 9);
  fd = open("/mnt/file", 0, 0);
  FAILS(write(fd, b, 1), 9);
  FAILS(read(fd, (void *)0xc0100000, 5), 14);
  FAILS(read(fd, (void *)0xbfbfdffe, 0xffffffff), 22);
  close(fd);
  CHECK(mkdir("/mnt/dir", 0777) == 0 && __stat13("/mnt/dir", &st) == 0 && st.w[2] == 0040755);
  CHECK(link("/mnt/file", "/mnt/dir/link") == 0 && symlink("dir/link", "/mnt/soft") == 0);
  CHECK(readlink("/mnt/soft", b, 64) == 8 && same(b, "dir/link", 8));
  CHECK(__lstat13("/mnt/soft", &st) == 0 && (st.w[2] & 0170000) == 0120000);
  CHECK(rename("/mnt/dir/link", "/mnt/dir/other") == 0);
  FAILS(open("/mnt/soft", 0, 0), 2);
  CHECK(chdir("/mnt/dir") == 0 && __getcwd(b, 64) == 9 && same(b, "/mnt/dir", 9));
  CHECK(access("other", 4) == 0);
  fd = open(".", 0, 0);
  CHECK(fd >= 0 && getdents(fd, page, 512) == 512 && getdents(fd, page, 512) == 0);
  close(fd);
  CHECK(chdir("/") == 0 && __getcwd(b, 64) == 2);
  FAILS(__getcwd(b, 1), 34);
  FAILS(rmdir("/mnt/dir"), 66);
  CHECK(unlink("/mnt/dir/other") == 0 && rmdir("/mnt/dir") == 0 && unlink("/mnt/soft") == 0 && unlink("/mnt/file") == 0);
  CHECK(statfs("/mnt", page) == 0 && same(page + 60, "ffs", 4) && same(page + 76, "/", 2));
  CHECK(sync() == 0);
}

static void t_devices(void) {
  int fd;
  CHECK(mkdir("/mnt/dev", 0755) == 0 && mknod("/mnt/dev/null", 020666, 0x202) == 0);
  CHECK(mknod("/mnt/dev/zero", 020666, 0x20c) == 0 && mknod("/mnt/dev/tty", 020666, 0x100) == 0);
  CHECK(mknod("/mnt/dev/kmem", 020640, 0x201) == 0);
  fd = open("/mnt/dev/null", 2, 0);
  CHECK(fd >= 0 && write(fd, "x", 1) == 1 && read(fd, page, 10) == 0 && close(fd) == 0);
  fd = open("/mnt/dev/zero", 2, 0);
  page[0] = 1;
  page[5000] = 1;
  CHECK(fd >= 0 && read(fd, page, 8192) == 8192 && page[0] == 0 && page[5000] == 0 && close(fd) == 0);
  fd = open("/mnt/dev/kmem", 0, 0);
  CHECK(fd >= 0 && pread(fd, page, 4, 0, 0xc0100000) == 4 && same(page, "\x02\xb0\xad\x1b", 4));
  FAILS(pread(fd, page, 4, 0, 0xff000000), 14);
  FAILS(pread(fd, page, 4, 0, 0x1000), 14);
  close(fd);
  CHECK(mknod("/mnt/dev/rmd0d", 020640, 0x2f03) == 0);
  fd = open("/mnt/dev/rmd0d", 0, 0);
  CHECK(fd >= 0 && pread(fd, page, 8192, 0, 8192) == 8192);
  CHECK(same(page + 1372, "\x54\x19\x01\x00", 4));
  FAILS(pread(fd, page, 100, 0, 0), 22);
  CHECK(pread(fd, page, 512, 0, 0x7ffffe00) == 0);
  close(fd);
  fd = open("/mnt/dev/tty", 2, 0);
  CHECK(fd >= 0 && write(fd, "to the terminal\n", 16) == 16 && close(fd) == 0);
}

static void t_pipe(void) {
  i64 fds = pipe();
  int r = (int)fds, w = (int)(fds >> 32), status, pid, n, total = 0;
  CHECK(r >= 3 && w == r + 1);
  pid = fork();
  if (pid == 0) {
    close(r);
    for (n = 0; n < 20; n++) if (write(w, page, 4000) != 4000) exit(1);
    exit(0);
  }
  close(w);
  while ((n = read(r, page, 3000)) > 0) total += n;
  CHECK(n == 0 && total == 80000);
  close(r);
  CHECK(wait4(pid, &status, 0, 0) == pid && status == 0);
}

static volatile int caught, caught_code;
static void handler(int signum, int code, void *scp) { caught = signum; caught_code = code; }

static int action(int signum, void *f, u32 flags) {
  u32 sa[6] = {(u32)f, 0, 0, 0, 0, flags};
  return __sigaction14(signum, sa, 0);
}

static void t_signals(void) {
  u32 set[4] = {1u << 29, 0, 0, 0}, old[4];
  CHECK(action(30, handler, 0) == 0);
  caught = 0;
  CHECK(kill(getpid(), 30) == 0 && caught == 30);
  caught = 0;
  CHECK(__sigprocmask14(1, set, old) == 0 && old[0] == 0);
  CHECK(kill(getpid(), 30) == 0 && caught == 0);
  CHECK(__sigpending14(old) == 0 && old[0] == 1u << 29);
  set[0] = 0;
  FAILS(__sigsuspend14(set), 4);
  CHECK(caught == 30);
  CHECK(__sigprocmask14(3, set, old) == 0 && old[0] == 1u << 29);
  FAILS(action(9, handler, 0), 22);
  FAILS(kill(12345, 1), 3);
}

static int child_status(void (*f)(void)) {
  int status = -1, pid = fork();
  if (pid == 0) { f(); exit(0); }
  if (wait4(pid, &status, 0, 0) != pid) return -1;
  return status;
}
static void null_store(void) { *(volatile int *)0 = 1; }
static void kernel_read(void) { (void)*(volatile int *)0xc0100000; }
static void text_store(void) { *(volatile char *)t_signals = 1; }
static void privileged(void) { __asm__ volatile("cli"); }
static void illegal(void) { __asm__ volatile("ud2"); }
static void divide(void) { volatile int zero = 0; zero = 7 / zero; }
static void breakpoint(void) { __asm__ volatile("int3"); }
static void bad_call(void) { __asm__ volatile("mov $400, %%eax; int $0x80" ::: "eax"); }
static void wild_stack(void) { __asm__ volatile("mov $0x1000, %esp; push %eax"); }
static void self_term(void) { kill(getpid(), 15); }
static void port_io(void) { __asm__ volatile("outb %al, $0xf4"); }
static void broken_pipe(void) { i64 fds = pipe(); close((int)fds); write((int)(fds >> 32), "x", 1); }
static void wild_return(void) { __asm__ volatile("mov $0xc0100000, %eax; jmp *%eax"); }
static void catch_fault(void) { action(11, handler, 0); action(10, (void *)0xdead0000, 0); null_store(); }
static void bad_handler(void) { action(30, (void *)0xbfffffff, 0); kill(getpid(), 30); }

static void t_faults(void) {
  CHECK(child_status(null_store) == (11 | 0x80));
  CHECK(child_status(kernel_read) == (11 | 0x80) || child_status(kernel_read) == (10 | 0x80));
  CHECK(child_status(text_store) == (11 | 0x80));
  CHECK(child_status(privileged) == (10 | 0x80));
  CHECK(child_status(port_io) == (10 | 0x80));
  CHECK(child_status(illegal) == (4 | 0x80));
  CHECK(child_status(divide) == (8 | 0x80));
  CHECK(child_status(breakpoint) == (5 | 0x80));
  CHECK(child_status(bad_call) == (12 | 0x80));
  CHECK(child_status(wild_stack) == (11 | 0x80));
  CHECK(child_status(self_term) == 15);
  CHECK(child_status(broken_pipe) == 13);
  CHECK((child_status(wild_return) & 0x80) != 0);
  CHECK((child_status(bad_handler) & 0x80) != 0);
}

/* A sigcontext that asks for the kernel's segments, or for an eip that iret cannot load. */
int __sigreturn14(void *);
static void bad_context(u32 cs, u32 eip) {
  u32 sc[24] = {0x1f, 0x1f, 0x1f, 0x1f, 0, 0, 0, 0, 0, 0, 0, eip, cs, 0x202, (u32)page + 4096, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0};
  __sigreturn14(sc);
}
static void kernel_segment(void) { bad_context(0x08, 0x08048000); exit(errno); }
static void wild_eip(void) { bad_context(0x17, 0xfffffff0); exit(3); }

static void t_sigreturn(void) {
  CHECK(child_status(kernel_segment) == 22 << 8);
  CHECK((child_status(wild_eip) & 0x7f) != 0);
}

static void t_stop(void) {
  int status, pid = fork();
  if (pid == 0) { kill(getpid(), 17); exit(5); }
  CHECK(wait4(pid, &status, 2, 0) == pid && status == (17 << 8 | 0x7f));
  CHECK(wait4(pid, &status, 3, 0) == 0);
  CHECK(kill(pid, 19) == 0);
  CHECK(wait4(pid, &status, 0, 0) == pid && status == 5 << 8);
}

static void t_time(void) {
  int tv[2], tv2[2], ts[2] = {0, 50000000}, left[2], it[4] = {0, 0, 0, 30000};
  CHECK(gettimeofday(tv, 0) == 0 && tv[0] > 900000000);
  CHECK(nanosleep(ts, 0) == 0 && gettimeofday(tv2, 0) == 0);
  int us = (tv2[0] - tv[0]) * 1000000 + tv2[1] - tv[1];
  CHECK(us >= 50000 && us <= 100000);
  CHECK(action(14, handler, 0) == 0);
  caught = 0;
  CHECK(setitimer(0, it, 0) == 0);
  ts[0] = 5;
  FAILS(nanosleep(ts, left), 4);
  CHECK(caught == 14 && left[0] == 5);
  ts[0] = -1;
  FAILS(nanosleep(ts, 0), 22);
}

/* An interval timer of processor time stops a loop. */
static void t_spin(void) {
  int it[4] = {0, 0, 0, 50000};
  u32 ru[18];
  CHECK(action(26, handler, 0) == 0);
  caught = 0;
  CHECK(setitimer(1, it, 0) == 0);
  while (caught == 0) {}
  CHECK(caught == 26);
  CHECK(getrusage(0, ru) == 0 && (ru[0] != 0 || ru[1] >= 40000));
}

static void t_select(void) {
  i64 fds = pipe();
  int r = (int)fds, w = (int)(fds >> 32), tv[2] = {0, 30000};
  u32 set = 1u << r;
  CHECK(select(r + 1, &set, 0, 0, tv) == 0 && set == 0);
  CHECK(write(w, "x", 1) == 1);
  set = 1u << r;
  CHECK(select(r + 1, &set, 0, 0, 0) == 1 && set == 1u << r);
  close(r);
  set = 1u << w;
  CHECK(select(w + 1, 0, &set, 0, 0) == 1);
  u32 pfd[4] = {w, 4, 0x7e, 1};
  CHECK(poll(pfd, 2, 0) == 2 && pfd[1] >> 16 == 4 && pfd[3] >> 16 == 0x20);
  close(w);
  FAILS(select(w + 1, 0, &set, 0, 0), 9);
}

static void t_memory(void) {
  char *p = (char *)mmap(0, 8 * 4096, 3, 0x1002, -1, 0, 0);
  CHECK((int)p != -1);
  p[0] = 1;
  p[8 * 4096 - 1] = 2;
  CHECK(mprotect(p, 4096, 1) == 0 && munmap(p + 4096, 4096) == 0);
  FAILS(read(0x7f, p, 1), 9);
  CHECK(munmap(p, 4096) == 0);
  char *end = (char *)0x08200000;
  CHECK(sc_break(end) == 0);
  end[-1] = 1;
  FAILS(mprotect((void *)0xc0000000, 4096, 1), 22);
}

static void t_groups(void) {
  int status, pid;
  CHECK(getpid() == 1 && getpgrp() == 1);
  FAILS(setsid(), 1);
  pid = fork();
  if (pid == 0) {
    if (setpgid(0, 0) != 0 || getpgrp() != getpid()) exit(1);
    if (setsid() != -1) exit(2);
    exit(0);
  }
  CHECK(wait4(-pid, &status, 0, 0) == pid || wait4(pid, &status, 0, 0) == pid);
  CHECK(status == 0);
}

/* A file that runs is not written, one that is open for writing is not run. */
static void t_text_busy(void) {
  char *argv[] = {"copy", 0};
  int fd, n, from = open("/usertest", 0, 0), to = open("/mnt/copy", 0x602, 0755);
  FAILS(open("/usertest", 1, 0), 26);
  CHECK(from >= 0 && to >= 0);
  while ((n = read(from, page, 8192)) > 0) CHECK(write(to, page, n) == n);
  FAILS(execve("/mnt/copy", argv, argv), 26);
  close(from);
  close(to);
  int status, pid = vfork();
  if (pid == 0) { execve("/mnt/copy", argv, argv); exit(99); }
  CHECK(wait4(pid, &status, 0, 0) == pid && status == 1 << 8);
  fd = open("/mnt/copy", 1, 0);
  CHECK(fd >= 0 && close(fd) == 0 && unlink("/mnt/copy") == 0);
}

static void t_many(void) {
  int n, status, sum = 0;
  for (n = 0; n < 20; n++) {
    int pid = fork();
    if (pid == 0) { volatile int i; for (i = 0; i < 20000; i++) {} exit(n); }
    CHECK(pid > 0);
  }
  for (n = 0; n < 20; n++) { CHECK(wait4(-1, &status, 0, 0) > 0); sum += status >> 8; }
  CHECK(sum == 190);
}

const struct testcase cases[] = {
  {"fork", t_fork}, {"copy on write", t_cow}, {"copy on write in the kernel", t_cow_copyout}, {"vfork and exec", t_vfork},
  {"exec errors", t_exec_errors}, {"files", t_files}, {"devices", t_devices}, {"pipe", t_pipe}, {"signals", t_signals},
  {"faults", t_faults}, {"sigreturn", t_sigreturn}, {"stop and continue", t_stop}, {"time", t_time},
  {"virtual timer", t_spin}, {"select", t_select}, {"memory", t_memory}, {"groups", t_groups},
  {"many processes", t_many}, {"text file busy", t_text_busy}, {0, 0},
};
const char *running;
int failures;

static void run(const struct testcase *c) {
  for (; c->name; c++) {
    int before = failures;
    running = c->name;
    c->run();
    if (failures == before) { put(running); put(": ok\n"); }
  }
}

static int run_exec_child(int argc, char **argv, char **envp) {
  if (argc == 2 && same(argv[1], "fpu", 4)) return fpu_after_exec();
  if (argc != 3 || !same(argv[2], "two words", 10) || argv[3] != 0) return 1;
  if (envp[0] == 0 || !same(envp[0], "NAME=value", 11) || envp[1] != 0) return 2;
  return 42;
}

/* Reads lines and says what it got; a line "quit" ends it. */
static void talk(void) {
  char b[128];
  action(2, handler, 2);
  for (;;) {
    int n = read(0, b, 128);
    put("[");
    if (n > 0) write(1, b, n);
    number(n);
    put(caught == 2 ? " caught]\n" : "]\n");
    caught = 0;
    if (n == 5 && same(b, "quit\n", 5)) return;
  }
}

int main(int argc, char **argv, char **envp) {
  if (getpid() != 1) return run_exec_child(argc, argv, envp);
  if (same(argv[0], "/talk", 6)) {
    ioctl(0, 0x20007461, 0);
    talk(); reboot(8, 0); }
  u32 args[6] = {0, 0, 0, 0, 0, 0};
  if (ioctl(0, 0x20007461, 0) != 0) put("no terminal\n");
  if (mount("ffs", "/", 0x10000, args) != 0) { put("the root stays read-only: "); number(errno); put("\n"); }
  if (same(argv[0], "/core", 5)) {
    core_main();
    reboot(8, 0);
  }
  if (same(argv[0], "/calls", 6)) {
    run(call_cases);
    reboot(8, 0);
  }
  if (same(argv[0], "/fpu", 4)) {
    run(fpu_cases);
    reboot(8, 0);
  }
  run(sysctl_cases);
  run(fpu_cases);
  run(call_cases);
  run(cases);
  number(failures);
  put(" failures\n");
  reboot(8, 0);
  return 0;
}
