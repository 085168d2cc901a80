// mount(8): lists what is mounted; `mount -u [-rw] [-o options] node` changes a mounted file system, keeping
// what it is not told; `mount [-t type] [-rw] [-o options] special node` mounts one.
import { frame_alloc } from "../../i386/cpufunc";
import { err, errx, set_progname, usage } from "../lib/errors";
import { SIZEOF_STATFS, Statfs } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { MNT_KEPT, MNT_RDONLY, MNT_UPDATE, mount_option, next_option, shown_flag } from "../lib/mntopts";
import { printf } from "../lib/stdio";
import { malloc } from "../lib/stdlib";
import { getfsstat, mount, statfs } from "../lib/syscalls";

const MOST_MOUNTS: u32 = 64;
const MNT_NOWAIT: i32 = 2;

function list_mounts(): i32 {
  const list = malloc(MOST_MOUNTS * SIZEOF_STATFS);
  const count = getfsstat(list, MOST_MOUNTS * SIZEOF_STATFS, MNT_NOWAIT);
  if (count < 0) err(1, cs("getfsstat"));
  for (let i = 0; i < count; i++) {
    const fs = changetype<Statfs>(list + u32(i) * SIZEOF_STATFS);
    printf(cs("%s on %s type %s"), fs.mntfromname, fs.mntonname, fs.typename);
    let before = cs(" (");
    let n: u32 = 0;
    let shown = shown_flag(n, fs.f_flags);
    while (shown != usize(-1)) {
      if (shown != 0) {
        printf(cs("%s%s"), before, shown);
        before = cs(", ");
      }
      shown = shown_flag(++n, fs.f_flags);
    }
    printf(load<u8>(before) == 0x2c ? cs(")\n") : cs("\n"));
  }
  return 0;
}

/** The flags that an update of the file system at `node` begins with: mount(8) makes it writable unless told not to. */
function flags_of(node: usize): u32 {
  const fs = changetype<Statfs>(frame_alloc(SIZEOF_STATFS));
  if (statfs(node, changetype<usize>(fs)) != 0) err(1, node);
  return fs.f_flags & MNT_KEPT;
}

/** Applies the options in `text`, a list or 0. */
function apply_options(text: usize, flagsp: usize): void {
  const textp = frame_alloc(4);
  store<usize>(textp, text);
  for (let word = next_option(textp); word != 0; word = next_option(textp)) {
    if (!mount_option(word, flagsp)) errx(1, cs("-o %s: option not supported"), word);
  }
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const how = cs("mount [-ruw] [-t type] [-o options] [special] node");
  set_progname(cs("mount"));
  const flagsp = frame_alloc(4);
  let update = false;
  let letters: u32 = 0;
  let options: usize = 0;
  let type = cs("ffs");
  for (let letter = getopt(argc, argv, cs("o:rt:uw")); letter != -1; letter = getopt(argc, argv, cs("o:rt:uw"))) {
    if (letter == 0x72) letters |= MNT_RDONLY;
    else if (letter == 0x77) letters &= ~MNT_RDONLY;
    else if (letter == 0x75) update = true;
    else if (letter == 0x74) type = optarg();
    else if (letter == 0x6f) options = optarg();
    else usage(how);
  }
  const left = argc - optind();
  if (left == 0) return list_mounts();
  if (update ? left != 1 : left != 2) usage(how);
  const node = load<usize>(argv + 4 * (argc - 1));
  store<u32>(flagsp, letters | (update ? flags_of(node) | MNT_UPDATE : 0));
  apply_options(options, flagsp);
  // The arguments of ffs and md begin with the special file.
  const args = frame_alloc(32);
  memory.fill(args, 0, 32);
  if (!update) store<usize>(args, load<usize>(argv + 4 * optind()));
  if (mount(type, node, load<u32>(flagsp), update ? 0 : args) != 0) err(1, node);
  return 0;
}
