// The guest's console on its way to a person: bytes from COM1 become text on a
// stream, and stay in memory for captures and tests.

export class ConsoleLog {
  #bytes: number[] = [];
  #pending = "";
  readonly #write: (text: string) => void;

  /** `write` gets text as it is complete enough to show. */
  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** One byte of the guest. Carriage returns are the terminal's business, not the transcript's. */
  put(byte: number): void {
    if (byte === 0x0d) return;
    this.#bytes.push(byte);
    this.#pending += String.fromCharCode(byte);
    if (byte === 0x0a) this.flush();
  }

  /** Shows what has not been shown: prompts do not end in a newline. */
  flush(): void {
    if (this.#pending === "") return;
    this.#write(this.#pending);
    this.#pending = "";
  }

  /** Bytes so far. */
  get length(): number {
    return this.#bytes.length;
  }

  /** Everything so far. */
  get text(): string {
    return Buffer.from(this.#bytes).toString("latin1");
  }
}

/**
 * The value of each `summary: NAME VALUE` line, numbers where they are numbers, and of each `timing: NAME NUMBER` line:
 * figures that the instants of interrupts decide.
 */
export function summaryLines(text: string): Record<string, number | string> {
  const values: Record<string, number | string> = {};
  for (const match of text.matchAll(/^(?:summary: (\S+) (.*)|timing: (\w+) (\d+))$/gm)) {
    const [name, value] = match[1] === undefined ? [match[3]!, match[4]!] : [match[1], match[2]!];
    values[name] = /^-?\d+$/.test(value) ? Number(value) : value;
  }
  return values;
}

/** What DDB printed for `command`, the prompt line left out; empty when it was not run. */
export function ddbOutput(text: string, command: string): string {
  const start = text.indexOf(`db> ${command}\n`);
  if (start < 0) return "";
  const from = start + command.length + 5;
  const end = text.indexOf("\ndb> ", from);
  return text.slice(from, end < 0 ? undefined : end + 1);
}
