// The `cs("text")` transform: byte strings for the guest.
//
// AssemblyScript's strings are UTF-16 with a header. After parsing, each call
// `cs("text")` becomes the name of a constant of one made-up file, which holds
// every distinct text once as NUL-terminated UTF-8 bytes:
//
//     @global @lazy export const cs$0: usize = memory.data<u8>([116, 101, 120, 116, 0]);
//
// so equal texts share an address and the compiler sees a plain constant.
import { LiteralKind, NodeKind, Token } from "./asc_types.js";
import type { AscParser, AscRange } from "./asc_types.js";

/** Internal path of the made-up file; its globals are not symbols of the kernel. */
export const STRINGS_FILE = "kernel/byte_strings";

interface SyntaxNode {
  kind: number;
  range: AscRange;
  [key: string]: unknown;
}

/** A mistake in a use of `cs`, in the form of a compiler diagnostic. */
export interface StringMistake {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as SyntaxNode).kind === "number" &&
    typeof (value as SyntaxNode).range === "object";
}

function isStringsCall(node: SyntaxNode): boolean {
  const callee = node.expression as SyntaxNode | undefined;
  return node.kind === NodeKind.Call && callee?.kind === NodeKind.Identifier && callee.text === "cs";
}

/** The text of a string literal, or of several with `+` between them. */
function textOf(node: SyntaxNode): string | undefined {
  if (node.kind === NodeKind.Literal && node.literalKind === LiteralKind.String) return node.value as string;
  if (node.kind !== NodeKind.Binary || node.operator !== Token.Plus) return undefined;
  const left = textOf(node.left as SyntaxNode);
  const right = textOf(node.right as SyntaxNode);
  return left === undefined || right === undefined ? undefined : left + right;
}

/** The literal's text, or undefined when the arguments are not one string literal. */
function literalText(call: SyntaxNode): string | undefined {
  const args = call.args as SyntaxNode[];
  return args.length === 1 ? textOf(args[0]!) : undefined;
}

/** Makes identifier nodes of asc's own class out of the callee node, the one identifier at hand. */
function identifierLike(callee: SyntaxNode, name: string): SyntaxNode {
  const node = Object.create(Object.getPrototypeOf(callee) as object) as SyntaxNode;
  return Object.assign(node, callee, { text: name });
}

class StringPool {
  private readonly names = new Map<string, string>();
  readonly mistakes: StringMistake[] = [];

  nameOf(text: string): string {
    let name = this.names.get(text);
    if (name === undefined) this.names.set(text, (name = `cs$${this.names.size}`));
    return name;
  }

  /** The made-up file. */
  source(): string {
    const lines = [...this.names].map(([text, name]) => {
      const bytes = [...Buffer.from(text, "utf8"), 0];
      return `@global @lazy export const ${name}: usize = memory.data<u8>([${bytes.join(",")}]);`;
    });
    return lines.join("\n") + "\n";
  }

  /** Replaces the calls below `node`, which is an array or a syntax node. */
  rewrite(node: unknown): void {
    const container = node as Record<string, unknown>;
    for (const key of Object.keys(container)) {
      if (key === "range" || key === "source") continue;
      const child = container[key];
      if (Array.isArray(child)) this.rewrite(child);
      else if (isNode(child)) {
        if (isStringsCall(child)) container[key] = this.replacement(child);
        else this.rewrite(child);
      }
    }
  }

  private replacement(call: SyntaxNode): SyntaxNode {
    const text = literalText(call);
    if (text === undefined) {
      const source = call.range.source;
      this.mistakes.push({
        file: source.normalizedPath,
        line: source.lineAt(call.range.start),
        message: "cs() takes one string literal",
      });
      return call;
    }
    const name = identifierLike(call.expression as SyntaxNode, this.nameOf(text));
    name.range = call.range;
    return name;
  }
}

/** Rewrites every guest file of a parser. Called between parsing and compiling. */
export function replaceStrings(parser: AscParser): readonly StringMistake[] {
  const pool = new StringPool();
  for (const source of parser.sources) if (!source.isLibrary) pool.rewrite(source.statements);
  parser.parseFile(pool.source(), `${STRINGS_FILE}.ts`, false);
  return pool.mistakes;
}
