// Modes of files as users write them: octal, or like u+rwx,go-w.
import { errx } from "./errors";

/** An octal mode; ends the program when it is none. */
export function parse_octal(text: usize): u32 {
  let value: u32 = 0;
  let at = text;
  for (; load<u8>(at) >= 0x30 && load<u8>(at) <= 0x37; at++) value = value * 8 + load<u8>(at) - 0x30;
  if (load<u8>(at) != 0 || at == text || value > 0xfff) errx(1, cs("invalid file mode: %s"), text);
  return value;
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

/** The mode that `text` makes of `old`; ends the program when it is no mode. */
export function change_mode(text: usize, old: u32, is_folder: bool): u32 {
  if (load<u8>(text) >= 0x30 && load<u8>(text) <= 0x39) return parse_octal(text);
  let at = text;
  let mode = old & 0xfff;
  while (true) {
    let who: u32 = 0;
    while (class_bits(load<u8>(at)) != 0) who |= class_bits(load<u8>(at++));
    if (who == 0) who = 0xfff;
    const operator = load<u8>(at++);
    if (operator != 0x2b && operator != 0x2d && operator != 0x3d) errx(1, cs("invalid file mode: %s"), text);
    let bits: u32 = 0;
    for (; load<u8>(at) != 0 && load<u8>(at) != 0x2c; at++) {
      const more = permission_bits(load<u8>(at), mode, is_folder);
      if (more == 0 && load<u8>(at) != 0x58) errx(1, cs("invalid file mode: %s"), text);
      bits |= more;
    }
    bits &= who;
    if (operator == 0x2b) mode |= bits;
    else if (operator == 0x2d) mode &= ~bits;
    else mode = (mode & ~(who & 0x1ff)) | bits;
    if (load<u8>(at) == 0) return mode;
    at++;
  }
}
