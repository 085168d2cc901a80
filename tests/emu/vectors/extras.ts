// Cases that no single row of the table gives: encodings that are no
// instruction, instructions too long or cut off by the end of memory, several
// in a row, and single steps.

import { Decoder, DecoderOptions } from "iced-x86";
import { decode } from "../../../emu/cpu/decode.js";
import { FLAG } from "../../../emu/cpu/state.js";
import { caseOf } from "./cases.js";
import { PREFIX, allForms } from "./forms.js";
import type { Form, Source } from "./forms.js";
import { CODE, CODE_PAGE, FLAT, LOCAL_NAMES, PAGE, local } from "./space.js";
import type { Input } from "./vector.js";

type Random = () => number;

/** No instruction of any processor that iced-x86 knows, nor one of the i686. */
function isHole(code: readonly number[]): boolean {
  if (decode((i) => code[i] ?? 0, true, "i686").row !== null) return false;
  const decoder = new Decoder(32, Uint8Array.from([...code, ...new Uint8Array(16)]), DecoderOptions.None);
  const instruction = decoder.decode();
  const invalid = instruction.isInvalid;
  instruction.free();
  decoder.free();
  return invalid;
}

/**
 * Opcodes left out, by the bytes of their hexadecimal text. Their encodings are
 * instructions of some maker, or the host reads more of them before it refuses.
 */
const OTHERS = /^(8f|c4|c5|62|0f 0[def]|0f 24|0f 26|0f 3[6-9a-f]|0f a[67]|0f 7[8-9a-b])/;

function hexOf(code: readonly number[]): string {
  return code.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** A plain case of some code: registers point nowhere. */
function plain(code: readonly number[], random: Random): Input {
  return {
    registers: Int32Array.from({ length: 8 }, () => random()), eflags: FLAG.IF | 2 | (random() & FLAG.CF),
    segments: Uint16Array.from([FLAT.DATA, FLAT.CODE, FLAT.DATA, FLAT.DATA, local(LOCAL_NAMES[0]), 0]),
    code: { at: CODE, bytes: Uint8Array.from(code) }, data: [],
  };
}

function holes(): Source[] {
  const one = Array.from({ length: 256 }, (_, byte) => [byte]);
  const maps = [...one, ...one.map((opcode) => [0x0f, ...opcode])];
  const codes = maps.flatMap((opcode) => [0x00, 0xc0].flatMap((mod) =>
    Array.from({ length: 8 }, (_, digit) => [...opcode, mod | (digit << 3)])));
  // The escapes have a row for each ModRM byte.
  const escapes = Array.from({ length: 8 * 64 }, (_, i) => [0xd8 | (i >> 6), 0xc0 | (i & 63)]);
  const seen = new Set([...codes, ...escapes].map(hexOf));
  return [...seen].map((text) => text.split(" ").map((byte) => parseInt(byte, 16)))
    .filter((code) => !OTHERS.test(hexOf(code)) && isHole(code))
    .map((code) => ({ name: `hole ${hexOf(code)}`, weight: 1, make: (random) => plain(code, random) }));
}

/** Fifteen bytes and sixteen, made so by prefixes. */
function lengths(): Source[] {
  const bodies: readonly (readonly [name: string, code: readonly number[]])[] = [
    ["nop", [0x90]], ["inc", [0x40]], ["add", [0x01, 0xd8]], ["mov", [0xb8, 1, 2, 3, 4]], ["movzx", [0x0f, 0xb6, 0xc1]],
  ];
  const sourceOf = (name: string, body: readonly number[], length: number, prefix: number): Source => ({
    name: `${name} of ${length} bytes by ${prefix.toString(16)}`, weight: 2,
    make: (random) => plain([...new Array<number>(length - body.length).fill(prefix), ...body], random),
  });
  return bodies.flatMap(([name, body]) => [14, 15, 16].flatMap((length) =>
    [PREFIX.ES, PREFIX.ADDRESS].map((prefix) => sourceOf(name, body, length, prefix))));
}

/** Forms of which one for each row stands for the row. */
function onePerRow(): Form[] {
  const seen = new Set<string>();
  return allForms().filter(({ row, prefixes, big, bigStack, place, weight }) => {
    const key = `${row.mnemonic} ${row.operands} ${row.opcode}`;
    // A displacement would lead somewhere else from another place.
    if (/^J/.test(row.operands)) return false;
    if (prefixes.length > 0 || !big || !bigStack || place !== "memory" || weight < 2 || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** The end of the code page cuts the instruction, or what follows it. */
function fetches(): Source[] {
  return onePerRow().map((form) => ({
    name: `${form.name} at the end of memory`, weight: 2,
    make: (random) => {
      const input = caseOf(form, random);
      if (input === null) return null;
      const { bytes } = input.code;
      const inside = Math.max(1, bytes.length - (random() % (bytes.length + 1)));
      return { ...input, code: { at: CODE_PAGE + PAGE - inside, bytes: bytes.slice(0, inside) } };
    },
  }));
}

/** PUSHF; OR the image with TF; POPF. */
const SET_TRAP_FLAG = [0x9c, 0x81, 0x0c, 0x24, 0x00, 0x01, 0x00, 0x00, 0x9d];
/** These end where the trap flag is handled by rules of their own, or leave a bad stack before it is set. */
const NOT_STEPPED = /^(int|into|int3|bound|popSegment|loadSegment|loadFarPointer|leave|x87|fwait)$/;

function steps(): Source[] {
  return onePerRow().filter(({ row }) => !NOT_STEPPED.test(row.semantic)).map((form) => ({
    name: `${form.name} stepped`, weight: 2,
    make: (random) => {
      const input = caseOf(form, random);
      const inStack = input !== null && input.registers[4] > 0x203f20 && input.registers[4] < 0x2040f0;
      if (input === null) return null;
      const registers = Int32Array.from(input.registers);
      if (!inStack) {
        if (form.shape?.stack === true) return null;
        registers[4] = 0x203f40 + (random() & 15) * 4;
      }
      const bytes = Uint8Array.from([...SET_TRAP_FLAG, ...input.code.bytes]);
      return { ...input, registers, code: { at: CODE, bytes } };
    },
  }));
}

/** What needs memory, selectors or the coprocessor; and LAHF, which reads AF. */
const NOT_IN_SEQUENCES = /^(push|pop|enter|leave|x87|fwait|lahf|xlat|verr|verw|lar|lsl|arpl|store|bound)/;

/** Register forms that read or set flags all of which are defined, but for AF, which none of them reads. */
function flagForms(): Form[] {
  return allForms().filter(({ row, shape, prefixes, big, place, addressSize }) =>
    shape === null && prefixes.length === 0 && big && place === "memory" && addressSize === 4
    && row.privilege === "" && !row.ends && !/[osztpc]/.test(row.flags) && !/A/.test(row.reads)
    && !/CL$|Ib$|[XYOM]/.test(row.operands) && !NOT_IN_SEQUENCES.test(row.semantic));
}

/** Several instructions in a row, each of which meets the flags of the one before. */
function sequences(): Source[] {
  const forms = flagForms();
  return Array.from({ length: 256 }, (_, i): Source => ({
    name: `sequence ${i}`, weight: 8,
    make: (random) => {
      const count = 2 + (random() % 5);
      const cases = Array.from({ length: count }, () => caseOf(forms[random() % forms.length], random));
      const [first] = cases;
      if (first === null || cases.includes(null)) return null;
      return { ...first, code: { at: CODE, bytes: Uint8Array.from(cases.flatMap((one) => [...one!.code.bytes])) } };
    },
  }));
}

/** Every source of cases: the forms of the table, and what is beside it. */
export function allSources(): Source[] {
  const forms = allForms().map((form): Source =>
    ({ name: form.name, weight: form.weight, make: (random) => caseOf(form, random) }));
  return [...forms, ...holes(), ...lengths(), ...fetches(), ...steps(), ...sequences()];
}
