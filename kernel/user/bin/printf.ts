// printf(1): formatted words.
import { set_progname, usage } from "../lib/errors";
import { format_words } from "../lib/format_words";

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("printf"));
  if (argc < 2) usage(cs("printf format [arg ...]"));
  return format_words(cs("printf"), argc - 1, argv + 4);
}
