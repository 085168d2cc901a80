// One ATA channel with one disk as device 0: PIO transfers, 28-bit LBA and CHS. Register and command
// names are the standard's; where the standard leaves freedom the registers read as on QEMU.
//
// A command sets BSY and ends at a cycle that the event queue knows; data then pass through a
// buffer of one DRQ block (one sector, or several for the MULTIPLE commands). Each data-in block and
// each completed data-out block raises INTRQ; reading Status lowers it.

import type { IoDevice, IoSize } from "./iobus.js";
import { floatingBus } from "./iobus.js";
import type { EventQueue, Timer } from "./events.js";
import { cyclesOfMicroseconds } from "./timebase.js";
import { defaultGeometry, identifyData, MAX_MULTIPLE, type Geometry } from "./ata_identify.js";
import type { DiskBackend } from "./disk.js";
import { SECTOR_SIZE } from "./disk.js";

export const ATA_COMMAND_BLOCK = 0x1f0;
export const ATA_CONTROL = 0x3f6;

/** Where a channel sits. */
export interface AtaPorts {
  readonly commandBlock: number;
  readonly control: number;
}

const ATA_FIRST: AtaPorts = { commandBlock: ATA_COMMAND_BLOCK, control: ATA_CONTROL };
export const ATA_SECOND: AtaPorts = { commandBlock: 0x170, control: 0x376 };

const STATUS_BSY = 0x80;
const STATUS_DRDY = 0x40;
const STATUS_DSC = 0x10;
const STATUS_DRQ = 0x08;
const STATUS_ERR = 0x01;
const ERROR_ABRT = 0x04;
const ERROR_UNC = 0x40;
/** Diagnostic code: device 0 passed, device 1 passed or absent. */
const DIAGNOSTIC_PASSED = 0x01;
const DEVICE_LBA = 0x40;
const DEVICE_DEV = 0x10;
const DEVICE_FIXED = 0xa0;
const CONTROL_NIEN = 0x02;
const CONTROL_SRST = 0x04;

const COMMAND = {
  RECALIBRATE: 0x10,
  READ_SECTORS: 0x20,
  READ_SECTORS_NO_RETRY: 0x21,
  WRITE_SECTORS: 0x30,
  WRITE_SECTORS_NO_RETRY: 0x31,
  READ_VERIFY: 0x40,
  READ_VERIFY_NO_RETRY: 0x41,
  SEEK: 0x70,
  EXECUTE_DEVICE_DIAGNOSTIC: 0x90,
  INITIALIZE_DEVICE_PARAMETERS: 0x91,
  READ_MULTIPLE: 0xc4,
  WRITE_MULTIPLE: 0xc5,
  SET_MULTIPLE_MODE: 0xc6,
  STANDBY_IMMEDIATE: 0xe0,
  IDLE_IMMEDIATE: 0xe1,
  STANDBY: 0xe2,
  IDLE: 0xe3,
  CHECK_POWER_MODE: 0xe5,
  SLEEP: 0xe6,
  FLUSH_CACHE: 0xe7,
  IDENTIFY_DEVICE: 0xec,
  SET_FEATURES: 0xef,
  READ_NATIVE_MAX_ADDRESS: 0xf8,
} as const;

/** The subcommands of SET FEATURES that are accepted; none changes what the disk does. */
const FEATURES: ReadonlySet<number> = new Set([0x02, 0x03, 0x05, 0x42, 0x55, 0x66, 0x82, 0x85, 0xaa, 0xc2, 0xcc]);
/** The transfer modes of SET FEATURES subcommand 3 that a PIO device has: default and flow control. */
const FEATURE_TRANSFER_MODE = 0x03;

/** How long the disk works, in microseconds: a command, each sector, a reset. */
const COMMAND_MICROSECONDS = 200;
const SECTOR_MICROSECONDS = 100;
const RESET_MICROSECONDS = 2000;

interface Transfer {
  readonly buffer: Uint8Array;
  position: number;
  /** Called when the guest has moved the whole block. */
  readonly done: () => void;
  readonly out: boolean;
}

export interface AtaOptions {
  readonly model: string;
  readonly serial: string;
}

/** One channel; `disk` undefined leaves it empty. */
export class AtaChannel implements IoDevice {
  #Features = 0;
  #SectorCount = 1;
  #SectorNumber = 1;
  #CylinderLow = 0;
  #CylinderHigh = 0;
  #Device = DEVICE_FIXED;
  #Error = DIAGNOSTIC_PASSED;
  #Status = STATUS_DRDY | STATUS_DSC;
  #Control = 0;
  #multiple = MAX_MULTIPLE;
  #geometry: Geometry;
  #transfer: Transfer | undefined;
  /** What happens when BSY falls. */
  #completion: (() => void) | undefined;
  #INTRQ = false;
  readonly #disk: DiskBackend | undefined;
  readonly #options: AtaOptions;
  readonly #ports: AtaPorts;
  readonly #events: EventQueue;
  readonly #timer: Timer;
  readonly #cycleHz: number;
  readonly #setIRQ: (level: boolean) => void;
  /** Sectors moved since the machine began. */
  sectorsRead = 0;
  sectorsWritten = 0;

  constructor(
    events: EventQueue,
    cycleHz: number,
    disk: DiskBackend | undefined,
    options: AtaOptions,
    setIRQ: (level: boolean) => void,
    ports: AtaPorts = ATA_FIRST,
  ) {
    this.#ports = ports;
    this.#events = events;
    this.#cycleHz = cycleHz;
    this.#disk = disk;
    this.#options = options;
    this.#setIRQ = setIRQ;
    this.#geometry = defaultGeometry(disk?.sectors ?? 0);
    this.#timer = events.timer(() => {
      const completion = this.#completion;
      this.#completion = undefined;
      completion?.();
    });
  }

  #setINTRQ(level: boolean): void {
    this.#INTRQ = level;
    this.#setIRQ(level && (this.#Control & CONTROL_NIEN) === 0);
  }

  /** Device 1 is selected, which is absent. */
  #absentSelected(): boolean {
    return (this.#Device & DEVICE_DEV) !== 0;
  }

  read(port: number, size: IoSize): number {
    if (port === this.#ports.commandBlock) return this.#readData(size);
    if (size !== 1) return this.#splitRead(port, size);
    if (this.#disk === undefined) return 0;
    const absent = this.#absentSelected();
    switch (port - this.#ports.commandBlock) {
      case 1:
        return absent ? 0 : this.#Error;
      case 2:
        return this.#SectorCount;
      case 3:
        return this.#SectorNumber;
      case 4:
        return absent ? 0xff : this.#CylinderLow;
      case 5:
        return absent ? 0xff : this.#CylinderHigh;
      case 6:
        return this.#Device;
      case 7:
        this.#setINTRQ(false);
        return absent ? 0 : this.#Status;
      default:
        return absent ? 0 : this.#Status;
    }
  }

  #splitRead(port: number, size: IoSize): number {
    let value = 0;
    for (let i = 0; i < size; i++) {
      const inBlock = port === this.#ports.control ? i === 0 : port + i < this.#ports.commandBlock + 8;
      value |= (inBlock ? this.read(port + i, 1) : floatingBus(1)) << (8 * i);
    }
    return value >>> 0;
  }

  write(port: number, size: IoSize, value: number): void {
    if (port === this.#ports.commandBlock) {
      this.#writeData(size, value);
      return;
    }
    if (port === this.#ports.control) this.#writeControl(value & 0xff);
    else this.#writeCommandBlock(port - this.#ports.commandBlock, value & 0xff);
  }

  #writeCommandBlock(register: number, value: number): void {
    switch (register) {
      case 1:
        this.#Features = value;
        break;
      case 2:
        this.#SectorCount = value;
        break;
      case 3:
        this.#SectorNumber = value;
        break;
      case 4:
        this.#CylinderLow = value;
        break;
      case 5:
        this.#CylinderHigh = value;
        break;
      case 6:
        this.#Device = value | DEVICE_FIXED;
        break;
      default:
        this.#command(value);
    }
  }

  #writeControl(value: number): void {
    const wasReset = (this.#Control & CONTROL_SRST) !== 0;
    const isReset = (value & CONTROL_SRST) !== 0;
    this.#Control = value;
    if (isReset && !wasReset) {
      this.#transfer = undefined;
      this.#completion = undefined;
      this.#timer.clear();
      this.#Status = STATUS_BSY | STATUS_DSC;
      this.#INTRQ = false;
    } else if (!isReset && wasReset) {
      this.#after(RESET_MICROSECONDS, () => this.#signature());
    }
    this.#setINTRQ(this.#INTRQ);
  }

  /** Puts the signature of an ATA device into the registers. */
  #signature(): void {
    this.#Error = DIAGNOSTIC_PASSED;
    this.#SectorCount = 1;
    this.#SectorNumber = 1;
    this.#CylinderLow = 0;
    this.#CylinderHigh = 0;
    this.#Device = DEVICE_FIXED;
    this.#multiple = MAX_MULTIPLE;
    this.#Status = STATUS_DRDY | STATUS_DSC;
  }

  /** Sets BSY and calls `completion` when the time is over. */
  #after(microseconds: number, completion: () => void): void {
    this.#Status = (this.#Status & ~(STATUS_DRQ | STATUS_ERR)) | STATUS_BSY;
    this.#completion = completion;
    this.#timer.set(this.#events.now() + cyclesOfMicroseconds(this.#cycleHz, microseconds));
  }

  #complete(): void {
    this.#Status = STATUS_DRDY | STATUS_DSC;
    this.#setINTRQ(true);
  }

  #fail(error: number): void {
    this.#transfer = undefined;
    this.#Status = STATUS_DRDY | STATUS_ERR;
    this.#Error = error;
    this.#setINTRQ(true);
  }

  #command(command: number): void {
    // The diagnostic command addresses both devices.
    if (command === COMMAND.EXECUTE_DEVICE_DIAGNOSTIC) this.#Device &= ~DEVICE_DEV;
    if (this.#disk === undefined || this.#absentSelected()) return;
    if (this.#Status & (STATUS_BSY | STATUS_DRQ)) return;
    this.#setINTRQ(false);
    this.#Error = 0;
    switch (command) {
      case COMMAND.READ_SECTORS:
      case COMMAND.READ_SECTORS_NO_RETRY:
        this.#readSectors(1);
        break;
      case COMMAND.WRITE_SECTORS:
      case COMMAND.WRITE_SECTORS_NO_RETRY:
        this.#writeSectors(1);
        break;
      case COMMAND.READ_MULTIPLE:
        if (this.#multiple === 0) this.#fail(ERROR_ABRT);
        else this.#readSectors(this.#multiple);
        break;
      case COMMAND.WRITE_MULTIPLE:
        if (this.#multiple === 0) this.#fail(ERROR_ABRT);
        else this.#writeSectors(this.#multiple);
        break;
      case COMMAND.IDENTIFY_DEVICE:
        this.#after(COMMAND_MICROSECONDS, () => this.#identify());
        break;
      default:
        this.#after(COMMAND_MICROSECONDS, () => this.#commandWithoutData(command));
    }
  }

  #commandWithoutData(command: number): void {
    switch (command) {
      case COMMAND.EXECUTE_DEVICE_DIAGNOSTIC:
        this.#signature();
        this.#complete();
        return;
      case COMMAND.INITIALIZE_DEVICE_PARAMETERS:
        if (this.#SectorCount === 0) return this.#fail(ERROR_ABRT);
        this.#setGeometry(this.#SectorCount, (this.#Device & 15) + 1);
        return this.#complete();
      case COMMAND.SET_MULTIPLE_MODE:
        if (this.#SectorCount > MAX_MULTIPLE || (this.#SectorCount & (this.#SectorCount - 1)) !== 0) {
          return this.#fail(ERROR_ABRT);
        }
        this.#multiple = this.#SectorCount;
        return this.#complete();
      case COMMAND.SET_FEATURES:
        if (!this.#featureAccepted()) return this.#fail(ERROR_ABRT);
        return this.#complete();
      case COMMAND.CHECK_POWER_MODE:
        this.#SectorCount = 0xff;
        return this.#complete();
      case COMMAND.READ_NATIVE_MAX_ADDRESS:
        this.#setAddress(this.#disk!.sectors - 1);
        return this.#complete();
      case COMMAND.FLUSH_CACHE:
        this.#disk!.flush?.();
        return this.#complete();
      case COMMAND.RECALIBRATE:
      case COMMAND.SEEK:
      case COMMAND.READ_VERIFY:
      case COMMAND.READ_VERIFY_NO_RETRY:
        return this.#complete();
      case COMMAND.STANDBY_IMMEDIATE:
      case COMMAND.IDLE_IMMEDIATE:
      case COMMAND.STANDBY:
      case COMMAND.IDLE:
      case COMMAND.SLEEP:
        this.#complete();
        this.#Status = STATUS_DRDY;
        return;
      default:
        return this.#fail(ERROR_ABRT);
    }
  }

  #featureAccepted(): boolean {
    if (!FEATURES.has(this.#Features)) return false;
    return this.#Features !== FEATURE_TRANSFER_MODE || this.#SectorCount >> 3 <= 1;
  }

  #setGeometry(sectors: number, heads: number): void {
    const cylinders = Math.min(65535, Math.floor(this.#disk!.sectors / (sectors * heads)));
    this.#geometry = { cylinders, heads, sectors };
  }

  #identify(): void {
    const words = identifyData({
      sectors: Math.min(this.#disk!.sectors, 0x0fffffff),
      model: this.#options.model,
      serial: this.#options.serial,
      firmware: "2.5+",
      geometry: defaultGeometry(this.#disk!.sectors),
      current: this.#geometry,
      multiple: this.#multiple,
    });
    const buffer = new Uint8Array(SECTOR_SIZE);
    words.forEach((word, i) => {
      buffer[2 * i] = word & 0xff;
      buffer[2 * i + 1] = word >> 8;
    });
    this.#offer(buffer, () => {});
  }

  /** The sector that the address registers name, -1 for a CHS address that cannot be. */
  #address(): number {
    const head = this.#Device & 15;
    const cylinder = (this.#CylinderHigh << 8) | this.#CylinderLow;
    if (this.#Device & DEVICE_LBA) return head * 0x1000000 + cylinder * 0x100 + this.#SectorNumber;
    if (this.#SectorNumber === 0) return -1;
    return (cylinder * this.#geometry.heads + head) * this.#geometry.sectors + this.#SectorNumber - 1;
  }

  #setAddress(sector: number): void {
    let head: number, cylinder: number;
    if (this.#Device & DEVICE_LBA) {
      this.#SectorNumber = sector & 0xff;
      cylinder = (sector >>> 8) & 0xffff;
      head = (sector >>> 24) & 15;
    } else {
      const track = Math.floor(sector / this.#geometry.sectors);
      this.#SectorNumber = (sector % this.#geometry.sectors) + 1;
      cylinder = Math.floor(track / this.#geometry.heads);
      head = track % this.#geometry.heads;
    }
    this.#CylinderLow = cylinder & 0xff;
    this.#CylinderHigh = (cylinder >>> 8) & 0xff;
    this.#Device = (this.#Device & 0xf0) | head;
  }

  /** Whether `count` sectors from `sector` lie on the disk. */
  #onDisk(sector: number, count: number): boolean {
    return sector >= 0 && sector + count <= this.#disk!.sectors;
  }

  /** Gives the guest a block to read and raises INTRQ. */
  #offer(buffer: Uint8Array, done: () => void): void {
    this.#transfer = { buffer, position: 0, done, out: false };
    this.#Status = STATUS_DRDY | STATUS_DSC | STATUS_DRQ;
    this.#setINTRQ(true);
  }

  /** Asks the guest for a block. */
  #request(bytes: number, done: (block: Uint8Array) => void): void {
    const buffer = new Uint8Array(bytes);
    this.#transfer = { buffer, position: 0, done: () => done(buffer), out: true };
    this.#Status = STATUS_DRDY | STATUS_DSC | STATUS_DRQ;
  }

  #remaining(): number {
    return this.#SectorCount === 0 ? 256 : this.#SectorCount;
  }

  #advance(sector: number, count: number): void {
    this.#setAddress(sector + count);
    this.#SectorCount = (this.#remaining() - count) & 0xff;
  }

  #readSectors(perBlock: number): void {
    const count = Math.min(perBlock, this.#remaining());
    this.#after(COMMAND_MICROSECONDS + count * SECTOR_MICROSECONDS, () => this.#readBlock(perBlock));
  }

  #readBlock(perBlock: number): void {
    const sector = this.#address();
    const count = Math.min(perBlock, this.#remaining());
    if (!this.#onDisk(sector, count)) return this.#fail(ERROR_ABRT);
    const buffer = this.#disk!.read(sector, count);
    if (buffer === undefined) return this.#fail(ERROR_UNC);
    this.sectorsRead += count;
    const last = this.#remaining() === count;
    this.#advance(sector, count);
    this.#offer(buffer, () => {
      if (last) return;
      const next = Math.min(perBlock, this.#remaining());
      this.#after(next * SECTOR_MICROSECONDS, () => this.#readBlock(perBlock));
    });
  }

  #writeSectors(perBlock: number): void {
    const count = Math.min(perBlock, this.#remaining());
    this.#request(count * SECTOR_SIZE, (block) => this.#writeBlock(perBlock, block));
  }

  #writeBlock(perBlock: number, block: Uint8Array): void {
    const count = block.length / SECTOR_SIZE;
    this.#after(COMMAND_MICROSECONDS + count * SECTOR_MICROSECONDS, () => {
      const sector = this.#address();
      if (!this.#onDisk(sector, count)) return this.#fail(ERROR_ABRT);
      if (!this.#disk!.write(sector, block)) return this.#fail(ERROR_UNC);
      this.sectorsWritten += count;
      const last = this.#remaining() === count;
      this.#advance(sector, count);
      if (last) return this.#complete();
      this.#writeSectors(perBlock);
      this.#setINTRQ(true);
    });
  }

  /** The next bytes of a data-in block; nothing drives the bus without one. */
  #readData(size: IoSize): number {
    const transfer = this.#transfer;
    if (transfer === undefined || transfer.out) return 0;
    let value = 0;
    for (let i = 0; i < size && transfer.position < transfer.buffer.length; i++) {
      value |= transfer.buffer[transfer.position++]! << (8 * i);
    }
    this.#endOfBlock(transfer);
    return value >>> 0;
  }

  #writeData(size: IoSize, value: number): void {
    const transfer = this.#transfer;
    if (transfer === undefined || !transfer.out) return;
    for (let i = 0; i < size && transfer.position < transfer.buffer.length; i++) {
      transfer.buffer[transfer.position++] = (value >>> (8 * i)) & 0xff;
    }
    this.#endOfBlock(transfer);
  }

  #endOfBlock(transfer: Transfer): void {
    if (transfer.position < transfer.buffer.length) return;
    this.#transfer = undefined;
    this.#Status = STATUS_DRDY | STATUS_DSC;
    transfer.done();
  }

  /** The task file by the standard's names. */
  registers(): Record<string, number> {
    return {
      Error: this.#Error,
      SectorCount: this.#SectorCount,
      SectorNumber: this.#SectorNumber,
      CylinderLow: this.#CylinderLow,
      CylinderHigh: this.#CylinderHigh,
      Device: this.#Device,
      Status: this.#Status,
      Control: this.#Control,
    };
  }
}
