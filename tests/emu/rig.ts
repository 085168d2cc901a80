// A board without a processor: tests play the guest by reading and writing ports, and move time by hand.

import { Board } from "../../emu/board.js";
import { parseCivil, secondsOfCivil } from "../../emu/dev/calendar.js";
import type { DiskBackend } from "../../emu/dev/disk.js";
import { EventQueue } from "../../emu/dev/events.js";
import type { IoSize } from "../../emu/dev/iobus.js";

export interface RigOptions {
  readonly clockHz?: number;
  readonly memorySize?: number;
  readonly disk?: DiskBackend;
  /** A disk on the second channel. */
  readonly disk2?: DiskBackend;
  readonly rtc?: string;
}

export class Rig {
  cycle = 0;
  readonly events: EventQueue;
  readonly board: Board;
  readonly output: number[] = [];
  /** What COM2 sent. */
  readonly output2: number[] = [];
  readonly ram = new Uint8Array(1 << 20);
  readonly exits: number[] = [];
  resets = 0;

  constructor(options: RigOptions = {}) {
    this.events = new EventQueue({ now: () => this.cycle, eventMoved: () => {} });
    this.board = new Board(this.events, {
      clockHz: options.clockHz ?? 33_000_000,
      memorySize: options.memorySize ?? 64 << 20,
      rtcSeconds: secondsOfCivil(parseCivil(options.rtc ?? "2000-05-27T22:30:55")!),
      disk: options.disk,
      diskModel: "QEMU HARDDISK",
      diskSerial: "QM00001",
      serialOutput2: (byte) => this.output2.push(byte),
      disk2: options.disk2,
      ram: this.ram,
      debugConsoles: [],
      serialOutput: (byte) => this.output.push(byte),
      interruptChanged: () => {},
      exit: (code) => this.exits.push(code),
      reset: () => this.resets++,
    });
  }

  in(port: number, size: IoSize = 1): number {
    return this.board.ports.read(port, size);
  }

  out(port: number, value: number, size: IoSize = 1): void {
    this.board.ports.write(port, size, value);
  }

  /** Moves time to `cycle`, firing events at their cycles. */
  advanceTo(cycle: number): void {
    for (let due = this.events.nextDue(); due <= cycle; due = this.events.nextDue()) {
      this.cycle = Math.max(this.cycle, due);
      this.events.fireDue(this.cycle);
    }
    this.cycle = cycle;
  }

  /** Programs both interrupt controllers: vectors 0x20 and 0x28, the given masks. */
  initPIC(mask = 0): void {
    const writes = [0x20, 0x11, 0x21, 0x20, 0x21, 4, 0x21, 1, 0xa0, 0x11, 0xa1, 0x28, 0xa1, 2, 0xa1, 1];
    for (let i = 0; i < writes.length; i += 2) this.out(writes[i]!, writes[i + 1]!);
    this.out(0x21, mask & 0xff);
    this.out(0xa1, mask >> 8);
  }

  /** Acknowledges an interrupt and returns its vector, -1 when INTR is low. */
  acknowledge(): number {
    const pic = this.board.interruptController;
    return pic.pending() ? pic.acknowledge() : -1;
  }
}
