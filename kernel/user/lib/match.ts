// Patterns of file names: `*`, `?`, `[a-z]`, `[!x]`, and `\` before any of them.

/** The end of the bracket expression at `p` (behind `[`), or 0 when it is none. */
function bracket_end(p: usize): usize {
  if (load<u8>(p) == 0x21 || load<u8>(p) == 0x5e) p++;
  if (load<u8>(p) == 0x5d) p++;
  while (load<u8>(p) != 0 && load<u8>(p) != 0x5d) p++;
  return load<u8>(p) == 0 ? 0 : p;
}

function bracket_matches(p: usize, end: usize, byte: u32): bool {
  const negated = load<u8>(p) == 0x21 || load<u8>(p) == 0x5e;
  if (negated) p++;
  let found = false;
  for (; p < end; p++) {
    if (load<u8>(p) == 0x5c && p + 1 < end) p++;
    const low = load<u8>(p);
    let high = low;
    if (load<u8>(p + 1) == 0x2d && p + 2 < end) {
      p += 2;
      high = load<u8>(p);
    }
    if (byte >= low && byte <= high) found = true;
  }
  return found != negated;
}

/** Whether the pattern at `p` matches all of the string at `s`. */
export function match(p: usize, s: usize): bool {
  while (true) {
    let c = load<u8>(p++);
    const byte = load<u8>(s);
    if (c == 0) return byte == 0;
    if (c == 0x2a) {
      while (load<u8>(p) == 0x2a) p++;
      if (load<u8>(p) == 0) return true;
      for (; ; s++) {
        if (match(p, s)) return true;
        if (load<u8>(s) == 0) return false;
      }
    }
    if (byte == 0) return false;
    const end = c == 0x5b ? bracket_end(p) : 0;
    if (end != 0) {
      if (!bracket_matches(p, end, byte)) return false;
      p = end + 1;
    } else if (c != 0x3f) {
      if (c == 0x5c && load<u8>(p) != 0) c = load<u8>(p++);
      if (c != byte) return false;
    }
    s++;
  }
}
