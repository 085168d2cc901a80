// A Multiboot guest for coprocessor errors, in assembly: it takes #NM, #MF and
// interrupt 13 and tells over COM1 what each met. The same image runs on ptmap
// and on QEMU. QEMU looks for errors that wait at WAIT alone, so that is where
// the guest meets them. It stores and pops what an unmasked exception should keep,
// so the division does not pop and registers are not compared; and it stops with
// an assertion when it raises interrupt 13, so that part is left out there.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const SOURCE = `
  .text
  .globl _start
  .long 0x1badb002, 3, -(0x1badb002 + 3)
_start:
  mov $stack_top, %esp
  lgdt gdtr
  ljmp $8, $1f
1: mov $16, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  // Gates for #UD, #NM, #MF and interrupt 13 (vector 0x75).
  mov $6, %ecx ; mov $on_ud, %eax ; call set_gate
  mov $7, %ecx ; mov $on_nm, %eax ; call set_gate
  mov $16, %ecx ; mov $on_mf, %eax ; call set_gate
  mov $0x75, %ecx ; mov $on_irq, %eax ; call set_gate
  lidt idtr
  // Both interrupt controllers: vectors 0x20 and 0x70, all masked but the cascade and line 13.
  mov $0x11, %al ; out %al, $0x20 ; out %al, $0xa0
  mov $0x20, %al ; out %al, $0x21 ; mov $0x70, %al ; out %al, $0xa1
  mov $4, %al ; out %al, $0x21 ; mov $2, %al ; out %al, $0xa1
  mov $1, %al ; out %al, $0x21 ; out %al, $0xa1
  mov $0xfb, %al ; out %al, $0x21 ; mov $0xdf, %al ; out %al, $0xa1

  // CR0.TS: an escape, then WAIT with and without MP.
  mov $'T', %al ; call put
  mov %cr0, %eax ; and $~6, %eax ; or $8, %eax ; mov %eax, %cr0
  fnstcw word
  mov %cr0, %eax ; or $8, %eax ; mov %eax, %cr0
  fwait
  mov %cr0, %eax ; or $10, %eax ; mov %eax, %cr0
  fwait
  mov $'E', %al ; call put
  mov %cr0, %eax ; or $4, %eax ; mov %eax, %cr0
  fld1
  fwait

  // CR0.NE: #MF at WAIT.
  mov $'N', %al ; call put
  fninit
  mov %cr0, %eax ; or $0x20, %eax ; mov %eax, %cr0
  fldcw unmasked
  call divide_by_zero
  fnstsw %ax ; call put_word
  fwait
  fnstsw %ax ; call put_word
  fnstcw word ; mov word, %ax ; call put_word

#ifdef INTERRUPT_13
  // CR0.NE clear: interrupt 13; the handler clears the error.
  mov $'I', %al ; call put
  mov %cr0, %eax ; and $~0x20, %eax ; mov %eax, %cr0
  fninit
  fldcw unmasked
  movl $1, clears
  sti
  call divide_by_zero
  fwait
  nop
  fnstsw %ax ; call put_word
  mov count, %al ; call put

  // The handler only writes port F0: the error stays and is ignored.
  mov $'G', %al ; call put
  movl $0, clears
  call divide_by_zero
  fwait
  nop
  fwait
  fnstsw %ax ; call put_word
  mov count, %al ; call put
  // Cleared, and again.
  fnclex
  movl $1, clears
  call divide_by_zero
  fwait
  nop
  fnstsw %ax ; call put_word
  mov count, %al ; call put
  cli
#endif

  // An escape that is none.
  mov $'U', %al ; call put
  .byte 0xd9, 0xd1
  // Control and status words of the image after it all.
  fnstenv area
  mov $area, %esi ; mov $2, %ecx
2: mov (%esi), %ax ; call put_word ; add $4, %esi ; loop 2b
  xor %eax, %eax
  out %al, $0xf4
3: hlt
  jmp 3b

divide_by_zero:
  fld1
  fldz
  // FDIV ST(1), ST
  .byte 0xdc, 0xf9
  ret

on_ud: push %eax ; mov $'u', %al ; call put ; addl $2, 4(%esp) ; pop %eax ; iret
on_nm: push %eax ; mov $'n', %al ; call put
  mov %cr0, %eax ; and $~12, %eax ; mov %eax, %cr0
  pop %eax ; iret
on_mf: push %eax ; mov $'m', %al ; call put
  fnstsw %ax ; call put_word
  fnclex
  // The frame has the address of a WAIT.
  mov 4(%esp), %eax ; movzbl (%eax), %eax ; call put
  pop %eax ; iret
on_irq: push %eax ; mov $'i', %al ; call put
  incl count
  fnstsw %ax ; call put_word
  cmpl $0, clears ; je 4f
  fnclex
4: xor %eax, %eax ; out %al, $0xf0
  mov $0x20, %al ; out %al, $0xa0 ; out %al, $0x20
  pop %eax ; iret

put_word: push %eax ; call put ; mov %ah, %al ; call put ; pop %eax ; ret
put: push %edx ; mov $0x3f8, %edx ; out %al, %dx ; pop %edx ; ret
set_gate: lea idt(,%ecx,8), %edx
  mov %ax, (%edx) ; movw $8, 2(%edx) ; movw $0x8e00, 4(%edx)
  shr $16, %eax ; mov %ax, 6(%edx) ; ret

  .data
  .balign 8
gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr: .word 23 ; .long gdt
idtr: .word 0x3ff ; .long idt
unmasked: .word 0x37b
word: .word 0
count: .long 0
clears: .long 0
  .bss
  .balign 16
idt: .skip 0x400
area: .skip 128
  .skip 4096
stack_top:
`;

/** Builds the guest in a folder as guest.elf; false when there is no compiler for it. */
export function buildX87Guest(folder: string, interrupt13: boolean): boolean {
  writeFileSync(join(folder, "guest.S"), SOURCE);
  const flags = [...(interrupt13 ? ["-DINTERRUPT_13"] : []), "-m32", "-nostdlib", "-static", "-no-pie",
    "-Wl,-Ttext=0x100000", "-Wl,--build-id=none", "-Wl,-n"];
  return spawnSync("gcc", [...flags, "-o", "guest.elf", "guest.S"], { cwd: folder }).status === 0;
}
