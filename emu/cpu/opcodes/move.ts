// Rows of data movement, the stack, sign extension, flags and the exchange
// instructions.
import { ARITHMETIC, clocks, row } from "./types.js";
import type { OpcodeRow } from "./types.js";

const moves: readonly OpcodeRow[] = [
  row("88 /r", "mov", "Eb,Gb", 2, 1),
  row("89 /r", "mov", "Ev,Gv", 2, 1),
  row("8A /r", "mov", "Gb,Eb", "2/4", 1),
  row("8B /r", "mov", "Gv,Ev", "2/4", 1),
  row("8C /r", "mov", "Ev,Sw", 2, 3, { semantic: "storeSegment" }),
  row("8E /r", "mov", "Sw,Ew", "18/19", 9, { semantic: "loadSegment", ends: true }),
  row("A0 mo", "mov", "AL,Ob", 4, 1),
  row("A1 mo", "mov", "eAX,Ov", 4, 1),
  row("A2 mo", "mov", "Ob,AL", 2, 1),
  row("A3 mo", "mov", "Ov,eAX", 2, 1),
  row("B0+rb ib", "mov", "Zb,Ib", 2, 1),
  row("B8+rd id", "mov", "Zv,Iv", 2, 1),
  row("C6 /0 ib", "mov", "Eb,Ib", 2, 1),
  row("C7 /0 id", "mov", "Ev,Iv", 2, 1),
  row("0F B6 /r", "movzx", "Gv,Eb", "3/6", 3),
  row("0F B7 /r", "movzx", "Gv,Ew", "3/6", 3),
  row("0F BE /r", "movsx", "Gv,Eb", "3/6", 3),
  row("0F BF /r", "movsx", "Gv,Ew", "3/6", 3),
  // With an index register the i486 takes 2; that is the general charge for an index.
  row("8D /r", "lea", "Gv,M", 2, 1),
  row("D7", "xlat", "", 5, 4),
  row("86 /r", "xchg", "Eb,Gb", "3/5", "3/5", { lockable: true }),
  row("87 /r", "xchg", "Ev,Gv", "3/5", "3/5", { lockable: true }),
  row("90", "nop", "", 3, 1),
  row("90+rd", "xchg", "Zv,eAX", 3, 3),
  row("0F C8+rd", "bswap", "Zd", null, 1, { since: "i486" }),
  row("0F B0 /r", "cmpxchg", "Eb,Gb", null, clocks("exchange", 6, 7, [10]),
    { since: "i486", flags: ARITHMETIC, lockable: true }),
  row("0F B1 /r", "cmpxchg", "Ev,Gv", null, clocks("exchange", 6, 7, [10]),
    { since: "i486", flags: ARITHMETIC, lockable: true }),
  row("0F C0 /r", "xadd", "Eb,Gb", null, "3/4", { since: "i486", flags: ARITHMETIC, lockable: true }),
  row("0F C1 /r", "xadd", "Ev,Gv", null, "3/4", { since: "i486", flags: ARITHMETIC, lockable: true }),
];

const farPointers: readonly OpcodeRow[] = [
  row("C4 /r", "les", "Gv,Mp", 22, 12, { semantic: "loadFarPointer", ends: true }),
  row("C5 /r", "lds", "Gv,Mp", 22, 12, { semantic: "loadFarPointer", ends: true }),
  row("0F B2 /r", "lss", "Gv,Mp", 22, 12, { semantic: "loadFarPointer", ends: true }),
  row("0F B4 /r", "lfs", "Gv,Mp", 25, 12, { semantic: "loadFarPointer", ends: true }),
  row("0F B5 /r", "lgs", "Gv,Mp", 25, 12, { semantic: "loadFarPointer", ends: true }),
];

function segmentStack(pushOpcode: string, popOpcode: string | null, segment: string): OpcodeRow[] {
  const push = row(pushOpcode, "push", segment, 2, 3, { semantic: "pushSegment" });
  if (popOpcode === null) return [push];
  return [push, row(popOpcode, "pop", segment, 21, 9, { semantic: "popSegment", ends: true })];
}

const stack: readonly OpcodeRow[] = [
  row("50+rd", "push", "Zv", 2, 1),
  row("58+rd", "pop", "Zv", 4, 4),
  row("68 id", "push", "Iv", 2, 1),
  row("6A ib", "push", "Ibs", 2, 1),
  // The register form decodes, but 50+rd is the one to assemble; its clocks are those of 50+rd.
  row("FF /6", "push", "Ev", "2/5", "1/4"),
  row("8F /0", "pop", "Ev", "4/5", "4/5"),
  ...segmentStack("06", "07", "ES"),
  ...segmentStack("0E", null, "CS"),
  ...segmentStack("16", "17", "SS"),
  ...segmentStack("1E", "1F", "DS"),
  ...segmentStack("0F A0", "0F A1", "FS"),
  ...segmentStack("0F A8", "0F A9", "GS"),
  row("60", "pushad", "", 18, 11, { mnemonic16: "pusha" }),
  row("61", "popad", "", 24, 9, { mnemonic16: "popa" }),
  row("9C", "pushfd", "", 4, 3, { mnemonic16: "pushf", reads: "OSZAPCDIT" }),
  row("9D", "popfd", "", 5, 6, { mnemonic16: "popf", flags: "OSZAPCDIT", ends: true }),
  row("C8 iw ib", "enter", "Iw,Ib", clocks("enter", 10, 10, [10, 12, 15, 4]), clocks("enter", 14, 14, [14, 17, 20, 3])),
  row("C9", "leave", "", 4, 5),
];

const flagsAndSigns: readonly OpcodeRow[] = [
  row("98", "cwde", "", 3, 3, { mnemonic16: "cbw" }),
  row("99", "cdq", "", 2, 3, { mnemonic16: "cwd" }),
  row("F8", "clc", "", 2, 2, { flags: "C" }),
  row("F9", "stc", "", 2, 2, { flags: "C" }),
  row("F5", "cmc", "", 2, 2, { flags: "C", reads: "C" }),
  row("FC", "cld", "", 2, 2, { flags: "D" }),
  row("FD", "std", "", 2, 2, { flags: "D" }),
  row("FA", "cli", "", 3, 5, { flags: "I", privilege: "iopl" }),
  row("FB", "sti", "", 3, 5, { flags: "I", privilege: "iopl", ends: true }),
  // Undocumented: AL becomes 0 or FF by CF. No manual prints its clocks.
  row("D6", "salc", "", 3, 3, { reads: "C" }),
  row("9F", "lahf", "", 2, 3, { reads: "SZAPC" }),
  row("9E", "sahf", "", 3, 2, { flags: "SZAPC" }),
];

export const moveRows: readonly OpcodeRow[] = [...moves, ...farPointers, ...stack, ...flagsAndSigns];
