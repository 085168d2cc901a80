// A person's session at the console, typed into the serial line: on ptmap and on QEMU.
import t, { type Test } from "tap";
import { withSystem } from "../../tools/cli/system.js";
import { makeImage } from "../../tools/ffs/index.js";
import { absent } from "../lib/boot.js";
import { STEPS, type Step } from "./session_steps.js";
import { ptmapTerminal, withQemuTerminal, type Terminal } from "./terminals.js";

t.setTimeout(180_000);

const MB = 1024 * 1024;
const root = makeImage({ tree: withSystem({ kind: "directory", mode: 0o755, mtime: 0, children: [] }), free: 4 * MB });

/** Bytes that stand for themselves in a pattern. */
function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** `{n}` stands for a number and the blanks before it. */
function shown(text: string): RegExp {
  return new RegExp(`^${literal(text).replace(/ *\\{n\\}/g, " *\\d+")}$`);
}

/** Performs a step at the prompt; returns what the console showed up to the next prompt. */
async function perform(terminal: Terminal, step: Step): Promise<string> {
  let log = "";
  terminal.type(step.type);
  for (const part of step.then ?? []) {
    if (typeof part === "number") {
      const meanwhile = await terminal.idle(part);
      if (meanwhile !== "") throw new Error(`comes in between: ${JSON.stringify(meanwhile)}`);
      continue;
    }
    const [awaited, keys] = part;
    if (awaited !== "") log += await terminal.expect(new RegExp(literal(awaited)));
    // A program that has been started sets its terminal and its signals up first.
    if (keys.length === 1) await terminal.idle(0.2);
    terminal.type(keys);
  }
  // The prompt is the end of what comes.
  log += await terminal.expect(/(?:^|\n|\x08)# $/);
  return log.slice(0, -2);
}

async function session(t: Test, terminal: Terminal): Promise<void> {
  await terminal.expect(/\n# $/);
  for (const step of STEPS) t.match(await perform(terminal, step), shown(step.shows), step.title);
  terminal.type("reboot\r");
  await terminal.expect(/reboot\nsyncing disks\.\.\. done\n/);
  t.equal(await terminal.end(), 1, "the machine ends in order");
}

t.test("on ptmap", async (t) => session(t, ptmapTerminal(root)));

t.test("on QEMU", { skip: absent("qemu-system-i386") }, async (t) => {
  await withQemuTerminal(root, (terminal) => session(t, terminal));
});
