// Outside programs that tests use as judges. A test that needs an absent one
// skips and says so.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";

const present = new Map<string, boolean>();

/** Whether a program can be started. */
export function hasProgram(name: string): boolean {
  let known = present.get(name);
  if (known === undefined) present.set(name, (known = !spawnSync(name, ["--version"]).error));
  return known;
}

/** The `skip` option of a test that needs `name`: false, or the reason. */
export function skipWithout(name: string): string | false {
  return hasProgram(name) ? false : `${name} is not installed`;
}

/** Runs a program; returns its output (both streams) and status. */
export function run(name: string, args: readonly string[], timeoutSeconds = 60): { output: string; status: number | null } {
  const result = spawnSync(name, args, { encoding: "utf8", timeout: timeoutSeconds * 1000, maxBuffer: 1 << 28 });
  return { output: result.stdout + result.stderr, status: result.status };
}

/** Boots a Multiboot image on QEMU: what COM1 printed, and the exit status of the debug port ((v << 1) | 1). */
export function runQemu(kernel: string, extra: readonly string[] = [], timeoutSeconds = 60): { output: string; status: number | null } {
  // A file: what does not fit into a pipe when the guest ends the machine would be lost.
  const file = `${kernel}.${process.pid}.out`;
  const args = [
    ...["-kernel", kernel, "-display", "none", "-serial", `file:${file}`, "-monitor", "none", "-no-reboot", "-nodefaults"],
    ...["-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-m", "64"],
    ...extra,
  ];
  const { status } = run("qemu-system-i386", args, timeoutSeconds);
  const output = readFileSync(file, "latin1");
  rmSync(file);
  return { output, status };
}
