// Modes of files as users write them: octal, or like u+rwx,go-w.
import { errx } from "./errors";

/** An octal mode, or -1 when the text is none. */
function parse_octal_mode(text: usize): i32 {
  let value: u32 = 0;
  let at = text;
  for (; load<u8>(at) >= 0x30 && load<u8>(at) <= 0x37; at++) value = value * 8 + load<u8>(at) - 0x30;
  return load<u8>(at) != 0 || at == text || value > 0xfff ? -1 : i32(value);
}

/** An octal mode; ends the program when it is none. */
export function parse_octal(text: usize): u32 {
  const value = parse_octal_mode(text);
  if (value < 0) errx(1, cs("invalid file mode: %s"), text);
  return u32(value);
}

/** Bits of one class of permission letters, for all three classes. */
function permission_bits(letter: u32, old: u32, is_folder: bool): u32 {
  if (letter == 0x72) return 0x124;
  if (letter == 0x77) return 0x92;
  if (letter == 0x78) return 0x49;
  if (letter == 0x58) return is_folder || (old & 0x49) != 0 ? 0x49 : 0;
  if (letter == 0x73) return 0xc00;
  return letter == 0x74 ? 0x200 : 0;
}

/** Bits that the class letters ugoa reach. */
function class_bits(letter: u32): u32 {
  if (letter == 0x75) return 0x9c0;
  if (letter == 0x67) return 0x438;
  if (letter == 0x6f) return 0x207;
  return letter == 0x61 ? 0xfff : 0;
}

/** The mode that `text` makes of `old`, or -1 when it is no mode. */
export function parse_mode(text: usize, old: u32, is_folder: bool): i32 {
  if (load<u8>(text) >= 0x30 && load<u8>(text) <= 0x39) return parse_octal_mode(text);
  let at = text;
  let mode = old & 0xfff;
  while (true) {
    let who: u32 = 0;
    while (class_bits(load<u8>(at)) != 0) who |= class_bits(load<u8>(at++));
    if (who == 0) who = 0xfff;
    const operator = load<u8>(at++);
    if (operator != 0x2b && operator != 0x2d && operator != 0x3d) return -1;
    let bits: u32 = 0;
    for (; load<u8>(at) != 0 && load<u8>(at) != 0x2c; at++) {
      const more = permission_bits(load<u8>(at), mode, is_folder);
      if (more == 0 && load<u8>(at) != 0x58) return -1;
      bits |= more;
    }
    bits &= who;
    if (operator == 0x2b) mode |= bits;
    else if (operator == 0x2d) mode &= ~bits;
    else mode = (mode & ~(who & 0x1ff)) | bits;
    if (load<u8>(at) == 0) return i32(mode);
    at++;
  }
}

/** As parse_mode; ends the program when the text is no mode. */
export function change_mode(text: usize, old: u32, is_folder: bool): u32 {
  const mode = parse_mode(text, old, is_folder);
  if (mode < 0) errx(1, cs("invalid file mode: %s"), text);
  return u32(mode);
}
