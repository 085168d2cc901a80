// The state in which a PC's firmware leaves chips and low memory before it starts a kernel: data only.
// The values were read on QEMU's pc machine (SeaBIOS) by a kernel that dumped them first thing.

/** Writes to ports, in order: [port, value]. */
export const FIRMWARE_PORT_WRITES: readonly (readonly [number, number])[] = [
  // Interrupt controllers: vectors 0x08 and 0x70, then the masks.
  [0x20, 0x11],
  [0xa0, 0x11],
  [0x21, 0x08],
  [0xa1, 0x70],
  [0x21, 0x04],
  [0xa1, 0x02],
  [0x21, 0x01],
  [0xa1, 0x01],
  [0x21, 0xb8],
  [0xa1, 0x8e],
  // Timer 0: rate generator at the lowest rate, 18.2 Hz.
  [0x43, 0x34],
  [0x40, 0x00],
  [0x40, 0x00],
];

/** Bytes of CMOS memory that depend on the machine: [index, value]. */
export function firmwareCMOS(memorySize: number, hasDisk: boolean): (readonly [number, number])[] {
  const extendedKB = Math.min(0xffff, memorySize / 1024 - 1024);
  const above16M = Math.max(0, Math.floor((memorySize - 0x1000000) / 0x10000));
  const low = (value: number): number => value & 0xff;
  const high = (value: number): number => (value >> 8) & 0xff;
  return [
    [0x12, hasDisk ? 0xf0 : 0x00],
    [0x14, 0x06],
    [0x15, low(640)],
    [0x16, high(640)],
    [0x17, low(extendedKB)],
    [0x18, high(extendedKB)],
    [0x30, low(extendedKB)],
    [0x31, high(extendedKB)],
    [0x34, low(above16M)],
    [0x35, high(above16M)],
    [0x38, 0x30],
    [0x3d, 0x12],
  ];
}

/** Words of the BIOS data area: [address, value]: segment of the extended area, kilobytes of low memory. */
export const FIRMWARE_DATA_AREA: readonly (readonly [number, number])[] = [
  [0x40e, 0x9fc0],
  [0x413, 639],
];
