/* What the test programs report with, and the tables of their cases, each ended by a case without a name. */
#include "crt.h"

static u32 length(const char *s) { u32 n = 0; while (s[n]) n++; return n; }
static void put(const char *s) { write(1, s, length(s)); }
static void number(u32 n) { char b[12]; int i = 12; do b[--i] = '0' + n % 10; while (n /= 10); write(1, b + i, 12 - i); }
static int same(const char *a, const char *b, u32 n) { while (n--) if (*a++ != *b++) return 0; return 1; }

struct testcase { const char *name; void (*run)(void); };
extern const char *running;
extern int failures;
extern const struct testcase sysctl_cases[], fpu_cases[], call_cases[];
/* Process 1 of the test of core files. */
void core_main(void);
/* What a process of the coprocessor's case finds after exec. */
int fpu_after_exec(void);
static void fail(int line) { put(running); put(": line "); number(line); put(", errno "); number(errno); put("\n"); failures++; }
#define CHECK(c) do { if (!(c)) { fail(__LINE__); return; } } while (0)
#define FAILS(call, e) CHECK((call) == -1 && errno == (e))
