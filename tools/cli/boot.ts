// `ptmap boot`: the guest's console on the terminal, both ways.

import { ConsoleLog } from "./console.js";
import type { Parsed } from "./args.js";
import { Pace } from "./pace.js";
import { projectTree } from "./root.js";
import { Session, outcome, rootFree, rootOf } from "./session.js";

const CTRL_A = 0x01;
/** After Ctrl-A: x ends the machine, b sends a break; any other key is sent, Ctrl-A too. */
const QUIT = 0x78;
const BREAK = 0x62;
/** Guest seconds without a word, after the end of a piped input, that end the run: nobody will answer a prompt. */
const QUIET_SECONDS = 10;

/** What keys do. */
interface Keyboard {
  send(bytes: number[]): void;
  sendBreak(): void;
  quit(): void;
}

/** Keys from the terminal to COM1. Returns a function that undoes it. */
function attachKeyboard({ send, sendBreak, quit }: Keyboard): () => void {
  const { stdin } = process;
  let escaped = false;
  const onData = (chunk: Buffer) => {
    for (const byte of chunk) {
      if (escaped) {
        escaped = false;
        if (byte === QUIT) quit();
        else if (byte === BREAK) sendBreak();
        else send([byte]);
      } else if (byte === CTRL_A) escaped = true;
      else send([byte === 0x0a ? 0x0d : byte]);
    }
  };
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on("data", onData);
  return () => {
    stdin.off("data", onData);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
  };
}

/** Tells when a guest whose input has ended has nothing more to say. */
function quietAfterInput(session: Session, console: ConsoleLog): () => boolean {
  let ended = false;
  let length = 0;
  let since = 0;
  if (!process.stdin.isTTY) process.stdin.once("end", () => (ended = true));
  return () => {
    const { machine } = session;
    if (!ended || console.length !== length) {
      length = console.length;
      since = machine.cycles;
    }
    return machine.cycles - since > QUIET_SECONDS * machine.clockHz;
  };
}

/** Runs the command; returns the exit status. */
export async function bootCommand(parsed: Parsed): Promise<number> {
  const raw = process.stdin.isTTY && process.stdout.isTTY;
  const console = new ConsoleLog((text) => void process.stdout.write(raw ? text.replaceAll("\n", "\r\n") : text));
  // The user's own init= says what runs; otherwise a folder gets user space, and a shell appears.
  const system = /(^| )init=/.test(parsed.values.get("append") ?? "") ? undefined
    : { files: {}, free: rootFree(parsed) };
  // With a disk and no image the root is on the disk; with neither, the project's own tree serves.
  // A ROM image finds its own way.
  const root = parsed.values.has("bios") ? undefined
    : rootOf(parsed, system) ?? (parsed.values.has("disk") ? undefined : projectTree(system));
  const bootArguments = system === undefined ? [] : ["init=/sbin/init"];
  const session = new Session({ parsed, bootArguments, images: root ? [root] : [], console });
  const { machine } = session;
  // Piped input has nobody who waits.
  const pace = process.stdin.isTTY ? new Pace(machine.clockHz, machine.cycles) : undefined;
  let quit = false;
  const detach = attachKeyboard({
    send: (bytes) => {
      machine.serialInput(bytes);
      pace?.interrupt();
    },
    sendBreak: () => {
      machine.serialBreak();
      pace?.interrupt();
    },
    quit: () => {
      quit = true;
      pace?.interrupt();
    },
  });
  const isQuiet = quietAfterInput(session, console);
  try {
    const result = await session.run(async () => {
      if (pace) await pace.wait(machine.cycles);
      else await new Promise((resolve) => setImmediate(resolve));
      return !quit && !isQuiet();
    });
    session.finish();
    const { status, line } = outcome(result);
    if (line) process.stderr.write(`ptmap: ${line}\n`);
    return status;
  } finally {
    detach();
  }
}
