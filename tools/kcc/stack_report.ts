// How much kernel stack the code can need: the largest frames and the deepest
// chain of direct calls. A call through a register counts as nothing here, so
// the report names the functions that make such calls on the deepest path;
// recursion is cut where it closes and is listed.
import type { LinkedSymbol } from "./symbols.js";

export interface StackReport {
  /** Bytes of the deepest chain, and its functions from the outermost. */
  readonly depth: number;
  readonly path: readonly LinkedSymbol[];
  /** Functions by frame size, largest first. */
  readonly largest: readonly LinkedSymbol[];
  /** Pairs caller -> callee that close a recursion. */
  readonly recursion: readonly string[];
}

const LARGEST_SHOWN = 20;
const INDIRECT = "*";

interface Chain {
  readonly depth: number;
  readonly next?: LinkedSymbol;
}

class CallGraph {
  private readonly chains = new Map<LinkedSymbol, Chain>();
  private readonly active = new Set<LinkedSymbol>();
  readonly recursion: string[] = [];
  private readonly find: (name: string) => LinkedSymbol | undefined;

  constructor(find: (name: string) => LinkedSymbol | undefined) {
    this.find = find;
  }

  /** The deepest chain that starts with `symbol`. */
  chain(symbol: LinkedSymbol): Chain {
    const known = this.chains.get(symbol);
    if (known) return known;
    this.active.add(symbol);
    let best: Chain = { depth: 0 };
    for (const name of symbol.frame?.calls ?? []) {
      const callee = name === INDIRECT ? undefined : this.find(name);
      if (callee?.frame === undefined) continue;
      if (this.active.has(callee)) {
        this.recursion.push(`${symbol.plain} -> ${callee.plain}`);
        continue;
      }
      const { depth } = this.chain(callee);
      if (depth > best.depth) best = { depth, next: callee };
    }
    this.active.delete(symbol);
    const chain = { depth: best.depth + (symbol.frame?.size ?? 0), next: best.next };
    this.chains.set(symbol, chain);
    return chain;
  }

  path(start: LinkedSymbol): LinkedSymbol[] {
    const path: LinkedSymbol[] = [];
    for (let at: LinkedSymbol | undefined = start; at !== undefined; at = this.chain(at).next) path.push(at);
    return path;
  }
}

/** Walks the calls of all functions that have frame information. `find` resolves a callee's name. */
export function stackReport(
  symbols: readonly LinkedSymbol[], find: (name: string) => LinkedSymbol | undefined,
): StackReport {
  const functions = symbols.filter((one) => one.frame !== undefined);
  const graph = new CallGraph(find);
  let deepest: LinkedSymbol | undefined;
  for (const one of functions) {
    if (deepest === undefined || graph.chain(one).depth > graph.chain(deepest).depth) deepest = one;
  }
  const bySize = [...functions].sort((a, b) => (b.frame?.size ?? 0) - (a.frame?.size ?? 0));
  return {
    depth: deepest ? graph.chain(deepest).depth : 0,
    path: deepest ? graph.path(deepest) : [],
    largest: bySize.slice(0, LARGEST_SHOWN),
    recursion: [...new Set(graph.recursion)].sort(),
  };
}

/** The report as text for the map file. */
export function formatStackReport(report: StackReport): string {
  const row = (one: LinkedSymbol): string => {
    const indirect = one.frame?.calls.includes(INDIRECT) ? "  calls through a register" : "";
    return `  ${String(one.frame?.size).padStart(6)}  ${one.plain}${indirect}`;
  };
  return [
    `deepest chain of direct calls: ${report.depth} bytes`,
    ...report.path.map(row),
    "largest frames:",
    ...report.largest.map(row),
    `recursive calls: ${report.recursion.length === 0 ? "none" : report.recursion.join(", ")}`,
    "",
  ].join("\n");
}
