// Turns an allocated function into bytes: frame, prologue and epilogue, the
// instructions, branches in their short form where they reach.
//
// Every function begins `push %ebp; mov %esp,%ebp`, then takes room for its
// slots and saves the callee-saved registers it uses. Nothing below esp is
// ever used. All returns but the last jump to the one epilogue, unless it is so
// short that a copy costs no more.

import type { Block } from "../ir/ir.js";
import type { Relocation } from "../object.js";
import { Code, form, isByte } from "./bytes.js";
import { CALLEE_SAVED, CC, EBP, ECX, EDX, ESP, imm, reg } from "./lir.js";
import type { Inst, LirBlock, LirFunction, MemoryOperand, Operand } from "./lir.js";

/** A piece of code whose size is settled, or a branch whose size is not. */
interface Piece {
  readonly code: Code;
  readonly origin: number;
  readonly branch?: { readonly condition: number; readonly target: Label };
}

type Label = Block | "epilogue";

export interface EmittedTable {
  readonly symbol: string;
  /** Offsets in the function of the entries. */
  readonly offsets: readonly number[];
}

export interface Emitted {
  readonly bytes: Uint8Array;
  readonly relocations: Relocation[];
  /** Offset of code and origin in the module it comes from, ascending. */
  readonly origins: { readonly offset: number; readonly origin: number }[];
  readonly tables: EmittedTable[];
  /** From the return address down to the lowest push, in bytes. */
  readonly frameSize: number;
  readonly calls: string[];
}

const UNCONDITIONAL = -1;
const INLINE_EPILOGUE_BYTES = 3;
const CALL = form("call", "Jz");
const CALL_INDIRECT = form("call", "Ev");
const JUMP_INDIRECT = form("jmp", "Ev");
const JUMP_SHORT = form("jmp", "Jb").bytes[0];
const JUMP_NEAR = form("jmp", "Jz").bytes[0];
const JCC_SHORT = form("jo", "Jb").bytes[0];
const JCC_NEAR = form("jo", "Jz").bytes;
const SETCC = form("seto", "Eb").bytes;
const SHLD = { byImmediate: form("shld", "Ev,Gv,Ib"), byCl: form("shld", "Ev,Gv,CL") };
const SHRD = { byImmediate: form("shrd", "Ev,Gv,Ib"), byCl: form("shrd", "Ev,Gv,CL") };
const GROUP3 = { mul: form("mul", "Ev"), div: form("div", "Ev"), idiv: form("idiv", "Ev") };
const CDQ = form("cdq").bytes;
const BSF = form("bsf", "Gv,Ev");
const BSR = form("bsr", "Gv,Ev");
const RET = form("ret").bytes;
const LEAVE = form("leave").bytes;
/** Not an instruction of the i386, which is the point: #UD on every model. */
const UD2 = form("ud2").bytes;

class Emitter {
  private readonly fn: LirFunction;
  private readonly pieces: Piece[] = [];
  /** Index of the piece at which each label stands. */
  private readonly labels = new Map<Label, number>();
  private readonly slotOffsets: number[] = [];
  private readonly localBytes: number;
  private readonly saved: number[];
  private readonly lastReturn: Inst | undefined;
  private readonly tables: { symbol: string; targets: readonly Block[] }[] = [];
  private readonly calls = new Set<string>();
  private readonly epilogue: number[];
  private readonly bySource: ReadonlyMap<Block, LirBlock>;
  private pushed = 0;
  private deepest = 0;

  constructor(fn: LirFunction) {
    this.fn = fn;
    this.bySource = new Map(fn.blocks.map((block) => [block.source, block]));
    let bytes = 0;
    for (const size of fn.slots) {
      bytes += (size + 3) & ~3;
      this.slotOffsets.push(-bytes);
    }
    this.localBytes = bytes;
    this.saved = CALLEE_SAVED.filter((register) =>
      fn.blocks.some((block) => block.insts.some((inst) => touches(inst, register))));
    const returns = fn.blocks.flatMap((block) => block.insts.filter((inst) => inst.op === "ret"));
    this.lastReturn = returns[returns.length - 1];
    this.epilogue = this.epilogueBytes();
  }

  private epilogueBytes(): number[] {
    const code = new Code();
    for (const register of this.saved) code.pop(register);
    if (this.localBytes > 0) code.put(...LEAVE);
    else code.pop(EBP);
    return code.put(...RET).bytes;
  }

  private prologue(origin: number): void {
    const code = new Code().push(reg(EBP)).mov(reg(EBP), reg(ESP), 4);
    if (this.localBytes > 0) code.alu("sub", reg(ESP), imm(this.localBytes), 4);
    for (const register of [...this.saved].reverse()) code.push(reg(register));
    this.pieces.push({ code, origin });
  }

  private place(operand: Operand): Operand {
    if (operand.kind !== "memory" || operand.slot < 0) return operand;
    return { ...operand, slot: -1, displacement: operand.displacement + this.slotOffsets[operand.slot] };
  }

  private push(bytes: number): void {
    this.pushed += bytes;
    this.deepest = Math.max(this.deepest, this.pushed);
  }

  private encode(inst: Inst, code: Code): void {
    const a = inst.a === undefined ? undefined : this.place(inst.a);
    const b = inst.b === undefined ? undefined : this.place(inst.b);
    const target = a?.kind === "register" ? a.register : -1;
    switch (inst.op) {
      case "mov": code.mov(a!, b!, inst.size); return;
      case "movzx": case "movsx": code.extend(inst.op, target, b!, inst.size); return;
      case "lea": code.lea(target, b as MemoryOperand); return;
      case "add": case "or": case "adc": case "sbb": case "and": case "sub": case "xor": case "cmp":
        code.alu(inst.op, a!, b!, inst.size);
        return;
      case "test": code.test(a!, b!, inst.size); return;
      case "not": case "neg": case "inc": case "dec": code.unary(inst.op, a!, inst.size); return;
      case "shl": case "shr": case "sar": case "rol": case "ror": code.shift(inst.op, a!, b!); return;
      case "shld": code.modRm(SHLD.byImmediate, (b as { register: number }).register, a!).put(inst.extra); return;
      case "shrd": code.modRm(SHRD.byImmediate, (b as { register: number }).register, a!).put(inst.extra); return;
      case "imul": code.multiply(target, b!); return;
      case "imul3": code.multiplyBy(target, b!, inst.extra); return;
      case "mul": case "div": case "idiv": code.modRm(GROUP3[inst.op], GROUP3[inst.op].digit, a!); return;
      case "cdq": code.put(...CDQ); return;
      case "setcc": code.put(SETCC[0], SETCC[1] + inst.condition, 0xc0 | target); return;
      case "push": code.push(a!); this.push(4); return;
      case "call": code.relative(CALL, inst.symbol); this.calls.add(inst.symbol); return;
      case "calli": code.modRm(CALL_INDIRECT, CALL_INDIRECT.digit, a!); this.calls.add("*"); return;
      case "popargs": code.alu("add", reg(ESP), imm(inst.extra), 4); this.push(-inst.extra); return;
      case "ud2": code.put(...UD2); return;
      case "raw": code.put(...inst.bytes); this.push(-inst.extra); return;
      case "rawUse": case "rawDef": this.encodeRaw(inst, target, code); return;
      default: this.encodeSequence(inst, a, b, code);
    }
  }

  private encodeRaw(inst: Inst, register: number, code: Code): void {
    const shape = { bytes: inst.bytes, digit: inst.extra };
    if (inst.size === 4) code.modRm(shape, inst.extra, reg(register));
    else if (inst.size === 1) {
      code.modRm(shape, inst.extra,
        { kind: "memory", base: register, index: -1, scale: 1, displacement: 0, symbol: "", slot: -1 });
    } else {
      this.push(4);
      this.push(-4);
      code.put(...inst.bytes).pop(register);
    }
  }

  /** The operations that are short sequences with a jump inside. */
  private encodeSequence(inst: Inst, a: Operand | undefined, b: Operand | undefined, code: Code): void {
    switch (inst.op) {
      case "movcc": return this.jumpOver(code, inst.condition ^ 1, new Code().mov(a!, b!, 4));
      case "ctz":
        code.modRm(BSF, (a as { register: number }).register, b!);
        return this.jumpOver(code, CC.ne, new Code().mov(a!, imm(32), 4));
      case "clz":
        code.modRm(BSR, (a as { register: number }).register, b!);
        this.jumpOver(code, CC.ne, new Code().mov(a!, imm(63), 4));
        code.alu("xor", a!, imm(31), 4);
        return;
      case "rems": {
        const divide = new Code().put(...CDQ).modRm(GROUP3.idiv, GROUP3.idiv.digit, a!);
        const zero = new Code().alu("xor", reg(EDX), reg(EDX), 4);
        zero.put(JUMP_SHORT, divide.bytes.length);
        code.alu("cmp", a!, imm(-1), 4);
        this.jumpOver(code, CC.ne, zero);
        return append(code, divide);
      }
      case "shl64": case "shr64": case "sar64": return this.wideShift(inst.op, a!, b!, code);
      default: throw new Error(`${this.fn.name}: cannot encode ${inst.op}`);
    }
  }

  private jumpOver(code: Code, condition: number, skipped: Code): void {
    code.put(JCC_SHORT + condition, skipped.bytes.length);
    append(code, skipped);
  }

  /** Shifts low:high by cl, counts of 32 and more included (the processor takes cl modulo 32). */
  private wideShift(op: "shl64" | "shr64" | "sar64", low: Operand, high: Operand, code: Code): void {
    const [near, far] = op === "shl64" ? [high, low] : [low, high];
    const double = op === "shl64" ? SHLD.byCl : SHRD.byCl;
    const single = op === "shl64" ? "shl" : op === "shr64" ? "shr" : "sar";
    code.modRm(double, (far as { register: number }).register, near).shift(single, far, reg(ECX));
    const swap = new Code().mov(near, far, 4);
    if (op === "sar64") swap.shift("sar", far, imm(31));
    else swap.alu("xor", far, far, 4);
    code.test(reg(ECX), imm(32), 4);
    this.jumpOver(code, CC.e, swap);
  }

  // Blocks and branches

  /** The block where a jump to `block` ends up, blocks that only jump on being skipped. */
  private finalTarget(block: Block): Block {
    for (let hops = 0; hops < this.fn.blocks.length; hops++) {
      const item = this.bySource.get(block)!;
      if (!isEmpty(item)) break;
      block = item.insts[0].targets[0];
    }
    return block;
  }

  private branch(condition: number, target: Label, origin: number): void {
    this.pieces.push({ code: new Code(), origin, branch: { condition, target } });
  }

  private ret(inst: Inst): void {
    const isLast = inst === this.lastReturn;
    if (isLast) this.labels.set("epilogue", this.pieces.length);
    if (isLast || this.epilogue.length <= INLINE_EPILOGUE_BYTES) {
      this.pieces.push({ code: new Code().put(...this.epilogue), origin: inst.origin });
    } else this.branch(UNCONDITIONAL, "epilogue", inst.origin);
  }

  private table(inst: Inst): void {
    const symbol = `${this.fn.name}.table${this.tables.length === 0 ? "" : this.tables.length}`;
    this.tables.push({ symbol, targets: inst.targets });
    const index = (inst.a as { register: number }).register;
    const place: MemoryOperand = { kind: "memory", base: -1, index, scale: 4, displacement: 0, symbol, slot: -1 };
    this.pieces.push({ code: new Code().modRm(JUMP_INDIRECT, JUMP_INDIRECT.digit, place), origin: inst.origin });
  }

  private block(block: LirBlock, next: Block | undefined): void {
    this.labels.set(block.source, this.pieces.length);
    const { insts } = block;
    for (let i = 0; i < insts.length; i++) {
      const inst = insts[i];
      if (inst.op === "jcc" && insts[i + 1]?.op === "jmp") {
        this.twoWay(inst, insts[++i], next);
      } else if (inst.op === "jmp") {
        const target = this.finalTarget(inst.targets[0]);
        if (target !== next) this.branch(UNCONDITIONAL, target, inst.origin);
      } else if (inst.op === "jcc") this.branch(inst.condition, this.finalTarget(inst.targets[0]), inst.origin);
      else if (inst.op === "ret") this.ret(inst);
      else if (inst.op === "jmptable") this.table(inst);
      else {
        const code = new Code();
        this.encode(inst, code);
        this.pieces.push({ code, origin: inst.origin });
      }
    }
  }

  private twoWay(jcc: Inst, jmp: Inst, next: Block | undefined): void {
    const yes = this.finalTarget(jcc.targets[0]);
    const no = this.finalTarget(jmp.targets[0]);
    if (yes === no) {
      if (no !== next) this.branch(UNCONDITIONAL, no, jmp.origin);
    } else if (yes === next) this.branch(jcc.condition ^ 1, no, jcc.origin);
    else {
      this.branch(jcc.condition, yes, jcc.origin);
      if (no !== next) this.branch(UNCONDITIONAL, no, jmp.origin);
    }
  }

  // Layout

  /** Sizes of the pieces: branches begin short and grow until all reach. */
  private relax(): number[] {
    const sizes = this.pieces.map((piece) => (piece.branch === undefined ? piece.code.bytes.length : 2));
    for (let changed = true; changed;) {
      changed = false;
      const offsets = this.offsets(sizes);
      this.pieces.forEach(({ branch }, i) => {
        if (branch === undefined || sizes[i] !== 2) return;
        const distance = offsets[this.labels.get(branch.target)!] - (offsets[i] + 2);
        if (isByte(distance)) return;
        sizes[i] = branch.condition === UNCONDITIONAL ? 5 : 6;
        changed = true;
      });
    }
    return sizes;
  }

  private offsets(sizes: readonly number[]): number[] {
    const offsets = [0];
    for (const size of sizes) offsets.push(offsets[offsets.length - 1] + size);
    return offsets;
  }

  private branchBytes(condition: number, size: number, distance: number): number[] {
    const isJump = condition === UNCONDITIONAL;
    if (size === 2) return [isJump ? JUMP_SHORT : JCC_SHORT + condition, distance & 0xff];
    const field = [distance & 0xff, (distance >> 8) & 0xff, (distance >> 16) & 0xff, (distance >> 24) & 0xff];
    return isJump ? [JUMP_NEAR, ...field] : [JCC_NEAR[0], JCC_NEAR[1] + condition, ...field];
  }

  run(origin: number): Emitted {
    this.prologue(origin);
    const blocks = this.fn.blocks.filter((block, i) => i === 0 || !isEmpty(block));
    blocks.forEach((block, i) => this.block(block, blocks[i + 1]?.source));
    const sizes = this.relax();
    const offsets = this.offsets(sizes);
    const bytes = new Uint8Array(offsets[offsets.length - 1]);
    const relocations: Relocation[] = [];
    const origins: { offset: number; origin: number }[] = [];
    this.pieces.forEach(({ code, branch, origin: from }, i) => {
      const at = offsets[i];
      if (branch === undefined) bytes.set(code.bytes, at);
      else bytes.set(this.branchBytes(branch.condition, sizes[i],
        offsets[this.labels.get(branch.target)!] - at - sizes[i]), at);
      for (const relocation of code.relocations) relocations.push({ ...relocation, offset: relocation.offset + at });
      origins.push({ offset: at, origin: from });
    });
    const tables = this.tables.map(({ symbol, targets }) => (
      { symbol, offsets: targets.map((target) => offsets[this.labels.get(this.finalTarget(target))!]) }));
    const frameSize = 8 + this.localBytes + 4 * this.saved.length + this.deepest;
    return { bytes, relocations, origins, tables, frameSize, calls: [...this.calls] };
  }
}

/** A block that only jumps on; jumps to it go to its target. */
function isEmpty({ insts }: LirBlock): boolean {
  return insts.length === 1 && insts[0].op === "jmp";
}

function touches(inst: Inst, register: number): boolean {
  const bit = 1 << register;
  if (((inst.uses | inst.defs) & bit) !== 0) return true;
  return [inst.a, inst.b].some((operand) => operand !== undefined && operand.kind !== "immediate"
    && (operand.kind === "register" ? operand.register === register : operand.base === register
      || operand.index === register));
}

function append(code: Code, tail: Code): void {
  const at = code.bytes.length;
  for (const relocation of tail.relocations) code.relocations.push({ ...relocation, offset: relocation.offset + at });
  code.put(...tail.bytes);
}

/** The bytes of a function. `origin` is where the function itself begins in the module. */
export function emitFunction(fn: LirFunction, origin: number): Emitted {
  return new Emitter(fn).run(origin);
}

