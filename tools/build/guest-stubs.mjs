// Stand-ins for guest files that other files import but that do not exist yet,
// so that the rest can be checked. asc stops at the first missing file.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const IMPORT = /import\s*(?:type\s*)?\{([^}]*)\}\s*from\s*"(\.[^"]+)"/g;

/** Missing file -> names imported from it. */
function missingImports(root, files) {
  const missing = new Map();
  for (const file of files) {
    for (const [, names, path] of readFileSync(join(root, file), "utf8").matchAll(IMPORT)) {
      const target = `${join(dirname(file), path)}.ts`;
      if (existsSync(join(root, target))) continue;
      const known = missing.get(target) ?? new Set();
      for (const name of names.split(",")) known.add(name.trim().split(/\s+as\s+/)[0]);
      missing.set(target, known);
    }
  }
  return missing;
}

/** Number of arguments of the first call found. */
function arity(name, texts) {
  for (const text of texts) {
    const at = text.search(new RegExp(`\\b${name}\\(`));
    if (at < 0) continue;
    let [depth, count] = [0, 0];
    const open = text.indexOf("(", at);
    if (/^\(\s*\)/.test(text.slice(open))) return 0;
    for (let i = open; i < text.length; i++) {
      if ("([{".includes(text[i])) depth++;
      if (")]}".includes(text[i]) && --depth === 0) return count + 1;
      if (text[i] === "," && depth === 1) count++;
    }
  }
  return 0;
}

function declaration(name, texts) {
  if (/^[A-Z][A-Z0-9_]*$/.test(name)) return `export const ${name}: u32 = 0;`;
  if (/^[A-Z]/.test(name)) return `@unmanaged export class ${name} {}`;
  const parameters = Array.from({ length: arity(name, texts) }, (_, at) => `a${at}: u32`);
  return `export function ${name}(${parameters.join(", ")}): u32 { return 0; }`;
}

/** Texts of stand-ins by file, and the set of names they define. */
export function standIns(root, files) {
  const texts = files.map((file) => readFileSync(join(root, file), "utf8"));
  const overlay = new Map();
  const names = new Set();
  for (const [file, imported] of missingImports(root, files)) {
    const list = [...imported].filter((name) => name !== "");
    overlay.set(file, list.map((name) => declaration(name, texts)).join("\n"));
    for (const name of list) names.add(name);
  }
  return { overlay, names };
}
