// Executes single x87 instructions on the host's processor, in a 32-bit
// process: the reference for registers, status and memory. A case is a state
// image (the 108 bytes of FNSAVE), the code of one instruction at X87_CODE, and
// bytes at X87_DATA; the answer is the state image after it.

import { CANNOT_EXECUTE, runRecords } from "./native_runner.js";

export const X87_CODE = 0x100000;
export const X87_DATA = 0x200000;
export const CODE_BYTES = 16;
export const DATA_BYTES = 128;
export const IMAGE_BYTES = 108;

export interface X87Input {
  readonly code: Uint8Array;
  readonly image: Uint8Array;
  readonly data: Uint8Array;
}

export interface X87Output {
  readonly image: Uint8Array;
  readonly data: Uint8Array;
  readonly eax: number;
}

const RECORD_IN = CODE_BYTES + IMAGE_BYTES + DATA_BYTES;
const RECORD_OUT = IMAGE_BYTES + DATA_BYTES + 4;

/** No library: system calls by int 0x80. EAX is zero before each case. */
const RUNNER = `
#define CODE ((unsigned char *)${X87_CODE})
#define DATA ((unsigned char *)${X87_DATA})
typedef struct { unsigned char code[${CODE_BYTES}], image[${IMAGE_BYTES}], data[${DATA_BYTES}]; } in_t;
typedef struct { unsigned char image[${IMAGE_BYTES}], data[${DATA_BYTES}]; int eax; } out_t;
#define BATCH 64
static in_t in[BATCH]; static out_t out[BATCH];
unsigned char *in_image, *out_image; int out_eax;
static int call3(int n, int a, int b, int c) {
  int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory"); return r;
}
static int old_mmap(int *args) {
  int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(90), "b"(args) : "memory"); return r;
}
static int all(int n, int fd, void *p, int size) {
  char *at = p; int done = 0;
  while (done < size) { int k = call3(n, fd, (int)at + done, size - done); if (k <= 0) break; done += k; }
  return done;
}
extern void run_case(void); extern char leave_case[];
__asm__(
  ".globl run_case\\nrun_case: pusha\\n mov in_image, %ecx\\n frstor (%ecx)\\n xor %eax, %eax\\n jmp ${X87_CODE}\\n"
  ".globl leave_case\\nleave_case: mov out_image, %ecx\\n fnsave (%ecx)\\n mov %eax, out_eax\\n popa\\n ret\\n");
static void copy(void *to, const void *from, int n) { char *a = to; const char *b = from; while (n-- > 0) *a++ = *b++; }
void _start(void) {
  int a[6] = { (int)CODE, 4096, 7, 0x32, -1, 0 }; old_mmap(a);
  int b[6] = { (int)DATA, 4096, 3, 0x32, -1, 0 }; old_mmap(b);
  unsigned char *end = CODE + ${CODE_BYTES}; end[0] = 0xe9; *(int *)(end + 1) = (int)leave_case - (int)(end + 5);
  for (;;) {
    int n = all(3, 0, in, sizeof in) / sizeof(in_t);
    for (int i = 0; i < n; i++) {
      copy(CODE, in[i].code, ${CODE_BYTES});
      copy(DATA, in[i].data, ${DATA_BYTES});
      in_image = in[i].image; out_image = out[i].image;
      run_case();
      out[i].eax = out_eax; copy(out[i].data, DATA, ${DATA_BYTES});
    }
    all(4, 1, out, n * sizeof(out_t));
    if (n < BATCH) break;
  }
  call3(1, 0, 0, 0);
}
`;

function encode(cases: readonly X87Input[]): Uint8Array {
  const bytes = new Uint8Array(cases.length * RECORD_IN);
  cases.forEach(({ code, image, data }, i) => {
    const at = i * RECORD_IN;
    bytes.fill(0x90, at, at + CODE_BYTES);
    bytes.set(code, at);
    bytes.set(image, at + CODE_BYTES);
    bytes.set(data, at + CODE_BYTES + IMAGE_BYTES);
  });
  return bytes;
}

/** The states after the cases, or a reason why they cannot be had here. */
export function runNativeX87(cases: readonly X87Input[]): readonly X87Output[] | string {
  const stdout = runRecords(RUNNER, encode(cases), 1 << 30);
  if (typeof stdout === "string") return stdout;
  const complete = Math.floor(stdout.length / RECORD_OUT);
  if (complete === 0) return CANNOT_EXECUTE;
  return Array.from({ length: complete }, (_, i) => {
    const at = i * RECORD_OUT;
    return {
      image: new Uint8Array(stdout.subarray(at, at + IMAGE_BYTES)),
      data: new Uint8Array(stdout.subarray(at + IMAGE_BYTES, at + IMAGE_BYTES + DATA_BYTES)),
      eax: stdout.readInt32LE(at + IMAGE_BYTES + DATA_BYTES),
    };
  });
}
