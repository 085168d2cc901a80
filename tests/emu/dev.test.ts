// The devices, the board and the loaders, seen as a guest sees them: through ports and memory.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { civilOfSeconds, parseCivil, secondsOfCivil, weekdayOfSeconds } from "../../emu/dev/calendar.js";
import { MemoryDisk, OverlayDisk } from "../../emu/dev/disk.js";
import { PIT_HZ } from "../../emu/dev/i8254.js";
import { Timebase } from "../../emu/dev/timebase.js";
import { elfSymbols, readElf32 } from "../../emu/loader/elf.js";
import { LoaderError } from "../../emu/loader/error.js";
import { memoryMap } from "../../emu/loader/memory_map.js";
import { loadMultiboot } from "../../emu/loader/multiboot.js";
import { ATA_SESSION, blockSum, sessionDisk } from "./ata_cases.js";
import { ConfigError, Machine, type MachineConfig, type RunResult } from "../../emu/index.js";
import { dumpCode, elfImage, kernelOf, multibootHeader, tickingKernel } from "./images.js";
import { Rig } from "./rig.js";

const MB = 1 << 20;

t.test("ports that nobody claims read all ones in every width", async (t) => {
  const rig = new Rig();
  t.equal(rig.in(0x1234, 1), 0xff);
  t.equal(rig.in(0x1234, 2), 0xffff);
  t.equal(rig.in(0x1234, 4), 0xffffffff);
  rig.out(0x1234, 1, 4);
  t.equal(rig.in(0x3ff, 2), 0xff00, "a word across the end of a device takes the second byte from the bus");
});

t.test("the board starts as the firmware of a PC leaves it", async (t) => {
  const rig = new Rig({ disk: new MemoryDisk(new Uint8Array(MB)) });
  const cmos = (index: number): number => {
    rig.out(0x70, index);
    return rig.in(0x71);
  };
  t.equal(rig.in(0x21), 0xb8);
  t.equal(rig.in(0xa1), 0x8e);
  t.equal(rig.in(0x64), 0x1c);
  t.equal(rig.in(0x92), 2);
  t.same([0, 1, 2, 3, 4, 5, 6, 7].map((i) => rig.in(0x3f8 + i)), [0, 0, 1, 0, 8, 0x60, 0xb0, 0]);
  // Seconds to register D, then memory sizes: as a kernel dumped them on QEMU with 64 MB.
  const clock = [0x55, 0x00, 0x30, 0x00, 0x22, 0x00, 0x07, 0x27, 0x05, 0x00, 0x26, 0x02, 0x00, 0x80];
  t.same(clock.map((_, index) => cmos(index)), clock);
  t.same([0x12, 0x15, 0x16, 0x17, 0x18, 0x30, 0x31, 0x32, 0x34, 0x35, 0x37].map(cmos), [
    0xf0, 0x80, 0x02, 0x00, 0xfc, 0x00, 0xfc, 0x20, 0x00, 0x03, 0x20,
  ]);
});

t.test("8259 pair", async (t) => {
  const lower = (rig: Rig, irq: number): void => rig.board.interruptController.setLine(irq, false);
  const raise = (rig: Rig, irq: number): void => rig.board.interruptController.setLine(irq, true);
  const drain = (rig: Rig): number[] => {
    const vectors: number[] = [];
    for (let vector = rig.acknowledge(); vector >= 0; vector = rig.acknowledge()) {
      vectors.push(vector);
      if (vector >= 0x28) rig.out(0xa0, 0x20);
      rig.out(0x20, 0x20);
    }
    return vectors;
  };

  t.test("serves all lines in the order of their priority", async (t) => {
    const rig = new Rig();
    rig.initPIC();
    for (const irq of [7, 15, 3, 8, 1, 14, 0, 4, 9, 5, 6, 10, 11, 12, 13]) raise(rig, irq);
    const order = [0, 1, 8, 9, 10, 11, 12, 13, 14, 15, 3, 4, 5, 6, 7].map((irq) => 0x20 + irq);
    t.same(drain(rig), order);
    t.equal(rig.acknowledge(), -1);
  });

  t.test("holds lower lines back until EOI and lets higher ones through", async (t) => {
    const rig = new Rig();
    rig.initPIC();
    raise(rig, 4);
    t.equal(rig.acknowledge(), 0x24);
    raise(rig, 5);
    t.equal(rig.acknowledge(), -1);
    raise(rig, 3);
    t.equal(rig.acknowledge(), 0x23);
    rig.out(0x20, 0x0b);
    t.equal(rig.in(0x20), 0x18, "ISR shows both");
    rig.out(0x20, 0x63);
    t.equal(rig.in(0x20), 0x10, "a specific EOI ends line 3");
    rig.out(0x20, 0x20);
    t.equal(rig.in(0x20), 0x00, "a nonspecific EOI ends line 4");
    t.equal(rig.acknowledge(), 0x25);
  });

  t.test("masks, and keeps a request that comes while masked", async (t) => {
    const rig = new Rig();
    rig.initPIC(0xfffb & ~(1 << 8));
    raise(rig, 4);
    t.equal(rig.acknowledge(), -1);
    rig.out(0x20, 0x0a);
    t.equal(rig.in(0x20), 0x10, "IRR shows it");
    rig.out(0x21, 0xeb);
    t.equal(rig.acknowledge(), 0x24);
    t.equal(rig.in(0x20), 0, "the acknowledge clears IRR");
  });

  t.test("takes one interrupt per edge", async (t) => {
    const rig = new Rig();
    rig.initPIC();
    raise(rig, 1);
    t.same(drain(rig), [0x21]);
    raise(rig, 1);
    t.same(drain(rig), [], "the line stayed high");
    lower(rig, 1);
    raise(rig, 1);
    t.same(drain(rig), [0x21]);
  });

  t.test("answers 7 or 15 when the request has vanished", async (t) => {
    const rig = new Rig();
    rig.initPIC();
    raise(rig, 3);
    rig.out(0x21, 0xff);
    t.equal(rig.board.interruptController.acknowledge(), 0x27);
    rig.out(0x20, 0x0b);
    t.equal(rig.in(0x20), 0, "a spurious interrupt is not in service");
    rig.out(0x21, 0x08);
    raise(rig, 10);
    const { second } = rig.board.interruptController;
    second.IMR = 0xff;
    t.equal(rig.board.interruptController.acknowledge(), 0x2f);
  });

  t.test("ends interrupts itself in automatic EOI mode", async (t) => {
    const rig = new Rig();
    rig.initPIC();
    for (const [port, value] of [[0x20, 0x11], [0x21, 0x40], [0x21, 4], [0x21, 3], [0x21, 0]] as const) {
      rig.out(port, value);
    }
    raise(rig, 6);
    t.equal(rig.acknowledge(), 0x46);
    raise(rig, 7);
    t.equal(rig.acknowledge(), 0x47, "nothing is in service");
  });

  t.test("rotates priorities and sets the lowest", async (t) => {
    const rig = new Rig();
    rig.initPIC();
    rig.out(0x20, 0xc4);
    for (const irq of [0, 4, 5]) raise(rig, irq);
    t.equal(rig.acknowledge(), 0x25, "after line 4 became lowest, 5 is highest");
    rig.out(0x20, 0xa0);
    t.equal(rig.acknowledge(), 0x20, "a rotating EOI made line 5 the lowest");
  });

  t.test("polls, and lets lower lines through in special mask mode", async (t) => {
    const rig = new Rig();
    rig.initPIC();
    raise(rig, 5);
    rig.out(0x20, 0x0c);
    t.equal(rig.in(0x20), 0x85, "the poll word names the line and acknowledges it");
    raise(rig, 6);
    t.equal(rig.acknowledge(), -1);
    rig.out(0x21, 0x20);
    rig.out(0x20, 0x68);
    t.equal(rig.acknowledge(), 0x26);
  });
});

t.test("the time base agrees with exact fractions", async (t) => {
  for (const cycleHz of [16_000_000, 33_000_000, 66_666_667]) {
    for (const tickHz of [PIT_HZ, 32768]) {
      const base = new Timebase(cycleHz, tickHz);
      for (const n of [0, 1, 2, 12345, 1193181, 1193182, 1193183, 987654321, 2 ** 40 + 17]) {
        t.equal(base.tickAt(n), Number((BigInt(n) * BigInt(tickHz)) / BigInt(cycleHz)));
        const cycle = (BigInt(n) * BigInt(cycleHz) + BigInt(tickHz) - 1n) / BigInt(tickHz);
        if (cycle < 2n ** 53n) t.equal(base.cycleOf(n), Number(cycle));
      }
    }
  }
});

t.test("8254", async (t) => {
  /** Cycles at which line 0 rises up to `until`. */
  const rises = (rig: Rig, until: number): number[] => {
    const cycles: number[] = [];
    rig.initPIC();
    while (rig.events.nextDue() <= until) {
      rig.advanceTo(rig.events.nextDue());
      if (rig.acknowledge() === 0x20) cycles.push(rig.cycle);
      rig.out(0x20, 0x20);
    }
    return cycles;
  };
  const program = (rig: Rig, counter: number, control: number, count: number): void => {
    rig.out(0x43, control);
    rig.out(0x40 + counter, count & 0xff);
    rig.out(0x40 + counter, count >> 8);
  };

  for (const [control, name] of [[0x34, "rate generator"], [0x36, "square wave"]] as const) {
    for (const clockHz of [16_000_000, 33_000_000]) {
      for (const count of [11932, 2, 65535, 0]) {
        t.test(`${name} of ${count} at ${clockHz} Hz interrupts at exact cycles`, async (t) => {
          const rig = new Rig({ clockHz });
          rig.advanceTo(1000);
          program(rig, 0, control, count);
          const start = BigInt(Math.floor((1000 * PIT_HZ) / clockHz) + 1);
          const period = BigInt(count || 65536);
          const got = rises(rig, count === 2 ? 3000 : clockHz);
          t.ok(got.length > 10);
          const exact = got.map((_, i) => {
            const tick = start + period * BigInt(i + 1);
            return Number((tick * BigInt(clockHz) + BigInt(PIT_HZ) - 1n) / BigInt(PIT_HZ));
          });
          t.same(got, exact);
        });
      }
    }
  }

  t.test("interrupt on terminal count comes once, count + 1 ticks after the write", async (t) => {
    const rig = new Rig({ clockHz: PIT_HZ });
    program(rig, 0, 0x30, 100);
    t.same(rises(rig, 100000), [101]);
    t.equal(rig.board.timer.counters[0].outAt(100), false);
    t.equal(rig.board.timer.counters[0].outAt(101), true);
  });

  t.test("latches count and status", async (t) => {
    const rig = new Rig({ clockHz: PIT_HZ });
    program(rig, 0, 0x34, 1000);
    rig.advanceTo(1 + 300);
    rig.out(0x43, 0x00);
    rig.advanceTo(500);
    t.equal(rig.in(0x40) | (rig.in(0x40) << 8), 700, "the latch keeps the count of its time");
    t.equal(rig.in(0x40) | (rig.in(0x40) << 8), 501, "afterwards the count runs again");
    rig.out(0x43, 0xc2);
    t.equal(rig.in(0x40), 0xb4, "read-back: status first: OUT high, low-then-high, mode 2");
    t.equal(rig.in(0x40) | (rig.in(0x40) << 8), 501, "then the count");
    rig.out(0x43, 0xe8);
    t.equal(rig.in(0x42) & 0x40, 0x40, "a counter without a count has the null-count flag");
  });

  t.test("a new count in mode 2 waits for the end of the period", async (t) => {
    const rig = new Rig({ clockHz: PIT_HZ });
    program(rig, 0, 0x34, 1000);
    rig.advanceTo(500);
    rig.out(0x40, 100);
    rig.out(0x40, 0);
    t.same(rises(rig, 1350), [1001, 1101, 1201, 1301]);
  });

  t.test("counter 2 follows its gate at port 0x61", async (t) => {
    const rig = new Rig({ clockHz: PIT_HZ });
    program(rig, 2, 0xb0, 50);
    rig.advanceTo(200);
    t.equal(rig.in(0x61) & 0x20, 0, "the gate is closed");
    rig.out(0x61, 1);
    rig.advanceTo(249);
    t.equal(rig.in(0x61) & 0x20, 0);
    rig.advanceTo(250);
    t.equal(rig.in(0x61) & 0x20, 0x20, "50 ticks after the gate opened OUT is high");
    t.not(rig.in(0x61) & 0x10, rig.in(0x61) & 0x10, "the refresh bit toggles");
  });

  t.test("counts in BCD and strobes in modes 4 and 1", async (t) => {
    const rig = new Rig({ clockHz: PIT_HZ });
    program(rig, 0, 0x35, 0x1000);
    rig.advanceTo(1 + 1);
    t.equal(rig.in(0x40) | (rig.in(0x40) << 8), 0x0999);
    const counter = rig.board.timer.counters[2];
    program(rig, 2, 0xb8, 10);
    counter.setGate(true, 2);
    t.same([11, 12, 13].map((tick) => counter.outAt(tick)), [true, false, true], "one low tick");
    program(rig, 2, 0xb2, 10);
    t.equal(counter.outAt(20), true, "mode 1 waits for the gate");
    counter.setGate(false, 20);
    counter.setGate(true, 30);
    t.same([30, 31, 40, 41].map((tick) => counter.outAt(tick)), [false, false, false, true]);
  });
});

t.test("16550", async (t) => {
  t.test("sends each byte at once and always has room", async (t) => {
    const rig = new Rig();
    for (const byte of [72, 105]) rig.out(0x3f8, byte);
    t.same(rig.output, [72, 105]);
    t.equal(rig.in(0x3fd), 0x60);
    rig.out(0x3f8, 0x4241, 2);
    t.same(rig.output, [72, 105, 0x41], "the high byte of a word goes to the next register");
  });

  t.test("receives by interrupt, one byte at a time without FIFOs", async (t) => {
    const rig = new Rig();
    rig.initPIC();
    rig.board.timer.writeByte(0x43, 0x30);
    rig.out(0x3f9, 1);
    rig.board.com1.input([1, 2, 3], 1000);
    rig.advanceTo(999);
    t.equal(rig.in(0x3fd), 0x60);
    const got: number[] = [];
    rig.advanceTo(1000);
    for (let vector = rig.acknowledge(); vector === 0x24; vector = rig.acknowledge()) {
      t.equal(rig.in(0x3fa), 4);
      got.push(rig.in(0x3f8));
      rig.out(0x20, 0x20);
      rig.advanceTo(rig.cycle + 1);
    }
    t.same(got, [1, 2, 3]);
    t.equal(rig.in(0x3fa), 1);
  });

  t.test("interrupts at the FIFO's trigger level and after a pause below it", async (t) => {
    const rig = new Rig();
    rig.out(0x3f9, 1);
    rig.out(0x3fa, 0x81);
    rig.board.com1.input([1, 2, 3], 100);
    rig.advanceTo(100);
    t.equal(rig.in(0x3fa), 0xc1, "three bytes are below the trigger of eight");
    rig.advanceTo(33_000_000);
    t.equal(rig.in(0x3fa), 0xcc, "the character time-out");
    rig.board.com1.input([4, 5, 6, 7, 8], rig.cycle);
    rig.advanceTo(rig.cycle);
    t.equal(rig.in(0x3fa), 0xc4);
    t.same(Array.from({ length: 8 }, () => rig.in(0x3f8)), [1, 2, 3, 4, 5, 6, 7, 8]);
    rig.board.com1.input(Array.from({ length: 20 }, (_, i) => i), rig.cycle);
    rig.advanceTo(rig.cycle);
    t.same(
      Array.from({ length: 20 }, () => {
        const byte = rig.in(0x3f8);
        rig.advanceTo(rig.cycle + 1);
        return byte;
      }),
      Array.from({ length: 20 }, (_, i) => i),
      "what finds no room waits",
    );
    t.equal(rig.in(0x3fd) & 2, 0, "nothing overran");
  });

  t.test("asks for data when the transmitter interrupt is enabled", async (t) => {
    const rig = new Rig();
    rig.out(0x3f9, 2);
    t.equal(rig.in(0x3fa), 2);
    t.equal(rig.in(0x3fa), 1, "reading IIR clears it");
    rig.out(0x3f8, 65);
    t.equal(rig.in(0x3fa), 2);
  });

  t.test("divisor, scratch, loopback and modem status", async (t) => {
    const rig = new Rig();
    rig.out(0x3fb, 0x83);
    rig.out(0x3f8, 0x0102, 2);
    t.equal(rig.in(0x3f8, 2), 0x0102);
    rig.out(0x3fb, 0x03);
    rig.out(0x3ff, 0x5a);
    t.equal(rig.in(0x3ff), 0x5a);
    rig.out(0x3fc, 0x1f);
    t.equal(rig.in(0x3fe), 0xf0 | 0x00, "loopback turns MCR's outputs into levels without RI's trailing edge");
    rig.out(0x3f8, 0x77);
    t.equal(rig.in(0x3fd) & 1, 1);
    t.equal(rig.in(0x3f8), 0x77);
    rig.out(0x3fc, 0x10);
    t.equal(rig.in(0x3fe), 0x0f, "all four changed, RI by its trailing edge");
    t.same(rig.output, []);
  });
});

t.test("MC146818", async (t) => {
  const clock = (rig: Rig) => ({
    get: (index: number): number => {
      rig.out(0x70, index);
      return rig.in(0x71);
    },
    set: (index: number, value: number): void => {
      rig.out(0x70, index);
      rig.out(0x71, value);
    },
  });

  t.test("the calendar inverts itself and knows its days", async (t) => {
    for (let seconds = -86400 * 400; seconds < 4e9; seconds += 86400 * 97 + 3661) {
      t.equal(secondsOfCivil(civilOfSeconds(seconds)), seconds);
    }
    t.same(parseCivil("2000-02-29T23:59:59"), { year: 2000, month: 2, day: 29, hour: 23, minute: 59, second: 59 });
    for (const bad of ["2001-02-29T00:00:00", "2000-13-01T00:00:00", "2000-01-01", "now"]) {
      t.equal(parseCivil(bad), undefined);
    }
    t.equal(weekdayOfSeconds(secondsOfCivil(parseCivil("2000-05-27T00:00:00")!)), 7, "a Saturday");
  });

  t.test("time passes with the cycles across the end of a year", async (t) => {
    const rig = new Rig({ rtc: "1999-12-31T23:59:58", clockHz: 1_000_000 });
    const { get } = clock(rig);
    rig.advanceTo(1_999_999);
    t.same([get(0), get(2), get(4)], [0x59, 0x59, 0x23]);
    rig.advanceTo(2_000_000);
    t.same([get(0), get(2), get(4), get(7), get(8), get(9), get(0x32), get(6)], [0, 0, 0, 1, 1, 0, 0x20, 7]);
  });

  t.test("binary and twelve-hour forms", async (t) => {
    const rig = new Rig();
    const { get, set } = clock(rig);
    set(11, 0x06);
    t.same([get(0), get(4), get(9), get(0x32)], [55, 22, 0, 20]);
    set(11, 0x00);
    t.equal(get(4), 0x90, "10 PM");
  });

  t.test("update in progress comes before the second changes", async (t) => {
    const rig = new Rig({ clockHz: 32768 });
    const { get } = clock(rig);
    rig.advanceTo(32768 - 9);
    t.equal(get(10) & 0x80, 0);
    rig.advanceTo(32768 - 8);
    t.equal(get(10) & 0x80, 0x80);
    rig.advanceTo(32768);
    t.equal(get(10) & 0x80, 0);
  });

  t.test("the periodic interrupt has the selected rate", async (t) => {
    const rig = new Rig({ clockHz: 32768 });
    const { get, set } = clock(rig);
    rig.initPIC(0xfefb & ~4);
    set(10, 0x2a);
    set(11, 0x42);
    const cycles: number[] = [];
    while (cycles.length < 5) {
      rig.advanceTo(rig.events.nextDue());
      if (rig.acknowledge() !== 0x28) continue;
      cycles.push(rig.cycle);
      t.equal(get(12) & 0xc0, 0xc0);
      rig.out(0xa0, 0x20);
      rig.out(0x20, 0x20);
    }
    t.same(cycles, [512, 1024, 1536, 2048, 2560], "selector 10 is 64 Hz");
  });

  t.test("alarm and update-ended set their flags", async (t) => {
    const rig = new Rig({ clockHz: 32768 });
    const { get, set } = clock(rig);
    set(1, 0x57);
    set(3, 0xc0);
    set(5, 0xff);
    get(12);
    rig.advanceTo(32768);
    t.equal(get(12) & 0x30, 0x10, "22:30:56 is an update and no alarm");
    rig.advanceTo(2 * 32768);
    t.equal(get(12) & 0x30, 0x30, "22:30:57 is the alarm");
    t.equal(get(12), 0, "reading clears them");
  });

  t.test("setting the clock goes on from what was set", async (t) => {
    const rig = new Rig({ clockHz: 1_000_000 });
    const { get, set } = clock(rig);
    set(11, 0x82);
    for (const [index, value] of [[0, 0x10], [2, 0x20], [4, 0x03], [7, 0x15], [8, 0x08], [9, 0x47], [0x32, 0x19]] as const) {
      set(index, value);
    }
    rig.advanceTo(5_000_000);
    t.equal(get(0), 0x10, "SET stops the clock");
    set(11, 0x02);
    rig.advanceTo(6_000_000);
    t.same([get(0), get(2), get(4), get(7), get(8), get(9), get(0x32)], [0x11, 0x20, 3, 0x15, 8, 0x47, 0x19]);
  });
});

t.test("exit port and reset lines", async (t) => {
  const rig = new Rig();
  rig.out(0xf4, 0, 1);
  rig.out(0xf4, 0x12345678, 4);
  t.same(rig.exits, [0, 0x12345678]);
  rig.out(0x64, 0xfe);
  rig.out(0x92, 3);
  rig.out(0x64, 0xd1);
  rig.out(0x60, 0x02);
  t.equal(rig.resets, 3);
});

t.test("ATA", async (t) => {
  const hex = (value: number): string => value.toString(16).padStart(2, "0");
  const settle = (rig: Rig): void => rig.advanceTo(rig.cycle + 33_000_000);
  const taskFile = (rig: Rig): string => {
    const registers = [1, 2, 3, 4, 5, 6].map((i) => rig.in(0x1f0 + i));
    return [...registers, rig.in(0x3f6), rig.in(0x1f7)].map(hex).join(" ");
  };
  const readBlock = (rig: Rig): number[] => Array.from({ length: 256 }, () => rig.in(0x1f0, 2));

  t.test("a session reads the same registers and data as on QEMU", async (t) => {
    const disk = new MemoryDisk(sessionDisk());
    const rig = new Rig({ disk });
    for (const { when, steps, registers } of ATA_SESSION) {
      for (const step of steps) {
        if ("set" in step) step.set.forEach((value, i) => rig.out(0x1f2 + i, value));
        else if ("features" in step) rig.out(0x1f1, step.features);
        else if ("device" in step) rig.out(0x1f6, step.device);
        else if ("command" in step) rig.out(0x1f7, step.command);
        else if ("writeBlock" in step) for (let i = 0; i < 256; i++) rig.out(0x1f0, step.writeBlock(i) & 0xffff, 2);
        else if ("reset" in step) for (const value of [4, 0]) rig.out(0x3f6, value);
        else {
          const sum = blockSum(readBlock(rig));
          if (step.readBlock >= 0) t.equal(sum, step.readBlock, `data ${when}`);
        }
        settle(rig);
      }
      t.equal(taskFile(rig), registers, when);
    }
    t.equal(disk.bytes[8 * 512 + 2 * 100], 44, "word 100 of the second block went to sector 8");
  });

  t.test("IDENTIFY DEVICE tells geometry, size and names as QEMU does", async (t) => {
    const rig = new Rig({ disk: new MemoryDisk(new Uint8Array(MB)) });
    rig.out(0x1f7, 0xec);
    settle(rig);
    const words = readBlock(rig);
    const text = (from: number, to: number): string =>
      words.slice(from, to).map((word) => String.fromCharCode(word >> 8, word & 255)).join("");
    t.equal(text(27, 47), "QEMU HARDDISK".padEnd(40));
    t.equal(text(10, 20), "QM00001".padEnd(20));
    t.equal(text(23, 27), "2.5+    ");
    t.same([words[0], words[1], words[3], words[6], words[47]], [0x40, 2, 16, 63, 0x8010]);
    t.same([words[57]! | (words[58]! << 16), words[60], words[61]], [2016, 2048, 0]);
    t.equal(words[49]! & 0x300, 0x200, "LBA, no DMA");
  });

  t.test("BSY holds until the event, then INTRQ rises; reading Status lowers it", async (t) => {
    const rig = new Rig({ disk: new MemoryDisk(sessionDisk()) });
    rig.initPIC(0xbffb);
    rig.out(0x1f6, 0xe0);
    rig.out(0x1f7, 0x20);
    t.equal(rig.in(0x3f6), 0xd0);
    const cycles = Math.floor((33_000_000 * 300) / 1e6);
    rig.advanceTo(cycles - 1);
    t.equal(rig.in(0x3f6), 0xd0);
    t.equal(rig.acknowledge(), -1);
    rig.advanceTo(cycles);
    t.equal(rig.in(0x3f6), 0x58);
    t.equal(rig.acknowledge(), 0x2e);
    rig.out(0x3f6, 2);
    readBlock(rig);
    rig.out(0x1f2, 1);
    rig.out(0x1f7, 0x20);
    rig.out(0xa0, 0x20);
    rig.out(0x20, 0x20);
    settle(rig);
    t.equal(rig.acknowledge(), -1, "nIEN keeps INTRQ away");
  });

  t.test("256 sectors by 32-bit reads are the disk's bytes", async (t) => {
    const bytes = sessionDisk();
    const rig = new Rig({ disk: new MemoryDisk(bytes) });
    [0, 16, 0, 0, 0xe0].forEach((value, i) => rig.out(0x1f2 + i, value));
    rig.out(0x1f7, 0x20);
    const got = new DataView(new ArrayBuffer(256 * 512));
    for (let sector = 0; sector < 256; sector++) {
      settle(rig);
      for (let i = 0; i < 512; i += 4) got.setUint32(sector * 512 + i, rig.in(0x1f0, 4), true);
    }
    t.same(Buffer.from(got.buffer), Buffer.from(bytes.subarray(16 * 512, 272 * 512)));
    t.equal(rig.in(0x1f7), 0x50);
    t.equal(rig.board.ata.sectorsRead, 256);
  });

  t.test("an empty channel reads zero", async (t) => {
    const rig = new Rig();
    t.equal(taskFile(rig), "00 00 00 00 00 00 00 00");
    rig.out(0x1f7, 0xec);
    settle(rig);
    t.equal(taskFile(rig), "00 00 00 00 00 00 00 00");
  });

  t.test("an unreadable sector and a refused write end with an error", async (t) => {
    const bad = { sectors: 100, read: () => undefined, write: () => false };
    const rig = new Rig({ disk: bad });
    [1, 3, 0, 0, 0xe0].forEach((value, i) => rig.out(0x1f2 + i, value));
    rig.out(0x1f7, 0x20);
    settle(rig);
    t.same([rig.in(0x1f1), rig.in(0x1f7)], [0x40, 0x41]);
    rig.out(0x1f7, 0x30);
    for (let i = 0; i < 128; i++) rig.out(0x1f0, i, 4);
    settle(rig);
    t.same([rig.in(0x1f1), rig.in(0x1f7)], [0x40, 0x41]);
  });

  t.test("an overlay keeps writes to itself", async (t) => {
    const under = new MemoryDisk(sessionDisk());
    const overlay = new OverlayDisk(under);
    overlay.write(3, new Uint8Array(1024).fill(7));
    t.equal(overlay.read(2, 4)![512], 7);
    t.same(overlay.read(2, 1), under.read(2, 1));
    t.same(under.bytes, sessionDisk());
    t.same([...overlay.changes().keys()], [3, 4]);
  });
});

t.test("ELF files", async (t) => {
  const good = kernelOf(new Uint8Array(100));
  const patched = (change: (image: Uint8Array) => void): Uint8Array => {
    const image = good.slice();
    change(image);
    return image;
  };
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["an empty file", new Uint8Array(0), /^k: the file is empty; /],
    ["a text file", new TextEncoder().encode("#!/bin/sh\n"), /^k: not an ELF file; /],
    ["a header cut short", good.slice(0, 40), /^k: truncated: the ELF header/],
    ["a 64-bit file", patched((i) => void (i[4] = 2)), /^k: a 64-bit ELF file; give a 32-bit i386 ELF kernel$/],
    ["a big-endian file", patched((i) => void (i[5] = 2)), /^k: a big-endian/],
    ["a file for another machine", patched((i) => void (i[18] = 40)), /^k: an ELF file for machine 40, not/],
    ["a segment cut short", good.slice(0, 4200), /^k: truncated: segment 0 ends at 4212 of 4200 bytes; /],
    ["program headers beyond the end", patched((i) => void (i[30] = 1)), /^k: truncated: program headers/],
    ["a segment larger in the file", patched((i) => void i.fill(0, 72, 76)), /larger in the file than in memory/],
  ];
  for (const [what, image, message] of cases) {
    t.throws(() => readElf32(image, "k"), { name: "LoaderError", message }, what);
  }
  t.equal(readElf32(good, "k").e_entry, 0x100010);
  t.same(elfSymbols(readElf32(good, "k")), []);
});

/** Loads a kernel that is to be refused. */
function refuse(kernel: Uint8Array): void {
  loadMultiboot(new Uint8Array(64 * MB), { kernel, kernelName: "k" });
}

t.test("Multiboot refusals are one line each", async (t) => {
  const text = (header: Uint8Array, at = 0): Uint8Array => {
    const bytes = new Uint8Array(at + 64);
    bytes.set(header, at);
    return bytes;
  };
  const wrongSum = multibootHeader(3);
  wrongSum[8]! ^= 1;
  const elf = (bytes: Uint8Array, paddr = 0x100000): Uint8Array =>
    elfImage(0x100000, [{ vaddr: 0x100000, paddr, bytes }]);
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["an empty file", new Uint8Array(0), /^k: the file is empty; /],
    ["a text file", new TextEncoder().encode("hello"), /^k: no Multiboot header; /],
    ["an ELF file without a header", elf(new Uint8Array(64)), /^k: no Multiboot header; give a kernel with/],
    ["a header too far into the file", elf(text(multibootHeader(3), 8192)), /^k: no Multiboot header; /],
    ["a wrong checksum", elf(text(wrongSum)), /^k: the Multiboot header at offset 4096 has a wrong checksum; /],
    ["a video mode wanted", elf(text(multibootHeader(4))), /^k: its Multiboot header requires features 0x4 /],
    ["a kernel above the memory", elf(text(multibootHeader(3)), 0x10000000), /does not fit into 64 MB.*; give the/],
    ["a kernel over the information", elf(text(multibootHeader(3)), 0x9000), /covers the boot information; link/],
    ["a 64-bit kernel", elf(text(multibootHeader(3))).fill(2, 4, 5), /^k: a 64-bit ELF file; /],
    ["address fields of nonsense", text(multibootHeader(0x10003)).fill(0xee, 12, 16), /the address fields/],
    ["nothing to load", elfImage(0, []).map((b, i) => (i >= 100 && i < 112 ? multibootHeader(3)[i - 100]! : b)), /nothing/],
  ];
  for (const [what, kernel, message] of cases) {
    try {
      refuse(kernel);
      t.fail(what);
    } catch (error) {
      t.ok(error instanceof LoaderError, what);
      t.match((error as Error).message, message, what);
      t.notMatch((error as Error).message, /\n/);
    }
  }
  t.throws(
    () => {
      const big = { bytes: new Uint8Array(63 * MB), string: "root" };
      loadMultiboot(new Uint8Array(64 * MB), { kernel: kernelOf(new Uint8Array(4)), kernelName: "k", modules: [big] });
    },
    { message: /^root: the module at .* does not fit into 64 MB of memory; give the machine 66 MB$/ },
  );
});

t.test("Multiboot loading", async (t) => {
  t.test("by the header's address fields", async (t) => {
    const image = new Uint8Array(0x200);
    const view = new DataView(image.buffer);
    image.set(multibootHeader(0x10003), 0x100);
    [0x200100, 0x200080, 0x200180, 0x200400, 0x200123].forEach((word, i) => view.setUint32(0x10c + 4 * i, word, true));
    image[0x80] = 0xaa;
    const memory = new Uint8Array(16 * MB).fill(0x55);
    const state = loadMultiboot(memory, { kernel: image, kernelName: "flat" });
    t.same(state, { EIP: 0x200123, EAX: 0x2badb002, EBX: 0x9500 });
    t.equal(memory[0x200080], 0xaa);
    t.same([memory[0x2003ff], memory[0x200400]], [0, 0x55], "bss is cleared");
  });

  t.test("an entry at a virtual address becomes the physical one", async (t) => {
    const state = loadMultiboot(new Uint8Array(16 * MB), {
      kernel: kernelOf(new Uint8Array(4), 3, 0xc0100000),
      kernelName: "high",
    });
    t.equal(state.EIP, 0x100010);
  });

  t.test("the memory map is QEMU's", async (t) => {
    // Recorded on QEMU 7.2 (pc, SeaBIOS): base, length, type.
    const recorded = (size: number): string[] => [
      "0 9fc00 1",
      "9fc00 400 2",
      "f0000 10000 2",
      `100000 ${{ 16: "ee0000", 64: "3ee0000", 256: "fee0000" }[size]} 1`,
      `${{ 16: "fe0000", 64: "3fe0000", 256: "ffe0000" }[size]} 20000 2`,
      "fffc0000 40000 2",
    ];
    for (const size of [16, 64, 256]) {
      const got = memoryMap(size * MB).map((r) => `${r.base.toString(16)} ${r.length.toString(16)} ${r.type}`);
      t.same(got, recorded(size), `${size} MB`);
    }
  });
});

const qemuAbsent = spawnSync("qemu-system-i386", ["--version"]).status !== 0 && "qemu-system-i386 is not installed";

t.test("QEMU leaves the same bytes for a kernel as our loader", { skip: qemuAbsent }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-multiboot-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const ranges = [[0x40e, 2], [0x413, 2], [0x9000, 0x90], [0x9500, 120], [0x100000, 0x8000]] as const;
  const modules = [
    { bytes: new Uint8Array(5000).map((_, i) => i * 7), string: "first some arguments" },
    { bytes: new Uint8Array(4096).fill(0x42), string: "second" },
    { bytes: new Uint8Array(1).fill(0x43), string: "third x=1" },
  ];
  const variants = [
    { size: 64, flags: 3, virtual: 0x100000, append: "root=md0 -d", modules },
    { size: 16, flags: 0, virtual: 0xc0100000, append: "", modules: [] },
  ];
  for (const { size, flags, virtual, append, modules } of variants) {
    const kernel = kernelOf(dumpCode(ranges), flags, virtual);
    writeFileSync(join(folder, "kernel.elf"), kernel);
    for (const module of modules) writeFileSync(join(folder, module.string.split(" ")[0]!), module.bytes);
    const machine = ["-M", "pc", "-cpu", "486", "-m", String(size), "-nodefaults", "-display", "none"];
    const devices = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-serial", "file:out"];
    const boot = ["-kernel", "kernel.elf", "-append", append];
    if (modules.length > 0) boot.push("-initrd", modules.map((module) => module.string).join(","));
    const run = spawnSync("qemu-system-i386", [...machine, ...devices, ...boot], { cwd: folder, timeout: 60000 });
    t.equal(run.status, 1, String(run.stderr));
    const memory = new Uint8Array(size * MB);
    const rest = append === "" ? {} : { append };
    loadMultiboot(memory, { kernel, kernelName: "kernel.elf", modules, ...rest });
    const out = readFileSync(join(folder, "out"));
    t.same([...out.subarray(0, 4)], [0xc0, 0x9f, 0x7f, 0x02], "the BIOS data area");
    t.same(out.subarray(4, 4 + 0x90), Buffer.from(memory.subarray(0x9000, 0x9090)), `${size} MB: the memory map`);
    const info = memory.subarray(0x9500, 0x9500 + 120);
    t.same(out.subarray(4 + 0x90, 4 + 0x90 + 120), Buffer.from(info), `${size} MB: the information structure`);
    // Between kernel, table and modules QEMU leaves what its own memory held.
    const word = (at: number): number => new DataView(memory.buffer).getUint32(at, true);
    const table = word(0x9500 + 24);
    const ends = [[0x100000, 0x100000 + 16 + dumpCode(ranges).length + 5000], [table, word(0x9500 + 64) + 5]];
    modules.forEach((_, i) => ends.push([word(table + 16 * i), word(table + 16 * i + 4)]));
    for (const [from, end] of ends as [number, number][]) {
      const got = out.subarray(4 + 0x90 + 120 + from - 0x100000, 4 + 0x90 + 120 + end - 0x100000);
      const ours = Buffer.from(memory.subarray(from, end));
      const first = got.findIndex((byte, i) => byte !== ours[i]);
      t.ok(got.length > 0 && first === -1, `${size} MB: 0x${from.toString(16)} (${got.length} bytes), differs at ${first}`);
    }
  }
});

t.test("QEMU runs the ticking kernel of the machine's tests to the same end", { skip: qemuAbsent }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-ticking-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "kernel.elf"), tickingKernel(20, 11932));
  const machine = ["-M", "pc", "-cpu", "486", "-m", "16", "-nodefaults", "-display", "none", "-serial", "null"];
  const clock = ["-icount", "shift=6,sleep=off", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"];
  const options = { cwd: folder, timeout: 60000 };
  const run = spawnSync("qemu-system-i386", [...machine, ...clock, "-kernel", "kernel.elf"], options);
  t.equal(run.status, (7 << 1) | 1, String(run.stderr));
});

/** A machine with a kernel loaded, and what it prints. */
function machineWith(kernel: Uint8Array, config: Partial<MachineConfig> = {}): { machine: Machine; output: number[] } {
  const output: number[] = [];
  const machine = new Machine({ memorySize: 16 * MB, onSerialOutput: (byte) => output.push(byte), ...config });
  machine.loadMultiboot({ kernel, kernelName: "k", append: "x" });
  return { machine, output };
}

t.test("a machine", async (t) => {
  t.test("stops for each reason", async (t) => {
    const run = (code: number[], maxCycles = 1e6): RunResult =>
      machineWith(kernelOf(new Uint8Array(code))).machine.run({ maxCycles });
    t.same(run([0xb0, 3, 0xe6, 0xf4]), { kind: "exit", code: 3 });
    t.same(run([0xb8, 0x78, 0x56, 0x34, 0x12, 0xe7, 0xf4]), { kind: "exit", code: 0x12345678 });
    t.same(run([0xf4]), { kind: "halted" });
    t.same(run([0xb0, 0xfe, 0xe6, 0x64, 0xf4]), { kind: "reset" });
    t.same(run([0xeb, 0xfe]), { kind: "budget" });
    t.match(run([0xcc]), { kind: "tripleFault", report: /./ });
    t.same(run([0xfb, 0xf4, 0xeb, 0xfd], 100_000_000).kind, "tripleFault", "the firmware's timer finds no IDT");
  });

  t.test("runs a kernel that sends its boot information", async (t) => {
    const { machine, output } = machineWith(kernelOf(dumpCode([[0x9000, 0x90], [0x9500, 120]])));
    const expected = [...machine.readPhysical(0x9000, 0x90), ...machine.readPhysical(0x9500, 120)];
    t.same(machine.run(), { kind: "exit", code: 0 });
    t.same(output, expected);
  });

  for (const cpu of ["i386", "i486"] as const) {
    t.test(`${cpu}: timer interrupts come at exact cycles and idle time is skipped`, async (t) => {
      const { machine } = machineWith(tickingKernel(100, 11932), { cpu });
      let programmed = -1;
      machine.setBreakpoint(0x100010 + 19 + 20 + 12, () => {
        programmed = machine.board.timer.timebase.tickAt(machine.cycles);
      });
      t.same(machine.run(), { kind: "exit", code: 7 });
      const last = machine.board.timer.timebase.cycleOf(programmed + 1 + 100 * 11932);
      t.ok(machine.cycles > last && machine.cycles < last + 600, `${machine.cycles - last} cycles after the last tick`);
      const counters = machine.counters();
      t.equal(counters.interrupts, 100);
      t.ok(counters.idleCycles > 0.99 * machine.cycles);
      t.equal(counters.cycles, machine.cycles);
    });
  }

  t.test("gives the same run for the same input, alone or among others", async (t) => {
    const outcome = (machine: Machine, output: number[], result: RunResult): unknown => ({
      result, output: [...output], registers: machine.registers(), counters: machine.counters(),
    });
    const prepare = (): { machine: Machine; output: number[] } => {
      const made = machineWith(tickingKernel(20, 11932));
      made.machine.serialInput(Buffer.from("hello"), 1_234_567);
      made.machine.serialInput(Buffer.from("early "), 1000);
      return made;
    };
    const first = prepare();
    const alone = outcome(first.machine, first.output, first.machine.run());
    t.equal(Buffer.from(first.output).toString(), "early hello");
    const second = prepare();
    t.same(outcome(second.machine, second.output, second.machine.run()), alone);
    const others = [prepare(), prepare()];
    const results: (RunResult | undefined)[] = [undefined, undefined];
    for (let slice = 0; results.includes(undefined); slice++) {
      others.forEach(({ machine }, i) => {
        const result = results[i] ?? machine.run({ maxCycles: 1000 + 977 * ((slice + i) % 7) });
        if (result.kind !== "budget") results[i] = result;
      });
    }
    others.forEach(({ machine, output }, i) => t.same(outcome(machine, output, results[i]!), alone, `in slices ${i}`));
  });

  t.test("stops at breakpoints, steps, and shows its registers and memory", async (t) => {
    const { machine } = machineWith(kernelOf(new Uint8Array([0xb8, 0x2a, 0, 0, 0, 0x40, 0x40, 0xf4])));
    machine.setBreakpoint(0x100016, () => true);
    t.same(machine.run(), { kind: "stopped", reason: "breakpoint", address: 0x100016 });
    t.equal(machine.registers().general.EAX, 0x2b);
    t.equal(machine.registers().EIP, 0x100016);
    t.equal(machine.registers().general.EBX, 0x9500);
    t.same(JSON.parse(JSON.stringify(machine.registers())), machine.registers());
    machine.clearBreakpoint(0x100016);
    t.equal(machine.step(), undefined);
    t.equal(machine.registers().general.EAX, 0x2c);
    t.equal(machine.readLinearWord(0x100011), 0x2a);
    machine.writePhysical(0x500, new Uint8Array([1, 2, 3, 4]));
    t.equal(machine.readLinearWord(0x500), 0x04030201);
    t.same(machine.readPhysical(16 * MB - 1, 3), new Uint8Array([0, 0xff, 0xff]));
    machine.writePhysical(16 * MB - 1, new Uint8Array([9, 9, 9]));
    t.equal(machine.ram.at(-1), 9);
    machine.requestStop("enough");
    t.same(machine.run(), { kind: "stopped", reason: "enough" });
    t.same(machine.run(), { kind: "halted" });
  });

  t.test("refuses a configuration that describes no machine", async (t) => {
    const bad: [Partial<MachineConfig>, RegExp][] = [
      [{ memorySize: 1000 }, /^memory of 1000 bytes: give whole megabytes from 2 to 1024$/],
      [{ memorySize: 4096 * MB }, /^memory of/],
      [{ clockHz: 0.5 }, /^clock of 0.5 Hz: give/],
      [{ rtcBase: "yesterday" }, /^clock base "yesterday": give a date such as 2000-05-27T22:30:55$/],
    ];
    for (const [config, message] of bad) {
      t.throws(() => new Machine({ memorySize: 16 * MB, ...config }), { message });
      t.throws(() => new Machine({ memorySize: 16 * MB, ...config }), ConfigError);
    }
  });
});
