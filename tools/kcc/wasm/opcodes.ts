// The WebAssembly instructions kcc knows: name, kind of immediate and stack
// effect of each opcode, one row per opcode.
//
// `signature` writes operands before and result after a colon: i = i32,
// l = i64, v = nothing.  Rows with `-` are handled one by one by the builder.

export type Immediate =
  | "none" | "block" | "label" | "table" | "function" | "indirect" | "index" | "memory" | "i32" | "i64" | "zero"
  | "zero2" | "f32" | "f64";

export interface Opcode {
  readonly code: number;
  readonly name: string;
  readonly immediate: Immediate;
  readonly signature: string;
}

/** Opcodes of the 0xfc group carry this on top of their second byte. */
export const PREFIX_FC = 0xfc00;

const ROWS = `
00 unreachable none -
01 nop none :v
02 block block -
03 loop block -
04 if block -
05 else none -
0b end none -
0c br label -
0d br_if label -
0e br_table table -
0f return none -
10 call function -
11 call_indirect indirect -
1a drop none -
1b select none -
20 local.get index -
21 local.set index -
22 local.tee index -
23 global.get index -
24 global.set index -
28 i32.load memory i:i
29 i64.load memory i:l
2c i32.load8_s memory i:i
2d i32.load8_u memory i:i
2e i32.load16_s memory i:i
2f i32.load16_u memory i:i
30 i64.load8_s memory i:l
31 i64.load8_u memory i:l
32 i64.load16_s memory i:l
33 i64.load16_u memory i:l
34 i64.load32_s memory i:l
35 i64.load32_u memory i:l
36 i32.store memory ii:v
37 i64.store memory il:v
3a i32.store8 memory ii:v
3b i32.store16 memory ii:v
3c i64.store8 memory il:v
3d i64.store16 memory il:v
3e i64.store32 memory il:v
3f memory.size zero -
40 memory.grow zero -
41 i32.const i32 :i
42 i64.const i64 :l
43 f32.const f32 -
44 f64.const f64 -
45 i32.eqz none i:i
46 i32.eq none ii:i
47 i32.ne none ii:i
48 i32.lt_s none ii:i
49 i32.lt_u none ii:i
4a i32.gt_s none ii:i
4b i32.gt_u none ii:i
4c i32.le_s none ii:i
4d i32.le_u none ii:i
4e i32.ge_s none ii:i
4f i32.ge_u none ii:i
50 i64.eqz none l:i
51 i64.eq none ll:i
52 i64.ne none ll:i
53 i64.lt_s none ll:i
54 i64.lt_u none ll:i
55 i64.gt_s none ll:i
56 i64.gt_u none ll:i
57 i64.le_s none ll:i
58 i64.le_u none ll:i
59 i64.ge_s none ll:i
5a i64.ge_u none ll:i
67 i32.clz none i:i
68 i32.ctz none i:i
69 i32.popcnt none i:i
6a i32.add none ii:i
6b i32.sub none ii:i
6c i32.mul none ii:i
6d i32.div_s none ii:i
6e i32.div_u none ii:i
6f i32.rem_s none ii:i
70 i32.rem_u none ii:i
71 i32.and none ii:i
72 i32.or none ii:i
73 i32.xor none ii:i
74 i32.shl none ii:i
75 i32.shr_s none ii:i
76 i32.shr_u none ii:i
77 i32.rotl none ii:i
78 i32.rotr none ii:i
79 i64.clz none l:l
7a i64.ctz none l:l
7b i64.popcnt none l:l
7c i64.add none ll:l
7d i64.sub none ll:l
7e i64.mul none ll:l
7f i64.div_s none ll:l
80 i64.div_u none ll:l
81 i64.rem_s none ll:l
82 i64.rem_u none ll:l
83 i64.and none ll:l
84 i64.or none ll:l
85 i64.xor none ll:l
86 i64.shl none ll:l
87 i64.shr_s none ll:l
88 i64.shr_u none ll:l
89 i64.rotl none ll:l
8a i64.rotr none ll:l
a7 i32.wrap_i64 none l:i
ac i64.extend_i32_s none i:l
ad i64.extend_i32_u none i:l
c0 i32.extend8_s none i:i
c1 i32.extend16_s none i:i
c2 i64.extend8_s none l:l
c3 i64.extend16_s none l:l
c4 i64.extend32_s none l:l
fc0a memory.copy zero2 -
fc0b memory.fill zero -
`;

function parseRow(row: string): Opcode {
  const [code, name, immediate, signature] = row.split(" ");
  return { code: parseInt(code, 16), name, immediate: immediate as Immediate, signature };
}

/** Opcode number to its row; 0xfc opcodes under PREFIX_FC + second byte. */
export const OPCODES: ReadonlyMap<number, Opcode> = new Map(
  ROWS.trim().split("\n").map((row) => {
    const opcode = parseRow(row);
    return [opcode.code, opcode];
  }),
);

/** Name to row, for tests and generators that write modules. */
export const OPCODES_BY_NAME: ReadonlyMap<string, Opcode> = new Map(
  [...OPCODES.values()].map((opcode) => [opcode.name, opcode]),
);
