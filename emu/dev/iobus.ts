// The I/O port space: which device answers which port.
//
// Most chips of a PC are eight bits wide. A wider access to such a chip becomes byte
// accesses to consecutive ports, low byte first. Ports that nobody claims read all ones.

export type IoSize = 1 | 2 | 4;

/** A device on the bus. `port` is the full port number. */
export interface IoDevice {
  read(port: number, size: IoSize): number;
  write(port: number, size: IoSize, value: number): void;
}

/** An eight-bit device: it never sees a wider access. */
export interface ByteDevice {
  readByte(port: number): number;
  writeByte(port: number, value: number): void;
}

/** What a port of the given width reads when nothing drives the bus. */
export function floatingBus(size: IoSize): number {
  return size === 1 ? 0xff : size === 2 ? 0xffff : 0xffffffff;
}

/** Adapts an eight-bit device: splits wide accesses into bytes. */
class ByteSplitter implements IoDevice {
  readonly #device: ByteDevice;
  readonly #bus: IoPortBus;

  constructor(device: ByteDevice, bus: IoPortBus) {
    this.#device = device;
    this.#bus = bus;
  }

  read(port: number, size: IoSize): number {
    let value = this.#device.readByte(port) & 0xff;
    for (let i = 1; i < size; i++) value |= (this.#bus.read((port + i) & 0xffff, 1) & 0xff) << (8 * i);
    return value >>> 0;
  }

  write(port: number, size: IoSize, value: number): void {
    this.#device.writeByte(port, value & 0xff);
    for (let i = 1; i < size; i++) this.#bus.write((port + i) & 0xffff, 1, (value >>> (8 * i)) & 0xff);
  }
}

export class IoPortBus {
  /** Index into #devices for each port; 0 is nobody. */
  readonly #owner = new Uint8Array(0x10000);
  readonly #devices: (IoDevice | undefined)[] = [undefined];

  /** The first of `count` ports from `base` that a device has; undefined when all are free. */
  firstClaimed(base: number, count: number): number | undefined {
    const at = this.#owner.subarray(base, base + count).findIndex((owner) => owner !== 0);
    return at < 0 ? undefined : base + at;
  }

  /** Gives `count` ports from `base` to a device that handles all widths itself. */
  claim(base: number, count: number, device: IoDevice): void {
    let index = this.#devices.indexOf(device);
    if (index < 0) index = this.#devices.push(device) - 1;
    for (let port = base; port < base + count; port++) {
      if (this.#owner[port] !== 0) throw new Error(`port 0x${port.toString(16)} is claimed twice`);
      this.#owner[port] = index;
    }
  }

  /** Gives `count` ports from `base` to an eight-bit device. */
  claimBytes(base: number, count: number, device: ByteDevice): void {
    this.claim(base, count, new ByteSplitter(device, this));
  }

  /** Reads a port; the result is unsigned. */
  read(port: number, size: IoSize): number {
    const device = this.#devices[this.#owner[port]!];
    return device === undefined ? floatingBus(size) : device.read(port, size);
  }

  write(port: number, size: IoSize, value: number): void {
    this.#devices[this.#owner[port]!]?.write(port, size, value);
  }
}
