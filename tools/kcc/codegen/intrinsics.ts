// The intrinsics of kernel/i386/cpufunc.ts as instructions.
//
// Each is a value with an effect, so nothing moves across it. Fixed code is
// taken from rows of bytes built of the opcode table; operands that must be in
// certain registers are moved there first.

import { encodingOf, findRow } from "../../../emu/cpu/opcodes.js";
import type { Value } from "../ir/ir.js";
import { EAX, EBP, ECX, EDI, EDX, ESI, ESP, imm, reg } from "./lir.js";
import type { Inst } from "./lir.js";
import type { Selector } from "./select.js";

/** Bytes of an instruction without ModRM, immediate or prefix. */
function plain(mnemonic: string, operands = ""): readonly number[] {
  return encodingOf(findRow(mnemonic, operands)).bytes;
}

const REP = 0xf3;
const OPERAND_SIZE = 0x66;
const mask = (...registers: number[]): number => registers.reduce((sum, register) => sum | (1 << register), 0);

type Expansion = (selector: Selector, value: Value, resultIsUsed: boolean) => void;

function raw(selector: Selector, bytes: readonly number[], masks: Partial<Inst> = {}): void {
  selector.emit("raw", undefined, undefined, { bytes, ...masks });
}

function fixed(...bytes: number[]): Expansion {
  return (selector) => raw(selector, bytes);
}

/** in: the port in dx, or an immediate below 256; the result in eax, extended. */
function input(size: 1 | 2 | 4): Expansion {
  return (selector, value, resultIsUsed) => {
    const [port] = value.args;
    const accumulator = size === 1 ? "AL" : "eAX";
    const prefix = size === 2 ? [OPERAND_SIZE] : [];
    if (port.op === "const" && port.imm >>> 0 < 0x100) {
      raw(selector, [...prefix, ...plain("in", `${accumulator},Ib`), port.imm], { defs: mask(EAX) });
    } else {
      selector.move(EDX, selector.useAny(port));
      raw(selector, [...prefix, ...plain("in", `${accumulator},DX`)], { uses: mask(EDX), defs: mask(EAX) });
    }
    if (!resultIsUsed) return;
    const target = reg(selector.registerOf(value));
    if (size === 4) selector.emit("mov", target, reg(EAX));
    else selector.emit("movzx", target, reg(EAX), { size });
  };
}

function output(size: 1 | 2 | 4): Expansion {
  return (selector, value) => {
    const [port, word] = value.args;
    const accumulator = size === 1 ? "AL" : "eAX";
    const prefix = size === 2 ? [OPERAND_SIZE] : [];
    const from = selector.useAny(word);
    if (port.op === "const" && port.imm >>> 0 < 0x100) {
      selector.move(EAX, from);
      raw(selector, [...prefix, ...plain("out", `Ib,${accumulator}`), port.imm], { uses: mask(EAX) });
    } else {
      const portOperand = selector.useAny(port);
      selector.move(EAX, from);
      selector.move(EDX, portOperand);
      raw(selector, [...prefix, ...plain("out", `DX,${accumulator}`)], { uses: mask(EAX, EDX) });
    }
  };
}

/** rep insw / rep outsw: port in dx, address in edi or esi, count in ecx. */
function stringPort(bytes: readonly number[], pointer: number): Expansion {
  return (selector, value) => {
    const [port, address, count] = value.args.map((arg) => (
      arg.op === "slot" ? reg(selector.use(arg)) : selector.useAny(arg)));
    selector.move(pointer, address);
    selector.move(ECX, count);
    selector.move(EDX, port);
    raw(selector, [REP, OPERAND_SIZE, ...bytes], { uses: mask(pointer, ECX, EDX), defs: mask(pointer, ECX) });
  };
}

// rawUse and rawDef are encoded by their size: 4 is ModRM with the register and
// `extra` in the middle field, 1 is ModRM with memory at the register, 2 is the
// bytes followed by a pop of the register.

/**
 * An instruction with a ModRM register operand of its own encoding: mov to and from control and segment
 * registers, lldt, ltr.
 */
function withRegister(op: "rawUse" | "rawDef", bytes: readonly number[], middle: number): Expansion {
  return (selector, value) => {
    const register = op === "rawUse" ? selector.use(value.args[0]) : selector.registerOf(value);
    selector.emit(op, reg(register), undefined, { bytes, extra: middle, size: 4 });
  };
}

/** lidt, lgdt, invlpg, fnsave and the like: a ModRM memory operand [register]. */
function withAddress(mnemonic: string, operands: string): Expansion {
  const { bytes, digit } = encodingOf(findRow(mnemonic, operands));
  return (selector, value) => {
    const register = selector.use(value.args[0]);
    selector.emit("rawUse", reg(register), undefined, { bytes, extra: digit, size: 1 });
  };
}

function lead(mnemonic: string, operands: string): readonly number[] {
  return encodingOf(findRow(mnemonic, operands)).bytes;
}

/** Segment registers as ModRM has them. */
const FS = 4;
const GS = 5;

const pushf = plain("pushfd", "");
const popf = plain("popfd", "");

function volatileLoad(size: 1 | 2 | 4): Expansion {
  return (selector, value) => {
    const target = reg(selector.registerOf(value));
    if (size === 4) selector.emit("mov", target, selector.address(value));
    else selector.emit("movzx", target, selector.address(value), { size });
  };
}

function volatileStore(size: 1 | 2 | 4): Expansion {
  return (selector, value) => {
    const word = value.args[1];
    const from = size === 1 && word.op !== "const" ? reg(selector.useByte(word)) : selector.useImmediate(word);
    const operand = from.kind === "immediate" && size !== 4 ? imm(from.value & (size === 1 ? 0xff : 0xffff)) : from;
    selector.emit("mov", selector.address(value), operand, { size });
  };
}

const EXPANSIONS: Record<string, Expansion> = {
  inb: input(1), inw: input(2), inl: input(4), outb: output(1), outw: output(2), outl: output(4),
  insw: stringPort(plain("ins", "Yv,DX"), EDI),
  outsw: stringPort(plain("outs", "DX,Xv"), ESI),
  disable_intr: fixed(...plain("cli")),
  enable_intr: fixed(...plain("sti")),
  hlt: fixed(...plain("hlt")),
  sti_hlt: fixed(...plain("sti"), ...plain("hlt")),
  breakpoint: fixed(...plain("int3")),
  read_eflags: (selector, value) => {
    // pushfl; pop register
    selector.emit("rawDef", reg(selector.registerOf(value)), undefined, { bytes: pushf, extra: 0, size: 2 });
  },
  write_eflags: (selector, value) => {
    selector.emit("push", selector.useAny(value.args[0]));
    raw(selector, popf, { extra: 4 });
  },
  rcr0: withRegister("rawDef", lead("mov", "Rd,Cd"), 0),
  rcr2: withRegister("rawDef", lead("mov", "Rd,Cd"), 2),
  rcr3: withRegister("rawDef", lead("mov", "Rd,Cd"), 3),
  rcr4: withRegister("rawDef", lead("mov", "Rd,Cd"), 4),
  lcr0: withRegister("rawUse", lead("mov", "Cd,Rd"), 0),
  lcr3: withRegister("rawUse", lead("mov", "Cd,Rd"), 3),
  lcr4: withRegister("rawUse", lead("mov", "Cd,Rd"), 4),
  lldt: withRegister("rawUse", lead("lldt", "Ew"), encodingOf(findRow("lldt", "Ew")).digit),
  ltr: withRegister("rawUse", lead("ltr", "Ew"), encodingOf(findRow("ltr", "Ew")).digit),
  lidt: withAddress("lidt", "Ms"),
  lgdt: withAddress("lgdt", "Ms"),
  invlpg: withAddress("invlpg", "M"),
  rfs: withRegister("rawDef", lead("mov", "Ev,Sw"), FS), rgs: withRegister("rawDef", lead("mov", "Ev,Sw"), GS),
  lfs: withRegister("rawUse", lead("mov", "Sw,Ew"), FS), lgs: withRegister("rawUse", lead("mov", "Sw,Ew"), GS),
  clts: fixed(...plain("clts")),
  fninit: fixed(...plain("fninit")),
  fnsave: withAddress("fnsave", "Ms"), frstor: withAddress("frstor", "Ms"),
  fnstsw: withAddress("fnstsw", "M16c"), fnstcw: withAddress("fnstcw", "M16c"), fldcw: withAddress("fldcw", "M16c"),
  read_ebp: (selector, value) => selector.emit("mov", reg(selector.registerOf(value)), reg(EBP)),
  read_esp: (selector, value) => selector.emit("mov", reg(selector.registerOf(value)), reg(ESP)),
  "volatile.load8": volatileLoad(1), "volatile.load16": volatileLoad(2), "volatile.load32": volatileLoad(4),
  "volatile.store8": volatileStore(1), "volatile.store16": volatileStore(2), "volatile.store32": volatileStore(4),
};

/** True when kcc has an expansion for this import. */
export function isIntrinsic(name: string): boolean {
  return name in EXPANSIONS || name === "frame_alloc" || name === "bss";
}

/** Emits the instructions of an intrinsic. */
export function expandIntrinsic(selector: Selector, value: Value, resultIsUsed: boolean): void {
  EXPANSIONS[value.symbol](selector, value, resultIsUsed);
}

