// Rows of the system instructions: descriptor tables, control registers,
// protection queries and caches.
import { clocks, row } from "./types.js";
import type { OpcodeRow } from "./types.js";

const tables: readonly OpcodeRow[] = [
  row("0F 00 /0", "sldt", "Ev", 2, "2/3"),
  row("0F 00 /1", "str", "Ev", "23/27", "2/3"),
  row("0F 00 /2", "lldt", "Ew", 20, 11, { privilege: "ring0" }),
  row("0F 00 /3", "ltr", "Ew", "23/27", 20, { privilege: "ring0" }),
  row("0F 00 /4", "verr", "Ew", "10/11", 11, { flags: "Z" }),
  row("0F 00 /5", "verw", "Ew", "15/16", 11, { flags: "Z" }),
  row("0F 01 /0", "sgdt", "Ms", 9, 10),
  row("0F 01 /1", "sidt", "Ms", 9, 10),
  row("0F 01 /2", "lgdt", "Ms", 11, 12, { privilege: "ring0" }),
  row("0F 01 /3", "lidt", "Ms", 11, 12, { privilege: "ring0" }),
  row("0F 01 /4", "smsw", "Ev", 2, "2/3"),
  row("0F 01 /6", "lmsw", "Ew", "10/13", 13, { privilege: "ring0", ends: true }),
  row("0F 02 /r", "lar", "Gv,Ew", "15/16", 11, { flags: "Z" }),
  row("0F 03 /r", "lsl", "Gv,Ew", clocks("limit", 20, 21, [5]), clocks("limit", 10, 10, [0]), { flags: "Z" }),
  row("63 /r", "arpl", "Ew,Gw", "20/21", 9, { flags: "Z" }),
  row("0F 06", "clts", "", 5, 7, { privilege: "ring0" }),
];

// CR0 costs more to write than the others; the difference is in clocks.ts by register number.
const registers: readonly OpcodeRow[] = [
  row("0F 20 /r", "mov", "Rd,Cd", 6, 4, { semantic: "readControl", privilege: "ring0", flags: "oszapc" }),
  row("0F 21 /r", "mov", "Rd,Dd", 22, 9, { semantic: "readDebug", privilege: "ring0", flags: "oszapc" }),
  row("0F 22 /r", "mov", "Cd,Rd", 5, 4,
    { semantic: "writeControl", privilege: "ring0", flags: "oszapc", ends: true }),
  row("0F 23 /r", "mov", "Dd,Rd", 22, 10,
    { semantic: "writeDebug", privilege: "ring0", flags: "oszapc", ends: true }),
  row("0F 24 /r", "mov", "Rd,Td", 12, 4, { semantic: "readTest", privilege: "ring0", flags: "oszapc" }),
  row("0F 26 /r", "mov", "Td,Rd", 12, 4, { semantic: "writeTest", privilege: "ring0", flags: "oszapc" }),
];

const caches: readonly OpcodeRow[] = [
  row("0F 08", "invd", "", null, 4, { since: "i486", privilege: "ring0" }),
  row("0F 09", "wbinvd", "", null, 5, { since: "i486", privilege: "ring0" }),
  row("0F 01 /7", "invlpg", "M", null, clocks("invalidate", 12, 12, [11]),
    { since: "i486", privilege: "ring0", ends: true }),
  // Late i486 steppings only; the source prints no clocks for it, the Pentium's 14 stand in (estimate).
  row("0F A2", "cpuid", "", null, 14, { since: "i486" }),
];

export const systemRows: readonly OpcodeRow[] = [...tables, ...registers, ...caches];
