// What compiled code calls by plain name, as WebAssembly: memmove and memset
// byte by byte, and the 64-bit divisions by shift and subtract. They use none of
// the instructions they stand for.

import type { FunctionSource, Step } from "./wasm_writer.js";

function memset(): FunctionSource {
  return { name: "memset", parameters: ["i32", "i32", "i32"], results: ["i32"], locals: ["i32"], body: [
    ["loop", ""], ["local.get", 3], ["local.get", 2], ["i32.lt_u"], ["if", ""],
    ["local.get", 0], ["local.get", 3], ["i32.add"], ["local.get", 1], ["i32.store8", 0],
    ["local.get", 3], ["i32.const", 1], ["i32.add"], ["local.set", 3], ["br", 1], ["end"], ["end"], ["local.get", 0],
  ] };
}

function memmove(): FunctionSource {
  const copyByte: Step[] = [
    ["local.get", 0], ["local.get", 3], ["i32.add"], ["local.get", 1], ["local.get", 3], ["i32.add"],
      ["i32.load8_u", 0], ["i32.store8", 0],
  ];
  return { name: "memmove", parameters: ["i32", "i32", "i32"], results: ["i32"], locals: ["i32"], body: [
    ["local.get", 0], ["local.get", 1], ["i32.lt_u"], ["if", ""],
    ["loop", ""], ["local.get", 3], ["local.get", 2], ["i32.lt_u"], ["if", ""], ...copyByte,
    ["local.get", 3], ["i32.const", 1], ["i32.add"], ["local.set", 3], ["br", 1], ["end"], ["end"],
    ["else"],
    ["local.get", 2], ["local.set", 3],
    ["loop", ""], ["local.get", 3], ["if", ""], ["local.get", 3], ["i32.const", 1], ["i32.sub"], ["local.set", 3],
      ...copyByte, ["br", 1], ["end"], ["end"],
    ["end"], ["local.get", 0],
  ] };
}

/** Quotient or remainder of locals 0 and 1, unsigned, by 64 steps. Locals 2 remainder, 3 quotient, 4 count. */
function divideSteps(wantsRemainder: boolean): Step[] {
  return [
    ["i32.const", 64], ["local.set", 4],
    ["loop", ""],
    ["local.get", 2], ["i64.const", 1n], ["i64.shl"], ["local.get", 0], ["i64.const", 63n], ["i64.shr_u"], ["i64.or"],
    ["local.get", 2], ["i64.const", 63n], ["i64.shr_u"], ["local.set", 5], ["local.set", 2],
    ["local.get", 0], ["i64.const", 1n], ["i64.shl"], ["local.set", 0],
    ["local.get", 3], ["i64.const", 1n], ["i64.shl"], ["local.set", 3],
    ["local.get", 2], ["local.get", 1], ["i64.ge_u"], ["local.get", 5], ["i32.wrap_i64"], ["i32.or"], ["if", ""],
    ["local.get", 2], ["local.get", 1], ["i64.sub"], ["local.set", 2], ["local.get", 3], ["i64.const", 1n],
      ["i64.or"], ["local.set", 3],
    ["end"],
    ["local.get", 4], ["i32.const", 1], ["i32.sub"], ["local.tee", 4], ["br_if", 0], ["end"],
    ["local.get", wantsRemainder ? 2 : 3],
  ];
}

function unsignedDivision(name: string, wantsRemainder: boolean): FunctionSource {
  return {
    name, parameters: ["i64", "i64"], results: ["i64"], locals: ["i64", "i64", "i32", "i64"],
      body: divideSteps(wantsRemainder),
  };
}

function magnitude(local: number): Step[] {
  return [["i64.const", 0n], ["local.get", local], ["i64.sub"], ["local.get", local], ["local.get", local],
    ["i64.const", 0n], ["i64.lt_s"], ["select"]];
}

function signedDivision(name: string, unsignedName: string, isNegative: Step[]): FunctionSource {
  return { name, parameters: ["i64", "i64"], results: ["i64"], locals: ["i64"], body: [
    ...magnitude(0), ...magnitude(1), ["call", unsignedName], ["local.set", 2],
    ["i64.const", 0n], ["local.get", 2], ["i64.sub"], ["local.get", 2], ...isNegative, ["i64.const", 0n],
      ["i64.lt_s"], ["select"],
  ] };
}

/** The functions, callees before callers. */
export function supportFunctions(): FunctionSource[] {
  return [
    memset(), memmove(), unsignedDivision("__udivdi3", false), unsignedDivision("__umoddi3", true),
    signedDivision("__divdi3", "__udivdi3", [["local.get", 0], ["local.get", 1], ["i64.xor"]]),
    signedDivision("__moddi3", "__umoddi3", [["local.get", 0]]),
  ];
}
