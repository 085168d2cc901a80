/* Test cases of __sysctl. */
#include "harness.h"

static char buffer[16384];
static u32 size;

static int get(u32 a, u32 b, u32 c, u32 words) {
  u32 name[3] = {a, b, c};
  size = sizeof buffer;
  return __sysctl(name, words, buffer, &size, 0, 0);
}
static int word(u32 a, u32 b) { return get(a, b, 0, 2) == 0 && size == 4 ? *(int *)buffer : -1; }
static int is_string(u32 a, u32 b, const char *s) {
  return get(a, b, 0, 2) == 0 && size == length(s) + 1 && same(buffer, s, size);
}
static int set(u32 a, u32 b, const void *value, u32 n) {
  u32 name[2] = {a, b};
  return __sysctl(name, 2, 0, 0, (void *)value, n);
}

static void t_values(void) {
  int tv[2];
  CHECK(word(6, 7) == 4096 && word(6, 3) == 1 && word(6, 4) == 1234);
  CHECK(word(6, 5) > 16 << 20 && word(6, 6) < word(6, 5) && word(6, 6) > 0);
  CHECK(is_string(6, 1, "i386") && is_string(1, 1, "ptmap") && is_string(1, 2, "0.1"));
  CHECK(is_string(1, 4, "ptmap 0.1 (GENERIC)") && is_string(1, 30, "md0a") && is_string(6, 8, "md0"));
  CHECK(word(1, 18) == 16 && word(1, 19) == 1 && word(1, 8) == 262144 && word(1, 38) == 1024);
  CHECK(get(1, 21, 0, 2) == 0 && size == 8 && gettimeofday(tv, 0) == 0);
  CHECK(tv[0] >= *(int *)buffer && tv[0] < *(int *)buffer + 600);
  CHECK(get(1, 12, 0, 2) == 0 && size == 20 && *(int *)buffer == 100 && ((int *)buffer)[1] == 10000);
}

static void t_errors(void) {
  u32 name[2] = {6, 7}, value, room;
  FAILS(get(77, 1, 0, 2), 45);
  FAILS(get(1, 999, 0, 2), 45);
  FAILS(get(6, 7, 1, 3), 20);
  FAILS(get(1, 14, 0, 2), 22);
  FAILS(get(6, 7, 0, 1), 22);
  FAILS(get(6, 7, 0, 13), 22);
  FAILS(set(6, 7, &name, 4), 1);
  room = 2;
  FAILS(__sysctl(name, 2, &value, &room, 0, 0), 12);
  CHECK(room == 4);
  FAILS(__sysctl(name, 2, (void *)0xc0000000, (room = 4, &room), 0, 0), 14);
  FAILS(__sysctl((void *)0xbfc00000, 2, &value, &room, 0, 0), 14);
  FAILS(__sysctl(name, 2, &value, (u32 *)1, 0, 0), 14);
}

static void t_change(void) {
  int n = 500, status, pid;
  CHECK(set(1, 10, "castle", 6) == 0 && is_string(1, 10, "castle"));
  FAILS(set(1, 10, buffer, 256), 22);
  CHECK(set(1, 5, &n, 4) == 0 && word(1, 5) == 500);
  n = 1;
  FAILS(set(1, 5, &n, 4), 22);
  n = 1000;
  CHECK(set(1, 5, &n, 4) == 0);
  n = 10;
  CHECK(word(9, 1) == 16 && set(9, 1, &n, 4) == 0 && word(9, 1) == 10);
  n = 0;
  FAILS(set(9, 1, &n, 4), 22);
  n = 16;
  CHECK(set(9, 1, &n, 4) == 0);
  pid = fork();
  if (pid == 0) { setuid(7); exit(set(1, 10, "other", 5) == -1 && errno == 1 ? 0 : 1); }
  CHECK(wait4(pid, &status, 0, 0) == pid && status == 0 && is_string(1, 10, "castle"));
}

static void t_processes(void) {
  int *ki = (int *)buffer, pid = fork(), status;
  if (pid == 0) { setpgid(0, 0); kill(getpid(), 17); exit(0); }
  CHECK(wait4(pid, &status, 2, 0) == pid);
  u32 one[4] = {1, 14, 1, pid};
  CHECK(get(1, 14, 0, 3) == 0 && size >= 4 * 128 && size % 128 == 0);
  size = sizeof buffer;
  CHECK(__sysctl(one, 4, buffer, &size, 0, 0) == 0 && size == 128);
  CHECK(ki[0] == pid && ki[1] == 1 && ki[2] == pid && ki[5] == 4 && same(buffer + 72, "usertest", 9));
  one[2] = 2;
  size = sizeof buffer;
  CHECK(__sysctl(one, 4, buffer, &size, 0, 0) == 0 && size == 128 && ki[0] == pid);
  one[2] = 4;
  FAILS(__sysctl(one, 4, buffer, &size, 0, 0), 22);
  CHECK(kill(pid, 9) == 0 && wait4(pid, &status, 0, 0) == pid);
  one[2] = 1;
  CHECK(__sysctl(one, 4, buffer, &size, 0, 0) == 0 && size == 0);
}

/* The count called `name` of an array of {name[28], count}. */
static int count_of(u32 variable, const char *name) {
  u32 i;
  if (get(5, variable, 0, 2) != 0 || size % 32 != 0) return -1;
  for (i = 0; i < size; i += 32) if (same(buffer + i, name, length(name) + 1)) return *(int *)(buffer + i + 28);
  return -1;
}

static void t_counts(void) {
  int status, files, procs, pid;
  CHECK(word(5, 1) == 0);
  files = count_of(2, "open_files");
  procs = count_of(2, "processes");
  CHECK(files > 0 && procs > 2 && count_of(2, "free_pages") > 100 && count_of(2, "pool_vnodepl") > 0);
  CHECK(count_of(2, "malloc_temp") >= 8192 && count_of(2, "anons") > 0 && count_of(2, "map_entries") > 0);
  CHECK(count_of(2, "dirty_buffers") >= 0 && count_of(2, "busy_buffers") >= 0 && count_of(2, "vnodes_in_use") > 0);
  i64 fds = pipe();
  CHECK(count_of(2, "open_files") == files + 2);
  pid = fork();
  if (pid == 0) { kill(getpid(), 17); exit(0); }
  CHECK(wait4(pid, &status, 2, 0) == pid);
  CHECK(count_of(2, "processes") == procs + 1 && count_of(2, "open_files") == files + 2);
  CHECK(kill(pid, 9) == 0 && wait4(pid, &status, 0, 0) == pid);
  close((int)fds);
  close((int)(fds >> 32));
  CHECK(count_of(2, "open_files") == files && count_of(2, "processes") == procs);
  CHECK(count_of(3, "strategy") == 0 && count_of(3, "bytes") == 0);
}

static void t_meters(void) {
  u32 *w = (u32 *)buffer, ticks;
  short *h = (short *)buffer;
  CHECK(get(2, 2, 0, 2) == 0 && size == 16 && w[3] == 2048 && w[0] < 20 * 2048);
  CHECK(get(2, 1, 0, 2) == 0 && size == 48 && h[0] >= 1 && w[11] > 100);
  CHECK(get(2, 3, 0, 2) == 0 && w[0] == 4096 && w[3] > w[4] && w[24] > 0);
  CHECK(get(1, 51, 0, 2) == 0 && size == 20);
  ticks = w[0] + w[2] + w[4];
  int ts[2] = {0, 100000000};
  CHECK(nanosleep(ts, 0) == 0 && get(1, 51, 0, 2) == 0);
  CHECK(w[0] + w[2] + w[4] >= ticks + 10);
}

const struct testcase sysctl_cases[] = {
  {"sysctl values", t_values}, {"sysctl errors", t_errors}, {"sysctl changes", t_change},
  {"sysctl processes", t_processes}, {"sysctl counts", t_counts}, {"sysctl meters", t_meters}, {0, 0},
};
