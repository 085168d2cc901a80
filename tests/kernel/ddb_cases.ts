// Commands typed at DDB's prompt before the system is up, and what they print.

export interface CommandCase {
  readonly command: string;
  readonly prints: RegExp;
}

export const commandCases: readonly CommandCase[] = [
  // Expressions: radix 16, precedence, unary operators, symbols, fetches.
  { command: "print/x 1+2*3", prints: /^ +7\n/ },
  { command: "print/d 10", prints: /^ +16\n/ },
  { command: "print/d 0t10", prints: /^ +10\n/ },
  { command: "print/d 0o10", prints: /^ +8\n/ },
  { command: "print/x (1+2)*3", prints: /^ +9\n/ },
  { command: "print/x 7#4", prints: /^ +8\n/ },
  { command: "print/x 1<<4", prints: /^ +10\n/ },
  { command: "print/d -5", prints: /^ +-5\n/ },
  { command: "print/x 11%4", prints: /^ +1\n/ },
  { command: "print/a trap+3", prints: /^trap\+0x3\n/ },
  { command: "print/x trap-trap", prints: /^ +0\n/ },
  { command: "print/x $cs", prints: /^ +8\n/ },
  { command: "print/x *kernel_text", prints: /^1badb002\n/ },
  { command: "print/x 1/0", prints: /^Divide by 0\n/ },
  { command: "print/x nowhere", prints: /^Symbol not found\n/ },
  { command: "print/x 12g", prints: /^Bad character in number\n/ },
  { command: "print/x $nothing", prints: /^Unknown variable\n/ },
  { command: "print/x (1", prints: /^Syntax error\n/ },
  // Commands: prefixes, ambiguity, modifiers, help.
  { command: "nonsense", prints: /^No such command\n/ },
  { command: "p", prints: /^Ambiguous\n/ },
  { command: "print/", prints: /^Bad modifier\n/ },
  { command: "x kernel_text,", prints: /^Count missing\n/ },
  { command: "x kernel_text kernel_text", prints: /^\?\n/ },
  { command: "help", prints: /^break +c +call +continue[^]*write +x/ },
  { command: "show", prints: /^all +breaks +buf +map +object +page/ },
  // Examining and changing.
  { command: "x/xl kernel_text,2", prints: /^kernel_text:\s+1badb002 +3\n/ },
  { command: "x/xb kernel_text,4", prints: /^kernel_text:\s+2 +b0 +ad +1b\n/ },
  { command: "x/i cpu_Debugger,2", prints: /^cpu_Debugger:\s+pushl\s+%ebp\ncpu_Debugger\+0x1:\s+movl\s+%esp,%ebp\n/ },
  { command: "write ticks_probe 1", prints: /^Symbol not found\n/ },
  { command: "set $radix 0t10", prints: /^/ },
  { command: "print/x 10", prints: /^ +a\n/ },
  { command: "set $radix 0t16", prints: /^/ },
  // Breakpoints.
  { command: "show breaks", prints: /^No breakpoints set\n/ },
  { command: "break uvm_init", prints: /^/ },
  { command: "break uvm_init", prints: /^Already set\.\n/ },
  { command: "show breaks", prints: /^ Map {6}Count {4}Address\n.* 1 {4}uvm_init\n/ },
  { command: "delete trap", prints: /^Not set\.\n/ },
  { command: "break version", prints: /^/ },
  { command: "continue", prints: /^Breakpoint in swapper at\s+version:\s+pushl\s+%ebp\n/ },
  { command: "trace", prints: /^version\(\) at version\nmain\(\) at main\+0x/ },
  { command: "next", prints: /^(After \d+ instructions.*\n)?Stopped in swapper at.*\bret\n/ },
  { command: "delete version", prints: /^/ },
  { command: "continue", prints: /^ptmap [^]*Breakpoint in swapper at\s+uvm_init:\s+pushl\s+%ebp\n/ },
  { command: "trace", prints: /^uvm_init\(\) at uvm_init\nmain\(\) at main\+0x/ },
  { command: "delete uvm_init", prints: /^/ },
  { command: "step", prints: /^Stopped in swapper at\s+uvm_init\+0x1:\s+movl\s+%esp,%ebp\n/ },
  { command: "step/p,3", prints: /^uvm_init\+0x3:[^]*After 3 instructions[^]*Stopped in swapper at/ },
  // A fault of a command ends that command only.
  { command: "x 10", prints: /Faulted in DDB; continuing\.\.\.\n/ },
  { command: "show registers", prints: /^es +0x10\nds +0x10\n[^]*eip +0x[0-9a-f]+ +uvm_init\+0x[0-9a-f]+\n[^]*ss +0x10\nuvm_init\+/ },
  { command: "ps", prints: /^ PID {13}PPID {7}PGRP {8}UID S {3}FLAGS {10}COMMAND {4}WAIT\n>0 +-1 / },
  { command: "ps/w", prints: /COMMAND +EMUL +PRI +UTIME +STIME WAIT-MSG WAIT-CHANNEL\n/ },
  { command: "ps/a", prints: /COMMAND +STRUCT PROC \* +UAREA \* +VMSPACE\/VM_MAP\n/ },
  { command: "until", prints: /^(After \d+ instructions.*\n)?Stopped in swapper at/ },
];
