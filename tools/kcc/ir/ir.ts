// The intermediate representation: a function as a graph of basic blocks whose
// values are in static single assignment form, all of them 32 bits wide.
//
// Invariants
// - A value is defined once and dominates its uses. Constants, symbol
//   addresses, parameters and frame slots float: they are in no block.
// - i64 does not exist here. A 64-bit operation is one value, the low word,
//   whose `high` is a second value (op "high", argument: the first) for the
//   high word. The two are emitted together, at the place of the first.
// - The order of the values in a block is the order of the program. Values
//   with effects (see `hasEffect`) and loads are never reordered against each
//   other, except that a load may be folded into its only user when nothing
//   with an effect lies between.
// - Parameter values stand for the incoming stack words, which nobody writes.

/** Result comparisons, 0 or 1. The ones with 64 take four words: low, high, low, high. */
export type CompareOp =
  | "eq" | "ne" | "lts" | "ltu" | "ges" | "geu" | "les" | "leu" | "gts" | "gtu"
  | "lts64" | "ltu64" | "ges64" | "geu64";

export type LoadOp = "load32" | "load16u" | "load16s" | "load8u" | "load8s";
export type StoreOp = "store32" | "store16" | "store8";

export type Op =
  | "const" | "address" | "param" | "slot" | "phi" | "high"
  | "add" | "sub" | "mul" | "and" | "or" | "xor" | "shl" | "shrs" | "shru" | "rotl" | "rotr"
  | "divs" | "divu" | "rems" | "remu" | "clz" | "ctz" | "popcnt" | "ext8s" | "ext16s"
  | "divmods" | "divmodu" | "add64" | "sub64" | "umul64" | "shl64" | "shrs64" | "shru64" | "shld" | "shrd"
  | "select" | CompareOp | LoadOp | StoreOp
  | "call" | "calli" | "intrinsic";

export class Value {
  readonly id: number;
  op: Op;
  args: Value[];
  /** const: the value; address: addend; param, slot: index; load, store, volatile: displacement; shld, shrd: count. */
  imm: number;
  /** address, call: the symbol; intrinsic: its name. */
  symbol: string;
  /** The high word of a two-word result. */
  high: Value | undefined = undefined;
  /** Set when another value has taken this one's place; see `resolve`. */
  forward: Value | undefined = undefined;
  /** A load that may be dropped when unused: the high half of a 64-bit load. */
  isOptional = false;
  /** Byte offset in the module of the instruction it came from. */
  readonly origin: number;

  constructor(id: number, op: Op, args: Value[], imm: number, symbol: string, origin: number) {
    this.id = id;
    this.op = op;
    this.args = args;
    this.imm = imm;
    this.symbol = symbol;
    this.origin = origin;
  }
}

/** How a block ends. `branch` goes to successors[0] when the control value is not 0, else to successors[1]. */
export type Ending = "jump" | "branch" | "switch" | "return" | "trap";

export class Block {
  readonly id: number;
  phis: Value[] = [];
  body: Value[] = [];
  ending: Ending = "trap";
  /** branch, switch: one value; return: the result words. */
  control: Value[] = [];
  /** switch: one per table entry, the default last; may repeat a block. */
  successors: Block[] = [];
  /** Each predecessor once; phi arguments are in this order. */
  predecessors: Block[] = [];
  loopDepth = 0;
  /** Origin of the instruction that ends the block. */
  endOrigin = 0;

  constructor(id: number) {
    this.id = id;
  }
}

export class IrFunction {
  readonly name: string;
  readonly origin: number;
  blocks: Block[] = [];
  readonly parameters: { name: string; words: number }[];
  /** Result words: 0, 1 or 2. */
  readonly results: number;
  /** Sizes in bytes of the slots that frame_alloc has asked for. */
  readonly slots: number[] = [];
  /** Zero blocks that bss() has asked for. */
  readonly zeroBlocks: { readonly symbol: string; readonly size: number; readonly align: number }[] = [];
  private nextValue = 0;
  private nextBlock = 0;
  private readonly constants = new Map<number, Value>();
  private readonly addresses = new Map<string, Value>();
  private readonly params = new Map<number, Value>();

  constructor(name: string, origin: number, parameters: { name: string; words: number }[], results: number) {
    this.name = name;
    this.origin = origin;
    this.parameters = parameters;
    this.results = results;
  }

  get valueCount(): number {
    return this.nextValue;
  }

  newValue(op: Op, args: Value[], imm = 0, symbol = "", origin = 0): Value {
    return new Value(this.nextValue++, op, args, imm, symbol, origin);
  }

  newBlock(): Block {
    return new Block(this.nextBlock++);
  }

  constant(value: number): Value {
    const word = value | 0;
    let found = this.constants.get(word);
    if (found === undefined) this.constants.set(word, (found = this.newValue("const", [], word)));
    return found;
  }

  address(symbol: string, addend = 0): Value {
    const key = `${symbol}+${addend}`;
    let found = this.addresses.get(key);
    if (found === undefined) this.addresses.set(key, (found = this.newValue("address", [], addend, symbol)));
    return found;
  }

  param(word: number): Value {
    let found = this.params.get(word);
    if (found === undefined) this.params.set(word, (found = this.newValue("param", [], word)));
    return found;
  }

  /** A new frame slot of `size` bytes; the value is its address. */
  slot(size: number): Value {
    this.slots.push(size);
    return this.newValue("slot", [], this.slots.length - 1);
  }
}

/** The value that stands for `value` now. */
export function resolve(value: Value): Value {
  while (value.forward !== undefined) value = value.forward;
  return value;
}

/** Values that belong to no block and cost nothing until used. */
export function isFloating(value: Value): boolean {
  return value.op === "const" || value.op === "address" || value.op === "param" || value.op === "slot";
}

const LOADS = new Set<Op>(["load32", "load16u", "load16s", "load8u", "load8s"]);
const STORES = new Set<Op>(["store32", "store16", "store8"]);
const TRAPPING = new Set<Op>(["divs", "divu", "rems", "remu", "divmods", "divmodu"]);

export function isLoad(value: Value): boolean {
  return LOADS.has(value.op);
}

export function isStore(value: Value): boolean {
  return STORES.has(value.op);
}

/** Writes memory, calls, or is a compiler barrier: loads do not move across it. */
export function hasEffect(value: Value): boolean {
  return STORES.has(value.op) || value.op === "call" || value.op === "calli" || value.op === "intrinsic";
}

/** Must stay although nobody uses its result. A load may fault, so it stays; so does a division. */
export function mustStay(value: Value): boolean {
  return hasEffect(value) || (LOADS.has(value.op) && !value.isOptional) || TRAPPING.has(value.op);
}

/** Follows `forward` in every argument, control and phi of the function. */
export function resolveAll(fn: IrFunction): void {
  const fix = (values: Value[]): void => {
    for (let i = 0; i < values.length; i++) if (values[i].forward !== undefined) values[i] = resolve(values[i]);
  };
  for (const block of fn.blocks) {
    for (const phi of block.phis) fix(phi.args);
    for (const value of block.body) fix(value.args);
    fix(block.control);
  }
}

/** Distinct successors of a block. */
export function distinctSuccessors(block: Block): Block[] {
  return [...new Set(block.successors)];
}
