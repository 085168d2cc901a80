// The map of an image as text: segments, symbols with frames, stack report.
import type { LinkedImage } from "./link.js";
import { formatStackReport, stackReport } from "./stack_report.js";
import { SymbolIndex } from "./symbols.js";
import type { LinkedSymbol } from "./symbols.js";

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

function symbolRow(symbol: LinkedSymbol): string {
  const frame = symbol.frame ? String(symbol.frame.size) : "-";
  const size = symbol.size.toString(16).padStart(6);
  return `${hex(symbol.address)} ${size} ${frame.padStart(5)} ${symbol.segment.padEnd(8)} ${symbol.name}`;
}

/** The text of kernel.map. */
export function formatMap(image: LinkedImage): string {
  const { text, data } = image;
  const segment = (name: string, address: number, size: number): string =>
    `${name.padEnd(5)} ${hex(address)}-${hex(address + size)} ${size} bytes`;
  const index = new SymbolIndex(image.symbols);
  return [
    segment("text", text.address, text.bytes.length),
    segment("data", data.address, data.bytes.length),
    segment("bss", data.address + data.bytes.length, data.memorySize - data.bytes.length),
    "",
    formatStackReport(stackReport(image.symbols, (name) => index.find(name))),
    "address    size frame segment  name",
    ...image.symbols.map(symbolRow),
    "",
  ].join("\n");
}
