// usertests: tries the system calls. A table of named cases, each in a process and a directory of its own; what a case
// leaves behind in the kernel is found by repeating it.
//
// `usertests [-lq] [name ...]`: all cases, or those named (a case or a group); -l lists them, -q tells of failures
// only. The last line is `usertests: N passed, N failed`; the exit status is 1 when a case failed.
import { frame_alloc } from "../../i386/cpufunc";
import { strcmp } from "../../libkern";
import { err, set_progname, usage } from "../lib/errors";
import { getopt, optind } from "../lib/getopt";
import { flush, printf, snprintf } from "../lib/stdio";
import { chdir, getpid, mkdir, rmdir, umask } from "../lib/syscalls";
import { attribute_cases } from "./usertests/attributes";
import { descriptor_cases } from "./usertests/descriptors";
import { file_cases } from "./usertests/files";
import { group_cases } from "./usertests/groups";
import { Case, case_at, case_count } from "./usertests/harness";
import { mapped_file_cases } from "./usertests/mapped_files";
import { memory_cases } from "./usertests/memory";
import { name_cases } from "./usertests/names";
import { process_cases } from "./usertests/processes";
import { run_case } from "./usertests/run";
import { signal_cases } from "./usertests/signals";
import { system_cases } from "./usertests/system";
import { time_cases } from "./usertests/times";

/** Adds all cases, in the order in which they run. */
function add_cases(): void {
  file_cases();
  name_cases();
  attribute_cases();
  descriptor_cases();
  memory_cases();
  mapped_file_cases();
  process_cases();
  signal_cases();
  time_cases();
  group_cases();
  system_cases();
}

/** Is the case one of those named, or are none? */
function is_wanted(one: Case, argc: i32, argv: usize): bool {
  if (optind() >= argc) return true;
  for (let i = optind(); i < argc; i++) {
    const name = load<usize>(argv + 4 * i);
    if (strcmp(name, one.name) == 0 || strcmp(name, one.group) == 0) return true;
  }
  return false;
}

/** Lists the cases, each behind its group. */
function list_cases(): void {
  for (let i: u32 = 0; i < case_count(); i++) printf(cs("%s: %s\n"), case_at(i).group, case_at(i).name);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const how = cs("usertests [-lq] [name ...]");
  let quiet = false;
  let list = false;
  set_progname(cs("usertests"));
  for (let letter = getopt(argc, argv, cs("lq")); letter != -1; letter = getopt(argc, argv, cs("lq"))) {
    if (letter == 0x6c) list = true;
    else if (letter == 0x71) quiet = true;
    else usage(how);
  }
  add_cases();
  if (list) {
    list_cases();
    return 0;
  }
  const folder = frame_alloc(32);
  snprintf(folder, 32, cs("/tmp/usertests.%d"), getpid());
  umask(0o22);
  if (mkdir(folder, 0o755) != 0 || chdir(folder) != 0) err(2, folder);
  let passed: u32 = 0;
  let failed: u32 = 0;
  for (let i: u32 = 0; i < case_count(); i++) {
    const one = case_at(i);
    if (!is_wanted(one, argc, argv)) continue;
    const ok = run_case(one);
    if (ok) passed++;
    else failed++;
    if (!ok || !quiet) printf(cs("%s: %s: %s\n"), one.group, one.name, ok ? cs("ok") : cs("FAILED"));
    flush();
  }
  chdir(cs("/"));
  rmdir(folder);
  printf(cs("usertests: %u passed, %u failed\n"), passed, failed);
  return failed != 0 ? 1 : 0;
}
