// sysctl kern: what the system is, and the limits of its tables.
import { frame_alloc } from "./i386/cpufunc";
import { cp_time } from "./kern_clock";
import { MAXPARTITIONS, RAW_PART } from "./conf";
import { MAXPROC } from "./kern_fork";
import { MAXFILES } from "./kern_resource";
import { sysctl_kern_proc } from "./kern_sysctl_proc";
import { sysctl_out, sysctl_set_string, sysctl_set_word, sysctl_string, sysctl_word } from "./kern_sysctl";
import { boottime_seconds } from "./kern_time";
import { UIO_MAXIOV } from "./sys_generic";
import { EOPNOTSUPP, ENOTDIR } from "./sys/errno";
import { ARG_MAX } from "./sys/exec";
import { HZ } from "./sys/param";
import { LOGIN_SIZE, NGROUPS_MAX } from "./sys/proc";
import {
  KERN_ARGMAX, KERN_BOOTTIME, KERN_CLOCKRATE, KERN_CP_TIME, KERN_DOMAINNAME, KERN_FSCALE, KERN_FSYNC, KERN_HOSTID,
  KERN_HOSTNAME, KERN_IOV_MAX, KERN_JOB_CONTROL, KERN_LOGIN_NAME_MAX, KERN_MAPPED_FILES, KERN_MAXFILES,
  KERN_MAXPARTITIONS, KERN_MAXPROC,
  KERN_MAXVNODES, KERN_MEMLOCK, KERN_MEMLOCK_RANGE, KERN_MEMORY_PROTECTION, KERN_NGROUPS, KERN_OSRELEASE, KERN_OSREV,
  KERN_OSTYPE, KERN_POSIX1, KERN_PROC, KERN_RAWPARTITION, KERN_ROOT_DEVICE, KERN_SAVED_IDS, KERN_SYNCHRONIZED_IO,
  KERN_VERSION,
} from "./sys/sysctl";
import { Sys__sysctlArgs } from "./syscallargs";
import { OSTYPE, OSRELEASE, OSREVISION, version } from "./vers";
import { dev_to_name, vfsroot } from "../fs/vfs_conf";
import { Vnodestat, vnodestat } from "../fs/vfs_subr";
import { FSCALE } from "../vm/uvm_meter";

/** Room for the names of the host and its domain, NUL included. */
const HOSTNAME_SIZE: u32 = 256;
const hostname: usize = memory.data(256, 4);
const domainname: usize = memory.data(256, 4);
const hostid: usize = memory.data(4, 4);

const POSIX1_VERSION: u32 = 199009;
/** The fewest vnodes that kern.maxvnodes may be set to. */
const MIN_VNODES: u32 = 64;

function clockrate(uap: Sys__sysctlArgs): i32 {
  const words = frame_alloc(20);
  store<u32>(words, HZ);
  store<u32>(words, 1000000 / HZ, 4);
  store<u32>(words, 0, 8);
  store<u32>(words, HZ, 12);
  store<u32>(words, HZ, 16);
  return sysctl_out(uap, words, 20);
}

function boottime(uap: Sys__sysctlArgs): i32 {
  const words = frame_alloc(8);
  store<u32>(words, boottime_seconds());
  store<u32>(words, 0, 4);
  return sysctl_out(uap, words, 8);
}

function root_device(uap: Sys__sysctlArgs): i32 {
  const name = frame_alloc(16);
  dev_to_name(vfsroot.rootdev, name, 16);
  return sysctl_string(uap, name);
}

/** Variables of one word or one string that never change. */
function constant(uap: Sys__sysctlArgs, variable: u32): i32 {
  switch (variable) {
    case KERN_OSTYPE: return sysctl_string(uap, OSTYPE());
    case KERN_OSRELEASE: return sysctl_string(uap, OSRELEASE());
    case KERN_OSREV: return sysctl_word(uap, OSREVISION);
    case KERN_VERSION: return sysctl_string(uap, version());
    case KERN_MAXPROC: return sysctl_word(uap, MAXPROC);
    case KERN_MAXFILES: return sysctl_word(uap, MAXPROC * MAXFILES);
    case KERN_ARGMAX: return sysctl_word(uap, ARG_MAX);
    case KERN_POSIX1: return sysctl_word(uap, POSIX1_VERSION);
    case KERN_MAXPARTITIONS: return sysctl_word(uap, MAXPARTITIONS);
    case KERN_RAWPARTITION: return sysctl_word(uap, RAW_PART);
    case KERN_IOV_MAX: return sysctl_word(uap, UIO_MAXIOV);
    case KERN_NGROUPS: return sysctl_word(uap, NGROUPS_MAX);
    case KERN_LOGIN_NAME_MAX: return sysctl_word(uap, LOGIN_SIZE);
    case KERN_FSCALE: return sysctl_word(uap, FSCALE);
    case KERN_JOB_CONTROL:
    case KERN_SAVED_IDS:
    case KERN_FSYNC:
    case KERN_SYNCHRONIZED_IO:
    case KERN_MAPPED_FILES:
    case KERN_MEMLOCK:
    case KERN_MEMLOCK_RANGE:
    case KERN_MEMORY_PROTECTION: return sysctl_word(uap, 1);
    default: return EOPNOTSUPP;
  }
}

/** The variables of kern. EOPNOTSUPP for one that there is not. Sleeps. */
export function sysctl_kern(uap: Sys__sysctlArgs, name: usize, count: u32): i32 {
  const variable = load<u32>(name);
  if (variable == KERN_PROC) return sysctl_kern_proc(uap, name + 4, count - 1);
  if (count != 1) return ENOTDIR;
  switch (variable) {
    case KERN_MAXVNODES:
      return sysctl_set_word(uap, changetype<usize>(vnodestat) + offsetof<Vnodestat>("desiredvnodes"), MIN_VNODES,
        0x7fffffff);
    case KERN_HOSTNAME: return sysctl_set_string(uap, hostname, HOSTNAME_SIZE);
    case KERN_DOMAINNAME: return sysctl_set_string(uap, domainname, HOSTNAME_SIZE);
    case KERN_HOSTID: return sysctl_set_word(uap, hostid, 0, 0xffffffff);
    case KERN_CLOCKRATE: return clockrate(uap);
    case KERN_BOOTTIME: return boottime(uap);
    case KERN_ROOT_DEVICE: return root_device(uap);
    case KERN_CP_TIME: return sysctl_out(uap, cp_time, 20);
    default: return constant(uap, variable);
  }
}
