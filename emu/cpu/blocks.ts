// The decode cache. A block is a straight run of predecoded instructions, from
// an entry address to the first transfer (or other instruction that `ends`), or
// to the end of its page. Blocks are kept by physical page; a write to bytes that
// are decoded drops the blocks of that page (see mmu.ts for how it is seen).
//
// A block belongs to one linear address and one DECODE_KEY; entering it takes a
// comparison of these and of `delta` with the translation array, which is the
// fetch's TLB lookup. An instruction that crosses a page is a block of its own
// whose `delta` never matches, so that both lookups happen each time.
import type { BreakpointCallback } from "./interface.js";
import type { Core } from "./core.js";
import { decode } from "./decode.js";
import type { DebugRegisters } from "./debug.js";
import { BREAK, NO_ERROR_CODE } from "./faults.js";
import { FETCH } from "./mmu.js";
import type { Op } from "./op.js";
import { COUNT, DECODE_KEY, DR6, EFLAGS, FLAG, MODE, POSITION, VECTOR } from "./state.js";
import type { Translate } from "./translate.js";

/** Instructions of a block: code that writes into its own page is decoded anew after each write, so not too many. */
const LONGEST_BLOCK = 64;

/** A `delta` that no entry of the translation array has. */
const NEVER = 1;

export class Block {
  eip = 0;
  key = -1;
  /** Linear page of the first byte. */
  page = 0;
  /** Physical less linear address of the page. */
  delta = NEVER;
  ops: Op[] = [];
  count = 0;
  /** Components of the first instruction on a model that charges them, otherwise 0. */
  m = 0;
  /** The two blocks that followed last. */
  link0: Block;
  link1: Block;

  constructor() {
    this.link0 = this;
    this.link1 = this;
  }
}

/** An instruction that begins in one page and ends in the next. */
interface Crossing {
  readonly block: Block;
  /** Physical addresses of its first byte and of the second page. */
  readonly first: number;
  readonly second: number;
}

interface CodePage {
  readonly blocks: (Block | null)[];
  /** Offsets of the entries of `blocks` that are not null. */
  readonly entries: number[];
  /** One byte for each byte of the page: part of a decoded instruction. */
  readonly coverage: Uint8Array;
  /** Pages whose last instruction reaches into this one. */
  readonly before: Set<number>;
  /** The instruction at the end of the page that reaches into another one. */
  crossing: Crossing | null;
}

export interface BlockCache {
  /** The block at an EIP, fetched with all checks; may raise. */
  find(eip: number): Block;
  /** A block of one instruction, not kept. */
  findSingle(eip: number): Block;
  /** Drops decoded code of a physical range. */
  invalidate(physical: number, length: number): void;
  invalidateAll(): void;
  readonly breakpoints: Map<number, BreakpointCallback>;
  /** Linear address of the breakpoint that stopped the run: not honoured once. -1: none. */
  resumeAt: number;
  /** Linear address of the last stop. */
  stoppedAt: number;
}

export function createBlockCache(core: Core, translate: Translate, debug: DebugRegisters): BlockCache {
  const { state, faults, mmu, segments, config } = core;
  const { S, mem8, ramSize, tlbRead } = state;
  const pages: (CodePage | undefined)[] = new Array<undefined>(ramSize >>> 12).fill(undefined);
  const breakpoints = new Map<number, BreakpointCallback>();
  const chargesComponents = config.model === "i386" && config.timing === "model";

  function pageOf(index: number): CodePage {
    let page = pages[index];
    if (page === undefined) {
      page = {
        blocks: new Array<Block | null>(4096).fill(null), entries: [], coverage: new Uint8Array(4096), before: new Set(),
        crossing: null,
      };
      pages[index] = page;
    }
    return page;
  }

  /** Marks bytes as decoded, so that writes to them are seen. */
  function cover(physical: number, length: number): CodePage {
    const index = physical >>> 12;
    const page = pageOf(index);
    page.coverage.fill(1, physical & 0xfff, (physical & 0xfff) + length);
    if (mmu.codePages[index] === 0) mmu.codePageAdded(index);
    return page;
  }

  function dropPage(index: number): void {
    const page = pages[index];
    if (page === undefined || mmu.codePages[index] === 0) return;
    mmu.codePages[index] = 0;
    for (const offset of page.entries) {
      const block = page.blocks[offset]!;
      block.delta = NEVER;
      block.key = -1;
      page.blocks[offset] = null;
    }
    page.entries.length = 0;
    page.crossing = null;
    page.coverage.fill(0);
    const reaching = [...page.before];
    page.before.clear();
    for (const before of reaching) dropPage(before);
    // The executing block may be among them: it ends after its instruction.
    S[COUNT] = 0;
  }

  /** Whether decoded code lies at physical addresses of one page. */
  function isCovered(page: CodePage, from: number, to: number): boolean {
    for (let at = from; at < to; at++) {
      if (page.coverage[at & 0xfff] !== 0) return true;
    }
    return false;
  }

  function invalidate(physical: number, length: number): void {
    for (let at = physical; at < physical + length;) {
      const end = Math.min(physical + length, (at | 0xfff) + 1);
      const page = pages[at >>> 12];
      if (page !== undefined && isCovered(page, at, end)) dropPage(at >>> 12);
      at = end;
    }
  }

  /** Puts a callback before an instruction; true from it abandons the instruction before it began. */
  function addBreakpoint(op: Op, linear: number, callback: BreakpointCallback): void {
    const { execute } = op;
    op.execute = (it) => {
      const skip = cache.resumeAt === linear;
      cache.resumeAt = -1;
      if (!skip && callback(linear) === true) {
        cache.stoppedAt = linear;
        throw BREAK;
      }
      execute(it);
    };
  }

  /** An instruction breakpoint of the debug registers: a fault before the instruction, unless RF is set. */
  function addDebugBreakpoint(op: Op, bits: number): void {
    const { execute } = op;
    op.execute = (it) => {
      if ((S[EFLAGS] & FLAG.RF) === 0) {
        S[DR6] = (S[DR6] & ~15) | bits;
        faults.raise(VECTOR.DB, NO_ERROR_CODE);
      }
      execute(it);
    };
  }

  interface Fetched {
    readonly op: Op;
    readonly length: number;
    readonly crosses: boolean;
  }

  /** Decodes one instruction. Its bytes beyond the page come from `nextPage`, asked for once, when needed. */
  function fetch(eip: number, physical: number, nextPage: () => number): Fetched {
    const { base, limit, big } = segments.codeSegment();
    const offset = physical & 0xfff;
    const first = physical - offset;
    let second = -1;
    const byteAt = (i: number): number => {
      if (((eip + i) >>> 0) > (limit >>> 0)) faults.raise(VECTOR.GP, 0);
      if (offset + i < 4096) return readCode(first + offset + i);
      if (second < 0) second = nextPage();
      return readCode(second + offset + i - 4096);
    };
    const instruction = decode(byteAt, big, config.model);
    const op = translate(instruction, eip);
    const bits = debug.executeBits((base + eip) | 0);
    if (bits !== 0) addDebugBreakpoint(op, bits);
    const callback = breakpoints.size === 0 ? undefined : breakpoints.get((base + eip) >>> 0);
    if (callback !== undefined) addBreakpoint(op, (base + eip) >>> 0, callback);
    return { op, length: instruction.length, crosses: second >= 0 };
  }

  function readCode(physical: number): number {
    return physical < ramSize ? mem8[physical] : mmu.space.read(physical, 1) & 0xff;
  }

  /** Decoding ran past the page behind the first instruction: the block ends before. */
  const OUT_OF_PAGE = { name: "out of page" } as const;

  function fetchInside(eip: number, physical: number): Fetched | null {
    try {
      return fetch(eip, physical, () => { throw OUT_OF_PAGE; });
    } catch (thrown) {
      if (thrown === OUT_OF_PAGE) return null;
      throw thrown;
    }
  }

  function newBlock(eip: number, linear: number, physical: number): Block {
    const block = new Block();
    block.eip = eip;
    block.key = S[DECODE_KEY];
    block.page = linear >>> 12;
    block.delta = (physical - linear) | 0;
    return block;
  }

  function append(block: Block, op: Op): void {
    const last = block.ops.length === 0 ? 0 : block.ops[block.ops.length - 1].after;
    op.before = last;
    op.after += last;
    block.ops.push(op);
    block.count = block.ops.length;
    if (block.count === 1) block.m = chargesComponents ? op.instruction.components : 0;
  }

  function decodeBlock(eip: number, linear: number, physical: number, most: number): Block {
    const block = newBlock(eip, linear, physical);
    let at = physical;
    for (let here = eip; block.count < most;) {
      const inside = block.count > 0 ? fetchRest(here, at) : fetchInside(here, at);
      if (inside === null) break;
      append(block, inside.op);
      at += inside.length;
      here = (here + inside.length) | 0;
      if (inside.op.ends || (at & 0xfff) < inside.length) break;
    }
    if (block.count === 0) return crossingBlock(block, eip, linear, physical);
    if (most > 1 && physical < ramSize) keep(block, physical, at - physical);
    else block.delta = NEVER;
    return block;
  }

  /** An instruction behind the first: a limit violation ends the block, and is met when it is reached. */
  function fetchRest(eip: number, physical: number): Fetched | null {
    const { limit } = segments.codeSegment();
    if (limit !== -1 && ((eip + 15) >>> 0) > (limit >>> 0)) return null;
    return fetchInside(eip, physical);
  }

  function keep(block: Block, physical: number, length: number): void {
    const page = cover(physical, length);
    const offset = physical & 0xfff;
    const old = page.blocks[offset];
    if (old === null) page.entries.push(offset);
    else old.delta = NEVER;
    page.blocks[offset] = block;
  }

  /** The first instruction reaches into the next page. */
  function crossingBlock(block: Block, eip: number, linear: number, physical: number): Block {
    let second = -1;
    const { op, length } = fetch(eip, physical, () => {
      second = translateNext(linear);
      return second;
    });
    append(block, op);
    block.delta = NEVER;
    if (physical >= ramSize || second >= ramSize) return block;
    const inFirst = 4096 - (physical & 0xfff);
    cover(physical, inFirst).crossing = { block, first: physical, second };
    cover(second, length - inFirst).before.add(physical >>> 12);
    return block;
  }

  /** Physical address of the page after the one of `linear`; may raise. */
  function translateNext(linear: number): number {
    return mmu.translate(((linear | 0xfff) + 1) | 0, FETCH) >>> 0;
  }

  /** The known crossing instruction at an address, its second page looked up as a fetch does. */
  function findCrossing(page: CodePage, eip: number, linear: number, physical: number): Block | null {
    const { crossing } = page;
    if (crossing === null || crossing.first !== physical) return null;
    const { block, second } = crossing;
    if (block.eip !== eip || block.key !== S[DECODE_KEY]) return null;
    return translateNext(linear) === second ? block : null;
  }

  /** Physical address of an instruction; raises a fetch fault with nothing of the instruction done. */
  function translateFetch(eip: number): { readonly linear: number; readonly physical: number } {
    S[POSITION] = -1;
    const { base, limit } = segments.codeSegment();
    if ((eip >>> 0) > (limit >>> 0)) faults.raise(VECTOR.GP, 0);
    const linear = (base + eip) | 0;
    const held = tlbRead[(linear >>> 12) + S[MODE]];
    const physical = (held & 1) === 0 ? (linear + held) | 0 : mmu.translate(linear, FETCH);
    return { linear, physical: physical >>> 0 };
  }

  const cache: BlockCache = {
    find(eip) {
      const { linear, physical } = translateFetch(eip);
      const page = physical < ramSize ? pages[physical >>> 12] : undefined;
      if (page === undefined) return decodeBlock(eip, linear, physical, LONGEST_BLOCK);
      const known = page.blocks[physical & 0xfff];
      if (known !== null && known.eip === eip && known.key === S[DECODE_KEY]
        && known.delta === ((physical - linear) | 0)) return known;
      return findCrossing(page, eip, linear, physical) ?? decodeBlock(eip, linear, physical, LONGEST_BLOCK);
    },
    findSingle(eip) {
      const { linear, physical } = translateFetch(eip);
      return decodeBlock(eip, linear, physical, 1);
    },
    invalidate,
    invalidateAll() {
      for (let index = 0; index < pages.length; index++) dropPage(index);
    },
    breakpoints,
    resumeAt: -1,
    stoppedAt: -1,
  };
  mmu.codeWritten = invalidate;
  return cache;
}

