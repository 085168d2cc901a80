// The assembler, the linker and the image: encodings against iced-x86, struct
// layouts, the tables for DDB, ELF and DWARF against readelf and gdb, and a
// tiny kernel of assembly on QEMU.
import iced from "iced-x86";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { operandsOf, OPCODES, encodingOf } from "../../emu/cpu/opcodes.js";
import type { OpcodeRow } from "../../emu/cpu/opcodes.js";
import { locore } from "../../kernel/i386/locore.js";
import { compileGuest } from "../../tools/kcc/asc.js";
import { Assembler } from "../../tools/kcc/assembler.js";
import { encodeElf } from "../../tools/kcc/elf.js";
import { encodeInstruction } from "../../tools/kcc/encode.js";
import { guestFacts } from "../../tools/kcc/facts.js";
import { link, LinkError } from "../../tools/kcc/link.js";
import type { LinkedImage } from "../../tools/kcc/link.js";
import { DATA_BASE } from "../../tools/kcc/memory_map.js";
import type { Section, TextSection } from "../../tools/kcc/object.js";
import * as o from "../../tools/kcc/operands.js";
import type { Memory, Operand, OperandSize, Register } from "../../tools/kcc/operands.js";
import { decodeModule } from "../../tools/kcc/wasm/decode.js";
import { run, runQemu, skipWithout } from "./tools.js";

const { Decoder, DecoderOptions, OpKind } = iced;

/** A small deterministic generator, so that a failure can be repeated. */
class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  below(limit: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 0x100000000) * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

const WORDS: readonly Register[] = [o.eax, o.ecx, o.edx, o.ebx, o.esp, o.ebp, o.esi, o.edi];
const HALVES: readonly Register[] = [o.ax, o.cx, o.dx, o.bx, o.sp, o.bp, o.si, o.di];
const BYTES: readonly Register[] = [o.al, o.cl, o.dl, o.bl, o.ah, o.ch, o.dh, o.bh];
const DISPLACEMENTS = [0, 1, -1, 127, 128, -128, -129, 0x1000, 0x7fffffff, -0x80000000];

function randomMemory(random: Random, size: OperandSize): Memory {
  const base = random.below(5) === 0 ? undefined : random.pick(WORDS);
  const index = random.below(2) === 0 ? undefined : random.pick(WORDS.filter((one) => one !== o.esp));
  const scale = index === undefined ? 1 : random.pick([1, 2, 4, 8] as const);
  return o.sized(o.at(base, random.pick(DISPLACEMENTS), index, scale), size);
}

function sizeOf(code: string, operandSize: OperandSize): OperandSize {
  const letter = code.slice(1);
  return letter === "b" ? 1 : letter === "w" ? 2 : letter === "d" ? 4 : operandSize;
}

function registersOf(size: OperandSize): readonly Register[] {
  return size === 1 ? BYTES : size === 2 ? HALVES : WORDS;
}

/** An operand for a code of the table, or undefined for codes this test leaves out. */
function randomOperand(code: string, operandSize: OperandSize, random: Random): Operand | undefined {
  const size = sizeOf(code, operandSize);
  const accumulator = operandSize === 2 ? o.ax : o.eax;
  const fixed: Record<string, Operand> = { AL: o.al, CL: o.cl, DX: o.dx, eAX: accumulator, "1": 1 };
  if (fixed[code] !== undefined) return fixed[code];
  if (/^E[bwvd]$/.test(code)) return random.below(2) ? random.pick(registersOf(size)) : randomMemory(random, size);
  if (/^[GZ][bwvd]$/.test(code)) return random.pick(registersOf(size));
  if (code === "M") return randomMemory(random, operandSize);
  if (code === "Ib") return random.below(256);
  if (code === "Ibs") return random.below(256) - 128;
  if (code === "Iw") return random.below(65536);
  if (code === "Iv") return operandSize === 2 ? random.below(65536) : random.pick([0, 5, -3, 0x12345678, -0x80000000]);
  return undefined;
}

/** Where iced's name is not the table's. */
const OTHER_NAMES: Readonly<Record<string, string>> = { xlat: "xlatb", lret: "retf", fwait: "wait" };

function registerName(number: number): string {
  return (iced.Register[number] as string).toLowerCase();
}

const NAMES = new Map<Operand, string>(
  Object.entries(o).filter(([, value]) => typeof value === "object").map(([name, value]) => [value as Operand, name]),
);

/** Where iced's reading of operand `at` differs from what was meant, or undefined. */
function operandDifference(
  instruction: iced.Instruction, at: number, code: string, operand: Operand, operandSize: OperandSize,
): string | undefined {
  const size = code === "1" ? 1 : sizeOf(code === "Ibs" ? "Iv" : code, operandSize);
  const kind = instruction.opKind(at);
  if (typeof operand === "number") {
    const bits = size * 8;
    const read = BigInt.asUintN(bits, BigInt(instruction.immediate(at)));
    const meant = BigInt.asUintN(bits, BigInt(operand));
    return read === meant ? undefined : `immediate ${read} instead of ${meant}`;
  }
  if (operand.kind === "memory") {
    if (kind !== OpKind.Memory) return "no memory operand";
    const base = operand.base ? NAMES.get(operand.base) : "none";
    const index = operand.index ? NAMES.get(operand.index) : "none";
    const read = [registerName(instruction.memoryBase), registerName(instruction.memoryIndex)];
    const displacement = Number(BigInt.asIntN(32, BigInt(instruction.memoryDisplacement)));
    const scaled = !operand.index || instruction.memoryIndexScale === operand.scale;
    const same = read[0] === base && read[1] === index && displacement === operand.displacement && scaled;
    return same ? undefined : `memory ${read} ${displacement}`;
  }
  if (kind !== OpKind.Register) return "no register operand";
  const read = registerName(instruction.opRegister(at));
  const meant = NAMES.get(operand) as string;
  // Of selectors iced shows the whole register.
  if (read === meant || (/^[EG]w$/.test(code) && read === `e${meant}`)) return undefined;
  return `register ${read} instead of ${meant}`;
}

/** Encodes one random use of a row and lets iced read it: a complaint, "" when right, undefined when left out. */
function tryRow(row: OpcodeRow, random: Random): string | undefined {
  const codes = operandsOf(row);
  const operandSize = codes.some((code) => code.endsWith("v") || code === "eAX") ? random.pick([2, 4] as const) : 4;
  const operands = codes.map((code) => randomOperand(code, operandSize, random));
  if (operands.some((one) => one === undefined)) return undefined;
  const known = operands as Operand[];
  const tellsSize = known.some((one) => typeof one === "object" && "size" in one && one.size === 2);
  if (operandSize === 2 && !tellsSize) return undefined;
  const { bytes } = encodeInstruction(row.mnemonic, known);
  const decoder = new Decoder(32, Uint8Array.from(bytes), DecoderOptions.None);
  const instruction = decoder.decode();
  const mnemonic = (iced.Mnemonic[instruction.mnemonic] as string).toLowerCase();
  const text = `${row.mnemonic} ${row.operands} as ${Buffer.from(bytes).toString("hex")}`;
  try {
    if (instruction.length !== bytes.length) return `${text}: length ${instruction.length}`;
    // The exchange is symmetric: an assembler may swap its operands, and of eax with itself it makes a nop.
    if (row.mnemonic === "xchg" || row.mnemonic === "test") return "";
    const names = [row.mnemonic, row.mnemonic16, OTHER_NAMES[row.mnemonic]];
    if (!names.includes(mnemonic)) return `${text}: read as ${mnemonic}`;
    for (const [at, operand] of known.entries()) {
      const difference = operandDifference(instruction, at, codes[at] as string, operand, operandSize);
      if (difference !== undefined) return `${text}: operand ${at}: ${difference}`;
    }
    return "";
  } finally {
    instruction.free();
    decoder.free();
  }
}

t.test("every row of the opcode table with ordinary operands is assembled as iced-x86 reads it", (t) => {
  const seed = 20000527;
  t.comment(`seed ${seed}`);
  const random = new Random(seed);
  const complaints: string[] = [];
  const tried = new Set<OpcodeRow>();
  for (const row of OPCODES.filter((one) => !one.alias && !/[XYOJSCDT]/.test(one.operands[0] ?? ""))) {
    for (let count = 0; count < 40; count++) {
      const complaint = tryRow(row, random);
      if (complaint !== undefined) tried.add(row);
      if (complaint) complaints.push(complaint);
    }
  }
  t.same(complaints.slice(0, 10), []);
  t.ok(tried.size > 200, `${tried.size} rows tried`);
  t.end();
});

t.test("system instructions have the bytes of the manual", (t) => {
  const cases: [string, Operand[], string][] = [
    ["mov", [o.cr3, o.eax], "0f22d8"],
    ["mov", [o.eax, o.cr0], "0f20c0"],
    ["mov", [o.ds, o.ax], "8ed8"],
    ["push", [o.es], "06"],
    ["pop", [o.ds], "1f"],
    ["push", [o.fs], "0fa0"],
    ["lgdt", [o.at(o.eax)], "0f0110"],
    ["lidt", [o.at(undefined, 0x1000)], "0f011d00100000"],
    ["ltr", [o.ax], "0f00d8"],
    ["lldt", [o.cx], "0f00d1"],
    ["invlpg", [o.at(o.ecx)], "0f0139"],
    ["out", [o.dx, o.al], "ee"],
    ["in", [o.al, 0x60], "e460"],
    ["iretd", [], "cf"],
    ["int3", [], "cc"],
  ];
  for (const [mnemonic, operands, hex] of cases) {
    t.equal(Buffer.from(encodeInstruction(mnemonic, operands).bytes).toString("hex"), hex, mnemonic);
  }
  const unsized = (): unknown => encodeInstruction("movzx", [o.eax, o.at(o.ebx)]);
  t.throws(unsized, /no encoding/, "a size that nothing tells is refused");
  t.end();
});

t.test("jumps reach their labels whether near or far, forward or backward", (t) => {
  for (const padding of [0, 100, 124, 125, 126, 127, 128, 130, 5000]) {
    const a = new Assembler();
    const [before, after] = [o.label("before"), o.label("after")];
    a.bind(before).op("nop").jump("je", after).bytes(new Array<number>(padding).fill(0x90)).jump("jmp", before);
    a.bind(after).op("hlt");
    const { bytes } = a.text();
    const decoder = new Decoder(32, bytes, DecoderOptions.None);
    const targets: number[] = [];
    while (decoder.canDecode) {
      const instruction = decoder.decode();
      const isJump = instruction.isJmpShortOrNear || instruction.isJccShortOrNear;
      if (isJump) targets.push(Number(instruction.nearBranchTarget));
      instruction.free();
    }
    decoder.free();
    t.same(targets, [bytes.length - 1, 0], `${padding} bytes between`);
  }
  t.end();
});

const GUEST = `
@unmanaged export class Shape { a: u8; b: u32; c: u16; d: u64; e: u8; next: Shape; }
@unmanaged export class Longer extends Shape { f: u16; }
export function text(): usize { return cs("one\\n") + cs("two") + cs("one\\n"); }
`;

t.test("asc's program gives the offsets, types and sizes of structs, and cs() merges equal texts", async (t) => {
  const overlay = new Map([["kernel/shape.ts", GUEST]]);
  const { diagnostics, layouts, wasm } = await compileGuest(["kernel/shape.ts"], { overlay });
  t.same(diagnostics.filter((one) => one.severity === "error"), []);
  const offsets = (struct: string): unknown =>
    layouts[struct]?.fields.map(({ name, offset, size }) => [name, offset, size]);
  t.same(offsets("Shape"), [["a", 0, 1], ["b", 4, 4], ["c", 8, 2], ["d", 16, 8], ["e", 24, 1], ["next", 28, 4]]);
  t.same(layouts["Shape"]?.size, 32);
  t.match(layouts["Shape"]?.fields.at(-1), { type: /Shape$/ });
  t.same(layouts["Longer"]?.fields.at(-1), { name: "f", offset: 32, size: 2, type: "u16" });
  const texts = decodeModule(wasm as Uint8Array).data.map((one) => Buffer.from(one.bytes).toString());
  t.same(texts.sort(), ["one\n\0", "two\0"]);
});

t.test("a mistake in a guest file is reported with file and line", async (t) => {
  const source = "export function f(): u32 {\n  return nothing;\n}\nexport const g = cs(1);\n";
  const overlay = new Map([["kernel/shape.ts", source]]);
  const { diagnostics, wasm } = await compileGuest(["kernel/shape.ts"], { overlay });
  t.equal(wasm, undefined);
  const errors = diagnostics.filter((one) => one.severity === "error").map((one) => `${one.file}:${one.line}`);
  t.ok(errors.includes("kernel/shape.ts:2"));
  t.ok(errors.includes("kernel/shape.ts:4"));
});

/** A text section as the code generator makes them. */
function guestFunction(name: string, calls: readonly string[], lines: TextSection["lines"] = []): TextSection {
  const a = new Assembler();
  a.symbol(name).op("push", o.ebp).op("mov", o.ebp, o.esp);
  for (const call of calls) a.call(call);
  a.op("leave").op("ret");
  return { ...a.text({ size: 16, parameters: [{ name: "va", words: 1 }, { name: "off", words: 2 }], calls }), lines };
}

function word(image: LinkedImage, address: number): number {
  const { data } = image;
  return new DataView(data.bytes.buffer, data.bytes.byteOffset).getUint32(address - data.address, true);
}

function addressOf(image: LinkedImage, plain: string): number {
  const found = image.symbols.find((one) => one.plain === plain);
  if (!found) throw new Error(`no symbol ${plain}`);
  return found.address;
}

t.test("the symbol table for DDB is sorted and holds text, data and absolute symbols", (t) => {
  const counter = new Assembler().symbol("vm/a/counter", "object").word("vm/a/first").data(4);
  const functions = [guestFunction("vm/a/first", ["vm/b/second"]), guestFunction("vm/b/second", ["first"])];
  const image = link([...functions, counter], "first");
  const table = addressOf(image, "ddb_symtab");
  const names = table + word(image, table + 4);
  const nameAt = (offset: number): string => {
    const from = names + offset - image.data.address;
    return Buffer.from(image.data.bytes.subarray(from, image.data.bytes.indexOf(0, from))).toString();
  };
  const entries = Array.from({ length: word(image, table) }, (_, at) => {
    const entry = table + 8 + at * 12;
    return { value: word(image, entry), name: nameAt(word(image, entry + 4)), kind: word(image, entry + 8) };
  });
  t.same(entries.map((one) => one.value), entries.map((one) => one.value).sort((a, b) => a - b));
  t.match(entries.find((one) => one.name === "first"), { value: 0xc0100000, kind: 1 | (3 << 8) });
  t.match(entries.find((one) => one.name === "PTmap"), { value: 0xbfc00000, kind: 0xff00 });
  t.match(entries.find((one) => one.name === "counter"), { value: DATA_BASE });
  t.equal(entries.filter((one) => one.value === 0xc0100000).at(-1)?.name, "first", "the name to print comes last");
  t.equal(word(image, DATA_BASE), 0xc0100000, "an address in data is relocated");
  t.end();
});

t.test("undefined, duplicate and overlapping input gets one line each", (t) => {
  const problems = (sections: Section[]): readonly string[] => {
    try {
      link(sections, "start");
    } catch (error) {
      if (error instanceof LinkError) return error.lines;
    }
    return [];
  };
  t.same(problems([guestFunction("vm/a/start", ["gone"])]), ["undefined symbol gone, needed by vm/a/start"]);
  const twins = [guestFunction("vm/a/start", []), guestFunction("vm/b/start", [])];
  t.match(problems(twins), [/start is defined more than once/]);
  const block = (address: number): Section => ({
    ...{ kind: "data", address, bytes: new Uint8Array(8), size: 8, align: 1, symbols: [], relocations: [] },
  });
  t.match(problems([guestFunction("start", []), block(DATA_BASE), block(DATA_BASE + 4)]), [/overlaps/]);
  t.end();
});

/** locore with a guest written in assembly: prints, then leaves through the debug-exit port. */
async function tinyKernel(): Promise<LinkedImage> {
  const headers = ["kernel/sys/param.ts", "kernel/sys/errno.ts", "kernel/i386/frame.ts", "kernel/i386/pcb.ts",
    "kernel/i386/sigframe.ts"];
  const { constants, layouts } = await compileGuest(headers);
  const facts = guestFacts(constants, layouts);
  const code = new Assembler();
  const [next, done] = [o.label("next"), o.label("done")];
  code.symbol("init386").op("ret");
  code.symbol("main").op("mov", o.esi, o.symbol("hello")).op("mov", o.edx, 0x3f8);
  code.bind(next).string("lods", 1).op("test", o.al, o.al).jump("je", done).op("out", o.dx, o.al).jump("jmp", next);
  code.bind(done).op("mov", o.eax, o.at(undefined, 0xbfeffc00 | 0));
  code.op("and", o.eax, 1).op("xor", o.eax, 1).op("mov", o.edx, 0xf4).op("out", o.dx, o.eax).op("hlt");
  const hello = new Assembler().symbol("hello", "object").bytes([...Buffer.from("hello, kernel\n\0")]).data(1);
  const file = "kernel/init_main.ts";
  const lines = [{ offset: 0, file, line: 10 }, { offset: 3, file, line: 12 }];
  const guest = guestFunction("kernel/init_main/lined", [], lines);
  return link([...locore(facts), code.text(), guest, hello], "start", [
    "trap", "intr", "syscall", "ast", "doreti_fault", "kthread_exit", "doublefault",
  ]);
}

t.test("the image is what readelf, gdb and QEMU expect", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const kernel = join(folder, "tiny.elf");
  const image = await tinyKernel();
  const bytes = encodeElf(image);
  t.same(encodeElf(await tinyKernel()), bytes, "built twice it is the same");
  writeFileSync(kernel, bytes);

  t.test("readelf finds segments, symbols and valid debug information", { skip: skipWithout("readelf") }, (t) => {
    const dumps = ["info", "decodedline", "frames"].map((section) => `--debug-dump=${section}`);
    const { output, status } = run("readelf", ["-lsW", ...dumps, kernel]);
    t.equal(status, 0);
    t.notMatch(output, /[Ww]arning|[Ee]rror/);
    t.match(output, /LOAD +0x001000 0xc0100000 0x00100000/);
    t.match(output, /FUNC +GLOBAL +DEFAULT +1 start/);
    t.match(output, /DW_AT_name +: (\(string\) )?lined/);
    t.match(output, /init_main.ts +12 +0xc01/);
    t.match(output, /DW_CFA_def_cfa: r4 \(esp\) ofs 60/, "the stubs with trap frames are described");
    t.end();
  });
  t.test("gdb reads lines and parameters", { skip: skipWithout("gdb") }, (t) => {
    const { output } = run("gdb", ["-nx", "-batch", "-ex", "info line lined", "-ex", "info scope lined", kernel]);
    t.match(output, /Line 10 of "(kernel\/)?init_main.ts" starts at address/);
    t.match(output, /Symbol va is a variable at frame base reg \$ebp offset 0\+8/);
    t.end();
  });
  t.test("it boots on QEMU with paging on and the low mapping gone", { skip: skipWithout("qemu-system-i386") }, (t) => {
    const { output, status } = runQemu(kernel);
    t.match(output, /hello, kernel/);
    t.equal(status, 1);
    t.end();
  });
});

t.test("the encodings of all rows are written in the notation of the table", (t) => {
  for (const row of OPCODES) encodingOf(row);
  t.pass("no row was refused");
  t.end();
});
