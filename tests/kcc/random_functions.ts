// Random functions for the differential test: deep expression trees over
// parameters, locals and memory, assignments, branches, loops and early exits,
// so that many values live at once. The same seed gives the same functions.

import type { Step, Type } from "./wasm_writer.js";

export interface RandomFunction {
  readonly name: string;
  readonly parameters: readonly Type[];
  readonly locals: readonly Type[];
  readonly body: readonly Step[];
  readonly rows: readonly (readonly bigint[])[];
}

const PARAMETERS: readonly Type[] = ["i32", "i32", "i64", "i32", "i64"];
const LOCALS: readonly Type[] = ["i32", "i32", "i64", "i64", "i32", "i32", "i32"];
/** The last local counts the turns of all loops, so that every function ends. */
const FUEL = PARAMETERS.length + LOCALS.length - 1;
const SAFE_BINARY = ["add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr"];
const COMPARES = ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"];
const SCRATCH_WORDS = 16;

/** A small generator of 32-bit numbers with a seed (mulberry32). */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  below(limit: number): number {
    return this.next() % limit;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
}

class Generator {
  private readonly random: Random;
  private readonly scratch: number;
  private readonly types: readonly Type[] = [...PARAMETERS, ...LOCALS];

  constructor(random: Random, scratch: number) {
    this.random = random;
    this.scratch = scratch;
  }

  private local(type: Type): number {
    const choices = this.types.map((_, i) => i).filter((i) => this.types[i] === type && i !== FUEL);
    return this.random.pick(choices);
  }

  private constant(type: Type): Step {
    const small = this.random.below(3) !== 0;
    const word = small ? this.random.below(70) - 4 : this.random.next() | 0;
    if (type === "i32") return ["i32.const", word];
    return ["i64.const", small ? BigInt(word) : (BigInt(word) << 32n) | BigInt(this.random.next())];
  }

  private address(depth: number): Step[] {
    if (this.random.below(2) === 0) return [["i32.const", this.scratch + 8 * this.random.below(SCRATCH_WORDS)]];
    return [
      ...this.expression("i32", depth - 1), ["i32.const", SCRATCH_WORDS - 1], ["i32.and"],
        ["i32.const", this.random.pick([0, 1, 2, 3])], ["i32.shl"],
      ["i32.const", this.scratch], ["i32.add"],
    ];
  }

  /** Steps that leave one value of the type. */
  expression(type: Type, depth: number): Step[] {
    const { random } = this;
    if (depth <= 0) return random.below(3) === 0 ? [this.constant(type)] : [["local.get", this.local(type)]];
    switch (random.below(13)) {
      case 0: case 1: case 2: case 3: case 4:
        return [...this.expression(type, depth - 1), ...this.expression(type, depth - 1),
          [`${type}.${random.pick(SAFE_BINARY)}`]];
      case 5: {
        const load = type === "i32" ? random.pick(["load", "load8_u", "load8_s", "load16_u", "load16_s"])
          : random.pick(["load", "load32_u", "load32_s", "load8_u", "load16_s"]);
        return [...this.address(depth), [`${type}.${load}`, random.below(12)]];
      }
      case 6:
        return type === "i32" ? this.condition(depth)
          : [...this.expression("i32", depth - 1), [random.pick(["i64.extend_i32_s", "i64.extend_i32_u"])]];
      case 7:
        return type === "i32" ? [...this.expression("i64", depth - 1), ["i32.wrap_i64"]] : this.division("i64", depth);
      case 8:
        return [...this.expression(type, depth - 1), ...this.expression(type, depth - 1),
          ...this.condition(depth - 1), ["select"]];
      case 9:
        return [...this.condition(depth - 1), ["if", type], ...this.expression(type, depth - 1), ["else"],
          ...this.expression(type, depth - 1), ["end"]];
      case 10: return [...this.expression(type, depth - 1), ["local.tee", this.local(type)]];
      case 11: return this.division(type, depth);
      default: return [...this.expression(type, depth - 1),
        [`${type}.${random.pick(["clz", "ctz", "popcnt", "extend8_s", "extend16_s"])}`]];
    }
  }

  /** A division that cannot trap: the divisor is made odd and positive. */
  private division(type: Type, depth: number): Step[] {
    const mask: Step = type === "i32" ? ["i32.const", 0x7fff] : ["i64.const", 0x7fffffffffn];
    const one: Step = type === "i32" ? ["i32.const", 1] : ["i64.const", 1n];
    const divisor: Step[] = this.random.below(2) === 0
      ? [[`${type}.const`, this.random.pick([1, 2, 3, 8, 10, 64, 1000])]]
      : [...this.expression(type, depth - 1), mask, [`${type}.and`], one, [`${type}.or`]];
    return [...this.expression(type, depth - 1), ...divisor,
      [`${type}.${this.random.pick(["div_s", "div_u", "rem_s", "rem_u"])}`]];
  }

  private condition(depth: number): Step[] {
    const { random } = this;
    switch (random.below(5)) {
      case 0: return [...this.expression("i32", depth - 1), ["i32.eqz"]];
      case 1: return [...this.expression("i64", depth - 1), ...this.expression("i64", depth - 1),
        [`i64.${random.pick(COMPARES)}`]];
      case 2: return [...this.condition(depth - 1 > 0 ? depth - 1 : 0), ["if", "i32"],
        ...this.expression("i32", depth - 1), ["else"], ["i32.const", 0], ["end"]];
      default: return [...this.expression("i32", depth - 1), ...this.expression("i32", depth - 1),
        [`i32.${random.pick(COMPARES)}`]];
    }
  }

  private statement(depth: number): Step[] {
    const { random } = this;
    const type = random.pick<Type>(["i32", "i32", "i64"]);
    switch (random.below(8)) {
      case 0: case 1: case 2: return [...this.expression(type, 3), ["local.set", this.local(type)]];
      case 3: {
        const store = type === "i32" ? random.pick(["store", "store8", "store16"])
          : random.pick(["store", "store32", "store8"]);
        return [...this.address(2), ...this.expression(type, 2), [`${type}.${store}`, random.below(8)]];
      }
      case 4: return depth <= 0 ? [["nop"]]
        : [...this.condition(2), ["if", ""], ...this.statements(depth - 1), ["else"], ...this.statements(depth - 1),
          ["end"]];
      case 5: return depth <= 0 ? [["nop"]]
        : [["block", ""], ...this.statements(depth - 1), ...this.condition(2), ["br_if", 0],
          ...this.statements(depth - 1), ["end"]];
      case 6: return depth <= 0 ? [["nop"]] : this.loop(depth);
      default: return [["global.get", 1], ...this.expression("i64", 2), ["i64.add"], ["global.set", 1]];
    }
  }

  private loop(depth: number): Step[] {
    const burn: Step[] = [["local.get", FUEL], ["i32.const", 1], ["i32.sub"], ["local.tee", FUEL], ["i32.const", 0],
      ["i32.gt_s"]];
    const isWhile = this.random.below(2) === 0;
    if (isWhile) return [["loop", ""], ...burn, ["if", ""], ...this.statements(depth - 1), ["br", 1], ["end"], ["end"]];
    return [["loop", ""], ...this.statements(depth - 1), ...burn, ...this.condition(2), ["i32.const", 0], ["i32.ne"],
      ["i32.and"], ["br_if", 0], ["end"]];
  }

  private statements(depth: number): Step[] {
    return Array.from({ length: 1 + this.random.below(3) }, () => this.statement(depth)).flat();
  }

  body(): Step[] {
    const start: Step[] = [["i32.const", 5 + this.random.below(20)], ["local.set", FUEL], ["i64.const", 77n],
      ["global.set", 1]];
    for (let i = 0; i < SCRATCH_WORDS; i++) {
      start.push(["i32.const", this.scratch + 8 * i],
        ["i64.const", (BigInt(this.random.next()) << 32n) | BigInt(this.random.next())], ["i64.store", 0]);
    }
    const end: Step[] = [["global.get", 1]];
    this.types.forEach((type, i) => {
      end.push(["i64.const", 31n], ["i64.mul"], ["local.get", i],
        ...(type === "i32" ? [["i64.extend_i32_u"] as Step] : []), ["i64.add"]);
    });
    for (let i = 0; i < SCRATCH_WORDS; i++) end.push(["i32.const", this.scratch + 8 * i], ["i64.load", 0], ["i64.add"]);
    return [...start, ...this.statements(3), ...this.statements(2), ...end];
  }

  arguments(): bigint[] {
    return PARAMETERS.map((type) => {
      const [, value] = this.constant(type);
      return BigInt(value as number | bigint);
    });
  }
}

/** `count` functions that use the memory at `scratch`. */
export function randomFunctions(seed: number, count: number, scratch: number): RandomFunction[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) => {
    const generator = new Generator(random, scratch);
    const body = generator.body();
    const rows = Array.from({ length: 3 }, () => generator.arguments());
    return { name: `random ${i} of seed ${seed}`, parameters: PARAMETERS, locals: LOCALS, body, rows };
  });
}
