/* Test cases of the registers that the kernel does not use itself: the coprocessor's, fs and gs. */
#include "harness.h"

static int action(int signum, void *f, u32 flags) {
  u32 sa[6] = {(u32)f, 0, 0, 0, 0, flags};
  return __sigaction14(signum, sa, 0);
}
static int present(void) {
  u32 name[2] = {7, 7}, value = 0, size = 4;
  return __sysctl(name, 2, &value, &size, 0, 0) == 0 && value == 1;
}
static int child_status(void (*f)(void)) {
  int status = -1, pid = fork();
  if (pid == 0) { f(); exit(0); }
  if (wait4(pid, &status, 0, 0) != pid) return -1;
  return status;
}
static void pause_ms(int ms) { int ts[2] = {0, ms * 1000000}; nanosleep(ts, 0); }
static void one(void) { __asm__ volatile("fld1; fstp %st(0)"); }

static void t_absent(void) {
  if (present()) CHECK(child_status(one) == 0);
  else CHECK(child_status(one) == 9);
}

/* Sums of 1/n from different starts, held in registers while others calculate. */
static double sum(int from) {
  double s = 0;
  int n;
  for (n = from; n < from + 30000; n++) s += 1.0 / n;
  return s;
}
static void t_switch(void) {
  double expected[6], here;
  int n, status, bad = 0;
  if (!present()) return;
  for (n = 0; n < 6; n++) expected[n] = sum(n + 1);
  for (n = 0; n < 6; n++) {
    int pid = fork();
    if (pid == 0) exit(sum(n + 1) == expected[n] && sum(n + 1) == expected[n] ? 0 : 1);
    CHECK(pid > 0);
  }
  here = sum(7);
  for (n = 0; n < 6; n++) { CHECK(wait4(-1, &status, 0, 0) > 0); bad |= status; }
  CHECK(bad == 0 && here == sum(7));
}

/* fork: both have what was in the registers before, in different depths of the stack. */
static void t_fork(void) {
  double a, b, c;
  int status, pid;
  if (!present()) return;
  __asm__ volatile("fldpi; fld1; fldl2e");
  pid = fork();
  if (pid == 0) { double x = 1; for (pid = 0; pid < 5; pid++) { pause_ms(10); one(); } }
  else { pause_ms(20); one(); pause_ms(30); }
  __asm__ volatile("fstpl %0; fstpl %1; fstpl %2" : "=m"(a), "=m"(b), "=m"(c));
  int good = b == 1 && a > 1.442695 && a < 1.442696 && c > 3.14159265 && c < 3.14159266;
  if (pid == 5) exit(good ? 0 : 1);
  CHECK(good);
  CHECK(wait4(pid, &status, 0, 0) == pid && status == 0);
}

static u32 control(void) { unsigned short cw; __asm__ volatile("fnstcw %0" : "=m"(cw)); return cw; }
static void set_control(unsigned short cw) { __asm__ volatile("fldcw %0" : : "m"(cw)); }
int fpu_after_exec(void) {
  unsigned short sw;
  __asm__ volatile("fnstsw %0" : "=m"(sw));
  return control() == 0x127f && (sw & 0x3800) == 0 ? 0 : 1;
}
static void t_exec(void) {
  char *argv[] = {"usertest", "fpu", 0};
  int status, pid;
  if (!present()) return;
  CHECK(control() == 0x127f);
  pid = fork();
  if (pid == 0) { set_control(0x037f); __asm__ volatile("fld1"); execve("/usertest", argv, argv + 2); exit(99); }
  CHECK(wait4(pid, &status, 0, 0) == pid && status == 0);
  CHECK(control() == 0x127f);
}

static volatile int caught, handler_control;
static void on_error(int signum, int code, u32 *sc) {
  caught = signum;
  handler_control = control();
  set_control(0x127f);
  one();
}
static volatile double zero, quotient;
static void divide(void) { set_control(0x1272); quotient = 1.0 / zero; __asm__ volatile("fwait"); }
static void t_error(void) {
  if (!present()) return;
  CHECK(child_status(divide) == (8 | 0x80));
  CHECK(action(8, on_error, 0) == 0);
  divide();
  CHECK(caught == 8 && handler_control == 0x1272 && control() == 0x127f);
  CHECK(sum(1) == sum(1));
  action(8, 0, 0);
  set_control(0x127f);
}

static u32 get_fs(void) { u32 s; __asm__ volatile("mov %%fs, %0" : "=r"(s)); return s & 0xffff; }
static u32 get_gs(void) { u32 s; __asm__ volatile("mov %%gs, %0" : "=r"(s)); return s & 0xffff; }
static void set_fs(u32 s) { __asm__ volatile("mov %w0, %%fs" : : "r"(s)); }
static void set_gs(u32 s) { __asm__ volatile("mov %w0, %%gs" : : "r"(s)); }
static u32 handler_fs, saved_gs;
static void on_signal(int signum, int code, u32 *sc) { handler_fs = get_fs(); saved_gs = sc[0]; set_fs(0); }
static void spoil(int signum, int code, u32 *sc) { sc[1] = 0x08; }
static void spoiled(void) { action(30, spoil, 0); kill(getpid(), 30); }

static void t_segments(void) {
  int status, pid;
  CHECK(get_fs() == 0x1f && get_gs() == 0x1f);
  set_fs(0x17);
  set_gs(0);
  pid = fork();
  if (pid == 0) {
    int good = get_fs() == 0x17 && get_gs() == 0;
    set_gs(0x1f);
    pause_ms(20);
    exit(good && get_fs() == 0x17 && get_gs() == 0x1f ? 0 : 1);
  }
  pause_ms(40);
  CHECK(get_fs() == 0x17 && get_gs() == 0);
  CHECK(wait4(pid, &status, 0, 0) == pid && status == 0);
  CHECK(action(30, on_signal, 0) == 0 && kill(getpid(), 30) == 0);
  CHECK(handler_fs == 0x1f && saved_gs == 0 && get_fs() == 0x17 && get_gs() == 0);
  action(30, 0, 0);
  set_fs(0x1f);
  set_gs(0x1f);
  CHECK(child_status(spoiled) == (10 | 0x80));
}

const struct testcase fpu_cases[] = {
  {"no coprocessor", t_absent}, {"coprocessor and switches", t_switch}, {"coprocessor and fork", t_fork},
  {"coprocessor and exec", t_exec}, {"coprocessor errors", t_error}, {"fs and gs", t_segments}, {0, 0},
};
