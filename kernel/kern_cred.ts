// Whose rights a process has: user, group, further groups, and who is logged in.
//
// Each of user and group is there thrice: real (who started the process), effective (whose rights it has) and saved
// (the effective one as exec left it). uid 0 changes all; others go back and forth between theirs.
import { copyin, copyinstr, copyout } from "./i386/support";
import { frame_alloc } from "./i386/cpufunc";
import { allproc_first, proc_next } from "./kern_proc";
import { memcpy } from "./libkern";
import { EINVAL, ENAMETOOLONG, EPERM } from "./sys/errno";
import { LOGIN_SIZE, NGROUPS_MAX, P_SUGID, Proc, p_groups, p_login } from "./sys/proc";
import {
  SysGetgroupsArgs, SysSetegidArgs, SysSeteuidArgs, SysSetgidArgs, SysSetgroupsArgs, SysSetloginArgs, SysSetregidArgs,
  SysSetreuidArgs, SysSetuidArgs, Sys__getloginArgs,
} from "./syscallargs";

/** An id that stays as it is. */
const NO_ID: u32 = 0xffffffff;

export function sys_getuid(p: Proc, retval: usize): i32 {
  store<u32>(retval, p.p_ruid);
  store<u32>(retval, p.p_uid, 4);
  return 0;
}

export function sys_geteuid(p: Proc, retval: usize): i32 {
  store<u32>(retval, p.p_uid);
  return 0;
}

export function sys_getgid(p: Proc, retval: usize): i32 {
  store<u32>(retval, p.p_rgid);
  store<u32>(retval, p.p_gid, 4);
  return 0;
}

export function sys_getegid(p: Proc, retval: usize): i32 {
  store<u32>(retval, p.p_gid);
  return 0;
}

export function sys_issetugid(p: Proc, retval: usize): i32 {
  store<u32>(retval, (p.p_flag & P_SUGID) != 0 ? 1 : 0);
  return 0;
}

/** Is `uid` one that the process may take: its real or saved one, or any for uid 0? */
function may_be_user(p: Proc, uid: u32): bool {
  return p.p_uid == 0 || uid == p.p_ruid || uid == p.p_svuid;
}

function may_be_group(p: Proc, gid: u32): bool {
  return p.p_uid == 0 || gid == p.p_rgid || gid == p.p_svgid;
}

/** uid 0 becomes anybody; others go back to the real user. */
export function sys_setuid(p: Proc, uap: SysSetuidArgs, retval: usize): i32 {
  if (p.p_uid != 0 && uap.uid != p.p_ruid) return EPERM;
  p.p_uid = uap.uid;
  p.p_ruid = uap.uid;
  p.p_svuid = uap.uid;
  p.p_flag |= P_SUGID;
  return 0;
}

export function sys_setgid(p: Proc, uap: SysSetgidArgs, retval: usize): i32 {
  if (p.p_uid != 0 && uap.gid != p.p_rgid) return EPERM;
  p.p_gid = uap.gid;
  p.p_rgid = uap.gid;
  p.p_svgid = uap.gid;
  p.p_flag |= P_SUGID;
  return 0;
}

export function sys_seteuid(p: Proc, uap: SysSeteuidArgs, retval: usize): i32 {
  if (!may_be_user(p, uap.euid)) return EPERM;
  p.p_uid = uap.euid;
  p.p_flag |= P_SUGID;
  return 0;
}

export function sys_setegid(p: Proc, uap: SysSetegidArgs, retval: usize): i32 {
  if (!may_be_group(p, uap.egid)) return EPERM;
  p.p_gid = uap.egid;
  p.p_flag |= P_SUGID;
  return 0;
}

/** Real and effective user; a new real one makes the effective one the saved one. */
export function sys_setreuid(p: Proc, uap: SysSetreuidArgs, retval: usize): i32 {
  const ruid = uap.ruid == NO_ID ? p.p_ruid : uap.ruid;
  const euid = uap.euid == NO_ID ? p.p_uid : uap.euid;
  if (p.p_uid != 0 && ruid != p.p_ruid && ruid != p.p_uid) return EPERM;
  if (euid != p.p_uid && !may_be_user(p, euid)) return EPERM;
  p.p_uid = euid;
  if (uap.ruid != NO_ID) {
    p.p_ruid = ruid;
    p.p_svuid = euid;
  }
  p.p_flag |= P_SUGID;
  return 0;
}

/** The same of groups. */
export function sys_setregid(p: Proc, uap: SysSetregidArgs, retval: usize): i32 {
  const rgid = uap.rgid == NO_ID ? p.p_rgid : uap.rgid;
  const egid = uap.egid == NO_ID ? p.p_gid : uap.egid;
  if (p.p_uid != 0 && rgid != p.p_rgid && rgid != p.p_gid) return EPERM;
  if (egid != p.p_gid && !may_be_group(p, egid)) return EPERM;
  p.p_gid = egid;
  if (uap.rgid != NO_ID) {
    p.p_rgid = rgid;
    p.p_svgid = egid;
  }
  p.p_flag |= P_SUGID;
  return 0;
}

/** The further groups; with size 0 only their number. */
export function sys_getgroups(p: Proc, uap: SysGetgroupsArgs, retval: usize): i32 {
  store<u32>(retval, p.p_ngroups);
  if (uap.gidsetsize == 0) return 0;
  if (uap.gidsetsize < p.p_ngroups) return EINVAL;
  return copyout(p_groups(p), uap.gidset, p.p_ngroups * 4);
}

export function sys_setgroups(p: Proc, uap: SysSetgroupsArgs, retval: usize): i32 {
  if (p.p_uid != 0) return EPERM;
  if (uap.gidsetsize > NGROUPS_MAX) return EINVAL;
  const groups = frame_alloc(64);
  const error = copyin(uap.gidset, groups, uap.gidsetsize * 4);
  if (error != 0) return error;
  memcpy(p_groups(p), groups, uap.gidsetsize * 4);
  p.p_ngroups = uap.gidsetsize;
  p.p_flag |= P_SUGID;
  return 0;
}

/** The login name of the session, as much of it as fits. */
export function sys___getlogin(p: Proc, uap: Sys__getloginArgs, retval: usize): i32 {
  return copyout(p_login(p), uap.namebuf, uap.namelen < LOGIN_SIZE ? uap.namelen : LOGIN_SIZE);
}

/** uid 0 names the user of its session. EINVAL: the name is too long. */
export function sys_setlogin(p: Proc, uap: SysSetloginArgs, retval: usize): i32 {
  if (p.p_uid != 0) return EPERM;
  const name = frame_alloc(20);
  const error = copyinstr(uap.namebuf, name, LOGIN_SIZE, 0);
  if (error != 0) return error == ENAMETOOLONG ? EINVAL : error;
  let member = allproc_first();
  while (changetype<usize>(member) != 0) {
    if (member.p_sid == p.p_sid) memcpy(p_login(member), name, LOGIN_SIZE);
    member = proc_next(member);
  }
  return 0;
}
