// Takes the bytes of an instruction apart, driven by the opcode table. Used by
// the interpreter and by the disassembler; it knows nothing of either.
import { OPCODES, encodingOf, isPresent, operandsOf } from "./opcodes.js";
import type { Encoding, Model, OpcodeRow } from "./opcodes.js";
import { CS, DS, EBP, EBX, EDI, ES, ESI, ESP, FS, GS, SS, ZERO } from "./state.js";

export interface Instruction {
  /** null: no instruction of this model (#UD). */
  readonly row: OpcodeRow | null;
  /** Operand and address size in bytes, 2 or 4. */
  readonly operandSize: 2 | 4;
  readonly addressSize: 2 | 4;
  /** Segment of the prefix, or -1. */
  readonly override: number;
  /** 0, 0xF2 or 0xF3. */
  readonly repeat: number;
  readonly lock: boolean;
  /** Number of prefix bytes. */
  readonly prefixes: number;
  /** Last opcode byte. */
  readonly opcode: number;
  /** ModRM fields; -1 without a ModRM byte. */
  readonly mod: number;
  readonly reg: number;
  readonly rm: number;
  /** There is an operand in memory named by ModRM or by an absolute address. */
  readonly memory: boolean;
  /** Address: base + (index << scale) + disp; ZERO stands for none. */
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly disp: number;
  /** A displacement is encoded (it may be zero). */
  readonly hasDisp: boolean;
  /** SIB byte, or -1. */
  readonly sib: number;
  /** Segment of the memory operand: override or default. */
  readonly segment: number;
  /** First immediate (sign-extended where the operand code says so) or relative displacement. */
  readonly imm: number;
  /** Second immediate of ENTER, selector of a far pointer. */
  readonly imm2: number;
  readonly length: number;
  /** m of the i386 timing: prefixes, opcode bytes, ModRM, SIB, displacement and immediate count one each. */
  readonly components: number;
}

/** No instruction is longer; a longer one is #GP. */
export const MAX_LENGTH = 15;

interface Entry {
  readonly row: OpcodeRow;
  readonly encoding: Encoding;
  readonly operands: readonly string[];
  readonly memoryOnly: boolean;
}

/**
 * One opcode byte: a single entry, eight by the digit in ModRM, or (coprocessor
 * escapes) eight for memory forms followed by one for each ModRM byte from C0.
 */
type Slot = Entry | (Entry | null)[] | null;

const ESCAPE_MASK = 0xf8;
const ESCAPE = 0xd8;

interface OpcodeMaps {
  readonly one: Slot[];
  readonly two: Slot[];
}

const mapsByModel = new Map<Model, OpcodeMaps>();

function entryOf(row: OpcodeRow): Entry {
  const operands = operandsOf(row);
  return { row, encoding: encodingOf(row), operands, memoryOnly: operands.some((code) => code.startsWith("M")) };
}

function buildMaps(model: Model): OpcodeMaps {
  const maps: OpcodeMaps = { one: new Array<Slot>(256).fill(null), two: new Array<Slot>(256).fill(null) };
  const entries = OPCODES.filter((row) => isPresent(row, model)).map(entryOf);
  // Rows with a register in the opcode first, so that the row of a single byte (NOP) replaces one of theirs.
  for (const entry of entries.filter(({ encoding }) => encoding.plusRegister)) place(maps, entry);
  for (const entry of entries.filter(({ encoding }) => !encoding.plusRegister)) place(maps, entry);
  return maps;
}

/** Puts a coprocessor row where it belongs; the row of the escape itself fills what is left. */
function placeEscape(maps: OpcodeMaps, entry: Entry): void {
  const { bytes, digit, plusRegister } = entry.encoding;
  const old = maps.one[bytes[0]];
  const slots = Array.isArray(old) ? old : new Array<Entry | null>(8 + 64).fill(null);
  maps.one[bytes[0]] = slots;
  if (bytes.length === 2) {
    const first = 8 + (bytes[1] & 0x3f);
    slots.fill(entry, first, first + (plusRegister ? 8 : 1));
  } else if (digit >= 0) slots[digit] = entry;
  else slots.forEach((slot, i) => { slots[i] = slot ?? entry; });
}

function place(maps: OpcodeMaps, entry: Entry): void {
  if ((entry.encoding.bytes[0] & ESCAPE_MASK) === ESCAPE) {
    placeEscape(maps, entry);
    return;
  }
  const { bytes, digit, plusRegister } = entry.encoding;
  const map = bytes.length === 2 ? maps.two : maps.one;
  const opcode = bytes[bytes.length - 1];
  if (plusRegister) {
    for (let register = 0; register < 8; register++) map[opcode + register] = entry;
    return;
  }
  if (digit < 0) {
    map[opcode] = entry;
    return;
  }
  // SETcc prints /0 in some manuals, but the field is ignored.
  if (entry.row.semantic === "setcc") {
    map[opcode] = entry;
    return;
  }
  const slot = map[opcode];
  const group = Array.isArray(slot) ? slot : new Array<Entry | null>(8).fill(null);
  group[digit] = entry;
  map[opcode] = group;
}

function mapsOf(model: Model): OpcodeMaps {
  let maps = mapsByModel.get(model);
  if (maps === undefined) {
    maps = buildMaps(model);
    mapsByModel.set(model, maps);
  }
  return maps;
}

// Reused by every call: decoding is neither re-entrant nor asynchronous.
let fetchByte: (offset: number) => number = () => 0;
let position = 0;

function byte(): number {
  return fetchByte(position++) & 0xff;
}

function signedByte(): number {
  return byte() << 24 >> 24;
}

function word(): number {
  const low = byte();
  return low | (byte() << 8);
}

function dword(): number {
  const low = word();
  return low | (word() << 16);
}

interface Address {
  base: number;
  index: number;
  scale: number;
  disp: number;
  hasDisp: boolean;
  sib: number;
  /** Default segment. */
  segment: number;
}

const NO_ADDRESS: Readonly<Address> =
  { base: ZERO, index: ZERO, scale: 0, disp: 0, hasDisp: false, sib: -1, segment: DS };

/** Base and index registers of the eight 16-bit forms. */
const FORMS16: readonly (readonly [base: number, index: number])[] = [
  [EBX, ESI], [EBX, EDI], [EBP, ESI], [EBP, EDI], [ESI, ZERO], [EDI, ZERO], [EBP, ZERO], [EBX, ZERO],
];

function address16(mod: number, rm: number): Address {
  const address: Address = { ...NO_ADDRESS };
  if (mod === 0 && rm === 6) {
    address.disp = word();
    address.hasDisp = true;
    return address;
  }
  [address.base, address.index] = FORMS16[rm];
  if (address.base === EBP) address.segment = SS;
  if (mod === 1) address.disp = signedByte();
  if (mod === 2) address.disp = word();
  address.hasDisp = mod !== 0;
  return address;
}

function address32(mod: number, rm: number): Address {
  const address: Address = { ...NO_ADDRESS, base: rm };
  if (rm === ESP) {
    address.sib = byte();
    address.scale = address.sib >>> 6;
    const index = (address.sib >>> 3) & 7;
    address.index = index === ESP ? ZERO : index;
    address.base = address.sib & 7;
  }
  if (mod === 0 && address.base === EBP) {
    address.base = ZERO;
    address.disp = dword();
    address.hasDisp = true;
    return address;
  }
  if (address.base === ESP || address.base === EBP) address.segment = SS;
  if (mod === 1) address.disp = signedByte();
  if (mod === 2) address.disp = dword();
  address.hasDisp = mod !== 0;
  return address;
}

/** Segment of a prefix byte, or -1. */
function segmentOfPrefix(prefix: number): number {
  switch (prefix) {
    case 0x26: return ES;
    case 0x2e: return CS;
    case 0x36: return SS;
    case 0x3e: return DS;
    case 0x64: return FS;
    case 0x65: return GS;
    default: return -1;
  }
}

/**
 * Decodes one instruction. `fetch(i)` gives byte i of it and may throw (a
 * fetch fault); bytes are asked for in order. `big` is the D bit of the code
 * segment. An instruction without a row is invalid on this model; its length
 * is what was looked at. More than MAX_LENGTH bytes give length > MAX_LENGTH.
 */
export function decode(fetch: (offset: number) => number, big: boolean, model: Model): Instruction {
  fetchByte = fetch;
  position = 0;
  let operandSize: 2 | 4 = big ? 4 : 2;
  let addressSize: 2 | 4 = big ? 4 : 2;
  let override = -1;
  let repeat = 0;
  let lock = false;
  let opcode = byte();
  for (; position <= MAX_LENGTH; opcode = byte()) {
    if (opcode === 0x66) operandSize = big ? 2 : 4;
    else if (opcode === 0x67) addressSize = big ? 2 : 4;
    else if (opcode === 0xf0) lock = true;
    else if (opcode === 0xf2 || opcode === 0xf3) repeat = opcode;
    else if (segmentOfPrefix(opcode) >= 0) override = segmentOfPrefix(opcode);
    else break;
  }
  const prefixes = position - 1;
  const maps = mapsOf(model);
  let slot = maps.one[opcode];
  if (opcode === 0x0f) {
    opcode = byte();
    slot = maps.two[opcode];
  }
  let components = position;
  let mod = -1;
  let reg = -1;
  let rm = -1;
  let entry: Entry | null = Array.isArray(slot) ? null : slot;
  if (Array.isArray(slot) || (entry !== null && (entry.encoding.modrm))) {
    const modrm = byte();
    components++;
    mod = modrm >>> 6;
    reg = (modrm >>> 3) & 7;
    rm = modrm & 7;
    if (Array.isArray(slot)) entry = slot[mod === 3 && slot.length > 8 ? 8 + (modrm & 0x3f) : reg];
  }
  let address: Readonly<Address> = NO_ADDRESS;
  const registerOnly = entry !== null && entry.row.operands.includes("R");
  let memory = mod >= 0 && mod !== 3 && !registerOnly;
  if (memory && entry !== null) {
    address = addressSize === 4 ? address32(mod, rm) : address16(mod, rm);
    components += (address.sib >= 0 ? 1 : 0) + (address.hasDisp ? 1 : 0);
  }
  if (entry !== null && entry.memoryOnly && !memory) entry = null;
  if (entry !== null && lock && !(entry.row.lockable && memory)) entry = null;
  let imm = 0;
  let imm2 = 0;
  if (entry !== null) {
    const { immediates } = entry.encoding;
    components += immediates.length;
    for (const kind of immediates) {
      switch (kind) {
        case "ib":
          if (entry.row.semantic === "enter") imm2 = byte();
          else imm = entry.operands.includes("Ibs") ? signedByte() : byte();
          break;
        case "iw": imm = word(); break;
        case "id": imm = operandSize === 4 ? dword() : word() << 16 >> 16; break;
        case "cb": imm = signedByte(); break;
        case "cd": imm = operandSize === 4 ? dword() : word() << 16 >> 16; break;
        case "cp":
          imm = operandSize === 4 ? dword() : word();
          imm2 = word();
          break;
        default:
          address = { ...NO_ADDRESS, disp: addressSize === 4 ? dword() : word(), hasDisp: true };
          memory = true;
      }
    }
  }
  return {
    row: entry === null ? null : entry.row,
    operandSize, addressSize, override, repeat, lock, prefixes, opcode, mod, reg, rm, memory,
    base: address.base, index: address.index, scale: address.scale, disp: address.disp, hasDisp: address.hasDisp,
    sib: address.sib, segment: override >= 0 ? override : address.segment, imm, imm2, length: position, components,
  };
}
