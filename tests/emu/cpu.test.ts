// The processor: its opcode table, paging and the TLB, faults, rings, tasks, interrupts and clocks.

import { Decoder, DecoderOptions } from "iced-x86";
import t from "tap";
import type { Test } from "tap";
import { decode } from "../../emu/cpu/decode.js";
import { OPCODES, encodingOf, operandsOf } from "../../emu/cpu/opcodes.js";
import type { OpcodeRow } from "../../emu/cpu/opcodes.js";
import { CLOCK_CASES } from "./clock_cases.js";
import { randomFrom } from "./cpu_rig.js";
import { AT, PTE, ProtectedRig, SELECTOR } from "./protected_rig.js";
import { differencesFromObjdump } from "./objdump.js";
import { caseOf } from "./vectors/cases.js";
import { allForms } from "./vectors/forms.js";
import { CODE, MIDDLE } from "./vectors/space.js";

const SEED = 20000527;

/** Encodings of a row with random operands, prefixes and address forms. */
function encodings(row: OpcodeRow, count: number, random: () => number): number[][] {
  const { bytes, modrm, digit, plusRegister, immediates } = encodingOf(row);
  const operands = operandsOf(row);
  const special: Readonly<Record<string, readonly number[]>> = { Cd: [0, 2, 3], Sw: [0, 2, 3, 4, 5], Td: [6, 7] };
  const random32 = (n: number): number[] => Array.from({ length: n }, () => random() & 0xff);
  return Array.from({ length: count }, (_, k) => {
    const word = (k & 1) !== 0 && /[vzp]/.test(row.operands);
    const code = [...(word ? [0x66] : []), ...bytes];
    if (plusRegister) code[code.length - 1] += random() & 7;
    if (modrm) {
      const choice = operands.map((operand) => special[operand]).find((list) => list !== undefined);
      const reg = digit >= 0 ? digit : choice ? choice[random() % choice.length] : random() & 7;
      const memoryOnly = operands.some((code) => code.startsWith("M"));
      const mod = operands.some((code) => code.startsWith("R")) ? 3 : memoryOnly ? random() % 3 : random() & 3;
      const rm = random() & 7;
      code.push((mod << 6) | (reg << 3) | rm);
      const sib = mod !== 3 && rm === 4 ? random() & 0xff : -1;
      if (sib >= 0) code.push(sib);
      if (mod === 1) code.push(...random32(1));
      const withoutBase = rm === 5 || (sib >= 0 && (sib & 7) === 5);
      if (mod === 2 || (mod === 0 && withoutBase)) code.push(...random32(4));
    }
    const sizes: Readonly<Record<string, number>> = { ib: 1, iw: 2, id: word ? 2 : 4, cb: 1, cd: word ? 2 : 4,
      cp: word ? 4 : 6, mo: 4 };
    for (const kind of immediates) code.push(...random32(sizes[kind]));
    return code;
  });
}

const allEncodings = (seed: number, each: number): { readonly row: OpcodeRow; readonly code: number[] }[] => {
  const random = randomFrom(seed);
  return OPCODES.flatMap((row) => encodings(row, each, random).map((code) => ({ row, code })));
};

t.test("every encoding of the table has the length that iced-x86 gives it", async (t) => {
  let wrong = 0;
  for (const { row, code } of allEncodings(SEED, 8)) {
    // The coprocessor's own encodings are not decoded further.
    if (row.semantic === "escape") continue;
    const mine = decode((i) => code[i] ?? 0, true, "i686");
    const decoder = new Decoder(32, Uint8Array.from(code), DecoderOptions.None);
    const theirs = decoder.decode();
    if (mine.length !== theirs.length || mine.length !== code.length || mine.row === null) {
      wrong++;
      t.comment(`${row.mnemonic} ${row.operands} ${code.map((byte) => byte.toString(16)).join(" ")}: `
        + `${mine.length}, iced ${theirs.length}`);
    }
    theirs.free();
    decoder.free();
  }
  t.equal(wrong, 0);
});

t.test("no two rows claim one encoding", async (t) => {
  const seen = new Map<string, string>();
  for (const row of OPCODES) {
    const { bytes, digit, plusRegister, modrm } = encodingOf(row);
    const last = bytes[bytes.length - 1];
    const numbers = plusRegister ? Array.from({ length: 8 }, (_, i) => last + i) : [last];
    for (const number of numbers) {
      const key = `${bytes.slice(0, -1)} ${number} ${modrm && digit >= 0 ? digit : "r"}`;
      if (number === 0x90 && row.mnemonic !== "nop") continue;
      t.notOk(seen.has(key), `${row.opcode} ${row.mnemonic} beside ${seen.get(key) ?? "nothing"}`);
      seen.set(key, row.mnemonic);
    }
  }
});

for (const syntax of ["att", "intel"] as const) {
  t.test(`the disassembler writes what objdump writes, in ${syntax} syntax`, async (t) => {
    const cases = allEncodings(SEED + 1, 10).filter(({ row }) => row.semantic !== "escape" && row.mnemonic !== "fwait"
      && row.mnemonic !== "salc"); // objdump does not know it
    const wrong = differencesFromObjdump(cases.map(({ code }) => code), syntax);
    if (wrong === undefined) t.plan(0, "objdump is not here");
    else t.same(wrong, []);
  });
}

const REGISTER_NUMBERS = { eax: 0, ecx: 1, edx: 2, ebx: 3, esi: 6, edi: 7 } as const;

t.test("clocks add up to the sums worked from the manuals", async (t) => {
  for (const { title, code, steps, i386, i486, registers } of CLOCK_CASES) {
    for (const [model, sum] of [["i386", i386], ["i486", i486]] as const) {
      if (sum === undefined) continue;
      const rig = new ProtectedRig({ model });
      rig.code(AT.CODE, code);
      rig.code(AT.CODE + 0x100, "c3");
      rig.put(AT.DATA + 64, Array.from({ length: 64 }, (_, i) => i + 8));
      rig.setWord(AT.DATA, AT.CODE + 0x100, SELECTOR.KERNEL_DATA);
      const start = { ebx: AT.DATA, esi: AT.DATA + 64, edi: AT.DATA + 64, ...registers };
      for (const [name, value] of Object.entries(start)) {
        rig.cpu.registers[REGISTER_NUMBERS[name as keyof typeof REGISTER_NUMBERS]] = value;
      }
      const before = rig.cpu.cycles;
      const stopped = rig.steps(steps);
      const end = stopped === null ? "" : ` stopped: ${JSON.stringify(stopped)}`;
      t.equal(rig.cpu.cycles - before, sum, `${model}: ${title} [${code}]${end}`);
    }
  }
});

t.test("wait states are added to each access to data, and to walks", async (t) => {
  // Code, accesses to data: of its own, and of walks when it is the first to touch its page.
  const cases: readonly (readonly [string, string, number])[] = [
    ["no access", "89d8", 0], ["a load", "8b03", 1], ["a store of a byte", "8803", 1], ["a read-modify-write", "0103", 2],
    ["a push of memory", "ff33", 2], ["a call and return", "e800000000|c3", 2], ["pushad", "60", 8], ["popad", "61", 8],
    ["a load across a doubleword", "8b4301", 2], ["a copy of 16 doublewords", "b910000000|f3a5", 32],
    ["a fill of 64 bytes", "b940000000|f3aa", 64], ["a compare of 3 bytes, backwards", "fd|b903000000|f3a6", 6],
    ["lea", "8d4304", 0],
  ];
  const clocks = (code: string, waitStates: number, model: "i386" | "i486", paged: boolean): number => {
    const rig = new ProtectedRig({ model, waitStates });
    if (paged) rig.page();
    rig.code(AT.CODE, code);
    for (const register of [3, 6]) rig.cpu.registers[register] = AT.DATA;
    rig.cpu.registers[7] = AT.DATA;
    rig.steps(code.split("|").length);
    return rig.cpu.cycles;
  };
  for (const [what, code, accesses] of cases) {
    for (const model of ["i386", "i486"] as const) {
      const added = clocks(code, 3, model, false) - clocks(code, 0, model, false);
      t.equal(added, 3 * accesses, `${what} on the ${model}`);
    }
  }
  // The walks of the code's page (both entries are marked accessed: 2 + 4 accesses) and of the data's (the table's: 2 + 2).
  t.equal(clocks("8b03", 3, "i386", true) - clocks("8b03", 0, "i386", true), 3 * (6 + 4 + 1), "a load with two walks");
});

t.test("clocks of gates and returns", async (t) => {
  const same = new ProtectedRig();
  same.gate(0x30, AT.HANDLERS, 14);
  same.code(AT.HANDLERS, "fc|cf");
  same.code(AT.CODE, "cd30|90");
  same.steps(3);
  t.equal(same.cpu.cycles, 59 + 2 + 38, "int n at one privilege, cld, iret");

  const inner = new ProtectedRig();
  inner.gate(0x80, AT.HANDLERS, 15, 3);
  inner.code(AT.HANDLERS, "60|61|cf");
  inner.code(AT.USER_CODE, "cd80|90");
  inner.user();
  inner.steps(4);
  t.equal(inner.cpu.cycles, 99 + 18 + 24 + 82, "int n to ring 0, pushad, popad, iret to ring 3");
  t.equal(inner.cpu.cpl, 3);

  const gate = new ProtectedRig();
  gate.code(AT.HANDLERS + 0xf00, "55|5d|ca0800");
  gate.code(AT.USER_CODE, "6a02|6a01|9a 00000000 4300|90");
  gate.user();
  gate.steps(2);
  const before = gate.cpu.cycles;
  gate.steps(4);
  t.equal(gate.cpu.cycles - before, 94 + 4 * 2 + 1 + 2 + 4 + 68, "call gate with two parameters, and lret 8 to ring 3");
  t.equal(gate.cpu.eip, AT.USER_CODE + 11);
  t.equal(gate.cpu.registers[4] >>> 0, AT.USER_STACK, "the parameters are gone from both stacks");

  const task = new ProtectedRig();
  task.setWord(AT.OTHER_TSS + 32, AT.HANDLERS, 2);
  task.setWord(AT.OTHER_TSS + 56, AT.FAULT_STACK);
  task.setWord(AT.OTHER_TSS + 72, 0x10, 0x08, 0x10, 0x10, 0x10, 0x10);
  task.code(AT.HANDLERS, "cf");
  task.code(AT.CODE, "9a 00000000 5800|90");
  task.steps(1);
  t.equal(task.cpu.cycles, 300, "call to a task state segment");
  task.steps(1);
  t.equal(task.cpu.cycles, 575, "and back by iret");
  t.equal(task.cpu.eip, AT.CODE + 7);

  const port = new ProtectedRig();
  port.code(AT.USER_CODE, "e460|ee");
  port.user();
  port.cpu.eflags = 0x3002;
  port.steps(2);
  t.equal(port.cpu.cycles, 6 + 5, "ports with CPL <= IOPL");
  port.user();
  port.cpu.eflags = 2;
  port.cpu.setSegment(7, { selector: SELECTOR.TSS, base: AT.TSS, limit: 0x2067, attributes: 0x8b00 });
  port.setWord(AT.TSS + 100, 0x00680000);
  port.ram.fill(0, AT.TSS + 0x68, AT.TSS + 0x80);
  const at = port.cpu.cycles;
  port.cpu.registers[2] = 0x20;
  port.steps(2);
  t.equal(port.cpu.cycles - at, 26 + 25, "ports by the permission bitmap");
});

t.test("a TLB miss costs the walk, with and without accessed and dirty bits", async (t) => {
  const walks = [["i386", 10, 14, 18], ["i486", 13, 21, 28]] as const;
  for (const [model, plain, one, two] of walks) {
    const rig = new ProtectedRig({ model });
    rig.code(AT.CODE, "a100000800|a100000800|a300000800|a300100900");
    rig.page();
    rig.setWord(AT.DIRECTORY, rig.word(AT.DIRECTORY) | PTE.A);
    rig.setEntry(AT.CODE, rig.entry(AT.CODE) | PTE.A);
    const deltas = [0, 0, 0, 0].map(() => {
      const before = rig.cpu.cycles;
      rig.steps(1);
      return rig.cpu.cycles - before;
    });
    const load = model === "i386" ? 4 : 1;
    const store = model === "i386" ? 2 : 1;
    t.same(deltas, [plain + one + load, load, one + store, one + store],
      `${model}: fetch and load miss, hit, first write, write miss`);
    t.equal(rig.entry(AT.DATA) & 0x60, 0x60, "both bits are set in the table");
    rig.setWord(AT.DIRECTORY, rig.word(AT.DIRECTORY) & ~PTE.A);
    rig.setEntry(0xa0000, rig.entry(0xa0000) & ~PTE.A);
    rig.code(AT.CODE + 20, "a300000a00");
    const before = rig.cpu.cycles;
    rig.steps(1);
    t.equal(rig.cpu.cycles - before, two + store, `${model}: directory and table entry written`);
    t.equal(rig.cpu.counters.accessedDirtyWrites, 5);
    t.equal(rig.cpu.counters.tlbMissesFetch, 1);
    t.equal(rig.cpu.counters.tlbMissesRead, 1);
    t.equal(rig.cpu.counters.tlbMissesWrite, 2);
    t.equal(rig.cpu.counters.pageWalks, 5);
  }
});

t.test("a page fault costs the short walk and the exception, and restarts", async (t) => {
  const rig = new ProtectedRig();
  rig.code(AT.CODE, "a100000800|90");
  rig.page();
  rig.setEntry(AT.DATA, 0);
  rig.gate(14, AT.HANDLERS);
  rig.code(AT.HANDLERS, "83c404|cf");
  rig.steps(1);
  // Fetch of the handler's page, IDT, GDT and stack pages miss as well.
  const entered = rig.cpu.cycles;
  t.equal(rig.cpu.cr2, AT.DATA);
  t.equal(rig.cpu.eip, AT.HANDLERS);
  const { counters } = rig.cpu;
  t.equal(entered, 14 + 4 + 10 + 14 + 14 + 14 + 59,
    "walk of the code (two entries), walk of the fault, walks of IDT, GDT and a dirty stack page, exception");
  t.equal(counters.pageFaults[0], 1);
  t.equal(counters.exceptions[14], 1);
  rig.setEntry(AT.DATA, AT.DATA | 7);
  rig.setWord(AT.DATA, 0x12345678);
  rig.steps(2);
  t.equal(rig.cpu.cycles - entered, 14 + 2 + 38, "the handler's page, add, iret");
  rig.steps(1);
  t.equal(rig.cpu.registers[0], 0x12345678, "the instruction is executed again");
});

t.test("protection by model, ring, entry bits and WP", async (t) => {
  for (const model of ["i386", "i486"] as const) {
    for (const user of [false, true]) {
      for (const wp of model === "i486" ? [false, true] : [false]) {
        for (const bits of [0, PTE.W, PTE.U, PTE.U | PTE.W]) {
          for (const where of ["table", "directory"] as const) {
            for (const write of [false, true]) checkProtection(t, { model, user, wp, bits, where, write });
          }
        }
      }
    }
  }
});

interface Protection {
  readonly model: "i386" | "i486";
  readonly user: boolean;
  readonly wp: boolean;
  readonly bits: number;
  readonly where: "table" | "directory";
  readonly write: boolean;
}

function checkProtection(t: Test, { model, user, wp, bits, where, write }: Protection): void {
  const rig = new ProtectedRig({ model });
  rig.haltingHandler(14);
  rig.page();
  // The page at 4 MB + DATA has a directory entry of its own.
  const linear = 0x400000 + AT.DATA;
  const code = write ? [0xa3, 0, 0, 0x48, 0] : [0xa1, 0, 0, 0x48, 0];
  rig.put(user ? AT.USER_CODE : AT.CODE, code);
  rig.setWord(AT.DIRECTORY + 4, 0x6000 | PTE.P | (where === "directory" ? bits : PTE.U | PTE.W));
  rig.setWord(0x6000 + (AT.DATA >>> 12) * 4, AT.DATA | PTE.P | (where === "table" ? bits : PTE.U | PTE.W));
  if (wp) rig.cpu.cr0 = rig.cpu.cr0 | 0x10000;
  if (user) rig.user();
  rig.steps(1);
  const userRefused = user && (bits & PTE.U) === 0;
  const writeRefused = write && (bits & PTE.W) === 0 && (user || wp);
  const refused = userRefused || writeRefused;
  const access = `${user ? "user" : "supervisor"} ${write ? "write" : "read"}`;
  const title = `${model} ${access} bits ${bits} in ${where}${wp ? " WP" : ""}`;
  t.equal(rig.cpu.counters.exceptions[14], refused ? 1 : 0, title);
  if (!refused) return;
  t.equal(rig.stackWords(1)[0], 1 | (write ? 2 : 0) | (user ? 4 : 0), `${title}: error code`);
  t.equal(rig.cpu.cr2, linear, `${title}: CR2`);
}

t.test("an absent page gives error codes without the present bit", async (t) => {
  for (const [user, write] of [[false, false], [false, true], [true, false], [true, true]]) {
    const rig = new ProtectedRig();
    rig.haltingHandler(14);
    rig.page();
    rig.setEntry(AT.DATA, 0);
    rig.put(user ? AT.USER_CODE : AT.CODE, [write ? 0xa3 : 0xa1, 4, 0, 8, 0]);
    if (user) rig.user();
    rig.steps(1);
    t.equal(rig.stackWords(1)[0], (write ? 2 : 0) | (user ? 4 : 0));
    t.equal(rig.cpu.cr2, AT.DATA + 4);
    t.equal(rig.stackWords(4)[1], user ? AT.USER_CODE : AT.CODE, "eip of the faulting instruction");
  }
});

t.test("TLB entries stay until they are flushed, invalidated or replaced", async (t) => {
  const load = "a100000800";
  const rig = new ProtectedRig({ model: "i486" });
  rig.code(AT.CODE, `${load}|${load}|0f013d00000800|${load}`);
  rig.page();
  rig.setWord(AT.DATA, 1);
  rig.setWord(0x90000, 2);
  rig.steps(1);
  rig.setEntry(AT.DATA, 0x90000 | 7);
  rig.steps(1);
  t.equal(rig.cpu.registers[0], 1, "the stale translation is used");
  const before = rig.cpu.cycles;
  rig.steps(1);
  t.equal(rig.cpu.cycles - before, 12, "invlpg of a page that is held");
  rig.steps(1);
  t.equal(rig.cpu.registers[0], 2);
  t.equal(rig.cpu.counters.invlpg, 1);

  const flush = new ProtectedRig();
  flush.code(AT.CODE, `${load}|0f20d9|0f22d9|${load}`);
  flush.page();
  flush.steps(1);
  flush.setEntry(AT.DATA, 0x90000 | 7);
  flush.setWord(0x90000, 3);
  flush.steps(3);
  t.equal(flush.cpu.registers[0], 3, "loading CR3 flushes");
  t.equal(flush.cpu.counters.cr3Loads, 1);

  // Four pages of the set of DATA (linear bits 14..12 equal) push the first out in turn.
  const replaced = new ProtectedRig();
  const pages = [0x80000, 0x88000, 0x90000, 0x98000, 0xa0000];
  const code = [...pages, pages[0], pages[2]].map((page) => `a1${["", "", "", ""].map((_, i) =>
    ((page >>> (i * 8)) & 0xff).toString(16).padStart(2, "0")).join("")}`);
  replaced.code(AT.CODE + 0x1000, code.join("|"));
  replaced.page();
  replaced.cpu.eip = AT.CODE + 0x1000;
  replaced.steps(5);
  t.equal(replaced.cpu.counters.tlbMissesRead, 5);
  replaced.steps(1);
  t.equal(replaced.cpu.counters.tlbMissesRead, 6, "the fifth page took the place of the first");
  replaced.steps(1);
  t.equal(replaced.cpu.counters.tlbMissesRead, 6, "the third is still there: round robin");
});

t.test("code whose TLB entry is replaced by its own loads is fetched anew", async (t) => {
  const rig = new ProtectedRig();
  // CODE is in set 0: five loads from other pages of set 0 evict it once.
  const loads = ["a100000800", "a100800800", "a100000900", "a100800900"];
  rig.code(AT.CODE, [...loads, "90", "90"].join("|"));
  rig.page();
  rig.steps(5);
  t.equal(rig.cpu.counters.tlbMissesRead, 4);
  t.equal(rig.cpu.counters.tlbMissesFetch, 2);
});

t.test("a faulting instruction changes nothing", async (t) => {
  const absent = AT.DATA + 0x1000;
  // [title, code, registers]: each touches the absent page at DATA + 0x1000.
  const cases: readonly (readonly [string, string, Partial<Record<number, number>>])[] = [
    ["push", "50", { 4: absent + 4 }],
    ["pop", "58", { 4: absent }],
    ["pushad over the edge", "60", { 4: absent + 8 }],
    ["popad over the edge", "61", { 4: absent - 16 }],
    ["call", "e800000000", { 4: absent + 4 }],
    ["call through absent memory", "ff13", { 3: absent }],
    ["ret", "c3", { 4: absent }],
    ["leave", "c9", { 5: absent }],
    ["enter", "c8100002", { 4: absent + 12 }],
    ["add to memory", "0103", { 3: absent }],
    ["inc of memory", "ff03", { 3: absent }],
    ["xchg", "8703", { 3: absent }],
    ["adc over the edge", "1103", { 3: absent - 2 }],
    ["store over the edge", "8903", { 3: absent - 1 }],
    ["movs", "a5", { 6: AT.DATA, 7: absent }],
    ["cmps", "a7", { 6: AT.DATA, 7: absent }],
    ["pop to memory", "8f03", { 3: absent }],
    ["iret", "cf", { 4: absent - 8 }],
    ["lds", "c503", { 3: absent - 4 }],
    ["bts far away", "0fab03", { 3: AT.DATA, 0: 0x8000 }],
    ["shift of memory", "c12304", { 3: absent }],
    ["setc", "0f9203", { 3: absent }],
    ["popfd", "9d", { 4: absent }],
  ];
  for (const [title, code, registers] of cases) {
    const rig = new ProtectedRig({ model: "i486" });
    rig.code(AT.CODE, code);
    rig.page();
    rig.setEntry(absent, 0);
    // The fault is delivered through a task, so that the stack of the case plays no part.
    rig.gate(14, SELECTOR.FAULT_TSS, 5);
    rig.setWord(AT.FAULT_TSS + 28, AT.DIRECTORY, AT.HANDLERS, 2);
    rig.setWord(AT.FAULT_TSS + 56, AT.FAULT_STACK);
    rig.setWord(AT.FAULT_TSS + 72, 0x10, 0x08, 0x10, 0x10, 0x10, 0x10);
    for (const [index, value] of Object.entries(registers)) rig.cpu.registers[Number(index)] = value!;
    rig.cpu.eflags = 0x8d7;
    const before = [...rig.cpu.registers];
    const data = rig.ram.slice(AT.DATA, absent);
    rig.steps(1);
    t.equal(rig.cpu.counters.exceptions[14], 1, `${title} faults`);
    const saved = Array.from({ length: 8 }, (_, i) => rig.word(AT.TSS + 40 + i * 4) | 0);
    t.same(saved, before, `${title}: registers`);
    t.equal(rig.word(AT.TSS + 32), AT.CODE, `${title}: eip`);
    t.equal(rig.word(AT.TSS + 36) & 0xffff, 0x8d7, `${title}: flags`);
    t.same(rig.ram.slice(AT.DATA, absent), data, `${title}: memory`);
  }
});

t.test("a repeated move across an absent page is resumed where it faulted", async (t) => {
  for (const [code, size, count] of [["f3a4", 1, 0x1800], ["f3a5", 4, 0x600]] as const) {
    const rig = new ProtectedRig();
    rig.code(AT.CODE, `${code}|f4`);
    rig.page();
    rig.setEntry(AT.DATA + 0x11000, 0);
    rig.put(AT.DATA, Array.from({ length: 0x1800 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
    rig.gate(14, AT.HANDLERS);
    rig.code(AT.HANDLERS, "83c404|cf");
    Object.assign(rig.cpu.registers, { 1: count, 6: AT.DATA, 7: AT.DATA + 0x10000 });
    rig.steps(1);
    t.equal(rig.cpu.cr2, AT.DATA + 0x11000);
    t.equal(rig.cpu.registers[1], 0x800 / size, "what is left to do");
    t.equal(rig.cpu.registers[6], AT.DATA + 0x1000);
    t.equal(rig.stackWords(2)[1], AT.CODE, "eip stays on the instruction");
    rig.setEntry(AT.DATA + 0x11000, (AT.DATA + 0x11000) | 7);
    t.equal(rig.run().kind, "halt");
    t.same(rig.ram.slice(AT.DATA + 0x10000, AT.DATA + 0x11800), rig.ram.slice(AT.DATA, AT.DATA + 0x1800));
    t.equal(rig.cpu.registers[1], 0);
  }
});

t.test("an overlapping repeated move spreads the first item", async (t) => {
  const rig = new ProtectedRig();
  rig.code(AT.CODE, "f3a4|f4");
  rig.put(AT.DATA, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  Object.assign(rig.cpu.registers, { 1: 8, 6: AT.DATA, 7: AT.DATA + 1 });
  rig.run();
  t.same([...rig.ram.slice(AT.DATA, AT.DATA + 9)], [1, 1, 1, 1, 1, 1, 1, 1, 1]);
});

t.test("a system call from ring 3 changes stacks and comes back", async (t) => {
  const rig = new ProtectedRig();
  rig.gate(0x80, AT.HANDLERS, 15, 3);
  rig.code(AT.HANDLERS, "90|cf");
  rig.code(AT.USER_CODE, "cd80|f4");
  rig.user();
  rig.cpu.eflags = 0x202;
  rig.haltingHandler(13);
  rig.steps(1);
  t.equal(rig.cpu.cpl, 0);
  t.same(rig.stackWords(5), [AT.USER_CODE + 2, SELECTOR.USER_CODE, 0x202, AT.USER_STACK, SELECTOR.USER_DATA]);
  t.equal(rig.cpu.registers[4] >>> 0, AT.KERNEL_STACK - 20);
  t.equal(rig.cpu.getSegment(2).selector, SELECTOR.KERNEL_DATA);
  t.equal(rig.cpu.eflags & 0x200, 0x200, "a trap gate leaves interrupts on");
  rig.cpu.setSegment(3, { selector: 0x10, base: 0, limit: 0xffffffff, attributes: 0xc09300 });
  rig.steps(2);
  t.equal(rig.cpu.cpl, 3);
  t.equal(rig.cpu.registers[4] >>> 0, AT.USER_STACK);
  t.equal(rig.cpu.getSegment(3).attributes, 0, "a kernel data segment is not carried out");
  t.equal(rig.cpu.counters.ringCrossings, 2);
  rig.steps(1);
  t.equal(rig.cpu.counters.exceptions[13], 1, "hlt is privileged");
  t.equal(rig.stackWords(2)[1], AT.USER_CODE + 2);
});

t.test("ring 3 is refused what is privileged, with the right exception", async (t) => {
  const cases = ["f4", "fa", "fb", "0f22c0", "0f20c0", "0f0115 00000800", "0f00d8", "0f06", "e460", "0f09", "cd30",
    "0f21c0", "8ed0", "8ed8"];
  for (const code of cases) {
    const rig = new ProtectedRig({ model: "i486" });
    rig.haltingHandler(13);
    rig.haltingHandler(0x30);
    rig.code(AT.USER_CODE, code);
    rig.user();
    rig.cpu.registers[0] = 0x10;
    rig.steps(1);
    t.equal(rig.cpu.counters.exceptions[13], 1, code);
    t.equal(rig.stackWords(2)[1], AT.USER_CODE, `${code}: eip`);
  }
});

t.test("a misaligned operand is #AC where CR0.AM, EFLAGS.AC and ring 3 come together, and only there", async (t) => {
  const AM = 0x40000;
  const AC = 0x40000;
  // Instructions on memory at EBX, and the alignment that SDM 3, table 6-7 asks of each.
  const cases: readonly (readonly [string, number])[] = [
    ["8a03", 1], ["668b03", 2], ["8b03", 4], ["668903", 2], ["8903", 4], ["ff03", 4], ["66ff03", 2], ["fe03", 1],
    ["870b", 4], ["0fb103", 4], ["a5", 4], ["66a5", 2], ["ab", 4], ["ff33", 4], ["8f03", 4], ["dd03", 8], ["dd13", 8],
    ["d903", 4], ["df03", 2], ["db2b", 8], ["db3b", 8], ["dd33", 4], ["66dd33", 2], ["d933", 4], ["8e1b", 2],
  ];
  const misalignments = [0, 1, 2, 3, 4, 6, 8];
  const faultsOf = (code: string, offset: number, bits: { am: number; ac: number; user: boolean }): number => {
    const rig = new ProtectedRig({ model: "i486", coprocessor: { error: () => undefined, ignored: () => false } });
    rig.haltingHandler(17);
    const eip = bits.user ? AT.USER_CODE : AT.CODE;
    rig.code(eip, `9bdbe3|d9e8|${code}`);
    if (bits.user) rig.user();
    for (const register of [3, 6, 7]) rig.cpu.registers[register] = AT.DATA + offset;
    rig.cpu.cr0 = rig.cpu.cr0 | bits.am;
    rig.cpu.eflags = 2 | bits.ac;
    rig.steps(4);
    return rig.cpu.counters.exceptions[17]!;
  };
  for (const [code, alignment] of cases) {
    for (const offset of misalignments) {
      const expected = offset % alignment === 0 ? 0 : 1;
      t.equal(faultsOf(code, offset, { am: AM, ac: AC, user: true }), expected, `${code} at ${offset}`);
    }
  }
  for (const bits of [{ am: 0, ac: AC, user: true }, { am: AM, ac: 0, user: true }, { am: AM, ac: AC, user: false }]) {
    t.equal(faultsOf("8b03", 1, bits), 0, JSON.stringify(bits));
  }
});

t.test("the frame of #AC has error code 0 and restarts the instruction", async (t) => {
  const rig = new ProtectedRig({ model: "i486" });
  rig.haltingHandler(17);
  rig.code(AT.USER_CODE, "8b03");
  rig.user();
  rig.cpu.registers[3] = AT.DATA + 1;
  rig.cpu.cr0 = rig.cpu.cr0 | 0x40000;
  rig.cpu.eflags = 0x40002;
  rig.steps(1);
  t.same(rig.stackWords(4), [0, AT.USER_CODE, SELECTOR.USER_CODE, 0x50002], "RF is set, as in the flags of every fault");
  t.equal(rig.cpu.eflags & 0x40000, 0x40000, "a gate of protected mode keeps the flag; ring 0 is not asked");
});

t.test("segment loads and limits raise what the manuals say", async (t) => {
  // [code, vector, error code]
  const cases: readonly (readonly [string, number, number])[] = [
    [`b8${SELECTOR.ABSENT.toString(16)}000000|8ed8`, 11, SELECTOR.ABSENT],
    ["b8f0ff0000|8ed8", 13, 0xfff0],
    ["b800000000|8ed0", 13, 0],
    [`b8${SELECTOR.READ_ONLY.toString(16)}000000|8ed8|890500000800`, 13, 0],
    [`b8${SELECTOR.SMALL.toString(16)}000000|8ed8|a1fd000000`, 13, 0],
    [`b8${SELECTOR.SMALL.toString(16)}000000|8ed0|bcff000000|50|58|36a1fe000000`, 12, 0],
    [`b8${SELECTOR.USER_DATA.toString(16)}000000|8ed0`, 13, SELECTOR.USER_DATA & ~3],
    ["ea 00000000 1000", 13, 0x10],
    ["b800000000|8ee0|64a100000800", 13, 0],
  ];
  for (const [code, vector, error] of cases) {
    const rig = new ProtectedRig();
    rig.gate(vector, SELECTOR.FAULT_TSS, 5);
    rig.setWord(AT.FAULT_TSS + 32, AT.HANDLERS, 2);
    rig.setWord(AT.FAULT_TSS + 56, AT.FAULT_STACK);
    rig.setWord(AT.FAULT_TSS + 72, 0x10, 0x08, 0x10, 0x10, 0x10, 0x10);
    rig.code(AT.HANDLERS, "f4");
    rig.code(AT.CODE, code);
    rig.run();
    t.equal(rig.cpu.counters.exceptions[vector], 1, `${code}: vector ${vector}`);
    t.equal(rig.stackWords(1)[0], error, `${code}: error code`);
  }
});

t.test("a segment with a base moves addresses", async (t) => {
  const rig = new ProtectedRig();
  rig.code(AT.CODE, "b850000000|8ed8|a110000000|c7052000000044332211|f4");
  rig.setWord(AT.DATA + 0x10, 0xcafe);
  t.equal(rig.run().kind, "halt");
  t.equal(rig.cpu.registers[0], 0xcafe);
  t.equal(rig.word(AT.DATA + 0x20), 0x11223344);
});

t.test("a double fault goes through its task gate to a fresh stack, and iret comes back", async (t) => {
  const rig = new ProtectedRig();
  rig.page();
  // Nothing is mapped below the stack: the page fault's own frame cannot be pushed.
  rig.setEntry(AT.KERNEL_STACK - 0x1000, 0);
  rig.haltingHandler(14);
  rig.gate(8, SELECTOR.FAULT_TSS, 5);
  rig.setWord(AT.TSS + 28, AT.DIRECTORY);
  rig.setWord(AT.FAULT_TSS + 28, AT.DIRECTORY, AT.HANDLERS + 0x800, 2);
  rig.setWord(AT.FAULT_TSS + 56, AT.FAULT_STACK);
  rig.setWord(AT.FAULT_TSS + 72, 0x10, 0x08, 0x10, 0x10, 0x10, 0x10);
  rig.code(AT.HANDLERS + 0x800, "58|cf");
  rig.code(AT.CODE, "50|f4");
  rig.steps(1);
  t.equal(rig.cpu.eip, AT.HANDLERS + 0x800);
  t.equal(rig.stackWords(1)[0], 0, "the error code is zero");
  t.equal(rig.cpu.registers[4] >>> 0, AT.FAULT_STACK - 4);
  t.equal(rig.word(AT.FAULT_TSS) & 0xffff, SELECTOR.TSS, "the link names the old task");
  t.equal(rig.cpu.eflags & 0x4000, 0x4000, "NT is set");
  t.equal(rig.word(AT.TSS + 32), AT.CODE, "the old task has the faulting instruction");
  t.equal(rig.word(AT.TSS + 56), AT.KERNEL_STACK);
  t.equal(rig.word(AT.GDT + SELECTOR.FAULT_TSS + 4) & 0x200, 0x200, "the new task is busy");
  t.equal(rig.cpu.cr0 & 8, 8, "TS is set");
  rig.setEntry(AT.KERNEL_STACK - 0x1000, (AT.KERNEL_STACK - 0x1000) | 7);
  rig.steps(2);
  t.equal(rig.cpu.eip, AT.CODE);
  t.equal(rig.cpu.eflags & 0x4000, 0);
  t.equal(rig.word(AT.GDT + SELECTOR.FAULT_TSS + 4) & 0x200, 0, "the fault task is free again");
  t.equal(rig.run().kind, "halt");
  t.equal(rig.cpu.counters.taskSwitches, 2);
});

t.test("a triple fault stops the machine with a report", async (t) => {
  const rig = new ProtectedRig();
  rig.cpu.setIdtr(0, 0);
  rig.code(AT.CODE, "0f0b");
  const reason = rig.run();
  t.equal(reason.kind, "shutdown");
  t.match(reason, { report: /triple fault/ });
  t.equal(rig.run().kind, "shutdown", "and it stays stopped");
});

t.test("code may change itself and its neighbours", async (t) => {
  const rig = new ProtectedRig();
  rig.page();
  // movb $0x40, 1f; 1: nop -- the next instruction becomes inc %eax in the very block that runs.
  rig.code(AT.CODE, "c60507000100 40|90|c6050f000100 4a|90|41|f4");
  rig.cpu.registers[2] = 5;
  t.equal(rig.run().kind, "halt");
  t.equal(rig.cpu.registers[0], 1, "nop became inc %eax");
  t.equal(rig.cpu.registers[2], 4, "and the other dec %edx");

  const loop = new ProtectedRig();
  // Ten calls of a function whose immediate each call changes.
  loop.code(AT.CODE, "b90a000000|31db|e810000000|01c3|ff0521000100|49|75f0|f4");
  loop.code(AT.CODE + 0x1c, "90909090|b801000000|c3");
  t.equal(loop.run().kind, "halt");
  t.equal(loop.cpu.registers[3], 55);

  const remapped = new ProtectedRig();
  remapped.page();
  remapped.code(AT.CODE, "e8fb0f0000|f4");
  remapped.code(AT.CODE + 0x1000, "b801000000|c3");
  remapped.code(AT.CODE + 0x2000, "b802000000|c3");
  remapped.run();
  t.equal(remapped.cpu.registers[0], 1);
  remapped.setEntry(AT.CODE + 0x1000, (AT.CODE + 0x2000) | 7);
  remapped.cpu.cr3 = AT.DIRECTORY;
  remapped.cpu.eip = AT.CODE;
  remapped.run();
  t.equal(remapped.cpu.registers[0], 2, "the same address, another page");
});

t.test("an instruction across a page boundary fetches both pages, and faults on the second", async (t) => {
  const rig = new ProtectedRig();
  rig.page();
  rig.haltingHandler(14);
  rig.code(AT.CODE + 0xffd, "b844332211|f4");
  rig.setEntry(AT.CODE + 0x1000, 0);
  rig.cpu.eip = AT.CODE + 0xffd;
  rig.steps(1);
  t.equal(rig.cpu.cr2, AT.CODE + 0x1000);
  t.equal(rig.stackWords(2)[1], AT.CODE + 0xffd);
  rig.setEntry(AT.CODE + 0x1000, (AT.CODE + 0x1000) | 7);
  rig.cpu.eip = AT.CODE + 0xffd;
  rig.steps(1);
  t.equal(rig.cpu.registers[0], 0x11223344);
  rig.put(AT.CODE + 0x1000, [0x99]);
  rig.cpu.eip = AT.CODE + 0xffd;
  rig.steps(1);
  t.equal(rig.cpu.registers[0] >>> 0, 0x11993344, "a write to its second page is seen");
});

t.test("interrupts wait for IF, for the instruction after STI, and wake HLT", async (t) => {
  const rig = new ProtectedRig();
  rig.gate(0x20, AT.HANDLERS);
  rig.code(AT.HANDLERS, "43|cf");
  rig.code(AT.CODE, "90|fb|40|41|fa|f4");
  rig.requests.push(0x20);
  rig.cpu.requestInterruptCheck();
  rig.steps(2);
  t.equal(rig.cpu.eip, AT.CODE + 2);
  rig.steps(1);
  t.equal(rig.cpu.registers[0], 1, "the instruction after STI runs first");
  rig.steps(1);
  t.equal(rig.cpu.eip, AT.HANDLERS);
  t.equal(rig.cpu.eflags & 0x200, 0, "an interrupt gate turns interrupts off");
  t.same(rig.stackWords(2), [AT.CODE + 3, SELECTOR.KERNEL_CODE]);
  t.equal(rig.run().kind, "halt");
  t.equal(rig.cpu.registers[3], 1);

  const idle = new ProtectedRig();
  idle.gate(0x20, AT.HANDLERS);
  idle.code(AT.HANDLERS, "43|cf");
  idle.code(AT.CODE, "fb|f4|43|fa|f4");
  t.equal(idle.run().kind, "halt");
  idle.cpu.cycles = 5000;
  idle.requests.push(0x20);
  idle.cpu.requestInterruptCheck();
  t.equal(idle.run().kind, "halt");
  t.equal(idle.cpu.registers[3], 2, "the handler, then the instruction after HLT");
  t.equal(idle.cpu.counters.interrupts, 1);

  const run = new ProtectedRig();
  run.gate(0x20, AT.HANDLERS);
  run.code(AT.HANDLERS, "43|cf");
  run.code(AT.CODE, "90|fb|40|41|fa|f4");
  run.requests.push(0x20);
  run.cpu.requestInterruptCheck();
  run.run();
  t.equal(run.cpu.cycles, rig.cpu.cycles, "running costs what stepping costs");
});

t.test("a repeated instruction lets interrupts in between iterations", async (t) => {
  const rig = new ProtectedRig();
  rig.gate(0x20, AT.HANDLERS);
  rig.code(AT.HANDLERS, "43|cf");
  rig.code(AT.CODE, "f3ab|f4");
  rig.cpu.eflags = 0x202;
  Object.assign(rig.cpu.registers, { 1: 0x4000, 7: AT.DATA });
  rig.cpu.run(2000);
  t.ok(rig.cpu.registers[1] > 0 && rig.cpu.registers[1] < 0x4000, "it is under way");
  t.equal(rig.cpu.eip, AT.CODE);
  rig.requests.push(0x20);
  rig.cpu.requestInterruptCheck();
  rig.run();
  t.equal(rig.cpu.registers[3], 1);
  t.equal(rig.cpu.registers[1], 0);
  t.equal(rig.cpu.registers[7], AT.DATA + 0x10000);
  t.equal(rig.cpu.cycles, 5 + 5 * 0x4000 + 59 + 2 + 38 + 5 + 5, "the base clocks are paid again after an interrupt");
});

t.test("the single-step trap follows each instruction", async (t) => {
  const rig = new ProtectedRig();
  rig.gate(1, AT.HANDLERS);
  rig.code(AT.HANDLERS, "43|cf");
  rig.code(AT.CODE, "9c|810c2400010000|9d|40|40|9c|812424fffeffff|9d|f4");
  t.equal(rig.run().kind, "halt");
  t.equal(rig.cpu.registers[0], 2);
  t.equal(rig.cpu.registers[3], 5, "inc, inc, pushf, and, popf");
});

t.test("breakpoints stop before their instruction, change nothing else, and can be passed", async (t) => {
  const program = "b905000000|49|75fd|90|f4";
  const plain = new ProtectedRig();
  plain.code(AT.CODE, program);
  plain.run();
  const rig = new ProtectedRig();
  rig.code(AT.CODE, program);
  const seen: number[] = [];
  rig.cpu.setBreakpoint(AT.CODE + 5, () => {
    seen.push(rig.cpu.registers[1]);
    return rig.cpu.registers[1] === 3;
  });
  t.same(rig.run(), { kind: "breakpoint", address: AT.CODE + 5 });
  t.equal(rig.cpu.eip, AT.CODE + 5);
  t.equal(rig.cpu.registers[1], 3);
  t.equal(rig.run().kind, "halt");
  t.same(seen, [5, 4, 3, 2, 1], "once for each execution");
  t.equal(rig.cpu.cycles, plain.cpu.cycles);
  t.equal(rig.cpu.instructions, plain.cpu.instructions);
});

t.test("cycles can be read inside a port access", async (t) => {
  const rig = new ProtectedRig();
  rig.code(AT.CODE, "89c3|89c3|ee|89c3|ee|f4");
  rig.run();
  t.same(rig.writes.map(({ cycle }) => cycle), [4, 4 + 5 + 2]);
  t.equal(rig.cpu.instructions, 6);
});

t.test("memory outside RAM reads all ones and drops writes", async (t) => {
  const rig = new ProtectedRig();
  rig.code(AT.CODE, "a100000080|c7050000008001000000|8a1d00000080|f4");
  t.equal(rig.run().kind, "halt");
  t.equal(rig.cpu.registers[0], -1);
  t.equal(rig.cpu.registers[3] & 0xff, 0xff);
});

t.test("without timing every instruction takes one clock, and the TLB holds many pages", async (t) => {
  const rig = new ProtectedRig({ timing: "none" });
  rig.code(AT.CODE, "89c3|f7e3|8b8300000800|81c300100000|81fb00000800|72ec|f4");
  rig.page();
  rig.run();
  t.equal(rig.cpu.cycles, rig.cpu.instructions);
  const misses = rig.cpu.counters.tlbMissesRead;
  t.equal(misses, 0x80, "one for each page");
  rig.cpu.eip = AT.CODE;
  rig.cpu.registers[0] = 0;
  rig.run();
  t.equal(rig.cpu.counters.tlbMissesRead, misses, "and none the second time");
});

t.test("the models differ where the processors did", async (t) => {
  const undefinedOn386 = ["0fc8", "0fb103", "0fc103", "0f013b", "0f09", "0fa2"];
  for (const code of undefinedOn386) {
    for (const model of ["i386", "i486"] as const) {
      const rig = new ProtectedRig({ model });
      rig.haltingHandler(6);
      rig.code(AT.CODE, code);
      rig.cpu.registers[3] = AT.DATA;
      rig.steps(1);
      t.equal(rig.cpu.counters.exceptions[6], model === "i386" ? 1 : 0, `${code} on ${model}`);
    }
  }
  for (const [model, bits] of [["i386", 0], ["i486", 0x40000]] as const) {
    const rig = new ProtectedRig({ model });
    rig.code(AT.CODE, "9c|58|0d00000400|50|9d|9c|58|f4");
    rig.run();
    t.equal(rig.cpu.registers[0] & 0x40000, bits, `the AC flag on ${model}`);
  }
});

/** What leaves a random program soon: bad operands, other segments, escapes without a coprocessor. */
const LEAVING = /^(div|idiv|aam|enter|leave|x87|fwait|bound|into|.*Segment|loadFarPointer|xlat|pushad|popad|.*[lL]ar|lsl|ver[rw]|arpl)$/;

t.test(`random programs run alike in one go, in slices and in steps (seed ${SEED})`, async (t) => {
  const random = randomFrom(SEED);
  const codes = allForms().filter(({ row, shape, prefixes, big, bigStack, place }) => row.privilege === "" && big && bigStack
    && place === "memory" && (shape === null || shape.name === "[d32]") && prefixes.every((prefix) => prefix >= 0xf2)
    && (!row.ends || row.semantic === "jcc") && !LEAVING.test(row.semantic))
    .flatMap((form) => caseOf(form, random)?.code.bytes ?? []);
  const run = (program: readonly number[], drive: (rig: ProtectedRig) => void): Outcome => {
    const rig = new ProtectedRig({ model: "i686", waitStates: program.length & 1 });
    rig.page();
    for (let vector = 0; vector < 32; vector++) rig.haltingHandler(vector);
    rig.put(CODE, [...program, 0xf4]);
    const { at } = MIDDLE;
    rig.put(at, Array.from({ length: MIDDLE.bytes }, (_, i) => i & 0xff));
    rig.cpu.registers.set([1, 5, 3, at + 96, at + 160, at + 112, 5, at + 32]);
    rig.cpu.eip = CODE;
    drive(rig);
    const { cycles, instructions, eip, eflags, counters } = rig.cpu;
    return { cycles, instructions, eip, eflags, registers: [...rig.cpu.registers], counters: structuredClone(counters),
      data: [...rig.ram.slice(at, at + MIDDLE.bytes)] };
  };
  let executed = 0;
  for (let n = 0; n < 12; n++) {
    const program: number[] = [];
    for (let i = 0; i < 100; i++) program.push(...codes[random() % codes.length], 0x90);
    const whole = run(program, (rig) => rig.run());
    // A program that made itself a repeat count of millions does not end in time.
    if ((whole.cycles as number) >= 1e7) continue;
    executed += whole.instructions;
    t.same(run(program, (rig) => rig.run()), whole, `program ${n}: twice the same`);
    const sliced = run(program, (rig) => { while (rig.cpu.run(rig.cpu.cycles + 7).kind === "deadline"); });
    t.same(sliced, whole, `program ${n}: in slices of 7 clocks`);
    const stepped = run(program, (rig) => { while (rig.cpu.step().kind === "deadline"); });
    t.same(stepped, whole, `program ${n}: in steps`);
  }
  t.ok(executed > 500, `${executed} instructions executed`);
});

interface Outcome {
  readonly instructions: number;
  readonly [name: string]: unknown;
}
