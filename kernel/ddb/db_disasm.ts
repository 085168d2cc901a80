// DDB's i386 disassembler, AT&T syntax. It knows no instruction itself: the
// table at `ddb_opcodes` (format: tools/kcc/ddb_opcodes.ts) is made from the same
// opcode table as the machine's decoder.
//
// The guard at the top of db_disasm is that of May 2000: it means to find out
// whether the address is mapped, but asks the page table entry before the
// directory entry. For an address whose page table is absent the question
// itself faults, at PTmap + (loc >> 12) * 4.

import { frame_alloc, volatile } from "../i386/cpufunc";
import { PG_V } from "../i386/pte";
import { sym } from "../i386/sym";
import { db_get_value } from "./db_access";
import { db_print_unsigned, db_printf, db_putchar, db_puts } from "./db_output";
import { DB_STGY_ANY, DB_STGY_PROC, db_has_symbol, db_printsym } from "./db_sym";

const PTMAP: usize = 0xbfc00000;

// FormFlag of tools/kcc/ddb_opcodes.ts.
const MODRM: u32 = 1;
const REP: u32 = 2;
const REPE: u32 = 4;
const INDIRECT: u32 = 8;
const FORWARD: u32 = 16;

const PREFIX_LOCK: u32 = 0xf0;
const PREFIX_REPNE: u32 = 0xf2;
const PREFIX_REP: u32 = 0xf3;

/** One instruction while it is taken apart. */
@unmanaged class Instruction {
  /** The next byte to read. */
  loc: usize;
  /** 16-bit operands, 16-bit addresses (prefixes 66 and 67). */
  size16: u32;
  addr16: u32;
  /** Segment override: the register's number + 1, or 0. */
  segment: u32;
  lock: u32;
  /** 0xf2, 0xf3 or 0. */
  repeat: u32;
  opcode: u32;
  mod: u32;
  reg: u32;
  rm: u32;
  /** SIB byte, when there is one. */
  has_sib: u32;
  sib: u32;
  has_disp: u32;
  disp: i32;
  flags: u32;
}

function fetch(ip: Instruction, size: u32, is_signed: bool): i32 {
  const value = db_get_value(ip.loc, size, is_signed);
  ip.loc += size;
  return value;
}

/** Register names of two or three letters, 4 bytes apart. */
function reg8(): usize {
  return cs("al\0\0cl\0\0dl\0\0bl\0\0ah\0\0ch\0\0dh\0\0bh\0");
}
function reg16(): usize {
  return cs("ax\0\0cx\0\0dx\0\0bx\0\0sp\0\0bp\0\0si\0\0di\0");
}
function reg32(): usize {
  return cs("eax\0ecx\0edx\0ebx\0esp\0ebp\0esi\0edi");
}
function segments(): usize {
  return cs("es\0\0cs\0\0ss\0\0ds\0\0fs\0\0gs\0\0?\0\0\0?\0\0");
}

function print_register(names: usize, number: u32): void {
  db_putchar(37);
  db_puts(names + (number << 2));
}

function print_sized_register(ip: Instruction, number: u32, size: u32): void {
  if (size == 98) print_register(reg8(), number); // b
  else if (size == 119 || (size == 118 && ip.size16 != 0)) print_register(reg16(), number); // w, v
  else print_register(reg32(), number);
}

/** The `66 67` and segment, lock and repeat prefixes. */
function read_prefixes(ip: Instruction): void {
  let more = true;
  while (more) {
    const byte = u32(fetch(ip, 1, false));
    if (byte == 0x66) ip.size16 = 1;
    else if (byte == 0x67) ip.addr16 = 1;
    else if (byte == PREFIX_LOCK) ip.lock = 1;
    else if (byte == PREFIX_REP || byte == PREFIX_REPNE) ip.repeat = byte;
    else if ((byte & 0xe7) == 0x26) ip.segment = ((byte >> 3) & 3) + 1;
    else if ((byte & 0xfe) == 0x64) ip.segment = byte - 0x64 + 5;
    else {
      ip.opcode = byte;
      more = false;
    }
  }
  if (ip.opcode == 0x0f) ip.opcode = 256 + u32(fetch(ip, 1, false));
}

/** The address of the instruction's form in the table, or 0; reads no byte beyond the opcode. */
function find_form(ip: Instruction): usize {
  const table = sym.ddb_opcodes();
  let entry: u32 = load<u16>(table + (ip.opcode << 1));
  if (entry >= 0x8000) {
    const digit = u32(db_get_value(ip.loc, 1, false) >> 3) & 7;
    entry = load<u16>(table + load<u32>(table + 1024) + ((entry & 0x7fff) << 4) + (digit << 1));
  }
  if (entry == 0) return 0;
  return table + load<u32>(table + 1028) + (entry - 1) * 12;
}

/** ModRM, SIB and displacement. */
function read_modrm(ip: Instruction): void {
  const modrm = u32(fetch(ip, 1, false));
  ip.mod = modrm >> 6;
  ip.reg = (modrm >> 3) & 7;
  ip.rm = modrm & 7;
  if (ip.mod == 3) return;
  if (ip.addr16 != 0) {
    if (ip.mod == 1) ip.disp = fetch(ip, 1, true);
    else if (ip.mod == 2 || ip.rm == 6) ip.disp = fetch(ip, 2, ip.mod == 2);
    ip.has_disp = u32(ip.mod != 0 || ip.rm == 6);
    return;
  }
  let base = ip.rm;
  if (ip.rm == 4) {
    ip.has_sib = 1;
    ip.sib = u32(fetch(ip, 1, false));
    base = ip.sib & 7;
  }
  if (ip.mod == 1) ip.disp = fetch(ip, 1, true);
  else if (ip.mod == 2 || base == 5) ip.disp = fetch(ip, 4, false);
  ip.has_disp = u32(ip.mod != 0 || base == 5);
}

function print_segment_override(ip: Instruction): void {
  if (ip.segment == 0) return;
  print_register(segments(), ip.segment - 1);
  db_putchar(58);
}

/** A displacement in front of registers: a symbol where one fits, else a signed number. */
function print_displacement(disp: i32): void {
  if (db_has_symbol(usize(disp))) db_printsym(usize(disp), DB_STGY_ANY);
  else if (disp < 0) db_printf(cs("-0x%x"), u32(0 - disp));
  else db_printf(cs("0x%x"), disp);
}

/** An absolute address: a symbol where one fits. */
function print_address(address: usize): void {
  if (db_has_symbol(address)) db_printsym(address, DB_STGY_ANY);
  else db_printf(cs("0x%x"), address);
}

function print_memory16(ip: Instruction): void {
  if (ip.mod == 0 && ip.rm == 6) {
    db_printf(cs("0x%x"), ip.disp & 0xffff);
    return;
  }
  if (ip.has_disp != 0) print_displacement(ip.disp);
  const forms = cs("(%bx,%si)\0(%bx,%di)\0(%bp,%si)\0(%bp,%di)\0(%si)\0\0\0\0\0\0(%di)\0\0\0\0\0\0(%bp)\0\0\0\0\0\0(%bx)");
  db_puts(forms + ip.rm * 10);
}

/** The memory operand of ModRM. */
function print_memory(ip: Instruction): void {
  print_segment_override(ip);
  if (ip.addr16 != 0) {
    print_memory16(ip);
    return;
  }
  const base = ip.has_sib != 0 ? ip.sib & 7 : ip.rm;
  const has_base = !(base == 5 && ip.mod == 0);
  const index = (ip.sib >> 3) & 7;
  const has_index = ip.has_sib != 0 && (index != 4 || !has_base);
  if (!has_base && !has_index) {
    print_address(usize(ip.disp));
    return;
  }
  if (ip.has_disp != 0) print_displacement(ip.disp);
  db_putchar(40);
  if (has_base) print_register(reg32(), base);
  if (has_index) {
    db_putchar(44);
    if (index == 4) db_puts(cs("%eiz"));
    else print_register(reg32(), index);
    db_printf(cs(",%d"), 1 << (ip.sib >> 6));
  }
  db_putchar(41);
}

function print_immediate(ip: Instruction, size: u32): void {
  let value: u32;
  if (size == 98) value = u32(fetch(ip, 1, false)); // Ib
  else if (size == 115) value = u32(fetch(ip, 1, true)); // Is: sign-extended
  else if (size == 119 || ip.size16 != 0) value = u32(fetch(ip, 2, false));
  else value = u32(fetch(ip, 4, false));
  if (size == 115 && ip.size16 != 0) value &= 0xffff;
  db_printf(cs("$0x%x"), value);
}

function print_branch_target(ip: Instruction, size: u32): void {
  const width: u32 = size == 98 ? 1 : ip.size16 != 0 ? 2 : 4;
  const offset = fetch(ip, width, true);
  let target = ip.loc + usize(offset);
  if (ip.size16 != 0) target &= 0xffff;
  db_printsym(target, DB_STGY_PROC);
}

/** Operands named by a register: "AL", "eA", "CL", "DX", segment registers. */
function print_fixed_register(ip: Instruction, kind: u32, size: u32): void {
  if (kind == 101) print_sized_register(ip, 0, 118); // eAX
  else if (size == 83) { // S: segment registers E C S D F G
    const order: u32 = kind == 69 ? 0 : kind == 67 ? 1 : kind == 83 ? 2 : kind == 68 ? 3 : kind == 70 ? 4 : 5;
    print_register(segments(), order);
  } else if (kind == 68) db_puts(cs("(%dx)"));
  else if (kind == 65) db_puts(size == 76 ? cs("%al") : cs("%ax"));
  else db_puts(cs("%cl"));
}

function print_far_pointer(ip: Instruction): void {
  const offset = fetch(ip, ip.size16 != 0 ? 2 : 4, false);
  const selector = fetch(ip, 2, false);
  db_printf(cs("$0x%x,$0x%x"), selector, offset);
}

/** Prints one operand given by the two letters of its SDM code. */
function print_operand(ip: Instruction, kind: u32, size: u32): void {
  if (kind == 101 || (size >= 65 && size <= 90)) {
    print_fixed_register(ip, kind, size);
    return;
  }
  switch (kind) {
    case 69: // E
    case 77: // M
    case 82: // R
      if ((ip.flags & INDIRECT) != 0) db_putchar(42);
      if (ip.mod == 3) print_sized_register(ip, ip.rm, size);
      else print_memory(ip);
      break;
    case 71: // G
      print_sized_register(ip, ip.reg, size);
      break;
    case 90: // Z
      print_sized_register(ip, ip.opcode & 7, size);
      break;
    case 73: // I
      print_immediate(ip, size);
      break;
    case 74: // J
      print_branch_target(ip, size);
      break;
    case 79: // O
      print_segment_override(ip);
      print_address(usize(fetch(ip, ip.addr16 != 0 ? 2 : 4, false)));
      break;
    case 88: // X
      print_register(segments(), ip.segment != 0 ? ip.segment - 1 : 3);
      db_puts(ip.addr16 != 0 ? cs(":(%si)") : cs(":(%esi)"));
      break;
    case 89: // Y
      db_puts(ip.addr16 != 0 ? cs("%es:(%di)") : cs("%es:(%edi)"));
      break;
    case 83: // S
      print_register(segments(), ip.reg);
      break;
    case 67: // C
      db_printf(cs("%%cr%d"), ip.reg);
      break;
    case 68: // D
      db_printf(cs("%%db%d"), ip.reg);
      break;
    case 84: // T
      db_printf(cs("%%tr%d"), ip.reg);
      break;
    case 65: // A
      print_far_pointer(ip);
      break;
    default:
      break;
  }
}

/** A shift by the implied 1 shows no count. */
function is_shown(kind: u32): bool {
  return kind != 0 && kind != 49;
}

/** The mnemonic, `*` replaced by the size letter, and a tab. */
function print_mnemonic(ip: Instruction, form: usize): void {
  const table = sym.ddb_opcodes();
  const offset = ip.size16 != 0 ? load<u16>(form + 2) : load<u16>(form);
  let name = table + load<u32>(table + 1032) + offset;
  if (ip.lock != 0) db_puts(cs("lock "));
  if (ip.repeat != 0) {
    if ((ip.flags & REPE) != 0) db_puts(ip.repeat == PREFIX_REP ? cs("repe ") : cs("repne "));
    else if ((ip.flags & REP) != 0) db_puts(cs("rep "));
  }
  let c: u32 = load<u8>(name);
  while (c != 0) {
    if (c == 42) c = ip.size16 != 0 ? 119 : 108;
    db_putchar(c);
    name++;
    c = load<u8>(name);
  }
}

/** The operands in AT&T order: the last of the manual's order first. Immediates are read where they print. */
function print_operands(ip: Instruction, form: usize): void {
  let first = true;
  for (let i: u32 = 0; i < 3; i++) {
    const slot = (ip.flags & FORWARD) != 0 ? i : 2 - i;
    const kind: u32 = load<u8>(form + 4 + slot * 2);
    const size: u32 = load<u8>(form + 5 + slot * 2);
    if (is_shown(kind)) {
      db_putchar(first ? 9 : 44);
      first = false;
      print_operand(ip, kind, size);
    }
  }
}

/** A coprocessor instruction: its text stands in the table, but for an operand in memory. */
function print_escape(ip: Instruction): void {
  const table = sym.ddb_opcodes();
  read_modrm(ip);
  const slot: u32 = ip.mod == 3 ? 16 + ((ip.reg << 3) | ip.rm) : ip.size16 != 0 ? 8 + ip.reg : ip.reg;
  const entry = table + load<u32>(table + 1036) + (((ip.opcode & 7) * 80 + slot) << 1);
  db_puts(table + load<u32>(table + 1032) + load<u16>(entry));
  if (ip.mod == 3) return;
  db_putchar(9);
  print_memory(ip);
}

/** Disassembles the instruction at `loc` without looking whether it is mapped. Returns the next address. */
export function db_disasm_instruction(loc: usize): usize {
  const ip = changetype<Instruction>(frame_alloc(offsetof<Instruction>()));
  memory.fill(changetype<usize>(ip), 0, offsetof<Instruction>());
  ip.loc = loc;
  read_prefixes(ip);
  if ((ip.opcode & ~7) == 0xd8) {
    print_escape(ip);
    db_putchar(10);
    return ip.loc;
  }
  const form = find_form(ip);
  if (form == 0) {
    db_puts(cs("(bad)\n"));
    return ip.loc;
  }
  ip.flags = load<u8>(form + 10);
  if ((ip.flags & MODRM) != 0) read_modrm(ip);
  print_mnemonic(ip, form);
  print_operands(ip, form);
  db_putchar(10);
  return ip.loc;
}

/** Prints the instruction at `loc` and a newline; returns the address after it. */
export function db_disasm(loc: usize, altfmt: bool): usize {
  if ((volatile.load32(PTMAP + ((loc >> 10) & 0x3ffffc)) & PG_V) == 0) {
    db_printf(cs("invalid address\n"));
    return loc;
  }
  return db_disasm_instruction(loc);
}
