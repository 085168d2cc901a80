// The conventions of compiled code that a stack walk relies on, checked on the
// bytes with a disassembler that is not ours.

import { Code, Decoder, DecoderOptions, Formatter, FormatterSyntax, Mnemonic, OpKind, Register } from "iced-x86";
import type { Instruction } from "iced-x86";
import type { TextSection } from "../../tools/kcc/object.js";

const PROLOGUE = [0x55, 0x89, 0xe5];
const FIRST_ARGUMENT = 8;
/** Instructions with a memory operand first that they only read. */
const READERS = new Set<number>([
  Mnemonic.Cmp, Mnemonic.Test, Mnemonic.Push, Mnemonic.Call, Mnemonic.Jmp, Mnemonic.Mul, Mnemonic.Div, Mnemonic.Idiv,
]);

function isStackCleaning(instruction: Instruction): boolean {
  return instruction.mnemonic === Mnemonic.Add && instruction.op0Register === Register.ESP;
}

function writesArgument(instruction: Instruction): boolean {
  if (instruction.opCount === 0 || instruction.op0Kind !== OpKind.Memory
    || READERS.has(instruction.mnemonic)) return false;
  const displacement = Number(BigInt.asIntN(32, instruction.memoryDisplacement));
  return instruction.memoryBase === Register.EBP && displacement >= FIRST_ARGUMENT;
}

/** What a function's code does against the conventions, one line each. */
export function conventionErrors({ bytes, symbols }: TextSection): string[] {
  const { name } = symbols[0];
  const errors: string[] = [];
  if (PROLOGUE.some((byte, i) =>
    bytes[i] !== byte)) errors.push(`${name} does not begin with push %ebp; mov %esp,%ebp`);
  const decoder = new Decoder(32, bytes, DecoderOptions.None);
  let pushed = 0;
  let pendingCall = false;
  while (decoder.canDecode) {
    const instruction = decoder.decode();
    const at = `${name}+0x${(decoder.position - instruction.length).toString(16)}`;
    if (instruction.code === Code.INVALID) errors.push(`${at} is no instruction`);
    if (pendingCall && !isStackCleaning(instruction)) errors.push(`${at} does not clean the stack after a call`);
    if (writesArgument(instruction)) errors.push(`${at} writes an incoming argument`);
    if (instruction.mnemonic === Mnemonic.Push) pushed++;
    // Pushes before a call in straight code are its arguments; what the prologue saves is popped before ret.
    pendingCall = instruction.mnemonic === Mnemonic.Call && pushed > 0
      && !isPrologueOnly(bytes, decoder.position, pushed);
    if (instruction.mnemonic === Mnemonic.Call || instruction.isJccShortOrNear
      || instruction.isJmpShortOrNear) pushed = 0;
    instruction.free();
  }
  decoder.free();
  return errors;
}

/** True when all pushes so far are those of the prologue: ebp and callee-saved registers at the very start. */
function isPrologueOnly(bytes: Uint8Array, position: number, pushed: number): boolean {
  let at = PROLOGUE.length;
  if (bytes[at] === 0x83 && bytes[at + 1] === 0xec) at += 3;
  else if (bytes[at] === 0x81 && bytes[at + 1] === 0xec) at += 6;
  let saves = 1;
  for (const save of [0x57, 0x56, 0x53]) {
    if (bytes[at] !== save) continue;
    saves++;
    at++;
  }
  return pushed <= saves && position > at;
}

/** The instructions of a function between prologue and epilogue in AT&T syntax, separated by `; `. */
export function bodyText({ bytes }: TextSection): string {
  const decoder = new Decoder(32, bytes, DecoderOptions.None);
  const formatter = new Formatter(FormatterSyntax.Gas);
  const lines: string[] = [];
  while (decoder.canDecode) lines.push(formatter.format(decoder.decode()));
  const inner = lines.slice(2).filter((line) => !/^(pop|push) %(ebp|ebx|esi|edi)$|^(leave|ret)$/.test(line));
  return inner.join("; ");
}
