// What single instructions need beside their operands so that a case tells
// something: by the semantic names of the opcode table. A recipe that returns
// false has met choices that cannot be recorded.

import { operandsOf } from "../../../emu/cpu/opcodes.js";
import { FLAG } from "../../../emu/cpu/state.js";
import { little } from "./cases.js";
import type { Draft } from "./cases.js";
import { PREFIX } from "./forms.js";
import { CODE, CODE_PAGE, FLAT, LOCAL_NAMES, MIDDLE, local } from "./space.js";

export type Recipe = (draft: Draft) => void | false;

const [EAX, ECX, EDX, EBX, , EBP, ESI, EDI] = [0, 1, 2, 3, 4, 5, 6, 7];
const [CS, DS] = [1, 3];

/** Selectors of all kinds: null, flat, local, of the kernel, of a task, beyond the tables. */
const SELECTORS = [0, 3, FLAT.DATA, FLAT.DATA & ~3, FLAT.DATA, FLAT.CODE, ...LOCAL_NAMES.map(local), FLAT.KERNEL_CODE,
  FLAT.KERNEL_DATA, FLAT.KERNEL_DATA | 3, 0x40, 0x50, 0xfff0, (LOCAL_NAMES.length << 3) | 7];
/** Selectors for far transfers, good ones first. */
const CODE_SELECTORS = [FLAT.CODE, FLAT.CODE, local("CODE32"), local("CODE16"), local("EXECUTE_ONLY"), ...SELECTORS];

/** Writes the r/m operand of `bytes` bytes. */
function setOperand(draft: Draft, value: number, bytes: number): void {
  if (draft.form.shape !== null) {
    draft.operand = little(value, bytes);
    return;
  }
  if (bytes > 1) draft.set(draft.rm, value);
  else {
    const register = draft.rm & 3;
    const shift = draft.rm & 4 ? 8 : 0;
    draft.set(register, (draft.registers[register] & ~(0xff << shift)) | ((value & 0xff) << shift));
  }
}

/** Dividend and divisor whose quotient mostly fits; edge values besides. */
function divide(draft: Draft): void {
  const { random } = draft;
  const bytes = draft.bytes;
  const bits = BigInt(bytes * 8);
  const signed = draft.row.semantic === "idiv";
  const mask = (1n << bits) - 1n;
  const wrap = (value: number): bigint =>
    (signed ? BigInt.asIntN(Number(bits), BigInt(value)) : BigInt(value >>> 0) & mask);
  // Not ESP of the word registers.
  if (draft.form.shape === null) draft.rm = draft.pick(bytes === 1 ? [0, 1, 2, 3, 4, 5, 6, 7] : [0, 1, 2, 3, 5, 6, 7]);
  const divisor = wrap(draft.value());
  let dividend = wrap(draft.value()) * divisor;
  const remainder = divisor === 0n ? 0n : wrap(random()) % divisor;
  dividend += signed && (dividend < 0n) !== (remainder < 0n) ? -remainder : remainder;
  if (random() % 5 === 0) dividend = (BigInt(draft.value()) << 32n) | BigInt(draft.value());
  if (bytes === 1) draft.set(EAX, (random() & 0xffff0000) | Number(dividend & 0xffffn));
  else {
    const high = bytes === 2 ? random() & 0xffff0000 : 0;
    draft.set(EAX, high | Number(dividend & mask));
    draft.set(EDX, high | Number((dividend >> bits) & mask));
  }
  const value = Number(divisor & 0xffffffffn);
  if (draft.form.shape !== null) draft.operand = little(value, bytes);
  else if (draft.free(bytes === 1 ? draft.rm & 3 : draft.rm)) setOperand(draft, value, bytes);
}

function shiftCount(draft: Draft): void {
  if (!draft.row.operands.endsWith("CL")) return;
  const { random } = draft;
  const count = (random() & 3) === 0 ? random() & 0xff : draft.pick([0, 1, 2, 4, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33]);
  draft.set(ECX, (random() & 0xffffff00) | count);
}

/** A bit offset reaches far from its operand; the address is chosen to make up for that. */
function bitOffset(draft: Draft): void {
  if (!draft.row.operands.endsWith("Gv") || draft.form.shape === null) return;
  const { size, addressSize } = draft.form;
  // 16-bit addresses take BX, SI and DI for themselves.
  draft.reg = draft.pick(addressSize === 2 ? [0, 1, 2] : [0, 1, 2, 3, 6, 7]);
  let offset = (draft.random() & 1) === 0 ? draft.random() : draft.value();
  if (addressSize === 2) offset = (offset << 18) >> 18;
  draft.set(draft.reg, offset);
  const bits = size * 8;
  const signed = size === 2 ? offset << 16 >> 16 : offset | 0;
  draft.shift = Math.floor(signed / bits) * size;
}

/** Pointers and counter of a string instruction. */
function string(draft: Draft): void {
  const { form, row, random } = draft;
  const operands = operandsOf(row);
  const bytes = operands.some((code) => code.endsWith("b") || code === "AL") ? 1 : form.size;
  const repeated = form.prefixes.some((prefix) => prefix === PREFIX.REP || prefix === PREFIX.REPNE);
  const down = (random() & 1) !== 0;
  if (down) draft.eflags |= FLAG.DF;
  // A process may see #GP for ports even where a count of zero asks for none.
  const count = random() % (form.place === "memory" ? 12 : 6) + (/^(ins|outs)$/.test(row.mnemonic) ? 1 : 0);
  const narrow = form.addressSize === 2;
  const halves = (value: number): number => (narrow ? (value & 0xffff) | (random() << 16) : value);
  if (repeated) draft.set(ECX, halves(count));
  const length = bytes * (repeated ? Math.max(1, count) : 1);
  const pointers: number[] = [];
  const point = (register: number, segment: number): void => {
    const near = pointers.length > 0 && (random() & 1) !== 0 && form.place === "memory";
    const start = near ? pointers[0] + (random() % 9) - 4 : draft.target(length, segment);
    pointers.push(start);
    const linear = down ? start + length - bytes : start;
    draft.set(register, halves(linear - draft.base(segment)));
  };
  if (/X/.test(row.operands)) point(ESI, draft.segment(DS));
  if (/Y/.test(row.operands)) point(EDI, 0);
  // Much of what is compared is to be equal.
  if (form.place !== "memory" || !/cmps|scas/.test(row.mnemonic)) return;
  const equal = [random() & 0xff, random() & 0xff, 0, 0xff];
  const run = (): number[] => Array.from({ length }, (_, i) => equal[(i % bytes) & 3]);
  for (const start of pointers) draft.put(start, run());
  const other = (random() & 3) === 0 ? 0x100 : 0;
  if (row.mnemonic === "scas") draft.set(EAX, (equal[0] | (equal[1] << 8) | 0xff000000) ^ other);
  if ((random() & 1) !== 0) draft.put(pointers[0] + (random() % length), [random() & 0xff]);
}

/**
 * For returns. Selectors of inner rings are left out: before it refuses them
 * the host reads the outer stack that would follow the frame, the SDM does not.
 */
const RETURN_SELECTORS = CODE_SELECTORS.filter((selector) => (selector & 3) === 3);

/** A displacement that leads to a landing place. */
function relative(draft: Draft): void {
  const kind = draft.encoding.immediates[0];
  const { random } = draft;
  if (kind === "cb") {
    const displacement = (random() & 1) === 0 ? random() % 128 : -20 - (random() % 108);
    draft.immediates.cb = little(displacement, 1);
    return;
  }
  const offset = draft.landing() - (CODE - draft.base(CS));
  draft.immediates.cd = little(offset, draft.form.size);
}

/** A far pointer: offset and selector. */
function farPointer(draft: Draft, selectors: readonly number[] = CODE_SELECTORS): readonly number[] {
  const selector = draft.pick(selectors);
  const offset = (selector === FLAT.CODE ? CODE_PAGE : 0) + 0x400 + (draft.random() % 0xd00);
  return [...little(offset, draft.form.size), ...little(selector, 2)];
}

function selectorOperand(draft: Draft): void {
  setOperand(draft, draft.pick(SELECTORS) | (draft.random() & 0xffff0000), draft.form.shape === null ? 4 : draft.bytes);
}

function popped(bytes: (draft: Draft) => readonly number[]): Recipe {
  return (draft) => {
    const image = bytes(draft);
    const at = draft.stack(image.length, 0);
    draft.put(at, image);
  };
}

const flags = (draft: Draft): number => draft.random() & ~(FLAG.TF | FLAG.VM);

/** ENTER copies frame pointers from below EBP. */
function enter(draft: Draft): void {
  const { random } = draft;
  draft.stack(0, 64);
  const narrow = !draft.form.bigStack;
  const frame = MIDDLE.at + 300 + (random() % 16) * 4 - draft.base(2);
  draft.set(EBP, narrow ? (frame & 0xffff) | (random() << 16) : frame);
  draft.immediates.iw = little((random() & 7) === 0 ? random() : (random() & 15) * 4, 2);
  draft.immediates.ib = little((random() & 7) === 0 ? random() & 0xff : random() & 3, 1);
}

function leave(draft: Draft): void {
  const at = draft.stack(draft.form.size, 0);
  draft.set(EBP, draft.registers[4]);
  draft.put(at, little(draft.value(), draft.form.size));
  draft.set(4, draft.value());
}

function bound(draft: Draft): void {
  const { size } = draft.form;
  draft.reg = draft.pick([0, 1, 2]);
  const value = draft.value();
  draft.set(draft.reg, value);
  const about = (by: number): readonly number[] => little(value + by, size);
  draft.operand = [...about(-(draft.random() % 3)), ...about((draft.random() % 4) - 1)];
}

function exchange8(draft: Draft): void {
  const [low, high] = [draft.value(), draft.value()];
  draft.operand = [...little(low, 4), ...little(high, 4)];
  draft.set(EAX, (draft.random() & 1) === 0 ? low : draft.value());
  draft.set(EDX, (draft.random() & 3) !== 0 ? high : draft.value());
  if (draft.free(EBX)) draft.set(EBX, draft.value());
  draft.set(ECX, draft.value());
}

function counter(draft: Draft): void {
  draft.set(ECX, draft.pick([0, 1, 2, 0x10000, 0x10001, 0xffff, draft.value()]));
  relative(draft);
}

/** The operand of an indirect transfer. */
function indirect(draft: Draft): void {
  if (draft.rm === 4) draft.rm = 6;
  setOperand(draft, draft.landing(), draft.form.size);
  draft.stack(0, 8);
}

/** Vectors with an interrupt gate for programs, but for that of the system calls. */
function interrupt(draft: Draft): void {
  const vector = draft.pick([3, 4, draft.random() & 0xff]);
  draft.immediates.ib = [vector === 0x80 ? 0x81 : vector];
}

const jump: Recipe = (draft) => relative(draft);

/** The source is equal to the accumulator half of the time. */
function compareExchange(draft: Draft): void {
  if ((draft.random() & 1) === 0) return;
  const value = draft.value();
  draft.set(EAX, value);
  if (draft.form.shape !== null) draft.operand = little(value, draft.bytes);
}

export const RECIPES: Readonly<Record<string, Recipe>> = {
  div: divide, idiv: divide,
  rol: shiftCount, ror: shiftCount, rcl: shiftCount, rcr: shiftCount, shl: shiftCount, shr: shiftCount, sar: shiftCount,
  shld: shiftCount, shrd: shiftCount, bt: bitOffset, bts: bitOffset, btr: bitOffset, btc: bitOffset,
  movs: string, cmps: string, stos: string, lods: string, scas: string, ins: string, outs: string,
  jcc: jump, jmp: jump, call: (draft) => { draft.stack(0, 8); relative(draft); },
  loop: counter, loope: counter, loopne: counter, jecxz: counter,
  jmpIndirect: indirect, callIndirect: indirect,
  jmpFar: (draft) => { draft.operand = draft.immediates.cp = farPointer(draft); },
  callFar: (draft) => { draft.stack(0, 8); draft.operand = draft.immediates.cp = farPointer(draft); },
  ret: popped((draft) => little(draft.landing(), draft.form.size)),
  retFar: popped((draft) => [...farPointer(draft, RETURN_SELECTORS), 0, 0].slice(0, draft.form.size * 2)),
  iret: popped((draft) => {
    const { size } = draft.form;
    const selector = little(draft.pick(RETURN_SELECTORS), size);
    return [...farPointer(draft).slice(0, size), ...selector, ...little(flags(draft), size)];
  }),
  popfd: popped((draft) => little(flags(draft), draft.form.size)),
  popSegment: popped((draft) => little(draft.pick(SELECTORS) | (draft.random() & 0xffff0000), draft.form.size)),
  pop: popped((draft) => little(draft.value(), draft.form.size)),
  popad: (draft) => { draft.stack(draft.form.size * 8, 0); },
  push: (draft) => { draft.stack(0, 4); }, pushSegment: (draft) => { draft.stack(0, 4); },
  pushad: (draft) => { draft.stack(0, draft.form.size * 8); }, pushfd: (draft) => { draft.stack(0, 4); },
  enter, leave, bound, int: interrupt,
  loadSegment: selectorOperand, lar: selectorOperand, lsl: selectorOperand,
  verr: selectorOperand, verw: selectorOperand,
  storeSegment: (draft) => { draft.bytes = draft.form.shape === null ? 4 : 2; },
  arpl: (draft) => { if (draft.form.shape === null) draft.set(draft.rm, draft.value()); },
  loadFarPointer: (draft) => {
    draft.operand = [...little(draft.value(), draft.form.size), ...little(draft.pick(SELECTORS), 2)];
  },
  xlat: (draft) => {
    const segment = draft.segment(DS);
    draft.set(EAX, draft.random());
    const offset = draft.target(1, segment) - (draft.registers[EAX] & 0xff) - draft.base(segment);
    draft.set(EBX, draft.form.addressSize === 2 ? (offset & 0xffff) | (draft.random() << 16) : offset);
  },
  cmpxchg: compareExchange, cmpxchg8b: exchange8,
  aam: (draft) => { draft.immediates.ib = [draft.pick([10, 10, 0, 1, 16, draft.random() & 0xff])]; },
  daa: (draft) => { draft.set(EAX, draft.random()); }, das: (draft) => { draft.set(EAX, draft.random()); },
  aaa: (draft) => { draft.set(EAX, draft.random()); }, aas: (draft) => { draft.set(EAX, draft.random()); },
  aad: (draft) => { draft.set(EAX, draft.random()); },
  readControl: (draft) => { draft.reg = draft.pick([0, 2, 3]); },
  writeControl: (draft) => { draft.reg = draft.pick([0, 2, 3]); },
  readDebug: (draft) => { draft.reg = draft.pick([0, 1, 2, 3, 6, 7]); },
  writeDebug: (draft) => { draft.reg = draft.pick([0, 1, 2, 3, 6, 7]); },
};
