// objdump as the judge of the disassembler.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { disassemble } from "../../emu/cpu/disassemble.js";
import type { Syntax } from "../../emu/cpu/disassemble.js";

/** objdump's text of 32-bit code by offset; undefined when there is no objdump. */
function objdumpTexts(bytes: Uint8Array, syntax: Syntax): Map<number, string> | undefined {
  const folder = mkdtempSync(join(tmpdir(), "disassembly-"));
  try {
    const file = join(folder, "code.bin");
    writeFileSync(file, bytes);
    const options = ["-D", "-b", "binary", "-mi386", "-w", "-M", syntax, file];
    const { stdout, status } = spawnSync("objdump", options, { maxBuffer: 1 << 28 });
    if (status !== 0) return undefined;
    return new Map([...stdout.toString().matchAll(/^\s*([0-9a-f]+):\t[0-9a-f ]+\t(.*)$/gm)]
      .map((match) => [parseInt(match[1]!, 16), match[2]!.replace(/\s+#.*$/, "").trim()]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Disassembles instructions one after the other and compares text and length with objdump's. Returns a line for
 * each difference, undefined when there is no objdump. Texts of objdump that match `foreign` are left out.
 */
export function differencesFromObjdump(
  codes: readonly (readonly number[])[], syntax: Syntax, foreign?: RegExp,
): string[] | undefined {
  const bytes = Uint8Array.from(codes.flat());
  const theirs = objdumpTexts(bytes, syntax);
  if (theirs === undefined) return undefined;
  const wrong: string[] = [];
  let at = 0;
  for (const code of codes) {
    const here = at;
    const { text, length } = disassemble((i) => bytes[here + i] ?? 0, here, "i686", true, syntax);
    const expected = theirs.get(here) ?? "";
    const isForeign = foreign?.test(expected) ?? false;
    if (!isForeign && (text !== expected || length !== code.length)) wrong.push(`${text} | ${expected}`);
    at += code.length;
  }
  return wrong;
}
