/* A process that dies in a place where a debugger can see how: three calls deep, with known values. */
#include "harness.h"

int core_witness = 1;
char core_buffer[3 * 4096];

__attribute__((noinline)) void core_crash(int a, int b) {
  core_witness = 0x12345678;
  core_buffer[5000] = 'x';
  __asm__ volatile("movl $0x600dcafe, %%esi; fldpi; movl $0, %%eax; movl %0, (%%eax)"
    : : "r"(a) : "eax", "esi");
}
__attribute__((noinline)) void core_outer(int a) { core_crash(a, a + 1); core_witness++; }

/* Process 1 in this role: has a child crash, one with a limit, and one that has changed its ids. */
void core_main(void) {
  u32 limit[4] = {4096, 0, 4096, 0};
  int n, status;
  for (n = 0; n < 3; n++) {
    int pid = fork();
    if (pid == 0) {
      if (n == 1) setrlimit(4, limit);
      if (n == 2) setuid(0);
      core_outer(7);
    }
    wait4(pid, &status, 0, 0);
    put("status ");
    number(status);
    put("\n");
    if (n == 0) rename("core.core", "first.core");
    else if (access("core.core", 0) == 0) put("a core file too many\n");
  }
}
