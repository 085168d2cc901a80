// truncate(1): sets the size of files: -s size, with a suffix k, m or g; + and - change the size. -c does not create.
import { frame_alloc } from "../../i386/cpufunc";
import { set_progname, usage, warn } from "../lib/errors";
import { O_CREAT, O_WRONLY, SIZEOF_STAT, Stat } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { parse_size } from "../lib/stdlib";
import { __fstat13, close, ftruncate, open } from "../lib/syscalls";

function set_size(path: usize, size: i64, sign: u32, create: bool): i32 {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const fd = open(path, create ? O_WRONLY | O_CREAT : O_WRONLY, 0x1b6);
  if (fd < 0 && !create) return 0;
  let error = fd < 0 ? -1 : __fstat13(fd, changetype<usize>(st));
  if (error == 0) {
    const old = i64(st.size);
    let wanted = size;
    if (sign == 0x2b) wanted = old + size;
    if (sign == 0x2d) wanted = old > size ? old - size : 0;
    error = ftruncate(fd, 0, wanted);
  }
  if (error != 0) warn(path);
  if (fd >= 0) close(fd);
  return error == 0 ? 0 : 1;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("truncate"));
  let text: usize = 0;
  let create = true;
  for (let letter = getopt(argc, argv, cs("cs:")); letter != -1; letter = getopt(argc, argv, cs("cs:"))) {
    if (letter == 0x63) create = false;
    else if (letter == 0x73) text = optarg();
    else usage(cs("truncate [-c] -s [+|-]size file ..."));
  }
  if (text == 0 || optind() >= argc) usage(cs("truncate [-c] -s [+|-]size file ..."));
  const first = load<u8>(text);
  const sign: u32 = first == 0x2b || first == 0x2d ? first : 0;
  const size = parse_size(sign != 0 ? text + 1 : text);
  let status = 0;
  for (let i = optind(); i < argc; i++) status |= set_size(load<usize>(argv + 4 * i), size, sign, create);
  return status;
}
