// Random numbers of the load makers: one seed gives one sequence (xorshift32).

@unmanaged
class RandomState {
  word: u32;
}
const random_state = changetype<RandomState>(memory.data(offsetof<RandomState>()));

/** Begins the sequence of `seed`. */
export function srandom(seed: u32): void {
  // Neighbouring seeds shall not give neighbouring sequences, and 0 would give zeros.
  random_state.word = (seed + 1) * 0x9e3779b1;
  if (random_state.word == 0) random_state.word = 1;
  for (let i = 0; i < 8; i++) random();
}

/** The next number, 1 to 0xffffffff. */
export function random(): u32 {
  let word = random_state.word;
  word ^= word << 13;
  word ^= word >> 17;
  word ^= word << 5;
  random_state.word = word;
  return word;
}

/** A number from 0 to `n` - 1; n > 0. */
export function random_below(n: u32): u32 {
  return (random() >> 8) % n;
}

/** Whether the next of chances of one in `n` is a hit; never with n = 0. */
export function one_in(n: u32): bool {
  return n != 0 && random_below(n) == 0;
}
