// The assembly part of the kernel: the way in from the boot loader, the
// processor's vectors, stack switches, and the copies that must survive faults.
// This is a host program; it writes the sections through the typed assembler,
// and the linker puts them in front of the compiled guest.
import { copySections } from "./locore/copy.js";
import { startSections } from "./locore/start.js";
import { switchSections } from "./locore/switch.js";
import { vectorSections } from "./locore/vector.js";
import type { GuestFacts } from "./locore/environment.js";
import type { Section } from "../../tools/kcc/object.js";

export type { GuestFacts } from "./locore/environment.js";

/** All sections, the one with the Multiboot header first. Throws when the guest lacks a constant or field. */
export function locore(facts: GuestFacts): Section[] {
  return [...startSections(facts), ...vectorSections(facts), ...switchSections(), ...copySections(facts)];
}

/** Functions of the guest that locore calls. */
export const LOCORE_CALLS = ["init386", "main", "trap", "intr", "syscall", "kthread_exit"] as const;
