// Scripts that the guest's shell runs for the tests of its programs, with what the console shows.

export interface ProgramCase {
  readonly title: string;
  readonly script: string;
  /** Both output streams. In a string, `{n}` stands for a number and the blanks before it. */
  readonly output: string | RegExp;
  /** 0 when left out. */
  readonly status?: number;
}

export const PROGRAM_CASES: readonly ProgramCase[] = [
  { title: "sysctl prints a node, a field, and only values with -n", script: "sysctl kern.ostype hw.ncpu vm.uvmexp.pagesize; sysctl -n hw.byteorder", output: "kern.ostype = ptmap\nhw.ncpu = 1\nvm.uvmexp.pagesize = 4096\n1234\n" },
  { title: "sysctl prints what lies below a name", script: "sysctl vm.uvmexp | head -3; sysctl hw | head -1", output: "vm.uvmexp.pagesize = 4096\nvm.uvmexp.pagemask = 4095\nvm.uvmexp.pageshift = 12\nhw.machine = i386\n" },
  { title: "sysctl -w changes a node and tells both values", script: "sysctl -w kern.hostname=one; sysctl -w kern.hostname=two; sysctl kern.hostname", output: "kern.hostname:  -> one\nkern.hostname: one -> two\nkern.hostname = two\n" },
  { title: "sysctl refuses what cannot be written", script: "sysctl -w kern.ostype=x", output: "sysctl: kern.ostype: Operation not permitted\n", status: 1 },
  { title: "sysctl names the level that is wrong", script: "sysctl foo; sysctl kern.foo; sysctl vm.uvmexp.foo", output: "sysctl: top level name in foo is invalid\nsysctl: second level name in kern.foo is invalid\nsysctl: third level name in vm.uvmexp.foo is invalid\n", status: 1 },
  { title: "sysctl finds no violation of the invariants", script: "sysctl debug.check", output: "debug.check = 0\n" },
  { title: "sysctl prints structures", script: "sysctl kern.clockrate vm.loadavg kern.cp_time debug.inuse.processes; sysctl -n kern.boottime", output: /^kern.clockrate: tick = 10000, tickadj = 0, hz = 100, profhz = 100, stathz = 100\nvm.loadavg: 0\.\d\d 0\.\d\d 0\.\d\d\nkern.cp_time: user = \d+, nice = 0, sys = \d+, intr = \d+, idle = \d+\ndebug.inuse.processes = \d+\nSat May 27 22:30:\d\d 2000\n$/ },
  { title: "vmstat prints a line each interval", script: "vmstat 1 2", output: / procs   memory     page                         faults      cpu\n r b w   avm   fre  flt  re  pi   po   fr   sr   in   sy  cs us sy id\n(?: *\d+){17}\n 0 0 0 +\d+ +\d+ +\d+   0 +\d+    0    0    0  1\d\d(?: +\d+){5}\n$/ },
  { title: "vmstat -s prints the sums", script: "vmstat -s | head -3; vmstat -s | grep -E 'total faults|name lookups|cache hits'", output: "     4096 bytes per page\n{n} pages managed\n{n} pages free\n{n} total faults taken\n{n} total name lookups\n          cache hits ({n}% pos + {n}% neg)\n" },
  { title: "vmstat -m prints types and pools", script: "vmstat -m | grep -E '^Memory|^ +Size|^Name|namecache +[0-9]|^procpl|^In use'", output: /^Memory statistics by bucket size\n    Size   In Use   Free   Requests\nMemory usage type by bucket size\n    Size  Type\(s\)\nMemory statistics by type\n      namecache      1      4K      4K +\d+K +1  4096\nMemory Totals:  In Use    Free    Requests\nMemory resource pool statistics\nName +Size Requests Fail Releases Pgreq Pgrel Npage Hiwat Minpg Maxpg Idle\nprocpl +\d+ +\d+    0 .*\nIn use \d+K, total allocated \d+K; utilization \d+\.\d%\n$/ },
  { title: "newfs makes a file system on a disk and prints its groups", script: "newfs wd0a && mount /dev/wd0a /mnt && df /mnt && ls -1a /mnt && umount /mnt", output: "/dev/rwd0a:\t40960 sectors in 40 cylinders of 16 tracks, 64 sectors\n\t20.0MB in 3 cyl groups (16 c/g, 8.00MB/g, 1664 i/g)\nsuper-block backups (for fsck -b #) at:\n 32, 16480, 32928,\nFilesystem   512-blocks      Used     Avail Capacity  Mounted on\n/dev/wd0a        39582         2     37600      0%    /mnt\n.\n..\n" },
  { title: "newfs does not touch a mounted disk, nor what it cannot", script: "mount /dev/wd0a /mnt; newfs wd0a; umount /mnt; newfs wd0d; newfs wd0b; newfs -s 50000 wd0a; newfs -b 300 wd0a; newfs nosuch; newfs /etc/rc; newfs -o fast wd0a", output: "newfs: /dev/rwd0a is mounted on /mnt\nnewfs: /dev/rwd0d: `d' partition type is not `4.2BSD'\nnewfs: /dev/wd0b: No such file or directory\nnewfs: /dev/rwd0a: maximum file system size on the partition is 40960 sectors\nnewfs: block size must be a power of 2 from 4096 to 65536 (given 300)\nnewfs: /dev/nosuch: No such file or directory\nnewfs: /etc/rc: not a special device\nnewfs: fast: unknown optimization preference: use `space' or `time'\n", status: 1 },
  { title: "newfs -N only prints, options set sizes", script: "newfs -N -b 4096 -f 512 -i 8192 -s 1000 wd0a; mount /dev/wd0a /mnt && umount /mnt", output: "Warning: 24 sector(s) in last cylinder unallocated\n/dev/rwd0a:\t1000 sectors in 1 cylinders of 16 tracks, 64 sectors\n\t0.5MB in 1 cyl groups (16 c/g, 8.00MB/g, 64 i/g)\nsuper-block backups (for fsck -b #) at:\n 32,\n" },
];
