// The x87 instructions: for each mnemonic the function that executes it. The
// opcode table names the operands; arithmetic.ts and transcendental.ts compute.
import type { Core } from "../core.js";
import { NO_ERROR_CODE } from "../faults.js";
import type { Binder, Execute, Family, Op } from "../op.js";
import { operandsOf } from "../opcodes.js";
import type { OpcodeRow } from "../opcodes.js";
import type { Operands } from "../operands.js";
import { CR0, CR0_BIT, FLAG, VECTOR } from "../state.js";
import {
  add, denormal, divide, extract, multiply, nanResult1, order, remainder, roundValue, scale, squareRoot, subtract,
} from "./arithmetic.js";
import type { Result } from "./arithmetic.js";
import { DECIMAL_INDEFINITE, DECIMAL_LIMIT, toDecimal } from "./decimal.js";
import { CLASS, INDEFINITE, ONE, REAL32, REAL64, classOf, fromNumber, isNaNClass, negate, zero } from "./float.js";
import type { Float } from "./float.js";
import { CONSTANTS } from "./functions.js";
import { createImages, environmentBytes, stateBytes } from "./image.js";
import { createQuick } from "./quick.js";
import type { Operation } from "./quick.js";
import { STATUS, SW } from "./registers.js";
import { EXCEPTION, narrow, raise, roundRegister, toInteger } from "./round.js";
import type { Environment } from "./round.js";
import { f2xm1, fcos, fpatan, fptan, fsin, fyl2x, fyl2xp1 } from "./transcendental.js";
import type { Trigonometric } from "./transcendental.js";
import { createUnanswered } from "./unanswered.js";
import { bytesOf, createUnit } from "./unit.js";

type Dyadic = (environment: Environment, a: Float, b: Float) => Result;

const reversed = (f: Dyadic): Dyadic => (environment, a, b) => f(environment, b, a);

/** The arithmetic of the mnemonics, without f, fi and the p of popping. */
const DYADIC: Readonly<Record<string, Dyadic>> = {
  add, mul: multiply, sub: subtract, subr: reversed(subtract), div: divide, divr: reversed(divide),
};

const { C0, C1, C2, C3 } = STATUS;
const UNORDERED = C3 | C2 | C0;
const BY_ORDER: Readonly<Record<string, number>> = { "-1": C0, 0: C3, 1: 0 };

/** Conditions that FXAM reports, by class. */
const EXAMINED = [C3, C3 | C2, C2, C2 | C0, C0, C0, 0] as const;

/** The binders of WAIT, of the x87 instructions and of escapes that are none. */
export function createX87(core: Core, operands: Operands): Family {
  if (core.config.coprocessor === undefined) return createUnanswered(core);
  const { state, faults, memory, flags } = core;
  const { S, regs16 } = state;
  const unit = createUnit(core, operands);
  const { registers, environment } = unit;
  const { begin, settle, note } = unit;
  const words = registers.words;
  const images = createImages(core, registers);
  const quick = createQuick(words, environment);
  const scratch = new DataView(new ArrayBuffer(8));

  /** An instruction that computes: begins, notes its pointers, acts, settles. */
  const computing = (act: (op: Op) => void): Execute => (op) => {
    if (!begin(op)) return;
    act(op);
    note(op);
    settle();
  };

  /** For the few instructions that leave C1 alone. */
  function keepC1(): void {
    environment.up = (words[SW] & C1) !== 0;
  }

  /** Puts an operation's result, if there is one, in ST(i), and pops. */
  function finish(i: number, result: Result, pops: number): void {
    if (result === null) return;
    registers.set(i, result);
    for (let k = 0; k < pops; k++) registers.pop();
  }

  function pushResult(value: Result): void {
    if (!registers.isEmpty(7)) {
      if (unit.overflow()) registers.push(INDEFINITE);
    } else if (value !== null) registers.push(value);
  }

  /** ST op memory, ST op ST(i), ST(i) op ST. */
  function arithmetic(mnemonic: string, codes: readonly string[]): Execute {
    const pops = mnemonic.endsWith("p") && codes.length === 2 ? 1 : 0;
    const name = mnemonic.slice(mnemonic.startsWith("fi") ? 2 : 1, mnemonic.length - pops);
    const f = DYADIC[name];
    const operation = name as Operation;
    /** The quick way; false when it is not one. */
    const computed = (i: number, source: number): boolean => {
      const result = quick.compute(operation, quick.read(i), source);
      // NaN is unequal to itself.
      if (result !== result) return false;
      quick.write(i, result);
      return true;
    };
    if (codes.length === 1) {
      const code = codes[0];
      return computing((op) => {
        const number = unit.loadNumber(op, code);
        if (registers.isEmpty(0)) {
          finish(0, unit.underflow() ? INDEFINITE : null, 0);
          return;
        }
        if (number === number && computed(0, number)) return;
        finish(0, f(environment, registers.get(0), number === number ? fromNumber(number) : unit.loaded), 0);
      });
    }
    const toTop = codes[0] === "ST";
    return computing(({ instruction: { rm } }) => {
      const destination = toTop ? 0 : rm;
      const source = toTop ? rm : 0;
      if (registers.isEmpty(0) || registers.isEmpty(rm)) {
        finish(destination, unit.underflow() ? INDEFINITE : null, pops);
        return;
      }
      if (computed(destination, quick.read(source))) {
        if (pops !== 0) registers.pop();
        return;
      }
      finish(destination, f(environment, registers.get(destination), registers.get(source)), pops);
    });
  }

  /** Compares; null when an unmasked invalid operand leaves the conditions alone. */
  function comparison(a: Float, b: Float, quietly: boolean): number | null {
    const kindA = classOf(a);
    const kindB = classOf(b);
    if (isNaNClass(kindA) || isNaNClass(kindB)) {
      const signals = !quietly || kindA > CLASS.QNAN || kindB > CLASS.QNAN;
      return signals && raise(environment, EXCEPTION.IE) ? null : UNORDERED;
    }
    denormal(environment, a, b);
    return BY_ORDER[order(a, b)];
  }

  /** Compares ST(0) with a source that may be an empty register. */
  function compareTop(source: Float, isEmpty: boolean, quietly: boolean): number | null {
    if (!isEmpty) return comparison(registers.get(0), source, quietly);
    unit.underflow();
    return UNORDERED;
  }

  /** After a comparison: nothing is popped when an exception is unmasked. */
  function popCompared(pops: number): void {
    if ((environment.flags & ~environment.masks & 0x3f) !== 0) return;
    for (let k = 0; k < pops; k++) registers.pop();
  }

  function settleComparison(conditions: number | null, pops: number): void {
    if (conditions !== null) unit.setConditions(conditions);
    popCompared(pops);
  }

  /** FCOM and its kin, with the source by code or a fixed one. */
  function compare(mnemonic: string, codes: readonly string[]): Execute {
    const pops = mnemonic.endsWith("pp") ? 2 : mnemonic.endsWith("p") ? 1 : 0;
    const quietly = mnemonic.startsWith("fu");
    const code = codes[0] ?? "";
    return computing((op) => {
      const isRegister = !op.instruction.memory;
      const i = code === "" ? 1 : op.instruction.rm;
      const source = isRegister ? registers.get(i) : unit.load(op, code);
      const isEmpty = registers.isEmpty(0) || (isRegister && registers.isEmpty(i));
      settleComparison(compareTop(source, isEmpty, quietly), pops);
    });
  }

  /** FCOMI and its kin: the result goes to ZF, PF and CF. */
  function compareToFlags(mnemonic: string): Execute {
    const pops = mnemonic.endsWith("p") ? 1 : 0;
    const quietly = mnemonic.startsWith("fu");
    return computing(({ instruction: { rm } }) => {
      const isEmpty = registers.isEmpty(0) || registers.isEmpty(rm);
      const conditions = compareTop(registers.get(rm), isEmpty, quietly);
      if (conditions === null) return;
      const result = ((conditions & C3) !== 0 ? FLAG.ZF : 0) | ((conditions & C2) !== 0 ? FLAG.PF : 0)
        | ((conditions & C0) !== 0 ? FLAG.CF : 0);
      flags.writeArithmetic(result);
      popCompared(pops);
    });
  }

  const MOVES: Readonly<Record<string, number>> = { b: FLAG.CF, e: FLAG.ZF, be: FLAG.CF | FLAG.ZF, u: FLAG.PF };

  function conditionalMove(mnemonic: string): Execute {
    const condition = mnemonic.slice("fcmov".length);
    const inverted = condition.startsWith("n");
    const mask = MOVES[inverted ? condition.slice(1) : condition];
    return computing(({ instruction: { rm } }) => {
      if (registers.isEmpty(0) || registers.isEmpty(rm)) {
        if (unit.underflow()) registers.set(0, INDEFINITE);
        return;
      }
      keepC1();
      if (((flags.read() & mask) !== 0) !== inverted) registers.set(0, registers.get(rm));
    });
  }

  /** FLD of memory: signaling NaNs and denormals of narrower formats are noticed, an 80-bit value is taken as it is. */
  function loadMemory(code: string): Execute {
    const exact = code === "M80f" || code.endsWith("i") || code === "M80b";
    return computing((op) => {
      const number = unit.loadNumber(op, code);
      if (number === number && registers.isEmpty(7)) {
        quick.push(number);
        return;
      }
      const value = number === number ? fromNumber(number) : unit.loaded;
      if (!registers.isEmpty(7)) {
        pushResult(value);
        return;
      }
      const nan = exact ? undefined : nanResult1(environment, value);
      // A denormal operand is loaded also where it traps: its value is not changed by that.
      if (!exact && nan === undefined) denormal(environment, value);
      pushResult(nan === undefined ? value : nan);
    });
  }

  const loadRegister = computing(({ instruction: { rm } }) => {
    if (!registers.isEmpty(rm)) pushResult(registers.get(rm));
    else if (unit.underflow()) registers.push(INDEFINITE);
  });

  /** FST and FSTP to a register. */
  const storeRegister = (pops: number): Execute => computing(({ instruction: { rm } }) => {
    if (registers.isEmpty(0)) finish(rm, unit.underflow() ? INDEFINITE : null, pops);
    else finish(rm, registers.get(0), pops);
  });

  /** The alias D9 D8+i knows no stack fault: an empty ST(0) is popped and not stored. */
  const storeUnchecked = computing(({ instruction: { rm } }) => {
    if (!registers.isEmpty(0)) registers.set(rm, registers.get(0));
    registers.pop();
  });

  interface Image {
    readonly bits: bigint;
    /** Sign and exponent, or the top of packed decimal: ten bytes in all. */
    readonly top: number;
  }

  /** ST(0) in a format of memory; null when an unmasked exception keeps it. */
  function converted(value: Float, code: string): Image | null {
    switch (code) {
      case "M32f": case "M64f": {
        const bits = narrow(environment, value, code === "M32f" ? REAL32 : REAL64);
        return bits === null ? null : { bits, top: -1 };
      }
      case "M80f": return { bits: value.sig, top: (value.sign << 15) | value.exp };
      case "M80b": {
        const integer = toInteger(environment, value, DECIMAL_LIMIT, false);
        if (integer === null) return null;
        if (integer === undefined) return { bits: DECIMAL_INDEFINITE.digits, top: DECIMAL_INDEFINITE.sign };
        const { digits, sign } = toDecimal(integer < 0n ? -integer : integer, value.sign !== 0);
        return { bits: digits, top: sign };
      }
      default: {
        const limit = 1n << BigInt(bytesOf(code) * 8 - 1);
        const integer = toInteger(environment, value, limit, true);
        return integer === null ? null : { bits: BigInt.asUintN(64, integer ?? limit), top: -1 };
      }
    }
  }

  function storeImage(address: number, bytes: number, { bits, top }: Image): void {
    unit.writeBits(address, top < 0 ? bytes : 8, bits);
    if (top >= 0) memory.write16((address + 8) | 0, top);
  }

  /** Stores ST(0) in memory where that is quick: reals, and integers that are integers already. */
  function storedQuickly(code: string, address: number): boolean {
    const value = quick.read(0);
    if (value !== value) return false;
    if (code === "M64f") {
      scratch.setFloat64(0, value, true);
      memory.write32(address, scratch.getInt32(0, true));
      memory.write32((address + 4) | 0, scratch.getInt32(4, true));
      return true;
    }
    if (code === "M32f") {
      const single = quick.toSingle(value);
      if (single !== single) return false;
      scratch.setFloat32(0, single, true);
      memory.write32(address, scratch.getInt32(0, true));
      return true;
    }
    if (code === "M32i" && (value | 0) === value) memory.write32(address, value);
    else if (code === "M16i" && (value << 16 >> 16) === value) memory.write16(address, value & 0xffff);
    else return false;
    return true;
  }

  /** FST, FIST, FBSTP to memory, and their popping forms. */
  function storeMemory(code: string, pops: number): Binder {
    const bytes = bytesOf(code);
    const act = computing((op) => {
      const address = operands.address(op);
      memory.prepareWrite(address, bytes);
      const isEmpty = registers.isEmpty(0);
      if (!isEmpty && storedQuickly(code, address)) {
        for (let k = 0; k < pops; k++) registers.pop();
        return;
      }
      if (isEmpty && !unit.underflow()) return;
      const image = converted(isEmpty ? INDEFINITE : registers.get(0), code);
      if (image === null) return;
      storeImage(address, bytes, image);
      for (let k = 0; k < pops; k++) registers.pop();
    });
    return (op) => {
      op.writes = true;
      return act;
    };
  }

  /** A function of ST(0) that replaces it. */
  const monadic = (f: (environment: Environment, a: Float) => Result): Execute => computing(() => {
    if (registers.isEmpty(0)) finish(0, unit.underflow() ? INDEFINITE : null, 0);
    else finish(0, f(environment, registers.get(0)), 0);
  });

  /** A function of ST(0) and ST(1): replaces ST(0), or ST(1) and pops. */
  const dyadic = (f: Dyadic, destination: 0 | 1): Execute => computing(() => {
    if (registers.isEmpty(0) || registers.isEmpty(1)) {
      finish(destination, unit.underflow() ? INDEFINITE : null, destination);
      return;
    }
    finish(destination, f(environment, registers.get(destination), registers.get(1 - destination)), destination);
  });

  const remaindering = (nearest: boolean): Execute => computing(() => {
    words[SW] &= ~C2;
    if (registers.isEmpty(0) || registers.isEmpty(1)) {
      finish(0, unit.underflow() ? INDEFINITE : null, 0);
      return;
    }
    const result = remainder(environment, registers.get(0), registers.get(1), nearest);
    if (result === null) return;
    registers.set(0, result.value);
    const { quotient, complete } = result;
    if (quotient < 0) return;
    unit.setConditions((complete ? 0 : C2) | ((quotient & 4) !== 0 ? C0 : 0) | ((quotient & 2) !== 0 ? C3 : 0));
    environment.up = (quotient & 1) !== 0;
  });

  /** ST(0) empty or ST(7) in use, where a result goes to each: true when there is nothing left to do. */
  function stackFaultOfPushing(): boolean {
    const underflows = registers.isEmpty(0);
    if (!underflows && registers.isEmpty(7)) return false;
    if (underflows ? unit.underflow() : unit.overflow()) {
      registers.set(0, INDEFINITE);
      registers.push(INDEFINITE);
    }
    return true;
  }

  const extracting = computing(() => {
    if (stackFaultOfPushing()) return;
    const parts = extract(environment, registers.get(0));
    if (parts === null) return;
    registers.set(0, parts[0]);
    registers.push(parts[1]);
  });

  function outOfRange(result: Trigonometric): result is "out of range" {
    words[SW] = result === "out of range" ? words[SW] | C2 : words[SW] & ~C2;
    return result === "out of range";
  }

  const trigonometric = (f: (environment: Environment, a: Float) => Trigonometric): Execute => computing(() => {
    if (registers.isEmpty(0)) {
      finish(0, unit.underflow() ? INDEFINITE : null, 0);
      return;
    }
    const result = f(environment, registers.get(0));
    if (!outOfRange(result)) finish(0, result, 0);
  });

  /** FPTAN and FSINCOS: replaces ST(0) and pushes the second result. */
  const pushing = (
    f: (environment: Environment, a: Float) => Trigonometric,
    second: (environment: Environment, a: Float, first: Float) => Trigonometric,
  ): Execute => computing(() => {
    if (stackFaultOfPushing()) return;
    const argument = registers.get(0);
    const first = f(environment, argument);
    if (outOfRange(first) || first === null) return;
    const other = second(environment, argument, first);
    if (other === null || other === "out of range") return;
    registers.set(0, first);
    registers.push(other);
  });

  const exchange = computing(({ instruction: { rm } }) => {
    if ((registers.isEmpty(0) || registers.isEmpty(rm)) && !unit.underflow()) return;
    const top = registers.isEmpty(0) ? INDEFINITE : registers.get(0);
    const other = registers.isEmpty(rm) ? INDEFINITE : registers.get(rm);
    registers.set(0, other);
    registers.set(rm, top);
  });

  const examine = computing(() => {
    const value = registers.get(0);
    unit.setConditions(registers.isEmpty(0) ? C3 | C0 : EXAMINED[classOf(value)]);
    environment.up = value.sign !== 0;
  });

  const test = computing(() => settleComparison(compareTop(zero(0), registers.isEmpty(0), false), 0));

  const constant = (mnemonic: string): Execute => computing(() => {
    if (mnemonic === "fldz" || mnemonic === "fld1") {
      pushResult(mnemonic === "fldz" ? zero(0) : ONE);
      return;
    }
    const { sig, low } = CONSTANTS[mnemonic];
    const value = roundRegister(environment, 0, sig, low, 64);
    // A constant is rounded without saying so.
    environment.flags = 0;
    environment.up = false;
    pushResult(value);
  });

  /** A control instruction: #NM alone is looked at, or also errors that wait. */
  const controlling = (act: (op: Op) => void, waits = false): Execute => (op) => {
    unit.checkAvailable();
    if (waits && !unit.checkError(op)) return;
    act(op);
  };

  function storeWord(value: () => number): Binder {
    const act = controlling((op) => memory.write16(operands.address(op), value()));
    return (op) => {
      op.writes = true;
      return act;
    };
  }

  function sized(size: (operandSize: number) => number, writes: boolean, act: Execute): Binder {
    return (op, { operandSize }) => {
      op.size = size(operandSize);
      op.writes = writes;
      return act;
    };
  }

  const storeEnvironment = controlling((op) => {
    const address = operands.address(op);
    memory.prepareWrite(address, op.size);
    images.storeEnvironment(address, op.instruction.operandSize);
    registers.setControl(registers.controlWord() | 0x3f);
  });
  const loadEnvironment = controlling((op) => {
    images.loadEnvironment(operands.address(op), op.instruction.operandSize);
  }, true);
  const save = controlling((op) => {
    const address = operands.address(op);
    const { operandSize } = op.instruction;
    memory.prepareWrite(address, op.size);
    images.storeEnvironment(address, operandSize);
    images.storeRegisters((address + environmentBytes(operandSize)) | 0);
    registers.initialise();
  });
  const restore = controlling((op) => {
    const address = operands.address(op);
    const { operandSize } = op.instruction;
    // A fault at the end of the image must come before anything is loaded.
    memory.checkAlignment(address, op.size);
    memory.read8((address + op.size - 1) | 0);
    images.loadEnvironment(address, operandSize);
    images.loadRegisters((address + environmentBytes(operandSize)) | 0);
  }, true);

  const plain = (execute: Execute): Binder => () => execute;
  const nothing = plain(controlling(() => undefined));

  /** Binders of the mnemonics that have one form. */
  const single: Readonly<Record<string, Binder>> = {
    fchs: plain(monadic((_environment, a) => negate(a))),
    fabs: plain(monadic((_environment, a) => ({ ...a, sign: 0 }))),
    fsqrt: plain(monadic(squareRoot)),
    frndint: plain(monadic(roundValue)),
    f2xm1: plain(monadic(f2xm1)),
    fyl2x: plain(dyadic(fyl2x, 1)),
    fyl2xp1: plain(dyadic(fyl2xp1, 1)),
    fpatan: plain(dyadic(fpatan, 1)),
    fscale: plain(dyadic(scale, 0)),
    fprem: plain(remaindering(false)),
    fprem1: plain(remaindering(true)),
    fxtract: plain(extracting),
    fsin: plain(trigonometric(fsin)),
    fcos: plain(trigonometric(fcos)),
    fptan: plain(pushing(fptan, (_environment, _argument, tangent) => (isNaNClass(classOf(tangent)) ? tangent : ONE))),
    fsincos: plain(pushing(fsin, fcos)),
    fxch: plain(exchange),
    fxam: plain(examine),
    ftst: plain(test),
    fnop: plain(computing(keepC1)),
    fincstp: plain(computing(() => registers.rotate(1))),
    fdecstp: plain(computing(() => registers.rotate(-1))),
    ffree: plain(computing(({ instruction }) => registers.free(instruction.rm))),
    ffreep: plain(computing(({ instruction }) => { registers.free(instruction.rm); registers.pop(); })),
    fldcw: plain(controlling((op) => registers.setControl(memory.read16(operands.address(op))), true)),
    fnstcw: storeWord(() => registers.controlWord()),
    fldenv: sized(environmentBytes, false, loadEnvironment),
    fnstenv: sized(environmentBytes, true, storeEnvironment),
    frstor: sized(stateBytes, false, restore),
    fnsave: sized(stateBytes, true, save),
    fnclex: plain(controlling(() => registers.setStatus(registers.statusWord() & ~(0xff | STATUS.B)))),
    fninit: plain(controlling(() => registers.initialise())),
    fneni: nothing,
    fndisi: nothing,
    fnsetpm: nothing,
  };

  const storeStatus = controlling(() => { regs16[0] = registers.statusWord(); });

  function bind({ mnemonic, opcode }: OpcodeRow, codes: readonly string[]): Binder {
    const known = single[mnemonic];
    if (known !== undefined) return known;
    const code = codes[0] ?? "";
    if (mnemonic === "fnstsw") return code === "AX" ? plain(storeStatus) : storeWord(() => registers.statusWord());
    if (/^f(u?comi)p?$/.test(mnemonic)) return plain(compareToFlags(mnemonic));
    if (/^f[ui]?com/.test(mnemonic)) return plain(compare(mnemonic, codes));
    if (mnemonic.startsWith("fcmov")) return plain(conditionalMove(mnemonic));
    if (/^f(i|b)?ld$/.test(mnemonic)) return plain(code === "STi" ? loadRegister : loadMemory(code));
    if (/^f(i|b)?stp?$/.test(mnemonic)) {
      const pops = mnemonic.endsWith("p") ? 1 : 0;
      if (opcode.startsWith("D9 D8")) return plain(storeUnchecked);
      return code === "STi" ? plain(storeRegister(pops)) : storeMemory(code, pops);
    }
    if (mnemonic.startsWith("fld")) return plain(constant(mnemonic));
    return plain(arithmetic(mnemonic, codes));
  }

  const bound = new Map<object, Binder>();

  return {
    fwait: plain((op) => {
      if ((S[CR0] & (CR0_BIT.MP | CR0_BIT.TS)) === (CR0_BIT.MP | CR0_BIT.TS)) faults.raise(VECTOR.NM, NO_ERROR_CODE);
      unit.checkError(op);
    }),
    escape: plain(() => {
      unit.checkAvailable();
      faults.raise(VECTOR.UD, NO_ERROR_CODE);
    }),
    x87: (op, instruction) => {
      const row = instruction.row!;
      let binder = bound.get(row);
      if (binder === undefined) {
        binder = bind(row, operandsOf(row));
        bound.set(row, binder);
      }
      op.size = bytesOf(operandsOf(row)[0] ?? "");
      return binder(op, instruction);
    },
  };
}
