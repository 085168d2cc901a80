// What the pentium and i686 models have beyond the i486: large and global pages, SYSENTER, model-specific
// registers, the time-stamp counter, conditional moves; and CPUID, which must tell the truth about all of it.
import t from "tap";
import type { Model } from "../../emu/index.js";
import { CR4_BIT } from "../../emu/cpu/state.js";
import { AT, PTE, ProtectedRig, SELECTOR } from "./protected_rig.js";

const MODELS: readonly Model[] = ["i386", "i486", "pentium", "i686"];
const PDE = { ...PTE, PS: 0x80, G: 0x100 } as const;
const GP = 13;
const UD = 6;
const PF = 14;

/** Runs instructions of ring 0 (or 3) and returns the rig; exceptions halt in their handlers. */
function rigOf(code: string, options: { model: Model; user?: boolean; prepare?: (rig: ProtectedRig) => void; steps?: number }) {
  const rig = new ProtectedRig({ model: options.model, ramSize: 16 << 20 });
  for (let vector = 0; vector < 32; vector++) rig.haltingHandler(vector);
  rig.code(options.user ? AT.USER_CODE : AT.CODE, code);
  if (options.user) rig.user();
  options.prepare?.(rig);
  rig.steps(options.steps ?? code.split("|").length);
  return rig;
}

/** Vector of the exception that was met first, or -1. */
function exceptionOf(rig: ProtectedRig): number {
  return rig.cpu.counters.exceptions.findIndex((count) => count > 0);
}

/** Small pages below 4 MB, one large page at 4 MB over physical 8 MB with these bits. */
function pageLarge(rig: ProtectedRig, bits: number, cr4: number = CR4_BIT.PSE): void {
  rig.page();
  rig.setWord(AT.DIRECTORY + 4, (8 << 20) | PDE.PS | bits);
  rig.setWord(8 << 20, 0x11111111);
  rig.setWord((8 << 20) + 0x123000, 0x22222222);
  rig.cpu.cr4 = cr4;
}

t.test("a large page maps 4 MB, with its own A and D bits", async (t) => {
  const bits = PDE.P | PDE.W | PDE.U;
  const first = rigOf("a100004000", { model: "pentium", prepare: (rig) => pageLarge(rig, bits) });
  t.equal(first.cpu.registers[0], 0x11111111, "its first word");
  const far = rigOf("a100305200", { model: "pentium", prepare: (rig) => pageLarge(rig, bits) });
  t.equal(far.cpu.registers[0], 0x22222222, "offset 123000 of the large page");
  t.equal(far.word(AT.DIRECTORY + 4) & 0xfff, PDE.PS | bits | PDE.A, "read: accessed");
  const written = rigOf("a300305200", { model: "pentium", prepare: (rig) => pageLarge(rig, bits) });
  t.equal(written.word(AT.DIRECTORY + 4) & 0xfff, PDE.PS | bits | PDE.A | PDE.D, "written: dirty, too");
  t.equal(written.cpu.translate(0x523004), 0x923004, "translate()");
});

t.test("a large page is protected as a small one, by ring, access and WP", async (t) => {
  for (const user of [false, true]) {
    for (const write of [false, true]) {
      for (const bits of [0, PDE.W, PDE.U, PDE.W | PDE.U]) {
        for (const wp of [0, 0x10000]) {
          const rig = rigOf(write ? "a300004000" : "a100004000", { model: "pentium", user, prepare: (r) => {
            pageLarge(r, PDE.P | bits);
            r.cpu.cr0 = r.cpu.cr0 | wp;
          } });
          const allowed = user ? (bits & PDE.U) !== 0 && (!write || (bits & PDE.W) !== 0)
            : !write || (bits & PDE.W) !== 0 || wp === 0;
          const what = `${user ? "user" : "supervisor"} ${write ? "write" : "read"} bits ${bits} WP ${wp}`;
          t.equal(exceptionOf(rig), allowed ? -1 : PF, what);
          if (!allowed) t.equal(rig.stackWords(1)[0], 1 | (write ? 2 : 0) | (user ? 4 : 0), `${what}: error code`);
        }
      }
    }
  }
});

t.test("without CR4.PSE the bit means nothing and the entry names a table", async (t) => {
  const rig = rigOf("a100004000", { model: "pentium", prepare: (r) => {
    pageLarge(r, PDE.P | PDE.W | PDE.U, 0);
    r.setWord(8 << 20, 0x600000 | PDE.P);
    r.setWord(0x600000, 0x33333333);
  } });
  t.equal(rig.cpu.registers[0], 0x33333333);
});

t.test("CR4 has the bits of its model; others are #GP, and there is none before the pentium", async (t) => {
  const bits: Readonly<Record<Model, number>> = { i386: -1, i486: 0, pentium: 0x1c, i686: 0x9c };
  for (const model of MODELS) {
    for (let bit = 0; bit < 32; bit++) {
      const rig = rigOf("0f22e0", { model, prepare: (r) => void (r.cpu.registers[0] = 1 << bit) });
      const allowed = bits[model] >= 0 && (bits[model] & (1 << bit)) !== 0;
      t.equal(exceptionOf(rig), bits[model] < 0 ? UD : allowed ? -1 : GP, `${model}: bit ${bit}`);
    }
  }
});

t.test("a global page stays when CR3 is loaded, and goes by INVLPG and by CR4.PGE", async (t) => {
  const load = "a100000800";
  // Each: what is executed between two loads, and whether the second load still sees the old page.
  const cases: readonly (readonly [string, string, boolean, number])[] = [
    ["a load of CR3", "0f20d9|0f22d9", true, CR4_BIT.PGE], ["INVLPG", "0f013d00000800", false, CR4_BIT.PGE],
    ["clearing CR4.PGE", "31c9|0f22e1", false, CR4_BIT.PGE], ["a load of CR3 without PGE", "0f20d9|0f22d9", false, 0],
  ];
  for (const [what, code, stays, cr4] of cases) {
    const rig = rigOf(`${load}|${code}|${load}`, { model: "i686", steps: 1, prepare: (r) => {
      r.cpu.cr4 = cr4;
      r.page();
      r.setEntry(AT.DATA, AT.DATA | PTE.P | PTE.W | PDE.G);
      r.setWord(AT.DATA, 1);
      r.setWord(AT.DATA + 0x1000, 2);
    } });
    t.equal(rig.cpu.registers[0], 1);
    rig.setEntry(AT.DATA, (AT.DATA + 0x1000) | PTE.P | PTE.W | PDE.G);
    rig.steps(code.split("|").length + 1);
    t.equal(rig.cpu.registers[0], stays ? 1 : 2, what);
  }
});

t.test("SYSENTER and SYSEXIT", async (t) => {
  const MSR = [[0x174, SELECTOR.KERNEL_CODE], [0x175, 0x51000], [0x176, AT.HANDLERS + 0x800]] as const;
  const write = MSR.map(([msr, value]) => {
    const word = (n: number): string => Buffer.from(Uint32Array.of(n).buffer).toString("hex");
    return `b9${word(msr)}|b8${word(value)}|31d2|0f30`;
  }).join("|");
  const rig = rigOf(write, { model: "i686" });
  t.equal(exceptionOf(rig), -1, "the registers take their values");
  rig.code(AT.HANDLERS + 0x800, "0f35");
  rig.code(AT.USER_CODE, "0f34");
  rig.user();
  rig.cpu.eflags = 0x202;
  rig.steps(1);
  t.same([rig.cpu.cpl, rig.cpu.eip, rig.cpu.registers[4]], [0, AT.HANDLERS + 0x800, 0x51000], "into ring 0");
  t.same([rig.cpu.getSegment(1).selector, rig.cpu.getSegment(2).selector], [8, 16], "flat segments from the register");
  t.equal(rig.cpu.eflags & 0x200, 0, "interrupts are off");
  rig.cpu.registers[1] = AT.USER_STACK;
  rig.cpu.registers[2] = AT.USER_CODE + 0x10;
  rig.steps(1);
  t.same([rig.cpu.cpl, rig.cpu.eip, rig.cpu.registers[4]], [3, AT.USER_CODE + 0x10, AT.USER_STACK], "and back");
  t.same([rig.cpu.getSegment(1).selector, rig.cpu.getSegment(2).selector], [0x1b, 0x23]);
  t.equal(exceptionOf(rigOf("0f34", { model: "i686" })), GP, "#GP while the code segment's register is 0");
  t.equal(exceptionOf(rigOf("0f35", { model: "i686", user: true })), GP, "SYSEXIT is of ring 0");
  for (const model of ["i386", "i486", "pentium"] as const) t.equal(exceptionOf(rigOf("0f34", { model })), UD, model);
});

t.test("model-specific registers: of ring 0, and only those that exist", async (t) => {
  for (const code of ["0f32", "0f30"]) {
    t.equal(exceptionOf(rigOf(code, { model: "pentium", user: true })), GP, `${code} in ring 3`);
    const unknown = rigOf(code, { model: "i686", prepare: (r) => void (r.cpu.registers[1] = 0x12345) });
    t.equal(exceptionOf(unknown), GP, `${code} of an unknown register`);
    t.equal(exceptionOf(rigOf(code, { model: "i486" })), UD, `${code} on an i486`);
  }
});

t.test("the time-stamp counter is the cycle counter, may be set, and CR4.TSD keeps it for ring 0", async (t) => {
  const rig = rigOf("0f31|89c3|0f31", { model: "pentium" });
  const elapsed = rig.cpu.registers[0]! - rig.cpu.registers[3]!;
  t.ok(elapsed > 0 && elapsed < 100, `${elapsed} clocks between two readings`);
  const set = rigOf("b910000000|b800100000|ba05000000|0f30|0f31", { model: "pentium" });
  t.equal(set.cpu.registers[2], 0, "a write clears the upper half (SDM 3, 17.17)");
  t.ok(set.cpu.registers[0]! >= 0x1000 && set.cpu.registers[0]! < 0x1100, "the lower half a little later");
  for (const user of [false, true]) {
    const refused = rigOf("0f31", { model: "pentium", user, prepare: (r) => void (r.cpu.cr4 = CR4_BIT.TSD) });
    t.equal(exceptionOf(refused), user ? GP : -1, user ? "ring 3" : "ring 0");
  }
});

t.test("CMPXCHG8B", async (t) => {
  const prepare = (r: ProtectedRig): void => {
    r.setWord(AT.DATA, 0x11111111, 0x22222222);
    [0x11111111, 0x44444444, 0x22222222, 0x33333333].forEach((value, i) => void (r.cpu.registers[i] = value));
    r.cpu.registers[6] = AT.DATA;
  };
  const equal = rigOf("0fc70e", { model: "pentium", prepare });
  t.same([equal.word(AT.DATA), equal.word(AT.DATA + 4)], [0x33333333, 0x44444444], "equal: ECX:EBX is stored");
  t.equal(equal.cpu.eflags & 0x40, 0x40);
  const other = rigOf("0fc70e", { model: "pentium", prepare: (r) => {
    prepare(r);
    r.cpu.registers[0] = 0;
  } });
  t.same([other.cpu.registers[0], other.cpu.registers[2]], [0x11111111, 0x22222222], "not equal: EDX:EAX is loaded");
  t.equal(other.cpu.eflags & 0x40, 0);
  t.equal(exceptionOf(rigOf("f00fc7c8", { model: "pentium" })), UD, "a register, locked: #UD and no hang");
});

t.test("conditional moves agree with SETcc for each condition and every set of flags", async (t) => {
  for (let condition = 0; condition < 16; condition++) {
    const hex = condition.toString(16);
    for (let bits = 0; bits < 32; bits++) {
      const image = 2 | (bits & 1) | ((bits & 2) << 1) | ((bits & 4) << 4) | ((bits & 8) << 4) | ((bits & 16) << 7);
      const rig = rigOf(`0f9${hex}c1|0f4${hex}c3`, { model: "i686", prepare: (r) => {
        r.cpu.eflags = image;
        r.cpu.registers[3] = 0x55;
      } });
      if ((rig.cpu.registers[0] === 0x55) !== ((rig.cpu.registers[1]! & 0xff) === 1)) t.fail(`condition ${hex}, flags ${image}`);
    }
  }
  const faulting = rigOf("0f440500005000", { model: "i686", prepare: (r) => {
    r.page();
    r.cpu.eflags = 2;
  } });
  t.equal(exceptionOf(faulting), PF, "the operand is read though the condition is false");
});

t.test("CPUID tells the truth: what a feature bit names runs, what has none is undefined", async (t) => {
  // Bit of EDX, an instruction that comes with it.
  const features: readonly (readonly [string, number, string])[] = [
    ["TSC", 4, "0f31"], ["MSR", 5, "b910000000|0f32"], ["CX8", 8, "be00000800|0fc70e"], ["SEP", 11, "0f34"],
    ["CMOV", 15, "0f44c1"], ["MMX", 23, "0f77"], ["FXSR", 24, "0fae0500000800"], ["SSE", 25, "0f57c0"], ["SSE2", 26, "660f57c0"],
  ];
  for (const model of MODELS) {
    const cpuid = (leaf: number): ProtectedRig =>
      rigOf("0fa2", { model, prepare: (r) => void (r.cpu.registers[0] = leaf) });
    if (exceptionOf(cpuid(0)) === UD) {
      t.equal(model, "i386", "only the i386 has no CPUID");
      continue;
    }
    const [, ecx, edx, ebx] = cpuid(0).cpu.registers;
    t.equal(Buffer.from(Int32Array.of(ebx!, edx!, ecx!).buffer).toString(), "GenuineIntel");
    const present = cpuid(1).cpu.registers[2]!;
    for (const [name, bit, code] of features) {
      const rig = rigOf(code, { model });
      t.equal(exceptionOf(rig) !== UD, (present & (1 << bit)) !== 0, `${model}: ${name}`);
    }
    for (const [name, bit] of [["VME", 1], ["PAE", 6], ["MCE", 7], ["APIC", 9], ["MTRR", 12], ["PSE-36", 17]] as const) {
      t.equal(present & (1 << bit), 0, `${model}: no ${name}`);
    }
  }
});

t.test("undefined and reserved: UD2, the long NOP", async (t) => {
  for (const model of MODELS) {
    t.equal(exceptionOf(rigOf("0f0b", { model })), UD, `${model}: UD2`);
    t.equal(exceptionOf(rigOf("0f1f00", { model })), model === "i686" ? -1 : UD, `${model}: the long NOP`);
  }
});

t.test("a breakpoint on ports traps after the access, with CR4.DE alone", async (t) => {
  // Code, DR0, LEN, whether it is met.
  const cases: readonly (readonly [string, number, number, boolean])[] = [
    ["e461", 0x61, 0, true], ["e661", 0x61, 0, true], ["e460", 0x61, 0, false], ["e561", 0x62, 1, true], ["e55e", 0x61, 0, true],
    ["e65c", 0x60, 3, false], ["66e55f", 0x60, 0, true], ["66bac003|ec", 0x3c0, 3, true],
  ];
  for (const de of [CR4_BIT.DE, 0]) {
    for (const [code, port, length, met] of cases) {
      const rig = rigOf(`${code}|90`, { model: "pentium", prepare: (r) => {
        r.cpu.cr4 = de;
        r.cpu.setDebugRegister(0, port);
        r.cpu.setDebugRegister(7, 1 | (2 << 16) | (length << 18));
      } });
      t.equal(exceptionOf(rig), met && de !== 0 ? 1 : -1, `${code}, port ${port.toString(16)}, DE ${de}`);
      if (met && de !== 0) {
        t.equal(rig.stackWords(1)[0], AT.CODE + code.replace("|", "").length / 2, "after the instruction");
        t.equal(rig.cpu.getDebugRegister(6) & 15, 1);
      }
    }
  }
});
