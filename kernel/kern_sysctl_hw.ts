// sysctl hw and machdep: what the machine is.
import { frame_alloc } from "./i386/cpufunc";
import { cpu_model } from "./i386/machdep";
import { multiboot_memory_size } from "./i386/multiboot";
import { npx_present } from "./i386/npx";
import { CONS_CDEV, MAXPARTITIONS, MD_MAJOR, RAW_PART, WD_MAJOR, bdev_name, bdev_psize } from "./conf";
import { sysctl_string, sysctl_word } from "./kern_sysctl";
import { strlen } from "./libkern";
import { snprintf } from "./subr_prf";
import { ENOTDIR, EOPNOTSUPP } from "./sys/errno";
import { PAGE_SIZE, makedev } from "./sys/param";
import {
  CPU_CONSDEV, CPU_FPU_PRESENT, HW_ALIGNBYTES, HW_BYTEORDER, HW_DISKNAMES, HW_MACHINE, HW_MACHINE_ARCH, HW_MODEL,
  HW_NCPU, HW_PAGESIZE, HW_PHYSMEM, HW_USERMEM,
} from "./sys/sysctl";
import { Sys__sysctlArgs } from "./syscallargs";
import { uvmexp } from "../vm/uvm_stat";

const UNITS: u32 = 2;
const NAMES_SIZE: u32 = 64;

/** Adds the names of a driver's disks that are there to the words in `names`. */
function add_disks(names: usize, maj: u32): void {
  for (let unit: u32 = 0; unit < UNITS; unit++) {
    const dev = makedev(maj, unit * MAXPARTITIONS + RAW_PART);
    if (bdev_psize(dev) < 0) continue;
    const length = strlen(names);
    snprintf(names + length, NAMES_SIZE - length, length == 0 ? cs("%s%u") : cs(" %s%u"), bdev_name(dev), unit);
  }
}

function disknames(uap: Sys__sysctlArgs): i32 {
  const names = frame_alloc(NAMES_SIZE);
  store<u8>(names, 0);
  add_disks(names, WD_MAJOR);
  add_disks(names, MD_MAJOR);
  return sysctl_string(uap, names);
}

/** The variables of hw. EOPNOTSUPP for one that there is not. Sleeps. */
export function sysctl_hw(uap: Sys__sysctlArgs, name: usize, count: u32): i32 {
  if (count != 1) return ENOTDIR;
  switch (load<u32>(name)) {
    case HW_MACHINE:
    case HW_MACHINE_ARCH: return sysctl_string(uap, cs("i386"));
    case HW_MODEL: return sysctl_string(uap, cpu_model());
    case HW_NCPU: return sysctl_word(uap, 1);
    case HW_BYTEORDER: return sysctl_word(uap, 1234);
    case HW_PHYSMEM: return sysctl_word(uap, multiboot_memory_size());
    case HW_USERMEM: return sysctl_word(uap, multiboot_memory_size() - u32(uvmexp.wired) * PAGE_SIZE);
    case HW_PAGESIZE: return sysctl_word(uap, PAGE_SIZE);
    case HW_DISKNAMES: return disknames(uap);
    case HW_ALIGNBYTES: return sysctl_word(uap, 3);
    default: return EOPNOTSUPP;
  }
}

/** The variables of machdep. */
export function sysctl_machdep(uap: Sys__sysctlArgs, name: usize, count: u32): i32 {
  if (count != 1) return ENOTDIR;
  switch (load<u32>(name)) {
    case CPU_CONSDEV: return sysctl_word(uap, makedev(CONS_CDEV, 0));
    case CPU_FPU_PRESENT: return sysctl_word(uap, npx_present() ? 1 : 0);
    default: return EOPNOTSUPP;
  }
}
