// Process 1 in user mode: the boot argument `init=/path` names the file it execs.
import { frame_alloc } from "./i386/cpufunc";
import { set_exit_status } from "./i386/machdep";
import { return_to_user } from "./i386/support";
import { userret } from "./i386/syscall";
import { p_md_regs } from "./i386/vm_machdep";
import { CONS_CDEV } from "./conf";
import { falloc, fdinit } from "./kern_descrip";
import { ExecPackage, exec_add_string, exec_package_free, exec_package_init, exec_run } from "./kern_exec";
import { curproc } from "./kern_proc";
import { limit_init } from "./kern_resource";
import { sigacts_init } from "./kern_sig";
import { printf } from "./subr_prf";
import { DTYPE_VNODE, File } from "./sys/file";
import { LK_EXCLUSIVE, LK_RETRY } from "./sys/lock";
import { makedev } from "./sys/param";
import { Proc } from "./sys/proc";
import { vnops } from "./vn_file";
import { FREAD, FWRITE } from "../fs/fcntl";
import { cdevvp } from "../fs/vfs_alias";
import { vn_lock } from "../fs/vfs_vnops";
import { Vnode } from "../fs/vnode";
import { VOP_OPEN, VOP_UNLOCK } from "../fs/vnode_if";

/** Status that a run ends with when process 1 could not be started. */
const EXIT_FAILED: u32 = 2;

/** Descriptors 0, 1 and 2 are the console, even where there is no /dev. */
function open_console(p: Proc): i32 {
  const vpp = frame_alloc(4);
  const fpp = frame_alloc(4);
  const fd = frame_alloc(4);
  let error = cdevvp(makedev(CONS_CDEV, 0), vpp);
  if (error != 0) return error;
  const vp = changetype<Vnode>(load<usize>(vpp));
  vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  error = VOP_OPEN(vp, FREAD | FWRITE, changetype<usize>(p), p);
  VOP_UNLOCK(vp, 0);
  if (error != 0) return error;
  vp.v_writecount++;
  error = falloc(p, fpp, fd);
  if (error != 0) return error;
  const fp = changetype<File>(load<usize>(fpp));
  fp.f_flag = FREAD | FWRITE;
  fp.f_type = DTYPE_VNODE;
  fp.f_data = changetype<usize>(vp);
  fp.f_ops = vnops();
  fp.f_count = 3;
  store<usize>(p.p_fd + 4, changetype<usize>(fp));
  store<usize>(p.p_fd + 8, changetype<usize>(fp));
  return 0;
}

/** What a user process has besides memory; process 1 leads a session, and is in group 0. */
function become_user(p: Proc): i32 {
  sigacts_init(p, 0);
  limit_init(p);
  fdinit(p);
  p.p_sid = p.p_pid;
  p.p_pgid = p.p_pid;
  p.p_ngroups = 1;
  return open_console(p);
}

/** Makes the current process run the file `path`, with its name as only argument. Returns only when that fails. */
export function exec_init(path: usize): void {
  const p = curproc();
  const pack = changetype<ExecPackage>(frame_alloc(offsetof<ExecPackage>()));
  let error = become_user(p);
  if (error == 0) {
    exec_package_init(pack);
    pack.path = path;
    pack.argc = 1;
    error = exec_add_string(pack, path, false);
    if (error == 0) error = exec_run(p, pack);
    exec_package_free(pack);
  }
  if (error == 0) {
    userret(p);
    return_to_user(changetype<usize>(p_md_regs(p)));
  }
  printf(cs("init: %s: error %d\n"), path, error);
  set_exit_status(EXIT_FAILED);
}
