// The instruction table that the kernel carries for DDB's disassembler, made
// from the opcode table (emu/cpu/opcodes.ts), as data of the image at
// `ddb_opcodes`. This comment is the format; kernel/ddb/db_disasm.ts reads it.
//
//   offset 0     u16 map[512]     what an opcode byte means: entries 0..255 one-byte opcodes,
//                                 256..511 those after 0F. 0: undefined; 0x8000 + g: group g;
//                                 otherwise the number of a form, from 1
//   offset 1024  u32 groups       offset of the groups: 8 u16 each, indexed by the ModRM reg field
//   offset 1028  u32 forms        offset of form 1; forms have 12 bytes:
//     +0  u16 name      offset of the mnemonic from `names`, for 32-bit operands
//     +2  u16 name16    the same for 16-bit operands
//     +4  u8  operand[3][2]   operands in Intel order, as the two letters of their SDM code:
//                       kind and size ("Ev", "Gb", "Is" for a sign-extended byte); a capital
//                       second letter is a fixed register ("AL", "DX", "eA" for eAX); 0 ends
//     +10 u8  flags     FormFlag below
//     +11 u8  zero
//   offset 1032  u32 names        offset of the NUL-terminated AT&T mnemonics; `*` in a mnemonic
//                                 stands for the operand size letter
//   offset 1036  u32 escapes      offset of the coprocessor's instructions, for D8 to DF 80 u16 each: offsets from
//                                 `names` of the mnemonic of a memory form by the ModRM reg field (8), the same
//                                 with 16-bit operands (8), and of mnemonic, tab and operands of a register
//                                 form by the lower six bits of ModRM (64)
import { encodingOf, operandsOf, OPCODES, type OpcodeRow } from "../../emu/cpu/opcodes.js";
import { disassemble } from "../../emu/cpu/disassemble.js";
import { ByteWriter, StringTable } from "./byte_writer.js";

export const FormFlag = {
  /** A ModRM byte follows the opcode. */
  modrm: 1,
  /** F3 prints `rep `. */
  rep: 2,
  /** F3 and F2 print `repe ` and `repne `. */
  repe: 4,
  /** An indirect jump or call: `*` before the operand. */
  indirect: 8,
  /** Operands print in Intel order (`enter`). */
  forward: 16,
} as const;

const GROUP = 0x8000;
const FORM_SIZE = 12;

/** Mnemonics that AT&T spells otherwise: [32-bit, 16-bit]. */
const SPELLING: Readonly<Record<string, readonly [string, string]>> = {
  cwde: ["cwtl", "cbtw"], cdq: ["cltd", "cwtd"],
  pushad: ["pushal", "pushaw"], popad: ["popal", "popaw"],
  pushfd: ["pushfl", "pushfw"], popfd: ["popfl", "popfw"], iretd: ["iret", "iretw"],
};

/** Mnemonics that never take a size letter. */
const UNSIZED = /^(j.*|set.*|call|ret|ljmp|lcall|lret|enter|leave|int3?|loop.*|lldt|ltr|verr|verw|lmsw|arpl|bswap|aam|aad|bound|invlpg|xlat)$/;

/** The AT&T mnemonics of a row, with `*` for the size letter. */
function attMnemonics(row: OpcodeRow): readonly [string, string] {
  const special = SPELLING[row.mnemonic];
  if (special) return special;
  const operands = operandsOf(row);
  if (row.mnemonic === "movzx" || row.mnemonic === "movsx") {
    const name = `${row.mnemonic.slice(0, 4)}${operands[1] === "Eb" ? "b" : "w"}*`;
    return [name, name];
  }
  if (UNSIZED.test(row.mnemonic) || operands.length === 0) return [row.mnemonic, row.mnemonic16];
  const isByte = /^(AL|[EGOXY]b)$/.test(operands.find((o) => /^(AL|eAX|[EGOXYZ][bv])$/.test(o)) ?? "");
  const name = `${row.mnemonic}${isByte ? "b" : "*"}`;
  return [name, name];
}

/** The two letters of an operand code. */
function operandLetters(row: OpcodeRow, code: string): readonly [number, number] {
  // The segment forms of mov show the whole register, as binutils does.
  const shown = row.mnemonic === "mov" && row.operands === "Sw,Ew" && code === "Ew" ? "Ev" : code;
  const letters = shown === "Ibs" ? "Is" : shown.slice(0, 2);
  return [letters.charCodeAt(0), letters.length > 1 ? letters.charCodeAt(1) : 0];
}

function formFlags(row: OpcodeRow): number {
  let flags = encodingOf(row).modrm ? FormFlag.modrm : 0;
  if (row.repeat === "rep") flags |= FormFlag.rep;
  if (row.repeat === "repe") flags |= FormFlag.repe;
  if (/^(jmp|call|ljmp|lcall)$/.test(row.mnemonic) && /^(Ev|Mp)$/.test(row.operands)) flags |= FormFlag.indirect;
  if (row.mnemonic === "enter") flags |= FormFlag.forward;
  return flags;
}

/** Slots of `map` that a row fills: several when a register number is added to the opcode. */
function mapSlots(row: OpcodeRow): number[] {
  const { bytes, plusRegister } = encodingOf(row);
  const slot = bytes[0] === 0x0f ? 256 + bytes[1]! : bytes[0]!;
  return plusRegister ? Array.from({ length: 8 }, (_, i) => slot + i) : [slot];
}

const ESCAPES = [0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf];

/** Mnemonic and operands of the host's text, a tab between them. */
function escapeText(...code: number[]): string {
  const { text } = disassemble((i) => code[i] ?? 0, 0, "i686");
  return text.replace(/^data16 /, "").replace(/ +/, "\t");
}

/** The 80 texts of an escape. */
function escapeTexts(escape: number): string[] {
  const digits = Array.from({ length: 8 }, (_, digit) => digit << 3);
  const mnemonic = (text: string): string => text.split("\t")[0]!;
  return [
    ...digits.map((modrm) => mnemonic(escapeText(escape, modrm))),
    ...digits.map((modrm) => mnemonic(escapeText(0x66, escape, modrm))),
    ...Array.from({ length: 64 }, (_, i) => escapeText(escape, 0xc0 + i)),
  ];
}

/** Encodes the table; the same input gives the same bytes. */
export function encodeDdbOpcodes(): Uint8Array {
  const map = new Uint16Array(512);
  const groups: Uint16Array[] = [];
  const forms = new ByteWriter();
  const names = new StringTable(false);
  let formCount = 0;
  for (const row of OPCODES.filter(({ semantic }) => semantic !== "x87" && semantic !== "escape")) {
    const [name, name16] = attMnemonics(row);
    forms.u16(names.add(name)).u16(names.add(name16));
    const operands = operandsOf(row);
    for (let i = 0; i < 3; i++) {
      const [kind, size] = i < operands.length ? operandLetters(row, operands[i]!) : [0, 0];
      forms.u8(kind).u8(size);
    }
    forms.u8(formFlags(row)).u8(0);
    formCount++;
    const { digit } = encodingOf(row);
    for (const slot of mapSlots(row)) {
      if (digit < 0 || /^set/.test(row.mnemonic)) {
        // `nop` shares its byte with xchg eax,eax; the name people expect stays.
        if (map[slot] === 0 || row.mnemonic === "nop") map[slot] = formCount;
        continue;
      }
      if (map[slot] === 0) {
        map[slot] = GROUP + groups.length;
        groups.push(new Uint16Array(8));
      }
      groups[map[slot]! - GROUP]![digit] = formCount;
    }
  }
  const escapes = ESCAPES.flatMap(escapeTexts).map((text) => names.add(text));
  const groupsAt = 1024 + 16;
  const formsAt = groupsAt + groups.length * 16;
  const writer = new ByteWriter();
  for (const entry of map) writer.u16(entry);
  const escapesAt = formsAt + formCount * FORM_SIZE;
  writer.u32(groupsAt).u32(formsAt).u32(escapesAt + escapes.length * 2).u32(escapesAt);
  for (const group of groups) for (const entry of group) writer.u16(entry);
  writer.bytes(forms.finish());
  for (const name of escapes) writer.u16(name);
  return writer.bytes(names.finish()).finish();
}
