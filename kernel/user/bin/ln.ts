// ln(1): makes links. -s symbolic ones, -f replaces what is there.
import { frame_alloc } from "../../i386/cpufunc";
import { errx, set_progname, usage, warn } from "../lib/errors";
import { SIZEOF_STAT, S_IFDIR, Stat, base_name } from "../lib/files";
import { getopt, optind } from "../lib/getopt";
import { strdup } from "../lib/stdlib";
import { __stat13, link, symlink, unlink } from "../lib/syscalls";
import { extend_path, new_path, path_text } from "../lib/walk";

function make_link(source: usize, target: usize, symbolic: bool, force: bool): i32 {
  if (force) unlink(target);
  const error = symbolic ? symlink(source, target) : link(source, target);
  if (error == 0) return 0;
  warn(symbolic ? target : source);
  return 1;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("ln"));
  let symbolic = false;
  let force = false;
  for (let letter = getopt(argc, argv, cs("fs")); letter != -1; letter = getopt(argc, argv, cs("fs"))) {
    if (letter == 0x73) symbolic = true;
    else if (letter == 0x66) force = true;
    else usage(cs("ln [-fs] source ... [target]"));
  }
  const first = optind();
  if (first >= argc) usage(cs("ln [-fs] source ... [target]"));
  const target: usize = argc - first == 1 ? cs(".") : load<usize>(argv + 4 * (argc - 1));
  const last = argc - first == 1 ? argc : argc - 1;
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const folder = __stat13(target, changetype<usize>(st)) == 0 && st.type == S_IFDIR;
  if (!folder && last - first > 1) errx(1, cs("%s is not a directory"), target);
  let status = 0;
  for (let i = first; i < last; i++) {
    const source = load<usize>(argv + 4 * i);
    const to = new_path(target);
    if (folder) extend_path(to, base_name(strdup(source)));
    status |= make_link(source, path_text(to), symbolic, force);
  }
  return status;
}
