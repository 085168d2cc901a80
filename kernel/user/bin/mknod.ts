// mknod(8): makes a device node: `mknod name b|c major minor`.
import { set_progname, usage, err, errx } from "../lib/errors";
import { S_IFBLK, S_IFCHR } from "../lib/files";
import { atoi, is_number } from "../lib/stdlib";
import { mknod } from "../lib/syscalls";

/** A number below `limit`; ends the program when the word is none. */
function parse_number(word: usize, limit: u32, what: usize): u32 {
  if (!is_number(word) || load<u8>(word) == 0x2d || u32(atoi(word)) >= limit) errx(1, cs("%s: bad %s number"), word, what);
  return u32(atoi(word));
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const how = cs("mknod name [b | c] major minor");
  set_progname(cs("mknod"));
  if (argc != 5) usage(how);
  const letter = load<u8>(load<usize>(argv + 8));
  if ((letter != 0x62 && letter != 0x63) || load<u8>(load<usize>(argv + 8) + 1) != 0) {
    errx(1, cs("node must be type 'b' or 'c'"));
  }
  const major = parse_number(load<usize>(argv + 12), 4096, cs("major"));
  const minor = parse_number(load<usize>(argv + 16), 1048576, cs("minor"));
  const device = (minor & 0xff) | (major << 8) | ((minor & 0xfff00) << 12);
  const mode = (letter == 0x62 ? S_IFBLK : S_IFCHR) | 0o666;
  if (mknod(load<usize>(argv + 4), mode, device) != 0) err(1, load<usize>(argv + 4));
  return 0;
}
