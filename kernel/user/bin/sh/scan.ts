// Finds the ends of quoted things in text: of "…", '…', `…`, $(…), ${…}.
// Each function takes the address behind the opening bytes and returns that of
// the closing byte, or `end` when there is none.

/** The closing single quote. */
export function end_of_single(s: usize, end: usize): usize {
  while (s < end && load<u8>(s) != 0x27) s++;
  return s;
}

/** The closing backquote. */
export function end_of_backquote(s: usize, end: usize): usize {
  for (; s < end && load<u8>(s) != 0x60; s++) if (load<u8>(s) == 0x5c) s++;
  return s < end ? s : end;
}

/** The closing double quote. */
export function end_of_double(s: usize, end: usize): usize {
  for (; s < end && load<u8>(s) != 0x22; s++) s = skip_one(s, end, false);
  return s < end ? s : end;
}

/** The closing parenthesis. */
export function end_of_paren(s: usize, end: usize): usize {
  for (; s < end && load<u8>(s) != 0x29; s++) {
    if (load<u8>(s) == 0x28) s = end_of_paren(s + 1, end);
    else s = skip_one(s, end, true);
  }
  return s < end ? s : end;
}

/** The closing brace. */
export function end_of_brace(s: usize, end: usize, quotes: bool): usize {
  for (; s < end && load<u8>(s) != 0x7d; s++) s = skip_one(s, end, quotes);
  return s < end ? s : end;
}

/** The last byte of the unit at `s`: a plain byte, an escaped one, or something quoted. */
function skip_one(s: usize, end: usize, quotes: bool): usize {
  const byte = load<u8>(s);
  if (byte == 0x5c) return s + 1;
  if (byte == 0x60) return end_of_backquote(s + 1, end);
  if (byte == 0x24 && load<u8>(s + 1) == 0x28) return end_of_paren(s + 2, end);
  if (byte == 0x24 && load<u8>(s + 1) == 0x7b) return end_of_brace(s + 2, end, quotes);
  if (quotes && byte == 0x27) return end_of_single(s + 1, end);
  if (quotes && byte == 0x22) return end_of_double(s + 1, end);
  return s;
}
