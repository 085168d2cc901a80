// test(1): evaluates an expression. Status 0: true, 1: false, 2: a mistake.
import { evaluate_test } from "../lib/test_expression";

export function main(argc: i32, argv: usize, envp: usize): i32 {
  return evaluate_test(argc, argv);
}
