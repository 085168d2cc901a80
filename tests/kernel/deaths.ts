// Ways to die (init.as, `case=`) and what the console then shows, without and
// with DDB.
export const deaths: readonly { death: string; lines: readonly RegExp[]; withDdb: readonly RegExp[] }[] = [
  {
    death: "null",
    lines: [
      /\nuvm_fault\(0xc[0-9a-f]{7}, 0x0, 0, 1\) -> 1\nfatal page fault in supervisor mode\n/,
      /\ntrap type 6 code 0 eip 0 cs 8 eflags [0-9a-f]+ cr2 0 cpl 0\npanic: trap\n/,
    ],
    withDdb: [
      /\nuvm_fault\((0xc[0-9a-f]{7}), 0x0, 0, 1\) -> 1\nkernel: page fault trap, code=0\n/,
      /\nStopped in init at {6}0:uvm_fault\(0xc[0-9a-f]{7}, 0xbfc00000, 0, 1\) -> 1\n {6}kernel: page fault trap, /,
      /\nStopped in init at {6}db_disasm\+0x[0-9a-f]+: {1,7}movl {4}PTmap\(%\w+\),%\w+\n/,
      /\n--- trap \(number 6\) ---\n\(null\)\(.*\) at 0\n/,
    ],
  },
  {
    death: "write",
    lines: [/\nuvm_fault\(0xc[0-9a-f]{7}, 0xffb00000, 0, 3\) -> 1\nfatal page fault .*\ntrap type 6 code 2 /],
    withDdb: [/page fault trap, code=0\nStopped in init at\s+run_case\+0x[0-9a-f]+:\s+movl\s+\$0x1,0xffb00000\n/],
  },
  {
    death: "overflow",
    lines: [
      /\nkernel stack of init \(pid 1\) overflowed: esp 0xc[0-9a-f]{7}, u-area 0xc[0-9a-f]{7}\nfatal double fault in /,
      /\ntrap type 13 code 0 .*\npanic: double fault\n/,
    ],
    withDdb: [
      /\nkernel: double fault trap, code=0\nStopped in init at\s+recurse\+/,
      /\nrecurse\(1\) at recurse\+.*\nrecurse\(0\) at .*\nrun_case\(/,
    ],
  },
  {
    death: "panic",
    lines: [/\npanic: asked to, times 3\nsyncing disks\.\.\. done\n/],
    withDdb: [
      /\npanic: asked to, times 3\nStopped in init at\s+cpu_Debugger\+0x4:\s+leave\n/,
      /\npanic\(.*\) at panic\+0x[0-9a-f]+\nrun_case\(/,
    ],
  },
  {
    death: "assert",
    lines: [/\npanic: kernel diagnostic assertion "counter is seven" failed: file "kernel\/user\/init.ts", line \d+\n/],
    withDdb: [/\nStopped in init at\s+cpu_Debugger\+0x4:\s+leave\n/],
  },
  {
    death: "divide",
    lines: [/\nfatal integer divide fault in supervisor mode\ntrap type 8 code 0 /],
    withDdb: [/\nkernel: integer divide fault trap, code=0\nStopped in init at\s+run_case\+0x[0-9a-f]+:\s+divl?\s/],
  },
  {
    death: "malloc",
    lines: [/\npanic: malloc: out of space in kmem_map\n/],
    withDdb: [/\nmalloc\(10000,4d,0\) at malloc\+/],
  },
];
