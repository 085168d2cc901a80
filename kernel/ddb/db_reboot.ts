// reboot and sync.

import { cpu_reboot } from "../i386/machdep";
import { RB_AUTOBOOT, RB_DUMP } from "../sys/reboot";

/** `reboot [flags]`: RB_AUTOBOOT without flags. `reboot 4` leaves the disks alone. */
export function db_reboot_cmd(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  cpu_reboot(have_addr ? addr : RB_AUTOBOOT, 0);
}

/** `sync`: sync, dump, reboot. */
export function db_sync_cmd(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  cpu_reboot(RB_DUMP, 0);
}
