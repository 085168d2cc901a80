// A small kernel of another compiler, as a Multiboot image: paging with pages that appear when they are touched,
// copy-on-write of one of them, two programs in ring 3 that the timer takes turns with, system calls, an x87
// computation and a program that ends by a fault. What it prints does not depend on when the timer ticks, so
// it is the same on every machine.
//
//   100000  kernel, identity mapped up to 16 MB, supervisor only
//   40000000 a program's memory, its own page table: code shared, data and stack on demand

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

enum { P = 1, W = 2, U = 4, PAGE = 4096, NPROGRAMS = 3, KCODE = 8, KDATA = 16, UCODE = 27, UDATA = 35, TSS = 40 };
enum { USER = 0x40000000, STACK_TOP = USER + 0x400000, TICKS_WANTED = 20, FRAMES = 0x400000 };

#define USER_CODE __attribute__((section("user_code"), noinline))

struct frame {
  u32 edi, esi, ebp, esp0, ebx, edx, ecx, eax, vector, error, eip, cs, eflags, esp, ss;
};

__asm__(".section user_code, \"ax\"\n .balign 4096\n .text\n .balign 4\n"
  ".long 0x1badb002, 3, -(0x1badb002 + 3)\n .globl _start\n"
  "_start: mov $kernel_stack_top, %esp\n push %ebx\n call kernel_main\n"
  // 49 stubs of 16 bytes; a zero stands for the error code where the processor pushes none.
  ".balign 16\n stubs: .set n, 0\n .rept 49\n .balign 16\n"
  " .if !(n == 8 || (n >= 10 && n <= 14) || n == 17)\n push $0\n .endif\n push $n\n jmp common\n .set n, n + 1\n .endr\n"
  "common: pusha\n mov $16, %eax\n mov %eax, %ds\n mov %eax, %es\n push %esp\n call trap\n mov %eax, %esp\n"
  " mov $35, %eax\n testb $3, 44(%esp)\n jz 1f\n mov %eax, %ds\n mov %eax, %es\n 1: popa\n add $8, %esp\n iret\n"
  ".bss\n .balign 4096\n .space 8192\n kernel_stack_top:\n .text\n");

extern u8 stubs[], __start_user_code[], __stop_user_code[];
static u64 gdt[6], idt[256];
static u32 tss[26];
static u32 directory[NPROGRAMS][1024] __attribute__((aligned(4096)));
static u32 kernel_tables[4][1024] __attribute__((aligned(4096)));
static u8 stacks[NPROGRAMS][8192] __attribute__((aligned(16)));
static struct frame *saved[NPROGRAMS];
static int current = -1, alive, ticks;
static u32 next_frame = FRAMES, faults[NPROGRAMS], copies;

static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" :: "a"(value), "Nd"(port)); }
static inline u8 inb(u16 port) { u8 v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }

static void put(char c) {
  while (!(inb(0x3fd) & 0x20)) {}
  outb(0x3f8, c);
}
static void print(const char *s) { while (*s) put(*s++); }
static void hex(u32 v) { for (int i = 28; i >= 0; i -= 4) put("0123456789abcdef"[(v >> i) & 15]); }
static void line(const char *what, u32 v) { print(what); put(' '); hex(v); put('\n'); }

static u32 new_frame(void) {
  u32 *f = (u32 *)next_frame;
  for (int i = 0; i < 1024; i++) f[i] = 0;
  next_frame += PAGE;
  return (u32)f;
}

static u32 *entry(int program, u32 va) {
  u32 *pde = &directory[program][va >> 22];
  if (!(*pde & P)) *pde = new_frame() | P | W | U;
  return (u32 *)(*pde & ~4095u) + ((va >> 12) & 1023);
}

// The programs. They are compiled with the kernel, and run from a copy of its pages at USER.
static inline u32 call(u32 number, u32 argument) {
  u32 result;
  __asm__ volatile("int $48" : "=a"(result) : "a"(number), "b"(argument) : "memory");
  return result;
}

USER_CODE static u32 checksum(volatile u32 *area, u32 words, u32 seed) {
  u32 sum = seed;
  for (u32 i = 0; i < words; i++) area[i] = (i * 2654435761u) ^ seed;
  for (u32 i = 0; i < words; i++) sum = (sum << 5) + (sum >> 27) + area[i];
  return sum;
}

USER_CODE static void worker(u32 seed) {
  volatile u32 *area = (volatile u32 *)(USER + 0x100000);
  // From variables: constants of this compiler's would lie in the kernel's pages.
  volatile int one = 1, three = 3, four = 4, million = 1000000;
  long double x = (int)seed;
  for (int round = 0; round < 24; round++) {
    u32 sum = checksum(area, 16384, seed + round);
    for (int i = 0; i < 50; i++) x = x * three / four + (long double)one / (i + 1);
    if (round % 8 == 7) call(1, sum);
  }
  call(1, (u32)(int)(x * million));
  // The page shared with the others, written: a copy of one's own.
  volatile u32 *shared = (volatile u32 *)(USER + 0x200000);
  u32 before = *shared;
  *shared = seed;
  call(1, before + *shared);
  while (call(2, 0) < TICKS_WANTED) {}
  call(0, seed);
}

USER_CODE static void culprit(u32 seed) {
  call(1, seed);
  *(volatile u32 *)0x100000 = 1;
  call(1, 0xbad);
}

static u32 outputs[NPROGRAMS][16], counts[NPROGRAMS], ended[NPROGRAMS];

static u8 coprocessor[NPROGRAMS][108];

static struct frame *schedule(void) {
  if (current >= 0) __asm__ volatile("fnsave %0" : "=m"(coprocessor[current]));
  for (int i = 1; i <= NPROGRAMS; i++) {
    int p = (current + i + NPROGRAMS) % NPROGRAMS;
    if (!saved[p]) continue;
    current = p;
    tss[1] = (u32)(stacks[p] + sizeof stacks[p]);
    __asm__ volatile("mov %0, %%cr3" :: "r"(directory[p]) : "memory");
    __asm__ volatile("frstor %0" :: "m"(coprocessor[p]));
    return saved[p];
  }
  return 0;
}

static void report(void) {
  for (int p = 0; p < NPROGRAMS; p++) {
    line("program", p);
    for (u32 i = 0; i < counts[p]; i++) line("  said", outputs[p][i]);
    line("  pages", faults[p]);
    line("  ended", ended[p]);
  }
  line("copies", copies);
  line("ticks enough", ticks >= TICKS_WANTED);
  outb(0xf4, 0);
  // Bochs ends by a word at its own port, when all is sent.
  while (!(inb(0x3fd) & 0x40)) {}
  for (const char *s = "Shutdown"; *s; s++) outb(0x8900, *s);
  for (;;) __asm__ volatile("cli; hlt");
}

static struct frame *end(u32 how) {
  ended[current] = how;
  saved[current] = 0;
  if (--alive == 0) report();
  return schedule();
}

static struct frame *page_fault(struct frame *f) {
  u32 va;
  __asm__ volatile("mov %%cr2, %0" : "=r"(va));
  if (va < USER || va >= STACK_TOP) return end(0x0e000000 | f->error);
  u32 *pte = entry(current, va);
  if (f->error == (P | W | U)) {
    u32 *from = (u32 *)(*pte & ~4095u), *to = (u32 *)new_frame();
    for (int i = 0; i < 1024; i++) to[i] = from[i];
    *pte = (u32)to | P | W | U;
    copies++;
  } else *pte = new_frame() | P | W | U;
  __asm__ volatile("mov %%cr3, %%eax; mov %%eax, %%cr3" ::: "eax", "memory");
  faults[current]++;
  return f;
}

struct frame *trap(struct frame *f) {
  if (f->vector == 32) {
    ticks++;
    outb(0x20, 0x20);
    saved[current] = f;
    return schedule();
  }
  if (f->vector == 14) return page_fault(f);
  if (f->vector == 48) {
    if (f->eax == 0) return end(f->ebx);
    if (f->eax == 1) outputs[current][counts[current]++] = f->ebx;
    f->eax = ticks;
    return f;
  }
  if (!(f->cs & 3)) { line("kernel trap", f->vector); line("at", f->eip); outb(0xf4, 1); }
  return end(f->vector << 24 | f->error);
}

static u64 segment(u32 access) { return 0x00cf00000000ffffull | (u64)access << 40; }

static void descriptors(void) {
  u32 base = (u32)tss;
  gdt[1] = segment(0x9a); gdt[2] = segment(0x92); gdt[3] = segment(0xfa); gdt[4] = segment(0xf2);
  gdt[5] = (u64)(sizeof tss - 1) | (u64)(base & 0xffffff) << 16 | 0x89ull << 40 | (u64)(base >> 24) << 56;
  tss[2] = KDATA;
  tss[25] = sizeof tss << 16;
  for (u32 n = 0; n < 49; n++) {
    u32 to = (u32)stubs + 16 * n;
    idt[n] = (u64)(to & 0xffff) | KCODE << 16 | (u64)(n == 48 ? 0xee00 : 0x8e00) << 32 | (u64)(to >> 16) << 48;
  }
  struct { u16 limit; u32 base; } __attribute__((packed)) g = { sizeof gdt - 1, (u32)gdt }, i = { sizeof idt - 1, (u32)idt };
  __asm__ volatile("lgdt %0; lidt %1; ljmp $8, $1f; 1: mov $16, %%eax; mov %%eax, %%ds; mov %%eax, %%es; mov %%eax, %%ss;"
    "mov $40, %%eax; ltr %%ax" :: "m"(g), "m"(i) : "eax");
}

static void start(int p, void (*program)(u32), u32 seed, u32 shared) {
  for (int i = 0; i < 4; i++) directory[p][i] = (u32)kernel_tables[i] | P | W;
  for (u32 at = 0; at < (u32)(__stop_user_code - __start_user_code); at += PAGE) *entry(p, USER + at) = ((u32)__start_user_code + at) | P | U;
  *entry(p, USER + 0x200000) = shared | P | U;
  u32 *stack = (u32 *)new_frame();
  *entry(p, STACK_TOP - PAGE) = (u32)stack | P | W | U;
  stack[1023] = seed;
  struct frame *f = (struct frame *)(stacks[p] + sizeof stacks[p]) - 1;
  f->eip = USER + ((u32)program - (u32)__start_user_code);
  f->cs = UCODE; f->ss = UDATA; f->eflags = 0x202; f->esp = STACK_TOP - 8;
  saved[p] = f;
  alive++;
}

void kernel_main(u32 *information) {
  outb(0x3fb, 3);
  print("foreign kernel\n");
  line("memory above 1 MB, KB", information[2]);
  descriptors();
  for (u32 i = 0; i < 4096; i++) kernel_tables[i >> 10][i & 1023] = i << 12 | P | W;
  u32 shared = new_frame();
  *(u32 *)shared = 0x5eed;
  start(0, worker, 0x1000, shared);
  start(1, worker, 0x2000, shared);
  start(2, culprit, 0x3000, shared);
  outb(0x20, 0x11); outb(0x21, 32); outb(0x21, 4); outb(0x21, 1); outb(0x21, 0xfe);
  outb(0xa0, 0x11); outb(0xa1, 40); outb(0xa1, 2); outb(0xa1, 1); outb(0xa1, 0xff);
  outb(0x43, 0x34); outb(0x40, 11932 & 255); outb(0x40, 11932 >> 8);
  for (int p = 0; p < NPROGRAMS; p++) __asm__ volatile("fninit; fnsave %0" : "=m"(coprocessor[p]));
  u32 cr0;
  struct frame *first = schedule();
  __asm__ volatile("mov %%cr0, %0; or $0x80010000, %0; mov %0, %%cr0" : "=&r"(cr0) :: "memory");
  line("paging", cr0 >> 31);
  __asm__ volatile("mov %0, %%esp; mov $35, %%eax; mov %%eax, %%ds; mov %%eax, %%es; popa; add $8, %%esp; iret" :: "r"(first));
}
