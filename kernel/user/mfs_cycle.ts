// The main job: mount a memory file system, copy the root's tree into it,
// compare every byte, rename, truncate and remove files, compare again, sync,
// unmount. `mounts` times over.

import { free, malloc } from "../kern_malloc";
import { bzero } from "../libkern";
import { bootarg, bootarg_u32 } from "../subr_bootargs";
import { printf } from "../subr_prf";
import { M_TEMP, M_WAITOK } from "../sys/malloc";
import { MAXPATHLEN } from "../sys/param";
import { ChangeArgs, change_main } from "./change";
import { CksumArgs, cksum_main } from "./cksum";
import { CpArgs, cp_main } from "./cp";
import { mount_mfs, print_summary, summary_copied, unmount_mfs } from "./mount_mfs";
import { save_main } from "./save";
import { sync_main } from "./sync";
import { run_program } from "./unistd";

/** Copies from `from` to the mount point and reports. */
function copy(args: CpArgs): i32 {
  const error = run_program(cs("cp"), cp_main.index, changetype<usize>(args));
  printf(cs("mfs-cycle: copied %u files, %u directories, %u links, %qu bytes\n"), args.files, args.directories, args.links,
    u32(args.bytes), u32(args.bytes >> 32));
  summary_copied(args.files, args.bytes);
  return error;
}

/** Compares; `when` names the occasion. */
function compare(args: CksumArgs, when: usize): i32 {
  const error = run_program(cs("cksum"), cksum_main.index, changetype<usize>(args));
  printf(cs("mfs-cycle: %s: %u files, %u links, %qu bytes, %u differ, checksum %08x\n"), when, args.files, args.links,
    u32(args.bytes), u32(args.bytes >> 32), args.differ, args.total);
  return error;
}

function change(args: ChangeArgs): i32 {
  const error = run_program(cs("change"), change_main.index, changetype<usize>(args));
  printf(cs("mfs-cycle: renamed %u, truncated %u, removed %u of %u files\n"), args.renamed, args.truncated, args.removed,
    args.files);
  return error;
}

/** Everything between mount and unmount. */
function work_on_mount(from: usize): i32 {
  const room = malloc(256 + MAXPATHLEN, M_TEMP, M_WAITOK);
  bzero(room, 256);
  const cp = changetype<CpArgs>(room);
  const cksum = changetype<CksumArgs>(room + 64);
  const changes = changetype<ChangeArgs>(room + 128);
  cp.from = from;
  cp.to = cs("/mnt");
  cp.skip = cs("/mnt");
  changes.from = from;
  changes.to = cp.to;
  changes.skip = cp.skip;
  let error = copy(cp);
  if (error == 0) error = compare_pass(cksum, from, false);
  if (error == 0) error = change(changes);
  if (error == 0) error = compare_pass(cksum, from, true);
  free(room, M_TEMP);
  return error;
}

function compare_pass(args: CksumArgs, from: usize, changed: bool): i32 {
  bzero(changetype<usize>(args), offsetof<CksumArgs>());
  args.from = from;
  args.to = cs("/mnt");
  args.skip = cs("/mnt");
  args.changed = u32(changed);
  return compare(args, changed ? cs("after the changes") : cs("verified"));
}

/** One mount, all the work, one unmount. */
function cycle(from: usize): i32 {
  let error = mount_mfs(cs("/mnt"));
  if (error != 0) return error;
  error = work_on_mount(from);
  run_program(cs("sync"), sync_main.index, 0);
  if (error == 0 && bootarg(cs("save")) != 0) error = run_program(cs("dd"), save_main.index, cs("/mnt"));
  print_summary();
  const unmounted = unmount_mfs(cs("/mnt"));
  return error != 0 ? error : unmounted;
}

/** init of the workload `mfs-cycle`. Returns 0 or an errno. */
export function mfs_cycle(): i32 {
  const mounts = bootarg_u32(cs("mounts"), 1);
  let from = bootarg(cs("from"));
  if (from == 0) from = cs("/");
  for (let n: u32 = 0; n < mounts; n++) {
    if (mounts > 1) printf(cs("mfs-cycle: mount %u of %u\n"), n + 1, mounts);
    const error = cycle(from);
    if (error != 0) return error;
  }
  return 0;
}
