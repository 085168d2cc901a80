// The devices and the board, seen as a guest sees them: through ports.

import t from "tap";
import { civilOfSeconds, parseCivil, secondsOfCivil, weekdayOfSeconds } from "../../emu/dev/calendar.js";
import { MemoryDisk, OverlayDisk } from "../../emu/dev/disk.js";
import { PIT_HZ } from "../../emu/dev/i8254.js";
import { Timebase } from "../../emu/dev/timebase.js";
import { ATA_SESSION, blockSum, sessionDisk } from "./ata_cases.js";
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

  t.test("tells of a break when it is the first of what has arrived", async (t) => {
    const rig = new Rig();
    rig.out(0x3f9, 5);
    rig.out(0x3fa, 0x01);
    rig.board.com1.input([65], 100);
    rig.board.com1.inputBreak(100);
    rig.board.com1.input([66], 100);
    rig.advanceTo(100);
    t.equal(rig.in(0x3fd), 0x61, "the byte before it comes first");
    t.equal(rig.in(0x3f8), 65);
    t.equal(rig.in(0x3fa), 0xc6, "receiver line status");
    t.equal(rig.in(0x3fd), 0x71);
    t.equal(rig.in(0x3fd), 0x61, "reading LSR clears it");
    t.equal(rig.in(0x3f8), 0);
    t.equal(rig.in(0x3f8), 66);
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
    const written = [[0, 0x10], [2, 0x20], [4, 0x03], [7, 0x15], [8, 0x08], [9, 0x47], [0x32, 0x19]] as const;
    for (const [index, value] of written) set(index, value);
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

t.test("8042", async (t) => {
  const read = (rig: Rig, count: number): number[] => Array.from({ length: count }, () => rig.in(0x60));

  t.test("answers the commands that firmware gives", async (t) => {
    // Bytes for port 64 and then 60, and what comes back at 60.
    const cases: readonly (readonly [string, number, readonly number[], readonly number[]])[] = [
      ["self-test", 0xaa, [], [0x55]], ["test of the keyboard", 0xab, [], [0]], ["test of the absent mouse", 0xa9, [], [2]],
      ["command byte", 0x20, [], [0x45]], ["output port", 0xd0, [], [3]], ["input port", 0xc0, [], [0x80]],
      ["output buffer written", 0xd2, [0x5a], [0x5a]], ["a byte for the mouse", 0xd4, [0xff], [0xfe]],
    ];
    for (const [what, command, data, answer] of cases) {
      const rig = new Rig();
      rig.out(0x64, command);
      for (const byte of data) rig.out(0x60, byte);
      t.equal(rig.in(0x64) & 1, 1, `${what}: the output buffer is full`);
      t.same(read(rig, answer.length), answer, what);
      t.equal(rig.in(0x64) & 1, 0, `${what}: and empty after it`);
    }
  });

  t.test("the keyboard acknowledges, identifies itself and resets", async (t) => {
    const cases: readonly (readonly [readonly number[], readonly number[]])[] = [
      [[0xff], [0xfa, 0xaa]], [[0xf2], [0xfa, 0xab, 0x41]], [[0xee], [0xee]], [[0xed, 7], [0xfa, 0xfa]], [[0x11], [0xfe]],
    ];
    for (const [bytes, answer] of cases) {
      const rig = new Rig();
      for (const byte of bytes) rig.out(0x60, byte);
      t.same(read(rig, answer.length), answer, `${bytes}`);
    }
  });

  t.test("each key raises line 1 once, and not while the command byte has interrupts off", async (t) => {
    const rig = new Rig();
    rig.initPIC();
    rig.board.timer.writeByte(0x43, 0x30);
    rig.board.keyboard.keys([0x1e, 0x9e]);
    const got: number[] = [];
    for (let vector = rig.acknowledge(); vector === 0x21; vector = rig.acknowledge()) {
      got.push(rig.in(0x60));
      rig.out(0x20, 0x20);
    }
    t.same(got, [0x1e, 0x9e]);
    rig.out(0x64, 0x60);
    rig.out(0x60, 0x44);
    rig.board.keyboard.keys([0x1e]);
    t.equal(rig.acknowledge(), -1);
    t.equal(rig.in(0x64) & 1, 1, "it can be polled all the same");
  });
});

t.test("COM2 is a second 16550 on line 3", async (t) => {
  const rig = new Rig();
  rig.initPIC();
  rig.board.timer.writeByte(0x43, 0x30);
  rig.out(0x2f8, 0x41);
  t.same([rig.output2, rig.output], [[0x41], []], "its bytes are its own");
  rig.out(0x2f9, 1);
  rig.board.com2!.input([7], rig.cycle);
  rig.advanceTo(rig.cycle + 1);
  t.equal(rig.acknowledge(), 0x23);
  t.equal(rig.in(0x2f8), 7);
});

t.test("the text of the screen is the memory at B8000 from the start address on", async (t) => {
  const rig = new Rig();
  const write = (at: number, text: string): void => {
    [...text].forEach((character, i) => {
      rig.ram[0xb8000 + (at + i) * 2] = character.charCodeAt(0);
      rig.ram[0xb8001 + (at + i) * 2] = 0x07;
    });
  };
  write(0, "first");
  write(80, "second \x01");
  t.same(rig.board.vga.text().slice(0, 3), ["first", "second .", ""]);
  rig.out(0x3d4, 0x0d);
  rig.out(0x3d5, 80);
  t.equal(rig.board.vga.text()[0], "second .", "scrolled by a line");
  t.not(rig.in(0x3da) & 8, rig.in(0x3da) & 8, "the retrace comes and goes");
  rig.out(0x3c8, 1);
  for (const byte of [1, 2, 3]) rig.out(0x3c9, byte);
  rig.out(0x3c7, 1);
  t.same([rig.in(0x3c9), rig.in(0x3c9), rig.in(0x3c9)], [1, 2, 3], "the palette is kept");
});

t.test("the speaker sounds while gate and data are on", async (t) => {
  const rig = new Rig();
  const { systemControl } = rig.board;
  for (const value of [0, 1, 2, 3]) {
    rig.out(0x61, value);
    t.equal(systemControl.speakerOn, value === 3, `port 61 is ${value}`);
  }
});

t.test("a disk on the second channel answers at 170 and interrupts on line 15", async (t) => {
  const disk2 = new MemoryDisk(new Uint8Array(64 * 512).fill(0xa5));
  const rig = new Rig({ disk2 });
  rig.initPIC();
  rig.board.timer.writeByte(0x43, 0x30);
  for (const [port, value] of [[0x172, 1], [0x173, 0], [0x174, 0], [0x175, 0], [0x176, 0xe0], [0x177, 0x20]] as const) {
    rig.out(port, value);
  }
  rig.advanceTo(rig.cycle + 33_000_000);
  t.equal(rig.acknowledge(), 0x2f);
  t.equal(rig.in(0x177) & 0x89, 0x08, "data is ready");
  t.equal(rig.in(0x170, 4) >>> 0, 0xa5a5a5a5);
  t.equal(rig.in(0x1f7), 0, "the first channel is empty");
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
