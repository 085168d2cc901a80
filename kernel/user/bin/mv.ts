// mv(1): renames files, or copies and removes them when they go to another file system. -i asks before it overwrites,
// -f (the default) does not.
import { frame_alloc } from "../../i386/cpufunc";
import { errx, last_error, set_progname, strerror, usage, warn, warnx } from "../lib/errors";
import { SIZEOF_STAT, S_IFDIR, Stat, base_name } from "../lib/files";
import { CopyOptions, copy_tree } from "../lib/copy";
import { getopt, optind } from "../lib/getopt";
import { ask } from "../lib/input";
import { wait_for } from "../lib/process";
import { exit, flush } from "../lib/stdio";
import { strdup } from "../lib/stdlib";
import { environ } from "../lib/sym";
import { __stat13, access, execve, fork, rename } from "../lib/syscalls";
import { extend_path, new_path, path_text } from "../lib/walk";

const EXDEV: i32 = 18;
const options = changetype<CopyOptions>(memory.data(offsetof<CopyOptions>()));

/** Removes the tree that has been copied, by rm. */
function remove(path: usize): i32 {
  const statusp = frame_alloc(4);
  const words = frame_alloc(20);
  store<usize>(words, cs("rm"));
  store<usize>(words, cs("-rf"), 4);
  store<usize>(words, cs("--"), 8);
  store<usize>(words, path, 12);
  store<usize>(words, 0, 16);
  flush();
  const pid = fork();
  if (pid == 0) {
    execve(cs("/bin/rm"), words, load<usize>(environ()));
    warn(cs("/bin/rm"));
    exit(1);
  }
  return pid < 0 ? 1 : wait_for(pid, statusp);
}

function move(from: usize, to: usize): i32 {
  if (options.interactive != 0 && access(to, 0) == 0 && !ask(cs("overwrite %s? "), to)) return 0;
  if (rename(from, to) == 0) return 0;
  if (last_error() != EXDEV) {
    warnx(cs("rename %s to %s: %s"), from, to, strerror(last_error()));
    return 1;
  }
  options.recursive = 1;
  options.preserve = 1;
  options.interactive = 0;
  if (copy_tree(new_path(from), new_path(to), options) != 0) return 1;
  return remove(from);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("mv"));
  let asks: u32 = 0;
  for (let letter = getopt(argc, argv, cs("fi")); letter != -1; letter = getopt(argc, argv, cs("fi"))) {
    if (letter == 0x3f) usage(cs("mv [-fi] source ... target"));
    asks = u32(letter == 0x69);
  }
  const first = optind();
  if (argc - first < 2) usage(cs("mv [-fi] source ... target"));
  const target = load<usize>(argv + 4 * (argc - 1));
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const folder = __stat13(target, changetype<usize>(st)) == 0 && st.type == S_IFDIR;
  if (!folder && argc - first > 2) errx(1, cs("%s is not a directory"), target);
  let status = 0;
  for (let i = first; i < argc - 1; i++) {
    const source = load<usize>(argv + 4 * i);
    const to = new_path(target);
    if (folder) extend_path(to, base_name(strdup(source)));
    options.interactive = asks;
    if (move(source, path_text(to)) != 0) status = 1;
  }
  return status;
}
