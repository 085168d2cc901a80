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
    output: "64\nsame\ndd: /dev/rmfs0: Invalid argument\n0+0 records in\n0+0 records out\n0 bytes transferred in 0 secs (0 bytes/sec)\n" +
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
  {
    title: "a script is run by the interpreter that its first line names",
    script: `cat >a <<'END'
#!/bin/echo  -n two words 
rest
END
cat >b <<'END'
#! /bin/sh
echo $0 $1 $#
END
echo '#!./b' >c; echo '#!/nowhere' >d; chmod 755 a b c d
./a x; echo; ./b one two
find . -name a -exec ./c \\;; find . -name a -exec ./d \\;`,
    output: "-n two words ./a x\n\n./b one 2\nfind: ./c: Exec format error\nfind: ./d: No such file or directory\n",
  },
  {
    title: "a fatal signal leaves a core file, unless the signal is none of those or the file is not there to be written",
    script: `sh -c 'kill -SEGV $$'; echo $?; test -s sh.core && ls -l sh.core | grep -c '^-rw-------'; rm sh.core
sh -c 'kill -TERM $$'; echo $?; ls sh.core; mkdir sh.core; sh -c 'kill -QUIT $$'; ls -d sh.core`,
    output: /^Segmentation fault.*\n139\n1\nTerminated\n143\nls: sh.core: No such file or directory\nQuit\nsh.core\n$/,
  },
];
