// Speed of the interpreter on plain integer code: guest instructions in a
// second, and the ratio to the same loop in JavaScript measured in the same run
// (the ratio is what can be compared between computers).
import { Cpu } from "../../emu/cpu/cpu.js";
import { memoryPagesFor } from "../../emu/cpu/state.js";

export interface CpuBenchmark {
  readonly model: string;
  readonly timing: string;
  readonly instructions: number;
  readonly cycles: number;
  readonly seconds: number;
  /** Millions of guest instructions in a second. */
  readonly mips: number;
  /** Host time of the emulated loop over that of the JavaScript loop. */
  readonly slowdown: number;
}

const RAM_SIZE = 4 << 20;
const ENTRY = 0x100000;
const TABLE = 0x200000;

/**
 * A loop over a table: loads, arithmetic, a store, a call, and three branches.
 *   outer: xor %esi,%esi
 *   inner: mov TABLE(,%esi,4),%eax; add %esi,%eax; xor %eax,%ebx; mov %ebx,%edx; shr $3,%edx; add %edx,%ebx
 *          mov %ebx,TABLE(,%esi,4); call f; inc %esi; cmp $1024,%esi; jne inner
 *          dec %ecx; jne outer; hlt
 *   f:     test $1,%bl; je skip; lea 1(%edi,%eax,1),%edi; skip: ret
 */
function loopCode(): Uint8Array {
  return Uint8Array.from([
    0x31, 0xf6,
    0x8b, 0x04, 0xb5, 0x00, 0x00, 0x20, 0x00, 0x01, 0xf0, 0x31, 0xc3, 0x89, 0xda, 0xc1, 0xea, 0x03, 0x01, 0xd3,
    0x89, 0x1c, 0xb5, 0x00, 0x00, 0x20, 0x00, 0xe8, 0x0d, 0x00, 0x00, 0x00, 0x46, 0x81, 0xfe, 0x00, 0x04, 0x00, 0x00,
    0x75, 0xd9, 0x49, 0x75, 0xd4, 0xf4,
    0xf6, 0xc3, 0x01, 0x74, 0x04, 0x8d, 0x7c, 0x07, 0x01, 0xc3,
  ]);
}

/** The same in JavaScript; the value keeps the loop from being optimised away. */
function sameLoop(rounds: number): number {
  const table = new Int32Array(1024);
  let ebx = 0;
  let edi = 0;
  for (let ecx = rounds; ecx !== 0; ecx--) {
    for (let esi = 0; esi !== 1024; esi++) {
      const eax = (table[esi] + esi) | 0;
      ebx ^= eax;
      ebx = (ebx + (ebx >>> 3)) | 0;
      table[esi] = ebx;
      if ((ebx & 1) !== 0) edi = (edi + eax + 1) | 0;
    }
  }
  return ebx ^ edi;
}

function seconds(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/** Runs the loop `rounds` times 1024 iterations on a fresh processor, after a warm-up. */
export function benchCpu(
  rounds = 4000, model: "i386" | "i486" = "i386", timing: "model" | "none" = "model",
): CpuBenchmark {
  const memory = new WebAssembly.Memory({ initial: memoryPagesFor(RAM_SIZE) });
  const cpu = new Cpu({
    model, timing, memory, ramSize: RAM_SIZE,
    io: { read: () => -1, write: () => undefined },
    interruptController: { pending: () => false, acknowledge: () => 0 },
  });
  const ram = new Uint8Array(memory.buffer, 0, RAM_SIZE);
  ram.set(loopCode(), ENTRY);
  const go = (count: number): number => {
    ram.fill(0, TABLE, TABLE + 4096);
    cpu.ramChanged(0, RAM_SIZE);
    cpu.resetFlat(ENTRY);
    cpu.registers[1] = count;
    cpu.registers[4] = 0x300000;
    cpu.run(Infinity);
    return cpu.registers[3] ^ cpu.registers[7];
  };
  go(200);
  const instructions = cpu.instructions;
  const cycles = cpu.cycles;
  let value = 0;
  const elapsed = seconds(() => { value = go(rounds); });
  sameLoop(200);
  let expected = 0;
  const native = seconds(() => { expected = sameLoop(rounds); });
  if (value !== expected) throw new Error(`cpu benchmark: the loop gave ${value}, not ${expected}`);
  const executed = cpu.instructions - instructions;
  return {
    model, timing, instructions: executed, cycles: cpu.cycles - cycles, seconds: elapsed,
    mips: executed / elapsed / 1e6, slowdown: elapsed / native,
  };
}

/** One line for a person. */
export function describeCpuBenchmark(result: CpuBenchmark): string {
  const { model, timing, mips, slowdown, instructions, cycles } = result;
  return `cpu ${model} timing ${timing}: ${mips.toFixed(1)} MIPS (${instructions} instructions, ${cycles} cycles), `
    + `${slowdown.toFixed(1)} times the time of the same loop in JavaScript`;
}
