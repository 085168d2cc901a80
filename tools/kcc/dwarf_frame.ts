// .debug_frame: how gdb gets from a frame to its caller.
//
// Compiled functions begin with `push %ebp; mov %esp,%ebp`; after these two
// instructions everything is found from ebp. The stubs that hold a struct
// trapframe are described at their call of trap() or intr(): the "caller" is
// the interrupted code, whose registers are all in the frame (kernel mode only:
// a frame from user mode holds esp and ss in addition).
import { ByteWriter } from "./byte_writer.js";
import type { LinkedImage } from "./link.js";
import type { LinkedSymbol } from "./symbols.js";

const CFA = { def_cfa: 0x0c, def_cfa_register: 0x0d, def_cfa_offset: 0x0e, offset: 0x80, advance_loc: 0x40 } as const;
/** DWARF's numbers of the i386 registers. */
const REGISTER = { eax: 0, ecx: 1, edx: 2, ebx: 3, esp: 4, ebp: 5, esi: 6, edi: 7, eip: 8 } as const;
const WORD = 4;

/** `push %ebp; mov %esp,%ebp` */
const PROLOGUE = [0x55, 0x89, 0xe5];

/** Functions whose caller is interrupted code. */
const STUBS = /^(calltrap|Xsyscall|Xintr\d+)$/;
/** Words from the interrupted stack pointer down to each register in a kernel-mode trapframe. */
const TRAPFRAME_WORDS: readonly (readonly [register: number, words: number])[] = [
  [REGISTER.eip, 3], [REGISTER.eax, 6], [REGISTER.ecx, 7], [REGISTER.edx, 8], [REGISTER.ebx, 9], [REGISTER.ebp, 10],
  [REGISTER.esi, 11], [REGISTER.edi, 12],
];
const TRAPFRAME_SIZE = 14 * WORD;

/** Writes an entry with its length in front, padded to words. */
function entry(writer: ByteWriter, body: ByteWriter): void {
  body.align(WORD);
  writer.u32(body.length).bytes(body.finish());
}

function commonEntry(): ByteWriter {
  const body = new ByteWriter();
  body.u32(0xffffffff).u8(1).u8(0).uleb128(1).sleb128(-WORD).u8(REGISTER.eip);
  return body.u8(CFA.def_cfa).uleb128(REGISTER.esp).uleb128(WORD).u8(CFA.offset | REGISTER.eip).uleb128(1);
}

function head(symbol: LinkedSymbol): ByteWriter {
  return new ByteWriter().u32(0).u32(symbol.address).u32(symbol.size);
}

function functionEntry(symbol: LinkedSymbol): ByteWriter {
  const body = head(symbol).u8(CFA.advance_loc | 1).u8(CFA.def_cfa_offset).uleb128(2 * WORD);
  body.u8(CFA.offset | REGISTER.ebp).uleb128(2);
  return body.u8(CFA.advance_loc | 2).u8(CFA.def_cfa_register).uleb128(REGISTER.ebp);
}

/** At the return from trap(): the argument, then the trapframe, then the interrupted stack. */
function stubEntry(symbol: LinkedSymbol): ByteWriter {
  const body = head(symbol).u8(CFA.def_cfa).uleb128(REGISTER.esp).uleb128(WORD + TRAPFRAME_SIZE);
  for (const [register, words] of TRAPFRAME_WORDS) body.u8(CFA.offset | register).uleb128(words);
  return body;
}

function hasPrologue(image: LinkedImage, symbol: LinkedSymbol): boolean {
  const at = symbol.address - image.text.address;
  return PROLOGUE.every((byte, index) => image.text.bytes[at + index] === byte);
}

/** The contents of .debug_frame. */
export function encodeFrames(image: LinkedImage): Uint8Array {
  const writer = new ByteWriter();
  entry(writer, commonEntry());
  for (const symbol of image.symbols) {
    if (symbol.type !== "func" || symbol.segment !== "text" || symbol.size === 0) continue;
    if (STUBS.test(symbol.plain)) entry(writer, stubEntry(symbol));
    else if (hasPrologue(image, symbol)) entry(writer, functionEntry(symbol));
  }
  return writer.finish();
}
