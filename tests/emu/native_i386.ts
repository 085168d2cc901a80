// Executes single instructions on the host's processor, in a 32-bit process:
// the reference for what the emulated ones do to registers, flags and memory.
// The process gets a list of cases on its standard input and answers with the
// state after each. The code of a case runs at CODE, its data are 256 bytes at
// DATA; both are addresses that the emulated machine has too.

import { CANNOT_EXECUTE, runRecords } from "./native_runner.js";

export const CODE = 0x100000;
export const DATA = 0x200000;
export const DATA_BYTES = 256;
export const CODE_BYTES = 32;

export interface CaseInput {
  readonly code: Uint8Array;
  /** EAX ECX EDX EBX ESP EBP ESI EDI. */
  readonly registers: Int32Array;
  readonly eflags: number;
  readonly data: Uint8Array;
}

export interface CaseOutput {
  readonly registers: Int32Array;
  readonly eflags: number;
  readonly data: Uint8Array;
}

const RECORD_IN = CODE_BYTES + 36 + DATA_BYTES;
const RECORD_OUT = 36 + DATA_BYTES;

/** No library: system calls by int 0x80, the state switched by hand. */
const RUNNER = `
#define CODE ((unsigned char *)0x100000)
#define DATA ((unsigned char *)0x200000)
typedef struct { unsigned char code[${CODE_BYTES}]; int regs[8]; int eflags; unsigned char data[${DATA_BYTES}]; } in_t;
typedef struct { int regs[8]; int eflags; unsigned char data[${DATA_BYTES}]; } out_t;
static in_t in; static out_t out;
int in_regs[8], in_flags, out_regs[8], out_flags, host_esp;
static int call3(int n, int a, int b, int c) {
  int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory"); return r;
}
static int old_mmap(int *args) {
  int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(90), "b"(args) : "memory"); return r;
}
static int all(int n, int fd, void *p, int size) {
  char *at = p;
  while (size > 0) { int k = call3(n, fd, (int)at, size); if (k <= 0) return 0; at += k; size -= k; }
  return 1;
}
extern void run_case(void); extern char leave_case[];
__asm__(
  ".globl run_case\\nrun_case: pusha\\n mov %esp, host_esp\\n"
  " mov $in_flags+4, %esp\\n pushl in_flags\\n popf\\n"
  " mov in_regs, %eax\\n mov in_regs+4, %ecx\\n mov in_regs+8, %edx\\n mov in_regs+12, %ebx\\n"
  " mov in_regs+16, %esp\\n mov in_regs+20, %ebp\\n mov in_regs+24, %esi\\n mov in_regs+28, %edi\\n"
  " jmp 0x100000\\n"
  ".globl leave_case\\nleave_case: mov %eax, out_regs\\n mov %esp, out_regs+16\\n"
  " mov $out_flags+4, %esp\\n pushf\\n cld\\n"
  " mov %ecx, out_regs+4\\n mov %edx, out_regs+8\\n mov %ebx, out_regs+12\\n mov %ebp, out_regs+20\\n"
  " mov %esi, out_regs+24\\n mov %edi, out_regs+28\\n mov host_esp, %esp\\n popa\\n ret\\n");
static void copy(void *to, const void *from, int n) { char *a = to; const char *b = from; while (n-- > 0) *a++ = *b++; }
void _start(void) {
  int a[6] = { (int)CODE, 4096, 7, 0x32, -1, 0 }; old_mmap(a);
  int b[6] = { (int)DATA, 4096, 3, 0x32, -1, 0 }; old_mmap(b);
  while (all(3, 0, &in, sizeof in)) {
    copy(CODE, in.code, ${CODE_BYTES});
    unsigned char *end = CODE + ${CODE_BYTES}; end[0] = 0xe9; *(int *)(end + 1) = (int)leave_case - (int)(end + 5);
    copy(DATA, in.data, ${DATA_BYTES});
    copy(in_regs, in.regs, 32); in_flags = in.eflags;
    run_case();
    copy(out.regs, out_regs, 32); out.eflags = out_flags; copy(out.data, DATA, ${DATA_BYTES});
    all(4, 1, &out, sizeof out);
  }
  call3(1, 0, 0, 0);
}
`;

function encode(cases: readonly CaseInput[]): Uint8Array {
  const bytes = new Uint8Array(cases.length * RECORD_IN);
  const view = new DataView(bytes.buffer);
  cases.forEach(({ code, registers, eflags, data }, i) => {
    const at = i * RECORD_IN;
    bytes.fill(0x90, at, at + CODE_BYTES);
    bytes.set(code, at);
    registers.forEach((value, r) => view.setInt32(at + CODE_BYTES + r * 4, value, true));
    view.setInt32(at + CODE_BYTES + 32, eflags, true);
    bytes.set(data, at + CODE_BYTES + 36);
  });
  return bytes;
}

/** The states after the cases, or a reason why they cannot be had here. */
export function runNative(cases: readonly CaseInput[]): readonly CaseOutput[] | string {
  const stdout = runRecords(RUNNER, encode(cases), 1 << 28);
  if (typeof stdout === "string") return stdout;
  const complete = Math.floor(stdout.length / RECORD_OUT);
  if (complete === 0) return CANNOT_EXECUTE;
  return Array.from({ length: complete }, (_, i) => {
    const view = new DataView(stdout.buffer, stdout.byteOffset + i * RECORD_OUT, RECORD_OUT);
    return {
      registers: Int32Array.from({ length: 8 }, (_value, r) => view.getInt32(r * 4, true)),
      eflags: view.getInt32(32, true),
      data: new Uint8Array(stdout.subarray(i * RECORD_OUT + 36, (i + 1) * RECORD_OUT)),
    };
  });
}
