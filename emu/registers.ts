// All registers of a machine as plain values, so that a capture or a test can write them as JSON.

import type { Machine } from "./machine.js";
import type { DescriptorTable, SegmentRegister } from "./cpu/cpu.js";

const GENERAL = ["EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI"] as const;
const SEGMENT = ["ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR"] as const;

export interface RegisterDump {
  readonly general: Record<(typeof GENERAL)[number], number>;
  readonly EIP: number;
  readonly EFLAGS: number;
  readonly CR0: number;
  readonly CR2: number;
  readonly CR3: number;
  readonly CR4: number;
  readonly GDTR: DescriptorTable;
  readonly IDTR: DescriptorTable;
  readonly CPL: number;
  readonly halted: boolean;
  readonly segments: Record<(typeof SEGMENT)[number], SegmentRegister>;
  readonly devices: Record<string, Record<string, number>>;
}

/** The registers of the processor and of all chips; every number is unsigned. */
export function registersOf(machine: Machine): RegisterDump {
  const { cpu } = machine;
  const general = Object.fromEntries(GENERAL.map((name, i) => [name, cpu.registers[i]! >>> 0]));
  const segments = Object.fromEntries(SEGMENT.map((name, i) => [name, { ...cpu.getSegment(i) }]));
  return {
    general: general as RegisterDump["general"],
    EIP: cpu.eip >>> 0,
    EFLAGS: cpu.eflags >>> 0,
    CR0: cpu.cr0 >>> 0,
    CR2: cpu.cr2 >>> 0,
    CR3: cpu.cr3 >>> 0,
    CR4: cpu.cr4,
    GDTR: cpu.gdtr,
    IDTR: cpu.idtr,
    CPL: cpu.cpl,
    halted: cpu.halted,
    segments: segments as RegisterDump["segments"],
    devices: machine.board.registers(),
  };
}
