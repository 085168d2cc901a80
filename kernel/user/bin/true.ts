// true(1): succeeds.
export function main(argc: i32, argv: usize, envp: usize): i32 {
  return 0;
}
