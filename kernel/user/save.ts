// dd: copies the device of a mounted file system to the disk wd0, block by block,
// past the buffer cache, as reading the raw device and writing it to another
// would. What is on wd0 then can be looked at from outside.

import { B_INVAL, B_READ } from "../../fs/buf";
import { FREAD, FWRITE } from "../../fs/fcntl";
import { bdevvp } from "../../fs/vfs_alias";
import { brelse, geteblk } from "../../fs/vfs_bio";
import { name_to_dev } from "../../fs/vfs_conf";
import { vrele } from "../../fs/vfs_subr";
import { NOCRED, Vnode } from "../../fs/vnode";
import { VOP_CLOSE, VOP_OPEN } from "../../fs/vnode_if";
import { frame_alloc } from "../i386/cpufunc";
import { curproc } from "../kern_proc";
import { bootarg } from "../subr_bootargs";
import { printf } from "../subr_prf";
import { ENXIO } from "../sys/errno";
import { DEV_BSHIFT, MAXBSIZE, NODEV } from "../sys/param";
import { device_of, device_transfer } from "./device";
import { mounted_bytes } from "./mount_mfs";
import { exit_program } from "./unistd";

/** Copies `size` bytes sector for sector. */
function copy_device(from: Vnode, to: Vnode, size: u32): i32 {
  const bp = geteblk(MAXBSIZE);
  const old_vp = bp.b_vp;
  let error = 0;
  let offset: u32 = 0;
  while (offset < size && error == 0) {
    const len = size - offset < MAXBSIZE ? size - offset : MAXBSIZE;
    error = device_transfer(bp, from, offset >> DEV_BSHIFT, len, B_READ);
    if (error == 0) error = device_transfer(bp, to, offset >> DEV_BSHIFT, len, 0);
    offset += len;
  }
  bp.b_vp = old_vp;
  bp.b_flags |= B_INVAL;
  brelse(bp);
  return error;
}

/** Copies the file system mounted on the path `arg` to the disk of the boot argument `save=`. */
export function save_main(arg: usize): void {
  const fromp = frame_alloc(4);
  const top = frame_alloc(4);
  const dev = name_to_dev(bootarg(cs("save")));
  let error = device_of(arg, fromp);
  if (error == 0 && dev == NODEV) error = ENXIO;
  if (error == 0) error = bdevvp(dev, top);
  if (error == 0) {
    const from = changetype<Vnode>(load<usize>(fromp));
    const to = changetype<Vnode>(load<usize>(top));
    error = VOP_OPEN(to, FREAD | FWRITE, NOCRED, curproc());
    if (error == 0) {
      error = copy_device(from, to, mounted_bytes());
      VOP_CLOSE(to, FREAD | FWRITE, NOCRED, curproc());
    }
    vrele(to);
    vrele(from);
  }
  if (error != 0) printf(cs("dd: %s: error %d\n"), arg, error);
  else printf(cs("dd: %u bytes copied from %s to %s\n"), mounted_bytes(), arg, bootarg(cs("save")));
  exit_program(error);
}
