// cp(1): copies files. -R and -r whole trees, -p keeps owner, mode and times, -f replaces what cannot be written, -i asks
// before it overwrites, -L follows links, -H those that are operands, -P none, -a is -pR.
import { frame_alloc } from "../../i386/cpufunc";
import { errx, set_progname, usage } from "../lib/errors";
import { SIZEOF_STAT, S_IFDIR, Stat, base_name } from "../lib/files";
import { CopyOptions, copy_operand } from "../lib/copy";
import { getopt, optind } from "../lib/getopt";
import { strdup } from "../lib/stdlib";
import { __stat13 } from "../lib/syscalls";
import { extend_path, new_path } from "../lib/walk";

const options = changetype<CopyOptions>(memory.data(offsetof<CopyOptions>()));

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("cp"));
  for (let letter = getopt(argc, argv, cs("afHiLPpRr")); letter != -1; letter = getopt(argc, argv, cs("afHiLPpRr"))) {
    if (letter == 0x52 || letter == 0x72 || letter == 0x61) options.recursive = 1;
    if (letter == 0x70 || letter == 0x61) options.preserve = 1;
    if (letter == 0x66) options.interactive = 0;
    if (letter == 0x66) options.force = 1;
    if (letter == 0x69) options.interactive = 1;
    if (letter == 0x48) options.follow_operands = 1;
    if (letter == 0x4c) options.follow = 1;
    if (letter == 0x50) options.follow = 0;
    if (letter == 0x3f) usage(cs("cp [-afHiLPpRr] source ... target"));
  }
  const first = optind();
  if (argc - first < 2) usage(cs("cp [-afHiLPpRr] source ... target"));
  const target = load<usize>(argv + 4 * (argc - 1));
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const folder = __stat13(target, changetype<usize>(st)) == 0 && st.type == S_IFDIR;
  if (!folder && argc - first > 2) errx(1, cs("%s is not a directory"), target);
  let status = 0;
  for (let i = first; i < argc - 1; i++) {
    const source = load<usize>(argv + 4 * i);
    const to = new_path(target);
    if (folder) extend_path(to, base_name(strdup(source)));
    if (copy_operand(new_path(source), to, options) != 0) status = 1;
  }
  return status;
}
