// The generator of hostile: xorshift, so that a seed gives one sequence everywhere.

@unmanaged
class RandomState {
  word: u32;
}
const random_state = changetype<RandomState>(memory.data(offsetof<RandomState>()));

/** Begins the sequence of `seed`; different seeds give unlike sequences. */
export function random_seed(seed: u32): void {
  random_state.word = seed * 0x9e3779b1 + 0x7f4a7c15;
  if (random_state.word == 0) random_state.word = 1;
  for (let i: u32 = 0; i < 4; i++) random();
}

/** The next word. */
export function random(): u32 {
  let x = random_state.word;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  random_state.word = x;
  return x;
}

/** A number below `n`. */
export function random_below(n: u32): u32 {
  return (random() >> 4) % n;
}

/** True once in `n` times. */
export function one_in(n: u32): bool {
  return random_below(n) == 0;
}
