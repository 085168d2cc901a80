// The addressing shapes of ModRM and SIB, and how registers and displacement
// are chosen so that a shape leads to a given offset.

export interface Shape {
  readonly name: string;
  readonly addressSize: 2 | 4;
  readonly mod: 0 | 1 | 2;
  /** Of 16-bit shapes: the rm field, which names the registers. */
  readonly rm16?: number;
  /** Of 32-bit shapes: with a SIB byte; with a base; with an index and its scale, or any scale (-1). */
  readonly sib?: boolean;
  readonly base?: boolean;
  /** The base is ESP. */
  readonly stack?: boolean;
  readonly scale?: number;
}

const shape32 = (name: string, mod: Shape["mod"], rest: Partial<Shape>): Shape =>
  ({ name, addressSize: 4, mod, ...rest });

/** The order matters to forms.ts: the first few stand for all where all would be too many. */
export const SHAPES32: readonly Shape[] = [
  shape32("[r]", 0, { base: true }),
  shape32("[r+d8]", 1, { base: true }),
  shape32("[r+d32]", 2, { base: true }),
  shape32("[d32]", 0, {}),
  shape32("[r+r*1]", 0, { sib: true, base: true, scale: 0 }),
  shape32("[r+r*2]", 0, { sib: true, base: true, scale: 1 }),
  shape32("[r+r*4]", 0, { sib: true, base: true, scale: 2 }),
  shape32("[r+r*8]", 0, { sib: true, base: true, scale: 3 }),
  shape32("[r+r*s+d8]", 1, { sib: true, base: true, scale: -1 }),
  shape32("[r+r*s+d32]", 2, { sib: true, base: true, scale: -1 }),
  shape32("[r*s+d32]", 0, { sib: true, scale: -1 }),
  shape32("[d32] by sib", 0, { sib: true }),
  shape32("[esp]", 0, { sib: true, base: true, stack: true }),
  shape32("[esp+d8]", 1, { sib: true, base: true, stack: true }),
  shape32("[esp+d32]", 2, { sib: true, base: true, stack: true }),
];

const NAMES16 = ["bx+si", "bx+di", "bp+si", "bp+di", "si", "di", "bp", "bx"];

function shape16(mod: Shape["mod"], rm16: number): Shape {
  const displacement = ["", "+d8", "+d16"][mod];
  const name = mod === 0 && rm16 === 6 ? "[d16]" : `[${NAMES16[rm16]}${displacement}]`;
  return { name, addressSize: 2, mod, rm16 };
}

export const SHAPES16: readonly Shape[] = ([0, 1, 2] as const).flatMap((mod) =>
  NAMES16.map((_, rm16) => shape16(mod, rm16)));

/** The registers a 16-bit shape adds up. */
const REGISTERS16: readonly (readonly number[])[] = [[3, 6], [3, 7], [5, 6], [5, 7], [6], [7], [5], [3]];
const ESP = 4;
const EBP = 5;

/** Registers whose value is open, by their numbers; `free` tells whether one may be set. */
export interface Machine {
  readonly registers: Int32Array;
  free(register: number): boolean;
  /** A register was given a value that counts. */
  fix(register: number): void;
}

/** The bytes from ModRM on. */
export interface Address {
  readonly bytes: readonly number[];
}

function bytesOf(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (value >>> (i * 8)) & 0xff);
}

/** Whether the default segment of what a shape chose is SS. */
export function isStackShape(shape: Shape, base: number): boolean {
  if (shape.addressSize === 2) return REGISTERS16[shape.rm16!].includes(EBP) && !(shape.mod === 0 && shape.rm16 === 6);
  return shape.base === true && (base === ESP || base === EBP);
}

/** A base register for a shape: one that the encoding admits. -1: the shape has none. */
export function chooseBase(shape: Shape, machine: Machine, random: () => number): number {
  if (shape.addressSize === 2 || shape.base !== true) return -1;
  if (shape.stack === true) return ESP;
  const admitted = [0, 1, 2, 3, 4, 5, 6, 7].filter((register) =>
    machine.free(register) && (register !== ESP || shape.sib === true) && (register !== EBP || shape.mod !== 0));
  return admitted[random() % admitted.length];
}

/** Sets registers and displacement of a 16-bit shape. */
function place16(shape: Shape, reg: number, offset: number, machine: Machine, random: () => number): Address {
  const { mod, rm16 } = shape;
  const modrm = (mod << 6) | (reg << 3) | rm16!;
  if (mod === 0 && rm16 === 6) return { bytes: [modrm, ...bytesOf(offset, 2)] };
  const registers = REGISTERS16[rm16!];
  const displacement = mod === 0 ? 0 : mod === 1 ? (random() & 0xff) << 24 >> 24 : random() & 0xffff;
  let rest = offset - displacement;
  registers.forEach((register, i) => {
    const value = i < registers.length - 1 ? random() & 0xffff : rest & 0xffff;
    rest -= value;
    // What is above 16 bits does not count.
    machine.registers[register] = value | (random() << 16);
    machine.fix(register);
  });
  return { bytes: [modrm, ...bytesOf(displacement, mod)] };
}

/**
 * Sets the registers of a shape so that its address is `offset`, and gives its
 * bytes from ModRM on with `reg` in the middle field. A base register that is
 * not free (ESP of a stack instruction) keeps its value where a displacement of
 * 32 bits can make up for it; the caller sees to it that others need not.
 */
export function placeOperand(
  shape: Shape, reg: number, base: number, offset: number, machine: Machine, random: () => number,
): Address {
  if (shape.addressSize === 2) return place16(shape, reg, offset, machine, random);
  const { registers } = machine;
  let displacement = shape.mod === 1 ? (random() & 0xff) << 24 >> 24
    : shape.mod === 2 ? ((random() & 1) === 0 ? random() | 0 : (random() % 4096) - 2048) : 0;
  let rest = offset;
  let sib = -1;
  if (shape.sib === true) {
    const scale = shape.scale === undefined ? random() & 3 : shape.scale < 0 ? random() & 3 : shape.scale;
    let index = ESP;
    if (shape.scale !== undefined) {
      const admitted = [0, 1, 2, 3, 5, 6, 7].filter((register) => register !== base && machine.free(register));
      index = admitted[random() % admitted.length];
      registers[index] = (random() & 1) === 0 ? random() | 0 : random() % 64;
      machine.fix(index);
      rest = (rest - Math.imul(registers[index], 1 << scale)) | 0;
    }
    sib = (scale << 6) | (index << 3) | (base < 0 ? EBP : base);
  }
  const wide = shape.mod === 2 || base < 0;
  if (base >= 0 && machine.free(base)) {
    registers[base] = (rest - displacement) | 0;
    machine.fix(base);
  } else if (wide) displacement = (rest - (base < 0 ? 0 : registers[base])) | 0;
  else displacement = shape.mod === 1 ? (rest - registers[base]) << 24 >> 24 : 0;
  const rm = sib >= 0 ? 4 : base < 0 ? EBP : base;
  const modrm = (shape.mod << 6) | (reg << 3) | rm;
  const length = wide ? 4 : shape.mod === 1 ? 1 : 0;
  return { bytes: [modrm, ...(sib >= 0 ? [sib] : []), ...bytesOf(displacement, length)] };
}
