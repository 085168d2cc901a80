// Basic regular expressions by backtracking: . [ ] * ^ $ and \ before any of
// them. No \( \), no \{ \}.
import { to_lower } from "./stdlib";

/** The address behind the single-byte expression at `p`. */
function behind_one(p: usize): usize {
  if (load<u8>(p) == 0x5c && load<u8>(p + 1) != 0) return p + 2;
  if (load<u8>(p) != 0x5b) return p + 1;
  let at = p + 1;
  if (load<u8>(at) == 0x5e) at++;
  if (load<u8>(at) == 0x5d) at++;
  while (load<u8>(at) != 0 && load<u8>(at) != 0x5d) at++;
  return load<u8>(at) == 0 ? p + 1 : at + 1;
}

function set_matches(p: usize, end: usize, byte: u32, fold: bool): bool {
  const negated = load<u8>(p) == 0x5e;
  if (negated) p++;
  for (; p < end; p++) {
    const low = load<u8>(p);
    let high = low;
    if (load<u8>(p + 1) == 0x2d && p + 2 < end) {
      high = load<u8>(p + 2);
      p += 2;
    }
    if (byte >= low && byte <= high) return !negated;
    if (fold && to_lower(byte) >= to_lower(low) && to_lower(byte) <= to_lower(high)) return !negated;
  }
  return negated;
}

/** Whether the single-byte expression [p, next) matches `byte`. */
function one_matches(p: usize, next: usize, byte: u32, fold: bool): bool {
  const first = load<u8>(p);
  if (first == 0x2e) return true;
  if (first == 0x5b && next > p + 1) return set_matches(p + 1, next - 1, byte, fold);
  const plain = first == 0x5c && next == p + 2 ? load<u8>(p + 1) : first;
  return plain == byte || (fold && to_lower(plain) == to_lower(byte));
}

/** The end of the longest match of `p` at `s`, or 0. */
function match_here(p: usize, s: usize, fold: bool): usize {
  while (true) {
    if (load<u8>(p) == 0) return s;
    if (load<u8>(p) == 0x24 && load<u8>(p + 1) == 0) return load<u8>(s) == 0 ? s : 0;
    const next = behind_one(p);
    if (load<u8>(next) == 0x2a) {
      let at = s;
      while (load<u8>(at) != 0 && one_matches(p, next, load<u8>(at), fold)) at++;
      for (; ; at--) {
        const end = match_here(next + 1, at, fold);
        if (end != 0) return end;
        if (at == s) return 0;
      }
    }
    if (load<u8>(s) == 0 || !one_matches(p, next, load<u8>(s), fold)) return 0;
    p = next;
    s++;
  }
}

/**
 * Finds `pattern` in the string: the start goes to `startp`; returns the end,
 * or 0. `fold`: letters of either case are equal.
 */
export function search(pattern: usize, s: usize, fold: bool, startp: usize): usize {
  const anchored = load<u8>(pattern) == 0x5e;
  if (anchored) pattern++;
  while (true) {
    const end = match_here(pattern, s, fold);
    store<usize>(startp, s);
    if (end != 0) return end;
    if (anchored || load<u8>(s) == 0) return 0;
    s++;
  }
}
