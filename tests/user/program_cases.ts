// Scripts that the guest's shell runs for the tests of its programs, with what the console shows.

export interface ProgramCase {
  readonly title: string;
  readonly script: string;
  /** Both output streams. In a string, `#` stands for a number and the blanks before it. */
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
];
