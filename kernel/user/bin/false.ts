// false(1): fails.
export function main(argc: i32, argv: usize, envp: usize): i32 {
  return 1;
}
