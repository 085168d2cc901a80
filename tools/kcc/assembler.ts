// A typed assembler: instructions as method calls, operands as values, jumps to
// labels. It writes locore and the code of tests.
//
//     const loop = label("loop");
//     a.bind(loop);
//     a.op("dec", ecx);
//     a.jump("jne", loop);
//
// Jumps to labels take two bytes where they reach and the long form where they
// do not; nobody counts. Calls and jumps to symbols are left to the linker.
import { encodeInstruction, encodeString } from "./encode.js";
import type { Encoded } from "./encode.js";
import { encodingOf, rowsOf } from "../../emu/cpu/opcodes.js";
import type { DataSection, FrameInfo, Relocation, SectionSymbol, TextSection } from "./object.js";
import { symbol } from "./operands.js";
import type { Label, Operand, OperandSize } from "./operands.js";

/** A jump whose length is not known yet. */
interface Branch {
  readonly mnemonic: string;
  readonly target: Label;
  long: boolean;
}

/** What a section is made of. */
interface Contents {
  readonly bytes: Uint8Array;
  readonly relocations: Relocation[];
  readonly symbols: SectionSymbol[];
}

type Item =
  | { readonly kind: "code"; readonly code: Encoded }
  | { readonly kind: "branch"; readonly branch: Branch }
  | { readonly kind: "label"; readonly label: Label }
  | { readonly kind: "align"; readonly align: number; readonly fill: number }
  | { readonly kind: "symbol"; readonly name: string; readonly type: SectionSymbol["type"]; readonly global: boolean };

const FUNCTION_ALIGN = 16;

/** Opcode bytes of a jump's short and long forms. */
function jumpForms(mnemonic: string): { short: readonly number[]; long?: readonly number[] } {
  const rows = rowsOf(mnemonic);
  const short = rows.find((row) => row.operands === "Jb");
  const long = rows.find((row) => row.operands === "Jz");
  if (short === undefined) throw new Error(`"${mnemonic}" is not a jump to a label`);
  return { short: encodingOf(short).bytes, long: long && encodingOf(long).bytes };
}

/** Builds one section of text. */
export class Assembler {
  private readonly items: Item[] = [];

  /** One instruction, destination first. */
  op(mnemonic: string, ...operands: Operand[]): this {
    return this.code(encodeInstruction(mnemonic, operands));
  }

  /** A string instruction on units of `size` bytes. */
  string(mnemonic: string, size: OperandSize, prefix?: "rep" | "repne"): this {
    return this.code(encodeString(mnemonic, size, prefix));
  }

  /** Calls a symbol. */
  call(name: string): this {
    return this.op("call", symbol(name));
  }

  /** A jump (`jmp`, `jne`, `jecxz` …) to a label of this section. */
  jump(mnemonic: string, target: Label): this {
    this.items.push({ kind: "branch", branch: { mnemonic, target, long: false } });
    return this;
  }

  /** A far jump to a symbol in a code segment. */
  farJump(selector: number, name: string, addend = 0): this {
    const bytes = [0xea, 0, 0, 0, 0, selector & 0xff, selector >> 8];
    return this.code({ bytes, fixups: [{ offset: 1, kind: "abs32", symbol: name, addend }] });
  }

  /** Says that `label` is here. */
  bind(label: Label): this {
    this.items.push({ kind: "label", label });
    return this;
  }

  /** Bytes as they are. */
  bytes(bytes: readonly number[]): this {
    return this.code({ bytes, fixups: [] });
  }

  /** A 32-bit word: a number, or the address of a symbol. */
  word(value: number | string): this {
    if (typeof value === "number") return this.bytes([0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff));
    return this.code({ bytes: [0, 0, 0, 0], fixups: [{ offset: 0, kind: "abs32", symbol: value, addend: 0 }] });
  }

  align(align: number, fill = 0x90): this {
    this.items.push({ kind: "align", align, fill });
    return this;
  }

  /** A symbol here; it extends to the next symbol or the end. A name with a leading dot is for the linker only. */
  symbol(name: string, type: SectionSymbol["type"] = "func", global = true): this {
    this.items.push({ kind: "symbol", name, type, global });
    return this;
  }

  private code(code: Encoded): this {
    this.items.push({ kind: "code", code });
    return this;
  }

  /** Finishes as text. `frame` belongs to the functions of the section. */
  text(frame?: FrameInfo): TextSection {
    const { bytes, relocations, symbols } = this.layOut();
    return { kind: "text", bytes, align: FUNCTION_ALIGN, symbols, relocations, lines: [], frame };
  }

  /** Finishes as initialised data. */
  data(align: number): DataSection {
    const { bytes, relocations, symbols } = this.layOut();
    return { kind: "data", bytes, size: bytes.length, align, symbols, relocations };
  }

  private layOut(): Contents {
    let offsets = this.offsets();
    while (this.lengthenBranches(offsets)) offsets = this.offsets();
    return this.write(offsets);
  }

  private static lengthOf(item: Item, offset: number): number {
    switch (item.kind) {
      case "code":
        return item.code.bytes.length;
      case "branch": {
        const { short, long } = jumpForms(item.branch.mnemonic);
        return item.branch.long && long ? long.length + 4 : short.length + 1;
      }
      case "align":
        return (item.align - (offset % item.align)) % item.align;
      default:
        return 0;
    }
  }

  /** The offset of every item; one more for the end. */
  private offsets(): number[] {
    const offsets = [0];
    this.items.forEach((item, at) => {
      const offset = offsets[at] as number;
      offsets.push(offset + Assembler.lengthOf(item, offset));
    });
    return offsets;
  }

  private labelOffset(label: Label, offsets: readonly number[]): number {
    const at = this.items.findIndex((item) => item.kind === "label" && item.label === label);
    if (at < 0) throw new Error(`label ${label.name} is used but not bound`);
    return offsets[at] as number;
  }

  /** Makes branches long that do not reach; tells whether any changed. */
  private lengthenBranches(offsets: readonly number[]): boolean {
    let changed = false;
    this.items.forEach((item, at) => {
      if (item.kind !== "branch" || item.branch.long) return;
      const distance = this.labelOffset(item.branch.target, offsets) - (offsets[at + 1] as number);
      if (distance >= -128 && distance <= 127) return;
      if (jumpForms(item.branch.mnemonic).long === undefined) {
        throw new Error(`${item.branch.mnemonic} does not reach ${item.branch.target.name}`);
      }
      item.branch.long = true;
      changed = true;
    });
    return changed;
  }

  private branchBytes(branch: Branch, end: number, offsets: readonly number[]): number[] {
    const distance = this.labelOffset(branch.target, offsets) - end;
    const { short, long } = jumpForms(branch.mnemonic);
    if (!branch.long || long === undefined) return [...short, distance & 0xff];
    return [...long, ...[0, 8, 16, 24].map((shift) => (distance >>> shift) & 0xff)];
  }

  private write(offsets: readonly number[]): Contents {
    const end = offsets[this.items.length] as number;
    const bytes = new Uint8Array(end);
    const relocations: Relocation[] = [];
    const starts: { name: string; offset: number; type: SectionSymbol["type"]; global: boolean }[] = [];
    this.items.forEach((item, at) => {
      const offset = offsets[at] as number;
      if (item.kind === "code") {
        bytes.set(item.code.bytes, offset);
        relocations.push(...item.code.fixups.map((fixup) => ({ ...fixup, offset: offset + fixup.offset })));
      } else if (item.kind === "branch") {
        bytes.set(this.branchBytes(item.branch, offsets[at + 1] as number, offsets), offset);
      } else if (item.kind === "align") bytes.fill(item.fill, offset, offsets[at + 1]);
      else if (item.kind === "symbol") starts.push({ ...item, offset });
    });
    const symbols = starts.map(({ name, offset, type, global }, at) => {
      const next = starts.slice(at + 1).find((one) => one.offset > offset && !one.name.startsWith("."));
      return { name, offset, type, global, size: (next?.offset ?? end) - offset };
    });
    return { bytes, relocations, symbols };
  }
}

/** A zero-filled block with a name. */
export function zeroBlock(name: string, size: number, align: number): DataSection {
  const symbols: SectionSymbol[] = [{ name, offset: 0, size, global: true, type: "object" }];
  return { kind: "bss", bytes: new Uint8Array(0), size, align, symbols, relocations: [] };
}
