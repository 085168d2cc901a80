// Hosted clock: it stands still, so nothing is ever due.
export function timeout(func: u32, arg: usize, after: i32): void {}

export function ticks(): i32 {
  return 0;
}
