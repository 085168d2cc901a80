// What the kernel does for a person at a shell: scripts in the form of tests/user/program_cases.ts, run in its boot.
import type { ProgramCase } from "../user/program_cases.js";

export const KERNEL_CASES: readonly ProgramCase[] = [
  {
    title: "a memory file system's raw device makes a request for each block",
    script: `mount_mfs -s 512k swap /mnt; echo hello >/mnt/f; sync
before=$(sysctl -n debug.mfs.reads)
dd if=/dev/rmfs0 of=/tmp/raw bs=8k 2>/dev/null
echo $(($(sysctl -n debug.mfs.reads) - before))
dd if=/dev/mfs0 of=/tmp/block bs=16k 2>/dev/null
cmp /tmp/raw /tmp/block && echo same
dd if=/dev/rmfs0 of=/dev/null bs=1000 count=1
umount /mnt
dd if=/dev/rmfs0 of=/dev/null`,
    output: "64\nsame\ndd: /dev/rmfs0: Invalid argument\n0+0 records in\n0+0 records out\n0 bytes transferred\n" +
      "dd: /dev/rmfs0: Device not configured\n",
    status: 1,
  },
  {
    title: "numbers of memory file systems are used again, but not while somebody has the device open",
    script: `mkdir a b; mount_mfs -s 512k swap a; mount_mfs -s 512k swap b
umount a; mount_mfs -s 512k swap a
dd if=/dev/rmfs0 of=/dev/null bs=512 count=1 2>/dev/null && echo 0
dd if=/dev/rmfs2 of=/dev/null 2>/dev/null || echo not 2
(umount a; mount_mfs -s 512k swap a; dd if=/dev/rmfs2 of=/dev/null bs=512 count=1 2>/dev/null && echo 2) </dev/mfs0
umount a; umount b`,
    output: "0\nnot 2\n2\n",
  },
  {
    title: "a memory file system goes by force while its device is read",
    script: `mount_mfs -s 512k -o process swap /mnt
(while dd if=/dev/rmfs0 of=/dev/null bs=4k; do :; done) 2>/dev/null &
sleep 1; umount -f /mnt; wait; echo $?; sysctl -n debug.check`,
    output: /^\d+\n0\n$/,
  },
];
