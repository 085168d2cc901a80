/* Test cases of system calls on files: attributes, fifos, locks, and of ids and the clock. */
#include "harness.h"

int chown(const char *, u32, u32), lchown(const char *, u32, u32), lchmod(const char *, u32), chflags(const char *, u32);
int lchflags(const char *, u32), __posix_chown(const char *, u32, u32), pathconf(const char *, u32), fpathconf(int, u32);
int utimes(const char *, void *), lutimes(const char *, void *), futimes(int, void *), fchmod(int, u32);
int fchown(int, u32, u32), __posix_fchown(int, u32, u32), __posix_rename(const char *, const char *), fchroot(int);
int mkfifo(const char *, u32), flock(int, u32), preadv(int, void *, u32, int, i64), pwritev(int, void *, u32, int, i64);
int setgroups(u32, u32 *), getgroups(u32, u32 *), setreuid(u32, u32), setregid(u32, u32), setuid(int), seteuid(u32);
int setgid(u32), setegid(u32), getgid(void), getegid(void), geteuid(void), __getlogin(char *, u32), setlogin(const char *);
int settimeofday(void *, void *), clock_settime(int, void *), clock_gettime(int, void *), adjtime(void *, void *);

static u32 st[24];
static u32 mode_of(const char *path) { return __lstat13(path, st) == 0 ? st[2] & 07777 : 0xffffffff; }
static void make(const char *path, u32 mode) { close(open(path, 0x201, mode)); chmod(path, mode); }
static void pause_ms(int ms) { int ts[2] = {0, ms * 1000000}; nanosleep(ts, 0); }
static int wait_for(int pid) { int status = -1; wait4(pid, &status, 0, 0); return status; }

static void t_attributes(void) {
  int times[4] = {1000000000, 250000, 1000000001, 500000}, fd;
  make("/mnt/file", 0644);
  CHECK(symlink("file", "/mnt/link") == 0);
  CHECK(lchmod("/mnt/link", 0700) == 0 && mode_of("/mnt/link") == 0700 && mode_of("/mnt/file") == 0644);
  CHECK(lchown("/mnt/link", 5, 6) == 0 && mode_of("/mnt/link") != 0xffffffff && st[4] == 5 && st[5] == 6);
  CHECK(mode_of("/mnt/file") == 0644 && st[4] == 0);
  CHECK(lutimes("/mnt/link", times) == 0 && mode_of("/mnt/link") == 0700 && st[7] == 1000000000 && st[8] == 250000000);
  CHECK(utimes("/mnt/link", times) == 0 && mode_of("/mnt/file") == 0644 && st[9] == 1000000001 && st[10] == 500000000);
  CHECK(lchflags("/mnt/link", 2) == 0);
  FAILS(unlink("/mnt/link"), 1);
  CHECK(lchflags("/mnt/link", 0) == 0 && unlink("/mnt/link") == 0);
  times[1] = 1000000;
  FAILS(utimes("/mnt/file", times), 22);
  CHECK(chmod("/mnt/file", 06755) == 0 && chown("/mnt/file", 7, -1) == 0 && mode_of("/mnt/file") == 02755);
  CHECK(chmod("/mnt/file", 06755) == 0 && __posix_chown("/mnt/file", 8, 8) == 0 && mode_of("/mnt/file") == 06755);
  fd = open("/mnt/file", 0, 0);
  CHECK(__posix_fchown(fd, 9, 9) == 0 && mode_of("/mnt/file") == 06755 && fchown(fd, 0, 0) == 0);
  CHECK(mode_of("/mnt/file") == 0755 && fchmod(fd, 0600) == 0 && mode_of("/mnt/file") == 0600);
  close(fd);
  /* The console has no name here, and no attributes to change. */
  FAILS(fchmod(0, 0600), 45);
  FAILS(fchown(0, 1, 1), 45);
  CHECK(__fstat13(0, st) == 0 && st[2] == 0020600 && st[6] == 0);
  CHECK(fpathconf(0, 4) == -1);
  CHECK(unlink("/mnt/file") == 0);
}

static void t_pathconf(void) {
  i64 fds = pipe();
  CHECK(pathconf("/mnt", 4) == 255 && pathconf("/mnt", 5) == 1024 && pathconf("/", 1) == 32767);
  FAILS(pathconf("/mnt", 99), 22);
  FAILS(pathconf("/nothing", 4), 2);
  CHECK(fpathconf((int)fds, 6) == 512);
  FAILS(fpathconf(99, 6), 9);
  close((int)fds);
  close((int)(fds >> 32));
}

static void t_rename(void) {
  make("/mnt/a", 0644);
  CHECK(link("/mnt/a", "/mnt/b") == 0 && __posix_rename("/mnt/a", "/mnt/b") == 0 && access("/mnt/a", 0) == 0);
  CHECK(rename("/mnt/a", "/mnt/b") == 0 && access("/mnt/a", 0) == -1 && access("/mnt/b", 0) == 0);
  CHECK(unlink("/mnt/b") == 0);
}

static void t_vectors(void) {
  char a[4] = "abcd", b[4] = "efgh", c[8];
  void *iov[4] = {a, (void *)3, b, (void *)4};
  int fd = open("/mnt/v", 0x602, 0644);
  CHECK(pwritev(fd, iov, 2, 0, 5) == 7 && lseek(fd, 0, 0, 1) == 0);
  iov[0] = c; iov[1] = (void *)8;
  CHECK(preadv(fd, iov, 1, 0, 4) == 8 && same(c, "\0abcefgh", 8) && lseek(fd, 0, 0, 1) == 0);
  FAILS(preadv(fd, iov, 1, 0, -1), 22);
  FAILS(preadv(fd, iov, 0, 0, 0), 22);
  close(fd);
  CHECK(unlink("/mnt/v") == 0);
}

static void t_fifo(void) {
  char b[16];
  int pid, r, w;
  CHECK(mkfifo("/mnt/f", 0644) == 0);
  FAILS(mkfifo("/mnt/f", 0644), 17);
  CHECK(__stat13("/mnt/f", st) == 0 && (st[2] & 0170000) == 0010000);
  FAILS(open("/mnt/f", 1 | 4, 0), 6);
  r = open("/mnt/f", 4, 0);
  CHECK(r >= 0 && read(r, b, 16) == 0);
  w = open("/mnt/f", 1 | 4, 0);
  CHECK(w >= 0 && write(w, "one", 3) == 3);
  FAILS(lseek(r, 0, 0, 0), 29);
  CHECK(read(r, b, 16) == 3 && same(b, "one", 3));
  FAILS(read(r, b, 16), 35);
  close(w);
  CHECK(read(r, b, 16) == 0);
  close(r);
  /* Both ends wait for each other; the writer comes and goes before the reader is awake. */
  pid = fork();
  if (pid == 0) { int fd = open("/mnt/f", 1, 0); write(fd, "two", 3); exit(0); }
  r = open("/mnt/f", 0, 0);
  CHECK(r >= 0 && read(r, b, 16) == 3 && same(b, "two", 3) && read(r, b, 16) == 0);
  close(r);
  CHECK(wait_for(pid) == 0);
  pid = fork();
  if (pid == 0) { int fd; pause_ms(30); fd = open("/mnt/f", 0, 0); exit(read(fd, b, 1) == 1 ? 0 : 1); }
  w = open("/mnt/f", 1, 0);
  CHECK(w >= 0 && write(w, "xyz", 3) == 3 && wait_for(pid) == 0);
  FAILS(write(w, "x", 1), 32);
  close(w);
  CHECK(unlink("/mnt/f") == 0);
}

/* Many writers whose memory is not there yet: nobody's bytes get lost or torn. */
static char far_memory[16 * 4096];
static void t_pipe_writers(void) {
  i64 fds = pipe();
  int r = (int)fds, w = (int)(fds >> 32), n, i, count[4] = {0, 0, 0, 0};
  char b[512];
  for (n = 0; n < 4; n++) {
    if (fork() == 0) {
      for (i = 0; i < 16; i++) {
        int k;
        char *p = far_memory + i * 4096 + 3840;
        for (k = 0; k < 256; k++) p[k] = 'a' + n;
        if (write(w, p, 256) != 256) exit(1);
      }
      exit(0);
    }
  }
  close(w);
  while ((n = read(r, b, 256)) > 0) {
    while (n < 256) { int more = read(r, b + n, 256 - n); CHECK(more > 0); n += more; }
    for (i = 1; i < 256; i++) CHECK(b[i] == b[0]);
    count[b[0] - 'a']++;
  }
  for (n = 0; n < 4; n++) { CHECK(count[n] == 16); CHECK(wait_for(-1) == 0); }
  close(r);
}

struct flock { i64 start, len; int pid; short type, whence; };
static int lock(int fd, int cmd, int type, i64 start, i64 len) {
  struct flock l = {start, len, 0, type, 0};
  return fcntl(fd, cmd, (u32)&l);
}
static int child_lock(int type, i64 start, i64 len) {
  int pid = fork();
  if (pid == 0) exit(lock(open("/mnt/l", 2, 0), 8, type, start, len) == 0 ? 0 : errno);
  return wait_for(pid) >> 8;
}

static void t_record_locks(void) {
  struct flock l = {0, 0, 0, 3, 0};
  int fd = open("/mnt/l", 0x602, 0644), other, pid, status;
  CHECK(lock(fd, 8, 3, 10, 10) == 0 && lock(fd, 8, 1, 100, 0) == 0);
  CHECK(child_lock(3, 15, 1) == 35 && child_lock(1, 19, 5) == 35 && child_lock(3, 20, 80) == 0 && child_lock(3, 0, 10) == 0);
  CHECK(child_lock(1, 200, 5) == 0 && child_lock(3, 200, 5) == 35);
  /* A hole in the middle. */
  CHECK(lock(fd, 8, 2, 13, 2) == 0 && child_lock(3, 13, 2) == 0 && child_lock(3, 12, 1) == 35 && child_lock(3, 15, 1) == 35);
  pid = fork();
  if (pid == 0) {
    int mine = open("/mnt/l", 2, 0);
    if (fcntl(mine, 7, (u32)&l) != 0 || l.pid != getppid() || l.type == 2) exit(1);
    l.start = 50; l.len = 1; l.type = 3;
    if (fcntl(mine, 7, (u32)&l) != 0 || l.type != 2) exit(2);
    /* Waits until the parent lets go. */
    exit(lock(mine, 9, 3, 10, 5) == 0 ? 0 : 3);
  }
  pause_ms(40);
  CHECK(wait4(pid, &status, 1, 0) == 0);
  CHECK(lock(fd, 8, 2, 0, 0) == 0 && wait_for(pid) == 0);
  FAILS(lock(fd, 8, 3, -5, 1), 22);
  FAILS(lock(fd, 8, 9, 0, 1), 22);
  other = open("/mnt/l", 0, 0);
  FAILS(lock(other, 8, 3, 0, 1), 9);
  CHECK(lock(fd, 8, 3, 0, 1) == 0 && child_lock(3, 0, 1) == 35);
  close(other);
  CHECK(child_lock(3, 0, 1) == 0);
  /* Two that would wait for each other. */
  CHECK(lock(fd, 8, 3, 1, 1) == 0);
  pid = fork();
  if (pid == 0) {
    int mine = open("/mnt/l", 2, 0);
    lock(mine, 8, 3, 2, 1);
    exit(lock(mine, 9, 3, 1, 1) == 0 ? 0 : 1);
  }
  pause_ms(40);
  FAILS(lock(fd, 9, 3, 2, 1), 11);
  CHECK(lock(fd, 8, 2, 1, 1) == 0 && wait_for(pid) == 0);
  close(fd);
}

static void t_flock(void) {
  int a = open("/mnt/l", 2, 0), b = open("/mnt/l", 2, 0), c, pid, status;
  CHECK(flock(a, 1) == 0 && flock(b, 1 | 4) == 0);
  FAILS(flock(a, 2 | 4), 35);
  CHECK(flock(b, 8) == 0 && flock(a, 2 | 4) == 0);
  FAILS(open("/mnt/l", 2 | 4 | 0x10, 0), 35);
  FAILS(flock(99, 1), 9);
  FAILS(flock(a, 4), 22);
  /* The child has the same open file, and with it the lock. */
  pid = fork();
  if (pid == 0) { pause_ms(40); exit(0); }
  close(a);
  FAILS(flock(b, 2 | 4), 35);
  CHECK(flock(b, 2) == 0 && wait_for(pid) == 0);
  close(b);
  c = open("/mnt/l", 2 | 4 | 0x20, 0);
  CHECK(c >= 0 && (fcntl(c, 3, 0) & 0x30) == 0);
  close(c);
  CHECK(unlink("/mnt/l") == 0);
}

static void ids(void) {
  u32 groups[16] = {20, 30, 40}, got[16];
  char name[20];
  if (getgroups(0, 0) != 1 || getgroups(16, got) != 1 || got[0] != 0) exit(1);
  if (setgroups(3, groups) != 0 || getgroups(16, got) != 3 || got[1] != 30) exit(2);
  if (getgroups(2, got) != -1 || errno != 22 || setgroups(17, groups) != -1 || errno != 22) exit(3);
  make("/mnt/g", 0640);
  chown("/mnt/g", 0, 30);
  if (setlogin("somebody") != 0 || __getlogin(name, 20) != 0 || !same(name, "somebody", 9)) exit(4);
  if (setregid(50, 51) != 0 || getgid() != 50 || getegid() != 51) exit(5);
  if (setreuid(7, 8) != 0 || getuid() != 7 || geteuid() != 8) exit(6);
  if (open("/mnt/g", 0, 0) < 0 || open("/mnt/g", 1, 0) != -1 || errno != 13) exit(7);
  if (setreuid(-1, 9) != -1 || errno != 1 || setreuid(-1, 7) != 0 || geteuid() != 7) exit(8);
  if (seteuid(8) != 0 || geteuid() != 8 || setgroups(1, groups) != -1 || errno != 1) exit(9);
  if (setegid(50) != 0 || setegid(51) != 0 || setegid(20) != -1) exit(10);
  if (setlogin("me") != -1 || errno != 1 || setuid(0) != -1) exit(11);
  if (setreuid(8, 7) != 0 || getuid() != 8 || geteuid() != 7) exit(12);
  exit(0);
}
static void t_ids(void) {
  int pid = fork();
  if (pid == 0) ids();
  CHECK(wait_for(pid) == 0);
  CHECK(unlink("/mnt/g") == 0);
}

static void t_clock(void) {
  int old[2], tv[2] = {1000000000, 990000}, now[2], ts[2] = {1000000100, 1}, delta[2] = {1, 0}, left[2];
  CHECK(gettimeofday(old, 0) == 0 && settimeofday(tv, 0) == 0);
  pause_ms(50);
  CHECK(gettimeofday(now, 0) == 0 && now[0] == 1000000001 && now[1] < 200000);
  CHECK(clock_settime(0, ts) == 0 && clock_gettime(0, now) == 0 && now[0] == 1000000100 && now[1] < 100000000);
  FAILS(clock_settime(3, ts), 22);
  tv[1] = 1000000;
  FAILS(settimeofday(tv, 0), 22);
  CHECK(adjtime(delta, left) == 0 && left[0] == 0 && left[1] == 0);
  pause_ms(100);
  CHECK(adjtime(0, left) == 0 && left[0] == 0 && left[1] > 990000 && left[1] <= 999950);
  delta[0] = 0;
  CHECK(adjtime(delta, 0) == 0 && adjtime(0, left) == 0 && left[1] == 0);
  CHECK(settimeofday(old, 0) == 0 && gettimeofday(now, 0) == 0 && now[0] - old[0] <= 1);
}

static void t_chroot(void) {
  int pid, fd = open("/mnt", 0, 0), file = open("/usertest", 0, 0);
  FAILS(fchroot(file), 20);
  pid = fork();
  if (pid == 0) {
    char path[16];
    if (fchroot(fd) != 0 || access("/usertest", 0) != -1 || __getcwd(path, 16) < 0 || !same(path, "/", 2)) exit(1);
    setuid(3);
    exit(fchroot(fd) == -1 && errno == 1 ? 0 : 2);
  }
  CHECK(wait_for(pid) == 0);
  close(fd);
  close(file);
}

const struct testcase call_cases[] = {
  {"attributes", t_attributes}, {"pathconf", t_pathconf}, {"renaming to itself", t_rename}, {"vectors", t_vectors},
  {"fifo", t_fifo}, {"writers of a pipe", t_pipe_writers}, {"record locks", t_record_locks}, {"flock", t_flock},
  {"users and groups", t_ids}, {"clock", t_clock}, {"fchroot", t_chroot}, {0, 0},
};
