// The part of AssemblyScript's compiler that the driver touches, as types of
// our own: asc's declaration file makes `u8`, `memory` and a hundred more names
// global, which host code must not see.

export const NodeKind = { Identifier: 7, Binary: 9, Call: 10, Literal: 17 } as const;
/** Of the operators only this one matters. */
export const Token = { Plus: 81 } as const;
export const LiteralKind = { String: 2 } as const;
export const ElementKind = { ClassPrototype: 6, Class: 7 } as const;
export const DiagnosticCategory = { Pedantic: 0, Info: 1, Warning: 2, Error: 3 } as const;
export const DecoratorFlags = { Unmanaged: 16 } as const;

export interface AscSource {
  readonly normalizedPath: string;
  readonly text: string;
  readonly isLibrary: boolean;
  readonly statements: unknown[];
  lineAt(position: number): number;
}

export interface AscRange {
  readonly start: number;
  readonly source: AscSource;
}

export interface AscDiagnostic {
  readonly code: number;
  readonly category: number;
  readonly message: string;
  readonly range: AscRange | null;
}

export interface AscParser {
  readonly sources: AscSource[];
  parseFile(text: string, path: string, isEntry: boolean): void;
}

export interface AscType {
  readonly byteSize: number;
  toString(): string;
}

export interface AscElement {
  readonly kind: number;
  readonly name: string;
  readonly internalName: string;
}

export interface AscField extends AscElement {
  readonly memoryOffset: number;
  readonly isField: boolean;
  readonly type: AscType;
}

export interface AscClass extends AscElement {
  readonly nextMemoryOffset: number;
  readonly members: Map<string, { readonly instance?: AscField; readonly isField?: boolean }> | null;
  hasDecorator(flag: number): boolean;
}

export interface AscClassPrototype extends AscElement {
  readonly typeParameterNodes: readonly unknown[] | null;
  hasDecorator(flag: number): boolean;
}

export interface AscProgram {
  readonly elementsByName: Map<string, AscElement>;
  readonly resolver: { resolveClass(prototype: AscClassPrototype, typeArguments: null): AscClass | null };
  readonly instancesByName: Map<string, AscElement>;
}

export interface AscApi {
  main(
    argv: string[],
    options: {
      readFile(name: string, baseDir: string): string | null;
      writeFile(name: string, contents: Uint8Array | string, baseDir: string): void;
      listFiles(directory: string, baseDir: string): string[];
      reportDiagnostic(diagnostic: AscDiagnostic): void;
      stdout: { write(text: string | Uint8Array): boolean };
      stderr: { write(text: string | Uint8Array): boolean };
      transforms: unknown[];
    },
  ): Promise<{ error: Error | null }>;
}

/** Loads the compiler (half a second, so not at start-up). */
export async function loadAsc(): Promise<AscApi> {
  const name: string = "assemblyscript/asc";
  const module = (await import(name)) as { default: AscApi };
  return module.default;
}
