// sleep(1): waits for a number of seconds, which may have a fraction.
import { frame_alloc } from "../../i386/cpufunc";
import { errx, set_progname, usage } from "../lib/errors";
import { is_digit } from "../lib/stdlib";
import { nanosleep } from "../lib/syscalls";

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("sleep"));
  if (argc != 2) usage(cs("sleep seconds"));
  const time = frame_alloc(8);
  let at = load<usize>(argv + 4);
  let seconds: u32 = 0;
  let nanoseconds: u32 = 0;
  while (is_digit(load<u8>(at))) seconds = seconds * 10 + load<u8>(at++) - 0x30;
  if (load<u8>(at) == 0x2e) {
    at++;
    for (let unit: u32 = 100000000; is_digit(load<u8>(at)); unit = unit / 10) {
      nanoseconds += unit * (load<u8>(at++) - 0x30);
    }
  }
  if (load<u8>(at) != 0) errx(1, cs("%s: not a number of seconds"), load<usize>(argv + 4));
  store<u32>(time, seconds);
  store<u32>(time, nanoseconds, 4);
  nanosleep(time, 0);
  return 0;
}
