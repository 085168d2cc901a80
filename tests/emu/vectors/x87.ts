// States of the coprocessor and operands for its instructions: edge and random
// values, stack shapes, roundings, precisions and exception masks.

import { IMAGE_BYTES } from "./vector.js";

type Random = () => number;

/** Sign and exponent, significand. */
type Real = readonly [number, bigint];

const TOP = 1n << 63n;
const EDGES: readonly Real[] = [
  [0, 0n], [0x8000, 0n], [0x7fff, TOP], [0xffff, TOP], [0x3fff, TOP], [0xbfff, TOP], [0x4000, TOP], [0x3ffe, TOP],
  [0x7fff, TOP | 1n], [0xffff, TOP | 0x1234n], [0x7fff, 0xc000000000000000n], [0xffff, 0xc000000000000000n],
  [0x7fff, 0xc000000012345678n], [0x7fff, 0n], [0x7fff, 0x4000000000000001n], [0x3fff, 0x4000000000000000n],
  [0, 1n], [0x8000, 1n], [0, TOP - 1n], [0, TOP], [0x8000, TOP | 5n], [1, TOP], [1, TOP | 1n], [0x8001, TOP],
  [0x7ffe, (1n << 64n) - 1n], [0xfffe, (1n << 64n) - 1n], [0x3fff, TOP | 1n], [0x3ffe, (1n << 64n) - 1n],
  [0x400e, 0xfffe000000000000n], [0x400e, 0xffff000000000000n], [0xc00e, TOP], [0xc00e, TOP | (1n << 47n)],
  [0x401e, TOP], [0xc01e, TOP], [0x401d, 0xffffffff00000000n], [0x401d, 0xfffffffe00000000n],
  [0x403e, TOP], [0xc03e, TOP], [0x403d, (1n << 64n) - 1n], [0x3ffd, TOP], [0x3fff, 0xc000000000000000n],
  [0x4000, 0xa000000000000000n], [0xbffe, TOP], [0x403a, 0xde0b6b3a76400000n], [0x403a, 0xde0b6b3a763fffe0n],
  [0x407e, 0xffffff0000000000n], [0x407e, 0xffffff8000000000n], [0x407f, TOP], [0x3f81, TOP], [0x3f80, TOP],
  [0x3f81, 0xffffff7000000000n], [0x3f6a, TOP], [0x3f69, TOP], [0x3f69, TOP | 1n],
  [0x43fe, 0xfffffffffffff800n], [0x43fe, 0xfffffffffffffc00n], [0x3c01, TOP], [0x3c00, 0xfffffffffffffc00n],
  [0x3bcd, TOP], [0x3bcc, TOP], [0x3bcc, TOP | 1n], [0x4005, 0x9000000000000000n], [0x4003, TOP],
];

function random64(random: Random): bigint {
  return (BigInt(random()) << 32n) | BigInt(random());
}

function randomReal(random: Random): Real {
  const sign = (random() & 1) << 15;
  const sparse = (random() & 3) === 0;
  const sig = TOP | (sparse ? random64(random) & random64(random) & random64(random) & (-1n << BigInt(random() & 63))
    & ((1n << 64n) - 1n) : random64(random));
  switch (random() % 9) {
    // What a double holds, of sizes whose sums are not exact.
    case 8: return [sign | (0x3fff + (random() % 16) - 8), TOP | (random64(random) & ~0x7ffn)];
    case 0: case 1: case 2: return EDGES[random() % EDGES.length];
    case 3: return [sign | (random() % 0x7fff), sig];
    case 4: return [sign | (random() % 0x7fff), TOP | (random64(random) & (0xffffff8000000000n))];
    case 5: return [sign | ((random() & 1) !== 0 ? random() % 80 : 0x7ffe - (random() % 80)), sig];
    default: return [sign | (0x3fff + (random() % 140) - 70), sig];
  }
}

function nudge(random: Random, [signExp, sig]: Real): Real {
  const exp = Math.min(0x7ffe, Math.max(1, (signExp & 0x7fff) + (random() % 5) - 2));
  const changed = (random() & 1) !== 0 ? sig : sig ^ BigInt(random() & 7);
  return [(random() & 0x8000) | exp, changed | TOP];
}

/** Arguments that the manual defines for the transcendental instructions. */
function argumentOf(mnemonic: string, random: Random): Real {
  const sign = (random() & 1) << 15;
  const sig = TOP | random64(random);
  const special = random() % 6 === 0;
  if (special && mnemonic !== "f2xm1" && mnemonic !== "fyl2xp1") return EDGES[random() % 14];
  switch (mnemonic) {
    case "f2xm1": return [sign | (0x3ffe - (random() % 70)), sig];
    case "fyl2xp1": return [sign | (0x3ffc - (random() % 70)), sig];
    case "fyl2x": return [0x3fff + (random() % 200) - 100, sig];
    case "fpatan": return [sign | (0x3fff + (random() % 120) - 60), sig];
    default: return [sign | (0x3fff + (random() % 40) - 35), sig];
  }
}

export const TRANSCENDENTAL = new Set(["f2xm1", "fyl2x", "fyl2xp1", "fpatan", "fsin", "fcos", "fptan", "fsincos"]);

/** A state image: control, status, tags, pointers, and ST(0) to ST(7). */
export function stateImage(random: Random, mnemonic: string): Uint8Array {
  const image = new Uint8Array(IMAGE_BYTES);
  const view = new DataView(image.buffer);
  const masks = random() % 3 !== 0 ? 0x3f : random() & 0x3f;
  const control = 0x40 | masks | ([0, 2, 3, 3][random() & 3] << 8) | ((random() & 3) << 10);
  const top = random() & 7;
  // Now and then exceptions that are not masked wait to be reported.
  const raised = random() & random() & random() & (random() % 24 === 0 ? 0x3f : masks);
  const status = (random() & 0x4700) | (top << 11) | raised;
  view.setUint32(0, control | 0xffff0000, true);
  view.setUint32(4, status | 0xffff0000, true);
  const emptiness = random() % 6;
  const empty = emptiness === 0 ? random() & 0xff : emptiness < 4 ? 0xe0 : 0;
  let tags = 0;
  const reals: Real[] = [];
  for (let i = 0; i < 8; i++) {
    if ((empty & (1 << i)) !== 0) tags |= 3 << (((top + i) & 7) * 2);
    const close = i > 0 && random() % 3 === 0;
    reals.push(TRANSCENDENTAL.has(mnemonic) ? argumentOf(mnemonic, random)
      : close ? nudge(random, reals[0]) : randomReal(random));
  }
  if (/^fyl2x/.test(mnemonic)) reals[1] = [0x3fff + (random() % 40) - 20, TOP | random64(random)];
  if (mnemonic === "fscale" && (random() & 1) !== 0) {
    reals[1] = [(random() & 0x8000) | (0x3fff + (random() % 17)), TOP | random64(random)];
  }
  view.setUint32(8, tags | 0xffff0000, true);
  view.setUint32(24, 0xffff0000, true);
  reals.forEach(([signExp, sig], i) => {
    view.setBigUint64(28 + i * 10, sig, true);
    view.setUint16(28 + i * 10 + 8, signExp, true);
  });
  return image;
}

/** The longest operand is the state. */
const DATA_BYTES = IMAGE_BYTES;
const EDGES32 = [0, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffa00000, 1, 0x807fffff, 0x00800000,
  0x7f7fffff, 0x3f800000, 0xbf800000, 0x7fff, 0x8000];
const EDGES64 = [0n, TOP, 0x7ff0000000000000n, 0xfff0000000000000n, 0x7ff8000000000000n, 0x7ff0000000000001n,
  0xfff4000000000000n, 1n, 0x800fffffffffffffn, 0x0010000000000000n, 0x7fefffffffffffffn, 0x3ff0000000000000n];

/** The bits of a double: any, or of a middle size. */
function randomDouble(random: Random): bigint {
  const bits = random64(random);
  if ((random() & 1) === 0) return bits;
  return (bits & ~(0x7ffn << 52n)) | (BigInt(1015 + (random() % 16)) << 52n);
}

/** The operand in memory, by its code. */
export function x87Operand(random: Random, code: string): number[] {
  const data = new Uint8Array(DATA_BYTES).map(() => random() & 0xff);
  const view = new DataView(data.buffer);
  const edge = (random() & 1) !== 0;
  switch (code) {
    case "M32f": view.setUint32(0, edge ? EDGES32[random() % EDGES32.length] : random(), true); break;
    case "M64f": view.setBigUint64(0, edge ? EDGES64[random() % EDGES64.length] : randomDouble(random), true); break;
    case "M80f": {
      const [signExp, sig] = randomReal(random);
      view.setBigUint64(0, sig, true);
      view.setUint16(8, signExp, true);
      break;
    }
    case "M80b":
      for (let i = 0; i < 9; i++) data[i] = ((random() % 10) << 4) | (random() % 10);
      data[9] = random() & 0x80;
      break;
    case "M16c": view.setUint16(0, random() & 0x1f7f, true); break;
    case "Me": case "Ms": data.set(stateImage(random, "")); break;
    default: if (edge) view.setBigInt64(0, [0n, 1n, -1n, 2n][random() & 3], true);
  }
  return [...data];
}

