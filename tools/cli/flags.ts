// The command line as data: every command, every flag, once. Parsing, --help,
// nearest-name suggestions and the documentation derive from these tables.

export interface Flag {
  readonly name: string;
  /** Placeholder of the value; absent for a switch. */
  readonly value?: string;
  readonly help: string;
  /** Shown in --help; the program applies it where the flag is read. */
  readonly fallback?: string;
  readonly choices?: readonly string[];
  /** May be given several times; the values are joined by newlines. */
  readonly repeatable?: boolean;
}

export interface Command {
  readonly name: string;
  /** Operands as shown in the usage line. */
  readonly operands: readonly string[];
  /** How many of the operands must be given. */
  readonly required: number;
  readonly summary: string;
  readonly flags: readonly Flag[];
  readonly details: readonly string[];
}

const MACHINE_FLAGS: readonly Flag[] = [
  {
    name: "root", value: "DIR|IMAGE", fallback: "the project's own tree, or wd0 with --disk",
    help: "root file system: a host folder (made into an FFS image) or a UFS1 image",
  },
  { name: "mem", value: "SIZE", help: "RAM", fallback: "64M" },
  { name: "cpu", value: "MODEL", help: "processor model", fallback: "i486", choices: ["i386", "i486", "pentium", "i686"] },
  {
    name: "coprocessor", value: "yes|no", fallback: "no on an i386, otherwise yes", choices: ["yes", "no"],
    help: "an 80387 beside the i386, or the unit of the later models",
  },
  {
    name: "timing", value: "MODE", fallback: "model", choices: ["model", "none"],
    help: "clock model: `model` counts cycles, `none` leaves them out",
  },
  {
    name: "wait-states", value: "N", fallback: "0",
    help: "clocks that each access to data in memory takes beyond the manual's",
  },
  { name: "append", value: "ARGS", help: "boot arguments handed to the kernel" },
  { name: "kernel", value: "FILE", help: "Multiboot kernel", fallback: "the built kernel" },
  { name: "disk", value: "FILE", help: "contents of the ATA disk wd0; writes stay in memory" },
  { name: "disk-write", help: "write the disk's changes back to FILE at the end" },
  {
    name: "debugcon", value: "PORT=FILE", repeatable: true,
    help: "keep what the guest writes to an I/O port, as QEMU's isa-debugcon; may be given several times",
  },
  { name: "max-cycles", value: "N", help: "stop after N guest cycles with exit status 4" },
];

/** Flags that every workload takes. */
const RUN_FLAGS: readonly Flag[] = [
  { name: "json", help: "print the summary as one JSON object on stdout; the console goes to stderr" },
  { name: "capture", value: "DIR", help: "write console.txt, trace.txt, registers.json and summary.json to DIR" },
  { name: "pool-fresh", value: "FILL", help: "contents of fresh pool pages: zero, junk or junk:HEX", fallback: "zero" },
  { name: "ddb", value: "COMMANDS", help: "DDB commands run when the debugger is entered, separated by `;`" },
];

/** Flags that only the workloads take that name them. */
export const WORKLOAD_FLAGS: readonly Flag[] = [
  { name: "mounts", value: "N", help: "how many times mfs-cycle and mfs-life mount and unmount", fallback: "1, 10" },
  { name: "mfs-size", value: "SIZE", help: "size of the memory file system", fallback: "fitted to the tree" },
  {
    name: "way", value: "WAY", fallback: "aobj",
    help: "way of I/O of the memory file system, as for -o of mount_mfs; for fsx and the like also ffs or wd: FFS on md, on wd0",
  },
  { name: "bsize", value: "BYTES", help: "block size of the memory file system", fallback: "8192" },
  { name: "fsize", value: "BYTES", help: "fragment size of the memory file system", fallback: "1024" },
  { name: "repair", value: "LIST", help: "burge: mistakes to mend, any of end,ref,unwire,offset" },
  { name: "requests", value: "N", help: "mfs-ways: measured requests of each way", fallback: "256" },
  { name: "rows", value: "LIST", help: "mfs-ways: what to measure, separated by commas", fallback: "all there is" },
  { name: "ops", value: "N", help: "fsx, storm, fork-cow: operations of each process; postmark: transactions" },
  { name: "procs", value: "N", help: "storm: processes", fallback: "32" },
  { name: "seed", value: "N", help: "fsx, postmark, storm, fork-cow: seed of the random numbers", fallback: "1" },
  { name: "plot", value: "FILE.svg", help: "mfs-ways: draw the cycles per request as a picture" },
  { name: "save-mfs", value: "FILE", help: "write the memory file system to wd0 before unmount and save that disk to FILE" },
];

export const COMMANDS: readonly Command[] = [
  {
    name: "boot",
    operands: [],
    required: 0,
    summary: "boot the kernel with its console on the terminal",
    flags: [
      ...MACHINE_FLAGS,
      { name: "bios", value: "FILE", help: "start a ROM image at the reset vector, instead of a kernel" },
    ],
    details: [
      "The console is the terminal. Ctrl-A x ends the machine, Ctrl-A b sends a break (which enters DDB), Ctrl-A Ctrl-A a Ctrl-A.",
      "A shell appears on the console; the programs of user space are put beside the files of a folder.",
      "Boot arguments: init=/path runs another program as process 1, -d enters DDB first, -v tells the memory map.",
    ],
  },
  {
    name: "run",
    operands: ["WORKLOAD|SCRIPT"],
    required: 1,
    summary: "boot, run a named workload, halt; the exit status tells the outcome",
    flags: [...MACHINE_FLAGS, ...RUN_FLAGS, ...WORKLOAD_FLAGS],
    details: ["A WORKLOAD with a slash, or ending in .sh, is a shell script of yours; /bin, /sbin, /etc and /dev are put beside the files of DIR."],
  },
  {
    name: "mkfs",
    operands: ["DIR", "IMAGE"],
    required: 2,
    summary: "make an FFS (UFS1) image from a host folder",
    flags: [
      { name: "size", value: "SIZE", help: "size of the image", fallback: "fitted to the tree" },
      { name: "free", value: "SIZE", help: "room to leave when the size is fitted", fallback: "1M" },
      { name: "bsize", value: "BYTES", help: "block size", fallback: "8192" },
      { name: "fsize", value: "BYTES", help: "fragment size", fallback: "1024" },
    ],
    details: [],
  },
  {
    name: "ls",
    operands: ["IMAGE", "PATH"],
    required: 1,
    summary: "list a folder of an FFS image, or show one file's inode",
    flags: [
      { name: "recursive", help: "descend into folders" },
      { name: "json", help: "print the entries as a JSON array" },
    ],
    details: [],
  },
  {
    name: "fsck",
    operands: ["IMAGE"],
    required: 1,
    summary: "check an FFS image; exit status 1 when something is wrong",
    flags: [{ name: "json", help: "print the findings as a JSON array" }],
    details: ["Checks only: the image is never written."],
  },
  {
    name: "bench",
    operands: ["NAME"],
    required: 1,
    summary: "measure: cpu (integer loop, million guest instructions per second)",
    flags: [{ name: "json", help: "print the figures as JSON" }],
    details: [],
  },
];

/** Flags that every command takes. */
export const GLOBAL_FLAGS: readonly Flag[] = [
  { name: "help", help: "show this text" },
  { name: "version", help: "show the version" },
];
