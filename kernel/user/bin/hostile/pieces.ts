// Pieces of machine code that a user must not execute, or not get anything by, and how each ends.
import { piece } from "./code";

/** Bits of the ways to end: bit s for signal s, bit 0 for a return. */
const RETURNS: u32 = 1;
/** A machine that does not look at limits and kinds of segments (QEMU) returns where others fault. */
const LOOSE: u32 = RETURNS;
const ILL: u32 = 1 << 4;
const TRAP: u32 = 1 << 5;
const FPE: u32 = 1 << 8;
const BUS: u32 = 1 << 10;
const SEGV: u32 = 1 << 11;
const ALARM: u32 = 1 << 26;

function privileged_pieces(): void {
  piece(cs("cli"), cs("fa"), BUS);
  piece(cs("sti"), cs("fb"), BUS);
  piece(cs("hlt"), cs("f4"), BUS);
  piece(cs("in"), cs("e464"), BUS);
  piece(cs("out"), cs("e6f4"), BUS);
  piece(cs("in dx"), cs("ec"), BUS);
  piece(cs("insb"), cs("6c"), BUS);
  piece(cs("outsb"), cs("6e"), BUS);
  piece(cs("lgdt"), cs("0f011500000057"), BUS);
  piece(cs("lidt"), cs("0f011d00000057"), BUS);
  piece(cs("lmsw"), cs("0f01f0"), BUS);
  piece(cs("lldt"), cs("0f00d0"), BUS);
  piece(cs("ltr"), cs("0f00d8"), BUS);
  piece(cs("clts"), cs("0f06"), BUS);
  piece(cs("mov from cr0"), cs("0f20c0"), BUS);
  piece(cs("mov to cr0"), cs("0f22c0"), BUS);
  piece(cs("mov to cr3"), cs("0f22d8"), BUS);
  piece(cs("mov from dr7"), cs("0f21f8"), BUS);
  piece(cs("mov to dr7"), cs("0f23f8"), BUS);
  piece(cs("invd"), cs("0f08"), BUS | ILL);
  piece(cs("wbinvd"), cs("0f09"), BUS | ILL);
  piece(cs("invlpg"), cs("0f013d00000057"), BUS | ILL);
  piece(cs("rdmsr"), cs("0f32"), BUS | ILL);
  piece(cs("wrmsr"), cs("0f30"), BUS | ILL);
  piece(cs("ud2"), cs("0f0b"), ILL);
  piece(cs("smsw, sldt, str"), cs("0f01e00f00c00f00c8c3"), RETURNS);
}

function gate_pieces(): void {
  // push $0x10; push $0xc0100000; pushf; push $8; push $0xc0100000; iret
  piece(cs("iret to the kernel"), cs("6a1068000010c09c6a0868000010c0cf"), BUS);
  piece(cs("iret with a null selector"), cs("6a0068000000579c6a006800000057cf"), BUS | SEGV);
  piece(cs("lret to the kernel"), cs("6a0868000010c0cb"), BUS);
  piece(cs("ljmp to the kernel"), cs("ea000010c00800"), BUS);
  piece(cs("lcall to the kernel"), cs("9a000010c00800"), BUS);
  piece(cs("jmp to the kernel"), cs("b8000010c0ffe0"), BUS | SEGV);
  piece(cs("jmp behind the user's end"), cs("b8ffffffffffe0"), BUS | SEGV);
  piece(cs("jmp to the page tables"), cs("b80000c0bfffe0"), BUS | SEGV);
  piece(cs("int3"), cs("cc"), TRAP);
  piece(cs("into"), cs("b8ffffff7f83c001ce"), FPE);
  piece(cs("bound"), cs("b8ffffff7f620500000057"), FPE | BUS);
  piece(cs("div by zero"), cs("31c9f7f1"), FPE);
  piece(cs("aam 0"), cs("d400"), FPE);
  // movl $20, %eax; int $0x80, with the direction flag set, and cleared again.
  piece(cs("system call with DF"), cs("fdb814000000cd80fcc3"), RETURNS);
  piece(cs("lock on a register"), cs("f0fec0"), ILL);
  piece(cs("an endless instruction"), cs("66666666666666666666666666666690"), BUS | SEGV);
}

function flag_pieces(): void {
  piece(cs("trap flag"), cs("68020300009d9090"), TRAP);
  piece(cs("trap flag and a system call"), cs("b81400000068020300009dcd80"), TRAP);
  // NT and iret: a task switch back to what the task's link says.
  piece(cs("nested task flag and iret"), cs("68024200009dcf"), BUS);
  piece(cs("nested task flag and a system call"), cs("68024200009db814000000cd8068020200009dc3"), RETURNS);
  piece(cs("IOPL 3 and cli"), cs("68023200009dfa"), BUS);
  piece(cs("virtual 8086 flag"), cs("68020202009dc3"), RETURNS);
  piece(cs("alignment check"), cs("68020204009da10100005768020200009dc3"), RETURNS | BUS);
  piece(cs("all flags"), cs("68ffffffff9d90"), TRAP | BUS);
}

function stack_pieces(): void {
  piece(cs("push with the stack in the kernel"), cs("bc000010c050"), BUS | SEGV);
  piece(cs("push with the stack at 0"), cs("bc0000000050"), BUS | SEGV);
  piece(cs("push below the stack"), cs("bc0010000050"), BUS | SEGV);
  piece(cs("int3 with the stack in the kernel"), cs("bc000010c0cc"), TRAP);
  piece(cs("ud2 with the stack at 0"), cs("31e40f0b"), ILL);
  piece(cs("write with the stack in the kernel"), cs("b804000000bc000010c0cd80"), BUS | SEGV);
  piece(cs("write with the stack at the end"), cs("b804000000bcfce0bfbfcd80"), BUS | SEGV);
  piece(cs("write with the stack at 0"), cs("b80400000031e4cd80"), BUS | SEGV);
  piece(cs("sigreturn with the stack in the kernel"), cs("b827010000bc000010c0cd80"), BUS | SEGV);
  piece(cs("enter with a deep nesting"), cs("c8ffff1fc9"), RETURNS | BUS | SEGV);
  piece(cs("16-bit push with the stack at 1"), cs("bc010000006650"), BUS | SEGV);
}

function segment_pieces(): void {
  piece(cs("null ds"), cs("31c08ed8a100000057"), LOOSE | BUS | SEGV);
  piece(cs("null ds and a system call"), cs("31c08ed88ec0b814000000cd8066b81f008ed88ec0c3"), RETURNS);
  piece(cs("kernel's ds"), cs("66b810008ed8"), BUS);
  piece(cs("null fs and gs and a system call"), cs("31c08ee08ee8b814000000cd80c3"), RETURNS);
  piece(cs("cs as ds"), cs("8cc88ed866b81f008ed8c3"), RETURNS);
  piece(cs("store through cs"), cs("2ec7050000005700000000"), LOOSE | BUS);
  piece(cs("null ss"), cs("31c08ed0"), BUS);
}

function coprocessor_pieces(): void {
  piece(cs("fninit, fld, fdiv"), cs("dbe3d9e8d9eedef9ddd8c3"), RETURNS | ILL | FPE);
  piece(cs("unmasked division by zero"), cs("dbe36a00d92c2458d9e8d9eedef99bc3"), RETURNS | ILL | FPE);
  piece(cs("fnsave to the kernel"), cs("dd35000010c0"), BUS | SEGV | ILL);
  piece(cs("frstor from nowhere"), cs("dd2500000000"), SEGV | ILL | BUS);
  piece(cs("a loop"), cs("ebfe"), ALARM);
}

/** Tries all pieces. */
export function pieces(): void {
  privileged_pieces();
  gate_pieces();
  flag_pieces();
  stack_pieces();
  segment_pieces();
  coprocessor_pieces();
}
