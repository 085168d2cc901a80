// pwd(1): the name of the current folder.
import { frame_alloc } from "../../i386/cpufunc";
import { err, set_progname } from "../lib/errors";
import { printf } from "../lib/stdio";
import { __getcwd } from "../lib/syscalls";

const PATH_SIZE: u32 = 1024;

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const path = frame_alloc(PATH_SIZE);
  set_progname(cs("pwd"));
  if (__getcwd(path, PATH_SIZE) < 0) err(1, cs("."));
  printf(cs("%s\n"), path);
  return 0;
}
