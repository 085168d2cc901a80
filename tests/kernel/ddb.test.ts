// DDB on the image: its disassembler against objdump, its trace against a walk of
// the same frames by the host, its commands by what they print. The commands go
// in through the serial line, as a person's would.
import { spawnSync } from "node:child_process";
import t from "tap";
import { disassemble, type Machine } from "../../emu/index.js";
import { KERNEL, absent, bootPtmap, kernelSymbols } from "../lib/boot.js";
import { commandCases } from "./ddb_cases.js";

/** Cycle at which the UART has surely been set up, so that no typed key is lost in its reset. */
const TYPE_AT = 100_000;

/** Types `commands` at the prompt of a kernel started with -d; returns what each printed. `prepare` sees the kernel loaded. */
function atPrompt(commands: readonly string[], append = "", prepare: (machine: Machine) => void = () => {}): {
  console: string; replies: string[];
} {
  const booted = bootPtmap({
    append: `-d ddb.lines=0 ${append}`,
    maxCycles: 60_000_000_000,
    prepare: (machine) => {
      prepare(machine);
      machine.serialInput(Buffer.from([...commands, "reboot 4", ""].join("\r")), TYPE_AT);
    },
  });
  // A reply is what stands between the echo of its command and the next prompt.
  const parts = booted.console.split("db> ").slice(1);
  return { console: booted.console, replies: commands.map((command, i) => (parts[i] ?? "").slice(command.length + 1)) };
}

t.test("commands print what ddb(4) says", (t) => {
  const { replies } = atPrompt(commandCases.map(({ command }) => command));
  for (const [i, { command, prints }] of commandCases.entries()) t.match(replies[i], prints, command);
  t.end();
});

interface ObjdumpLine {
  readonly address: number;
  readonly text: string;
}

function objdumpFunctions(): Map<number, ObjdumpLine[]> {
  const out = spawnSync("objdump", ["-d", "-M", "suffix", "-j", ".text", "--no-show-raw-insn", KERNEL], {
    encoding: "utf8", maxBuffer: 1 << 28,
  });
  const functions = new Map<number, ObjdumpLine[]>();
  let current: ObjdumpLine[] = [];
  for (const line of out.stdout.split("\n")) {
    const head = /^([0-9a-f]{8}) <.*>:$/.exec(line);
    if (head) {
      current = [];
      functions.set(parseInt(head[1]!, 16), current);
    }
    const instruction = /^([0-9a-f]+):\t(.*)$/.exec(line.trim());
    if (instruction) current.push({ address: parseInt(instruction[1]!, 16), text: instruction[2]! });
  }
  return functions;
}

/** objdump's spelling with size letters where the assembler asks for none and DDB writes none. */
const UNSUFFIXED = /^(l?call|l?jmp|l?ret|iret|leave|enter|loop\w*|fnsave|frstor|fnstenv|fldenv)l\b/;

/** The text of objdump in DDB's spelling, addresses as plain numbers. */
function objdumpCanonical(text: string): string {
  return text
    .replace(/\s*<.*$/, "")
    .replace(/\s*#.*$/, "")
    .replace(/^repz /, "repe ")
    .replace(/^repnz /, "repne ")
    .replace(UNSUFFIXED, "$1")
    .replace(/\s+/, " ")
    .trim()
    .replace(/(?<![\w$])([0-9a-f]{6,8})$/, "0x$1")
    .replace(/-?0x[0-9a-f]+/g, (n) => `#${(n.startsWith("-") ? -Number(n.slice(1)) : Number(n)) >>> 0}`);
}

const symbolAddresses = new Map<string, number[]>();
for (const [name, value] of Object.entries({ PTmap: 0xbfc00000, PTD: 0xbfeff000, PTDpde: 0xbfeffbfc })) symbolAddresses.set(name, [value]);

const SYMBOL = /(?<![%#\w$])([A-Za-z_][\w.#:]*)(?:\+0x([0-9a-f]+))?/;

/** The operands with the symbols as numbers: all readings, since static names may occur twice. */
function readings(operands: string): string[] {
  const match = SYMBOL.exec(operands);
  const values = match ? symbolAddresses.get(match[1]!) : undefined;
  if (!match || !values) return [operands];
  const [before, after] = [operands.slice(0, match.index), operands.slice(match.index + match[0].length)];
  const numbers = values.map((value) => `#${(value + parseInt(match[2] ?? "0", 16)) >>> 0}`);
  return readings(after).flatMap((rest) => numbers.map((number) => before + number + rest));
}

/** What DDB's text may mean, in the spelling of objdumpCanonical. */
function ddbCanonical(text: string): string[] {
  const [mnemonic, ...rest] = text.replace(/^(repe|repne|rep|lock) /, "$1_").split(/\s+/);
  const operands = rest.join(" ").replace(/-?0x[0-9a-f]+(?![0-9a-zA-Z_])/g, (n, at: number, whole: string) =>
    whole[at - 1] === "+" ? n : `#${(n.startsWith("-") ? -Number(n.slice(1)) : Number(n)) >>> 0}`);
  return readings(operands).map((reading) => `${mnemonic!.replace("_", " ")} ${reading}`.trim());
}

t.test("the guest's disassembler equals objdump on every instruction of every function", { skip: absent("objdump") }, (t) => {
  const functions = objdumpFunctions();
  for (const symbol of allSymbols()) {
    const known = symbolAddresses.get(symbol.name);
    if (known) known.push(symbol.value);
    else symbolAddresses.set(symbol.name, [symbol.value]);
  }
  const starts = [...functions.keys()].sort((a, b) => a - b);
  const commands = ["set $maxwidth 400", ...starts.map((at) => `x/i 0x${at.toString(16)},0x${functions.get(at)!.length.toString(16)}`)];
  const { replies } = atPrompt(commands);
  let compared = 0;
  const differences: string[] = [];
  for (const [i, start] of starts.entries()) {
    const lines = replies[i + 1]!.trimEnd().split("\n");
    for (const [n, { address, text }] of functions.get(start)!.entries()) {
      const shown = (lines[n] ?? "").replace(/^\S+:\s+/, "");
      const expected = objdumpCanonical(text);
      compared++;
      if (!ddbCanonical(shown).includes(expected)) differences.push(`${address.toString(16)}: objdump ${text} | ddb ${shown}`);
    }
  }
  t.same(differences.slice(0, 20), [], `${compared} instructions, ${differences.length} differ`);
  t.ok(compared > 20_000, "the whole text was compared");
  t.end();
});

t.test("instructions of the coprocessor read as the host's disassembler, and objdump, writes them", (t) => {
  const escapes = [0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf];
  const codes = escapes.flatMap((escape) => [
    ...Array.from({ length: 64 }, (_, i) => [escape, 0xc0 + i]),
    ...Array.from({ length: 8 }, (_, digit) => [escape, 0x43 | (digit << 3), 0x10]),
    ...Array.from({ length: 8 }, (_, digit) => [0x66, escape, 0x03 | (digit << 3)]),
  ]);
  // Over functions that a kernel which stops at once does not run.
  const at = kernelSymbols().get("uvmtest")!.st_value;
  const { replies } = atPrompt(["set $maxwidth 400", `x/i 0x${at.toString(16)},0x${codes.length.toString(16)}`], "",
    (machine) => machine.writePhysical(at - 0xc0000000, Uint8Array.from(codes.flat())));
  const shown = replies[1]!.trimEnd().split("\n").map((line) => line.replace(/^\S+:\s+/, "").replace(/\s+/, " "));
  const expected = codes.map((code) =>
    disassemble((i) => code[i] ?? 0, 0, "i686").text.replace(/^data16 /, "").replace(/\s+/, " "));
  t.same(shown, expected);
  t.end();
});

/** All symbols, static functions of one name included. */
function allSymbols(): { name: string; value: number }[] {
  const out = spawnSync("nm", [KERNEL], { encoding: "utf8", maxBuffer: 1 << 26 });
  return out.stdout.split("\n").flatMap((line) => {
    const match = /^([0-9a-f]{8}) . (.+)$/.exec(line);
    return match ? [{ name: match[2]!, value: parseInt(match[1]!, 16) }] : [];
  });
}

/** Frames from the stopped registers up, as the host finds them in memory: saved ebp, return address, words of arguments. */
function hostFrames(machine: Machine, ebp: number, eip: number): { pc: number; args: number[] }[] {
  const word = (at: number) => machine.readLinearWord(at)!;
  const functionAt = functionFinder();
  const frames: { pc: number; args: number[] }[] = [];
  let [frame, pc] = [ebp, eip];
  while (frame !== 0 && frames.length < 100) {
    const name = functionAt(pc);
    if (name === "trap") {
      const trapframe = word(frame + 8);
      frames.push({ pc, args: [] });
      [frame, pc] = [word(trapframe + 16), word(trapframe + 44)];
      continue;
    }
    const returns = word(frame + 4);
    const code = machine.readLinear(returns, 6);
    // addl $n,%esp in its short and its long form
    const bytes = code === null ? 0 : code[0] === 0x83 && code[1] === 0xc4 ? code[2]! : code[0] === 0x81 && code[1] === 0xc4
      ? new DataView(code.buffer, code.byteOffset).getUint32(2, true) : 0;
    frames.push({ pc, args: Array.from({ length: bytes / 4 }, (_, i) => word(frame + 8 + 4 * i)) });
    [frame, pc] = [word(frame), returns];
  }
  return frames;
}

function functionFinder(): (pc: number) => string {
  const functions = allSymbols().filter(({ value }) => value >= 0xc0100000).sort((a, b) => a.value - b.value);
  return (pc) => functions.filter(({ value }) => value <= pc).at(-1)?.name ?? "";
}

t.test("trace shows the frames and argument words that are in memory", (t) => {
  const commands = ["trace"];
  let expected: { pc: number; args: number[] }[] = [];
  const booted = bootPtmap({
    append: `ddb.lines=0 ddb.commandonenter="${commands.join(";")};reboot 4"`,
    prepare: (machine, symbols) => {
      // No root device: the kernel panics in vfs_mountroot. The host looks when DDB's loop begins.
      machine.setBreakpoint(symbols.get("db_command_loop")!.st_value, () => {
        const regs = symbols.get("ddb_regs")!.st_value;
        expected = hostFrames(machine, machine.readLinearWord(regs + 16)!, machine.readLinearWord(regs + 44)!);
      });
    },
  });
  const text = booted.console.slice(booted.console.indexOf("db> trace\n") + 10);
  const lines = text.slice(0, text.indexOf("db> ")).trimEnd().split("\n").filter((line) => !line.startsWith("---"));
  const functionAt = functionFinder();
  t.equal(lines.length, expected.length, "as many frames");
  for (const [i, { pc, args }] of expected.entries()) {
    const match = /^(.+?)\((.*)\) at (\S+)$/.exec(lines[i] ?? "");
    t.equal(match?.[1], functionAt(pc), `name of frame ${i}`);
    t.equal(match?.[2], args.map((arg) => arg.toString(16)).join(","), `arguments of ${functionAt(pc)}`);
  }
  t.ok(expected.length >= 5);
  t.ok(kernelSymbols().has("vfs_mountroot"));
  t.end();
});
