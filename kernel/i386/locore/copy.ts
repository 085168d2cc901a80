// Block copies: memmove and memset, and the copies that survive a fault.
//
// The latter put a code address into pcb_onfault of the current process; a
// kernel-mode fault that uvm_fault cannot resolve then resumes there (trap.ts)
// with the stack as it was. The old value is kept on the stack, so the copies
// nest. A fault that uvm_fault resolves is invisible: the rep instruction goes
// on where it was.
import type { Assembler } from "../../../tools/kcc/assembler.js";
import type { Section, TextSection } from "../../../tools/kcc/object.js";
import { al, at, eax, ecx, edi, edx, esi, esp, label, memory, symbol } from "../../../tools/kcc/operands.js";
import type { Operand } from "../../../tools/kcc/operands.js";
import { argument, cFunction } from "./environment.js";
import type { GuestFacts } from "./environment.js";

const saveIndexes = (a: Assembler): Assembler => a.op("push", esi).op("push", edi);
const leaveFunction = (a: Assembler): Assembler => a.op("pop", edi).op("pop", esi).op("leave").op("ret");

/** Upwards, from esi to edi, ecx bytes: words, then the rest. Uses edx. */
function copyForward(a: Assembler): void {
  a.op("mov", edx, ecx).op("shr", ecx, 2).string("movs", 4, "rep");
  a.op("mov", ecx, edx).op("and", ecx, 3).string("movs", 1, "rep");
}

/** The same downwards, for destinations inside the source; leaves the direction flag clear. */
function copyBackward(a: Assembler): void {
  a.op("std").op("add", esi, ecx).op("add", edi, ecx).op("dec", esi).op("dec", edi);
  a.op("mov", edx, ecx).op("and", ecx, 3).string("movs", 1, "rep");
  a.op("sub", esi, 3).op("sub", edi, 3);
  a.op("mov", ecx, edx).op("shr", ecx, 2).string("movs", 4, "rep").op("cld");
}

/** Chooses the direction: backward only if 0 <= to - from < length. */
function copyOverlapping(a: Assembler): void {
  const backward = label("backward");
  const done = label("done");
  a.op("mov", eax, edi).op("sub", eax, esi).op("cmp", eax, ecx).jump("jb", backward);
  copyForward(a);
  a.jump("jmp", done).bind(backward);
  copyBackward(a);
  a.bind(done);
}

/** memmove(dst, src, len): dst. */
function memmove(): TextSection {
  return cFunction("memmove", ["dst", "src", "len"], (a) => {
    saveIndexes(a).op("mov", edi, argument(0)).op("mov", esi, argument(1)).op("mov", ecx, argument(2));
    copyOverlapping(a);
    leaveFunction(a.op("mov", eax, argument(0)));
  });
}

/** memset(dst, byte, len): dst. */
function memset(): TextSection {
  return cFunction("memset", ["dst", "byte", "len"], (a) => {
    saveIndexes(a).op("mov", edi, argument(0)).op("mov", ecx, argument(2));
    a.op("movzx", eax, { ...argument(1), size: 1 }).op("imul", eax, eax, 0x01010101);
    a.op("mov", edx, ecx).op("shr", ecx, 2).string("stos", 4, "rep");
    a.op("mov", ecx, edx).op("and", ecx, 3).string("stos", 1, "rep");
    leaveFunction(a.op("mov", eax, argument(0)));
  });
}

/** Code shared by the copies that survive faults. */
class FaultingCopy {
  private readonly fault = label("fault");
  private readonly finish = label("finish");
  private readonly a: Assembler;
  private readonly facts: GuestFacts;
  private readonly faultName: string;

  constructor(a: Assembler, facts: GuestFacts, faultName: string) {
    this.a = a;
    this.facts = facts;
    this.faultName = faultName;
  }

  private get onfault(): Operand {
    return at(eax, this.facts.offset("Pcb", "pcb_onfault"));
  }

  /** Saves the indexes, then pushes the old pcb_onfault and installs ours. */
  begin(): void {
    saveIndexes(this.a).op("mov", eax, memory("curpcb")).op("push", this.onfault);
    this.a.op("mov", this.onfault, symbol(this.faultName));
  }

  /** Jumps to the EFAULT exit unless [address, address + length) lies in user space. */
  checkUser(address: Operand, length: Operand): void {
    this.a.op("mov", edx, address).op("add", edx, length).jump("jb", this.fault);
    this.a.op("cmp", edx, this.facts.constant("VM_MAXUSER_ADDRESS")).jump("ja", this.fault);
  }

  /**
   * Before a write to user space: calls the guest's function at `copyout_prepare`, if there is one. It stands in
   * for CR0.WP on processors whose kernel writes ignore read-only entries. Leaves the length in ecx.
   */
  prepareWrite(address: Operand, length: Operand): void {
    const none = label("none");
    this.a.op("mov", eax, memory("copyout_prepare")).op("test", eax, eax).jump("je", none);
    this.a.op("push", length).op("push", address).op("call", eax).op("add", esp, 8);
    this.a.op("test", eax, eax).jump("jne", this.fault).op("mov", ecx, length).bind(none);
  }

  /** Leaves with `status` in ecx. */
  finishWith(status: Operand): void {
    this.a.op("mov", ecx, status).jump("jmp", this.finish);
  }

  /** The exits: a fault lands at `faultName`, everything leaves through `finish`. */
  end(beforeReturn?: () => void): void {
    this.a.bind(this.fault).symbol(this.faultName).op("cld").op("mov", ecx, this.facts.constant("EFAULT"));
    this.a.bind(this.finish).op("mov", eax, memory("curpcb")).op("pop", this.onfault);
    beforeReturn?.();
    leaveFunction(this.a.op("mov", eax, ecx));
  }
}

/** copyin, copyout, kcopy (from, to, len): 0 or EFAULT. `user` is the parameter that must lie in user space. */
function blockCopy(facts: GuestFacts, name: string, user: 0 | 1 | undefined): TextSection {
  return cFunction(name, ["from", "to", "len"], (a) => {
    const copy = new FaultingCopy(a, facts, `.${name}_fault`);
    copy.begin();
    a.op("mov", esi, argument(0)).op("mov", edi, argument(1)).op("mov", ecx, argument(2));
    if (user !== undefined) {
      copy.checkUser(argument(user), ecx);
      if (user === 1) copy.prepareWrite(argument(1), argument(2));
      copyForward(a);
    } else copyOverlapping(a);
    copy.finishWith(0);
    copy.end();
  });
}

/**
 * copyinstr, copyoutstr, copystr (from, to, maxlen, lencopied): copies up to
 * and with the NUL. 0, EFAULT, or ENAMETOOLONG when maxlen bytes had none.
 * The count copied, the NUL included, goes to *lencopied unless that is 0.
 */
function stringCopy(facts: GuestFacts, name: string, user: 0 | 1 | undefined): TextSection {
  return cFunction(name, ["from", "to", "maxlen", "lencopied"], (a) => {
    const copy = new FaultingCopy(a, facts, `.${name}_fault`);
    const next = label("next");
    const tooLong = label("tooLong");
    const noLimit = label("noLimit");
    copy.begin();
    a.op("mov", esi, argument(0)).op("mov", edi, argument(1)).op("mov", edx, argument(2));
    if (user !== undefined) {
      copy.checkUser(argument(user), 0);
      // Of a string only the part below the end of user space is looked at.
      a.op("mov", ecx, facts.constant("VM_MAXUSER_ADDRESS")).op("sub", ecx, argument(user));
      a.op("mov", edx, argument(2)).op("cmp", edx, ecx).jump("jbe", noLimit).op("mov", edx, ecx).bind(noLimit);
    }
    a.bind(next).op("sub", edx, 1).jump("jb", tooLong);
    a.string("lods", 1).string("stos", 1).op("test", al, al).jump("jne", next);
    copy.finishWith(0);
    a.bind(tooLong);
    if (user !== undefined) {
      // Ran into the end of user space before the caller's limit: a fault.
      const limitReached = label("limitReached");
      a.op("mov", eax, user === 0 ? esi : edi).op("cmp", eax, facts.constant("VM_MAXUSER_ADDRESS"));
      a.jump("jb", limitReached);
      copy.finishWith(facts.constant("EFAULT"));
      a.bind(limitReached);
    }
    copy.finishWith(facts.constant("ENAMETOOLONG"));
    copy.end(() => storeLength(a));
  });
}

/** *lencopied = edi - to, unless lencopied is 0. */
function storeLength(a: Assembler): void {
  const none = label("none");
  a.op("mov", edx, argument(3)).op("test", edx, edx).jump("je", none);
  a.op("sub", edi, argument(1)).op("mov", at(edx), edi).bind(none);
}

/** fuword(from): the word at a user address, or -1. */
function fuword(facts: GuestFacts): TextSection {
  return cFunction("fuword", ["from"], (a) => {
    const done = label("done");
    const copy = new FaultingCopy(a, facts, ".fuword_fault");
    copy.begin();
    copy.checkUser(argument(0), 4);
    a.op("mov", edx, argument(0)).op("mov", esi, at(edx));
    copy.finishWith(0);
    copy.end(() => {
      a.op("test", ecx, ecx).op("mov", ecx, esi).jump("je", done).op("mov", ecx, -1).bind(done);
    });
  });
}

/** suword(to, value): 0, or -1 on a fault. */
function suword(facts: GuestFacts): TextSection {
  return cFunction("suword", ["to", "value"], (a) => {
    const done = label("done");
    const copy = new FaultingCopy(a, facts, ".suword_fault");
    copy.begin();
    copy.checkUser(argument(0), 4);
    a.op("mov", edx, argument(0)).op("mov", ecx, argument(1)).op("mov", at(edx), ecx);
    copy.finishWith(0);
    copy.end(() => a.op("test", ecx, ecx).jump("je", done).op("mov", ecx, -1).bind(done));
  });
}

/** The copies that know nothing of faults: programs of user space have them, too. */
export function memorySections(): Section[] {
  return [memmove(), memset()];
}

export function copySections(facts: GuestFacts): Section[] {
  return [
    ...memorySections(),
    blockCopy(facts, "copyin", 0),
    blockCopy(facts, "copyout", 1),
    blockCopy(facts, "kcopy", undefined),
    stringCopy(facts, "copyinstr", 0),
    stringCopy(facts, "copyoutstr", 1),
    stringCopy(facts, "copystr", undefined),
    fuword(facts),
    suword(facts),
  ];
}
