// Machines with a person's hands on the serial line: what is typed goes in when what was awaited has come out.
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { Machine } from "../../emu/index.js";
import { KERNEL, kernelImage } from "../lib/boot.js";

export interface Terminal {
  type(text: string): void;
  /** Waits until `pattern` matches what has come since the last match, which it returns. Carriage returns are dropped. */
  expect(pattern: RegExp): Promise<string>;
  /** Lets so many seconds of the guest go by; returns what comes meanwhile, which expect will see again. */
  idle(seconds: number): Promise<string>;
  /** All that has come. */
  readonly log: string;
  /** Waits for the end of the machine: its exit status, 1 for an orderly end. */
  end(): Promise<number | null>;
}

const APPEND = "init=/sbin/init ddb.lines=0";
const MEMORY_MB = 32;
const MB = 1024 * 1024;
/** Guest cycles between two looks at the console, and how long is waited for a pattern. */
const SLICE = 500_000;
const PATIENCE_CYCLES = 3_000_000_000;
const PATIENCE_MS = 60_000;

/** What the console has shown, and how much of it has been matched. */
class Log {
  text = "";
  private seen = 0;

  add(bytes: string): void {
    this.text += bytes.replaceAll("\r", "");
  }

  get rest(): string {
    return this.text.slice(this.seen);
  }

  /** Text up to the end of the first match, which counts as seen; undefined when there is none. */
  take(pattern: RegExp): string | undefined {
    const found = pattern.exec(this.rest);
    if (found === null) return undefined;
    const taken = this.rest.slice(0, found.index + found[0].length);
    this.seen += taken.length;
    return taken;
  }
}

function unmet(pattern: RegExp, log: Log): Error {
  return new Error(`the console does not show ${pattern}, but: ${JSON.stringify(log.rest)}`);
}

export function ptmapTerminal(root: Uint8Array): Terminal {
  const log = new Log();
  const machine = new Machine({
    memorySize: MEMORY_MB * MB, cpu: "i486", timing: "model",
    onSerialOutput: (byte) => log.add(String.fromCharCode(byte)),
  });
  machine.loadMultiboot({
    kernel: kernelImage(), kernelName: "kernel.elf", append: APPEND, modules: [{ bytes: root, string: "root.ffs" }],
  });
  let status: number | null = null;
  const run = (cycles: number): boolean => {
    const result = machine.run({ maxCycles: cycles });
    if (result.kind === "exit") status = result.code === 0 ? 1 : (result.code << 1) | 1;
    return result.kind !== "exit";
  };
  return {
    type: (text) => machine.serialInput(Buffer.from(text, "latin1")),
    expect: async (pattern) => {
      for (let spent = 0; spent < PATIENCE_CYCLES; spent += SLICE) {
        const taken = log.take(pattern);
        if (taken !== undefined) return taken;
        if (!run(SLICE)) break;
      }
      const taken = log.take(pattern);
      if (taken === undefined) throw unmet(pattern, log);
      return taken;
    },
    idle: async (seconds) => {
      run(Math.round(seconds * machine.clockHz));
      return log.rest;
    },
    get log() {
      return log.text;
    },
    end: async () => {
      run(PATIENCE_CYCLES);
      return status;
    },
  };
}

/** The terminal of a QEMU process, whose clock is the real one: somebody sits before it. */
class QemuTerminal implements Terminal {
  private readonly buffer = new Log();
  private readonly child: ChildProcessByStdio<Writable, Readable, null>;
  private readonly ended: Promise<number | null>;
  private changed = (): void => undefined;

  constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.child = child;
    child.stdout.on("data", (data: Buffer) => {
      this.buffer.add(data.toString("latin1"));
      this.changed();
    });
    this.ended = new Promise((resolve) => child.on("close", (code) => resolve(code)));
  }

  type(text: string): void {
    this.child.stdin.write(Buffer.from(text, "latin1"));
  }

  async expect(pattern: RegExp): Promise<string> {
    const until = Date.now() + PATIENCE_MS;
    while (true) {
      const taken = this.buffer.take(pattern);
      if (taken !== undefined) return taken;
      const left = until - Date.now();
      if (left <= 0) throw unmet(pattern, this.buffer);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async idle(seconds: number): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return this.buffer.rest;
  }

  get log(): string {
    return this.buffer.text;
  }

  end(): Promise<number | null> {
    const timer = setTimeout(() => this.child.kill("SIGKILL"), PATIENCE_MS);
    return this.ended.finally(() => clearTimeout(timer));
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }
}

/** Runs `use` before a QEMU that has been started for it. */
export async function withQemuTerminal(root: Uint8Array, use: (terminal: Terminal) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "session-"));
  writeFileSync(join(folder, "root.ffs"), root);
  const child = spawn("qemu-system-i386", [
    "-cpu", "486", "-M", "pc", "-nodefaults", "-display", "none", "-no-reboot", "-m", String(MEMORY_MB),
    "-rtc", "base=2000-05-27T22:30:55,clock=vm", "-chardev", "stdio,id=line,signal=off", "-serial", "chardev:line",
    "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", basename(KERNEL), "-append", APPEND,
    "-initrd", join(folder, "root.ffs"),
  ], { cwd: dirname(KERNEL), stdio: ["pipe", "pipe", "inherit"] });
  const terminal = new QemuTerminal(child);
  try {
    await use(terminal);
  } finally {
    terminal.kill();
    rmSync(folder, { recursive: true });
  }
}
