// What each intrinsic of kernel/i386/cpufunc.ts must become: the body of a
// guest function with parameters a, b and c, and its instructions between
// prologue and epilogue, as a foreign disassembler prints them.

export interface IntrinsicCase {
  readonly name: string;
  readonly body: string;
  readonly expected: string;
}

const LOAD_A = "mov 8(%ebp),%eax";

export const INTRINSIC_CASES: readonly IntrinsicCase[] = [
  { name: "inb", body: "return cpu.inb(a);", expected: "mov 8(%ebp),%edx; in %dx,%al; movzbl %al,%eax" },
  { name: "inb of a constant port", body: "return cpu.inb(0x21);", expected: "in $0x21,%al; movzbl %al,%eax" },
  { name: "inw", body: "return cpu.inw(a);", expected: "mov 8(%ebp),%edx; in %dx,%ax; movzwl %ax,%eax" },
  { name: "inl", body: "return cpu.inl(a);", expected: "mov 8(%ebp),%edx; in %dx,%eax" },
  { name: "outb", body: "cpu.outb(a, b);", expected: "mov 0xC(%ebp),%eax; mov 8(%ebp),%edx; out %al,%dx" },
  { name: "outw", body: "cpu.outw(a, b);", expected: "mov 0xC(%ebp),%eax; mov 8(%ebp),%edx; out %ax,%dx" },
  { name: "outl", body: "cpu.outl(a, b);", expected: "mov 0xC(%ebp),%eax; mov 8(%ebp),%edx; out %eax,%dx" },
  { name: "outb to a constant port", body: "cpu.outb(0x20, 0x20);", expected: "mov $0x20,%eax; out %al,$0x20" },
  {
    name: "insw", body: "cpu.insw(a, b, c);",
    expected: "mov 0xC(%ebp),%edi; mov 0x10(%ebp),%ecx; mov 8(%ebp),%edx; rep insw %dx,(%edi)",
  },
  {
    name: "outsw", body: "cpu.outsw(a, b, c);",
    expected: "mov 0xC(%ebp),%esi; mov 0x10(%ebp),%ecx; mov 8(%ebp),%edx; rep outsw (%esi),%dx",
  },
  {
    name: "interrupts and halting",
    body: "cpu.disable_intr(); cpu.enable_intr(); cpu.hlt(); cpu.sti_hlt(); cpu.breakpoint();",
    expected: "cli; sti; hlt; sti; hlt; int3",
  },
  { name: "read_eflags", body: "return cpu.read_eflags();", expected: "pushf; pop %eax" },
  { name: "write_eflags", body: "cpu.write_eflags(a);", expected: "pushl 8(%ebp); popf" },
  {
    name: "loading control registers", body: "cpu.lcr0(a); cpu.lcr3(a); cpu.lcr4(a);",
    expected: `${LOAD_A}; mov %eax,%cr0; mov %eax,%cr3; mov %eax,%cr4`,
  },
  { name: "rcr0", body: "return cpu.rcr0();", expected: "mov %cr0,%eax" },
  { name: "rcr2", body: "return cpu.rcr2();", expected: "mov %cr2,%eax" },
  { name: "rcr3", body: "return cpu.rcr3();", expected: "mov %cr3,%eax" },
  { name: "rcr4", body: "return cpu.rcr4();", expected: "mov %cr4,%eax" },
  {
    name: "tables", body: "cpu.invlpg(a); cpu.lidt(a); cpu.lgdt(a); cpu.lldt(a); cpu.ltr(a);",
    expected: `${LOAD_A}; invlpg (%eax); lidt (%eax); lgdt (%eax); lldt %ax; ltr %ax`,
  },
  { name: "rfs", body: "return cpu.rfs() + cpu.rgs();", expected: "mov %fs,%edx; mov %gs,%eax; add %edx,%eax" },
  { name: "lfs and lgs", body: "cpu.lfs(a); cpu.lgs(a);", expected: `${LOAD_A}; mov %eax,%fs; mov %eax,%gs` },
  {
    name: "the coprocessor",
    body: "cpu.clts(); cpu.fninit(); cpu.fnsave(a); cpu.frstor(a); cpu.fnstsw(a); cpu.fnstcw(a); cpu.fldcw(a);",
    expected: `${LOAD_A}; clts; fninit; fnsave (%eax); frstor (%eax); fnstsw (%eax); fnstcw (%eax); fldcw (%eax)`,
  },
  { name: "read_ebp", body: "return cpu.read_ebp();", expected: "mov %ebp,%eax" },
  { name: "read_esp", body: "return cpu.read_esp();", expected: "mov %esp,%eax" },
  {
    name: "volatile reads, one of which nobody uses", body: "cpu.volatile.load32(a); return cpu.volatile.load8(a + 4);",
    expected: `${LOAD_A}; mov (%eax),%edx; movzbl 4(%eax),%eax`,
  },
  {
    name: "equal volatile reads, which stay two", body: "return cpu.volatile.load32(a) | cpu.volatile.load32(a);",
    expected: "mov 8(%ebp),%edx; mov (%edx),%eax; mov (%edx),%edx; or %edx,%eax",
  },
  {
    name: "volatile writes of constants",
      body: "cpu.volatile.store8(a, 1); cpu.volatile.store16(a, 2); cpu.volatile.store32(a, 3);",
    expected: `${LOAD_A}; movb $1,(%eax); movw $2,(%eax); movl $3,(%eax)`,
  },
  {
    name: "a slot in the frame", body: "const p = cpu.frame_alloc(4); store<u32>(p, a); return load<u32>(p);",
    expected: `sub $4,%esp; ${LOAD_A}; mov %eax,-4(%ebp); mov -4(%ebp),%eax`,
  },
  { name: "unreachable", body: "if (a == 1) unreachable();", expected: "cmpl $1,8(%ebp); jne 0x0000000B; ud2" },
];
