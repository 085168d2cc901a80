// The board: the chips of a PC, wired to the port space, the interrupt lines and the event queue.
// Which chip sits at which ports on which line is said here and nowhere else.

import { ATA_COMMAND_BLOCK, ATA_CONTROL, ATA_SECOND, AtaChannel } from "./dev/ata.js";
import { COPROCESSOR_PORTS, COPROCESSOR_PORT_COUNT, CoprocessorError } from "./dev/coprocessor_error.js";
import type { DiskBackend } from "./dev/disk.js";
import type { EventQueue } from "./dev/events.js";
import { DebugConsole } from "./dev/debugcon.js";
import { I8042, KEYBOARD_COMMAND, KEYBOARD_DATA } from "./dev/i8042.js";
import { I8254 } from "./dev/i8254.js";
import { I8259Pair } from "./dev/i8259.js";
import { IoPortBus } from "./dev/iobus.js";
import { DEBUG_EXIT_PORT, DEBUG_EXIT_PORTS, IsaDebugExit } from "./dev/isa_debug_exit.js";
import { MC146818 } from "./dev/mc146818.js";
import { NS16550 } from "./dev/ns16550.js";
import { PORT_B, RESET_CONTROL, SYSTEM_CONTROL_A, SystemControl } from "./dev/system_control.js";
import { VGA_PORTS, VgaText } from "./dev/vga_text.js";
import { FIRMWARE_PORT_WRITES, firmwareCMOS } from "./loader/firmware.js";

export const IRQ = { timer: 0, keyboard: 1, com2: 3, com1: 4, clock: 8, coprocessor: 13, disk: 14, disk2: 15 } as const;
export const COM1 = 0x3f8;
export const COM2 = 0x2f8;
const I8259_FIRST = 0x20;
const I8259_SECOND = 0xa0;
const I8259_EDGE_LEVEL = 0x4d0;
const I8254_PORTS = 0x40;
const MC146818_PORTS = 0x70;

export interface BoardOptions {
  readonly clockHz: number;
  readonly memorySize: number;
  /** Seconds since 1970 at cycle 0. */
  readonly rtcSeconds: number;
  readonly disk: DiskBackend | undefined;
  readonly diskModel: string;
  readonly diskSerial: string;
  readonly serialOutput: (byte: number) => void;
  /** COM2; without it there is none. */
  readonly serialOutput2: ((byte: number) => void) | undefined;
  /** Device 0 of the second ATA channel; without it there is no such channel. */
  readonly disk2: DiskBackend | undefined;
  /** Physical memory. */
  readonly ram: Uint8Array;
  /** Ports that keep what is written to them. */
  readonly debugConsoles: readonly { readonly port: number; readonly output: (byte: number) => void }[];
  /** The interrupt controller's output may have changed. */
  readonly interruptChanged: (pending: boolean) => void;
  /** A write of `code` to the exit port. */
  readonly exit: (code: number) => void;
  /** The reset line of the processor was pulsed. */
  readonly reset: () => void;
}

export class Board {
  readonly ports = new IoPortBus();
  readonly interruptController: I8259Pair;
  readonly timer: I8254;
  readonly clock: MC146818;
  readonly com1: NS16550;
  readonly ata: AtaChannel;
  readonly keyboard: I8042;
  readonly vga: VgaText;
  readonly systemControl: SystemControl;
  readonly com2: NS16550 | undefined;
  readonly ata2: AtaChannel | undefined;
  readonly coprocessorError: CoprocessorError;

  constructor(events: EventQueue, options: BoardOptions) {
    const { clockHz } = options;
    const { ports } = this;
    const line = (irq: number) => (level: boolean) => this.interruptController.setLine(irq, level);
    this.interruptController = new I8259Pair(options.interruptChanged);
    this.timer = new I8254(events, clockHz, line(IRQ.timer));
    this.clock = new MC146818(events, clockHz, options.rtcSeconds, line(IRQ.clock));
    this.com1 = new NS16550(COM1, events, clockHz, line(IRQ.com1), options.serialOutput);
    const identity = { model: options.diskModel, serial: options.diskSerial };
    this.ata = new AtaChannel(events, clockHz, options.disk, identity, line(IRQ.disk));
    this.coprocessorError = new CoprocessorError(line(IRQ.coprocessor));
    this.systemControl = new SystemControl(this.timer, options.reset);
    this.keyboard = new I8042(line(IRQ.keyboard), options.reset);
    this.vga = new VgaText(options.ram);

    ports.claimBytes(I8259_FIRST, 2, this.interruptController);
    ports.claimBytes(I8259_SECOND, 2, this.interruptController);
    ports.claimBytes(I8259_EDGE_LEVEL, 2, this.interruptController);
    ports.claimBytes(I8254_PORTS, 4, this.timer);
    ports.claimBytes(MC146818_PORTS, 2, this.clock);
    ports.claimBytes(COM1, 8, this.com1);
    ports.claim(ATA_COMMAND_BLOCK, 8, this.ata);
    ports.claim(ATA_CONTROL, 1, this.ata);
    ports.claimBytes(COPROCESSOR_PORTS, COPROCESSOR_PORT_COUNT, this.coprocessorError);
    ports.claim(DEBUG_EXIT_PORT, DEBUG_EXIT_PORTS, new IsaDebugExit(options.exit));
    for (const port of [PORT_B, SYSTEM_CONTROL_A, RESET_CONTROL]) ports.claimBytes(port, 1, this.systemControl);
    for (const port of [KEYBOARD_DATA, KEYBOARD_COMMAND]) ports.claimBytes(port, 1, this.keyboard);
    ports.claimBytes(VGA_PORTS.first, VGA_PORTS.count, this.vga);
    if (options.serialOutput2 !== undefined) {
      this.com2 = new NS16550(COM2, events, clockHz, line(IRQ.com2), options.serialOutput2);
      ports.claimBytes(COM2, 8, this.com2);
    }
    if (options.disk2 !== undefined) {
      const second = { model: options.diskModel, serial: `${options.diskSerial}-2` };
      this.ata2 = new AtaChannel(events, clockHz, options.disk2, second, line(IRQ.disk2), ATA_SECOND);
      ports.claim(ATA_SECOND.commandBlock, 8, this.ata2);
      ports.claim(ATA_SECOND.control, 1, this.ata2);
    }
    for (const { port, output } of options.debugConsoles) ports.claimBytes(port, 1, new DebugConsole(output));

    for (const [port, value] of FIRMWARE_PORT_WRITES) ports.write(port, 1, value);
    for (const [index, value] of firmwareCMOS(options.memorySize, options.disk !== undefined)) {
      this.clock.store(index, value);
    }
  }

  /** The registers of all chips by their data-sheet names. */
  registers(): Record<string, Record<string, number>> {
    return {
      i8259: this.interruptController.registers(),
      i8254: this.timer.registers(),
      mc146818: this.clock.registers(),
      ns16550: this.com1.registers(),
      ata: this.ata.registers(),
      i8042: this.keyboard.registers(),
      vga: this.vga.registers(),
    };
  }
}
