// The UFS1 format: where each field of the on-disk structures lies. Everything else in this
// folder reads and writes images through these tables. Field names are those of struct fs, struct cg,
// struct dinode and struct direct without their prefixes; integers are little-endian.
//
// A "fragment address" counts fragments of fs_fsize bytes from the start of the file system.

export const BBSIZE = 8192;
/** Byte offset and largest size of the superblock. */
export const SBOFF = 8192;
export const SBSIZE = 8192;
export const DEV_BSIZE = 512;
export const FS_MAGIC = 0x00011954;
export const CG_MAGIC = 0x00090255;
export const MAXBSIZE = 65536;
export const MINBSIZE = 4096;
/** At most this many fragments make up a block. */
export const MAXFRAG = 8;
export const ROOTINO = 2;
export const NDADDR = 12;
export const NIADDR = 3;
export const DINODE_SIZE = 128;
export const DIRBLKSIZ = 512;
export const MAXNAMLEN = 255;
export const CSUM_SIZE = 16;
/** fs_inodefmt of 4.4BSD: directory entries carry a type. */
export const FS_44INODEFMT = 2;
export const FS_ISCLEAN = 1;
/** In fs_flags: a later system has moved counters and sizes to 64-bit fields and ignores the rotational tables. */
export const FS_FLAGS_UPDATED = 0x80;
export const FS_MAXCONTIG = 16;
/** Fixed part of struct cg; the maps follow. */
export const CG_SPACE = 168;
/** Fixed part of struct fs; fs_space follows. */
export const FS_SPACE = 1376;

export const IFMT = 0o170000;
/** File types in the mode and the types of directory entries that go with them. */
export const FILE_TYPES = [
  { mode: 0o010000, direct: 1, name: "fifo" },
  { mode: 0o020000, direct: 2, name: "character device" },
  { mode: 0o040000, direct: 4, name: "directory" },
  { mode: 0o060000, direct: 6, name: "block device" },
  { mode: 0o100000, direct: 8, name: "file" },
  { mode: 0o120000, direct: 10, name: "symbolic link" },
  { mode: 0o140000, direct: 12, name: "socket" },
] as const;
export const IFDIR = 0o040000;
export const IFREG = 0o100000;
export const IFLNK = 0o120000;
export const IFCHR = 0o020000;
export const IFBLK = 0o060000;
export const DT_UNKNOWN = 0;
export const DT_DIR = 4;

type FieldType = "u8" | "i16" | "u16" | "i32" | "u32" | "u64" | "size";
type Fields = Readonly<Record<string, readonly [offset: number, type: FieldType]>>;
/** A structure as a plain object. 64-bit masks and limits are bigints; a "size" is a number. */
export type Struct<T extends Fields> = { -readonly [K in keyof T]: T[K][1] extends "u64" ? bigint : number };

const FS_FIELDS = {
  sblkno: [8, "i32"], cblkno: [12, "i32"], iblkno: [16, "i32"], dblkno: [20, "i32"],
  cgoffset: [24, "i32"], cgmask: [28, "i32"], time: [32, "i32"], size: [36, "i32"],
  dsize: [40, "i32"], ncg: [44, "i32"], bsize: [48, "i32"], fsize: [52, "i32"],
  frag: [56, "i32"], minfree: [60, "i32"], rotdelay: [64, "i32"], rps: [68, "i32"],
  bmask: [72, "i32"], fmask: [76, "i32"], bshift: [80, "i32"], fshift: [84, "i32"],
  maxcontig: [88, "i32"], maxbpg: [92, "i32"], fragshift: [96, "i32"], fsbtodb: [100, "i32"],
  sbsize: [104, "i32"], csmask: [108, "i32"], csshift: [112, "i32"], nindir: [116, "i32"],
  inopb: [120, "i32"], nspf: [124, "i32"], optim: [128, "i32"], npsect: [132, "i32"],
  interleave: [136, "i32"], trackskew: [140, "i32"], headswitch: [144, "i32"], trkseek: [148, "i32"],
  csaddr: [152, "i32"], cssize: [156, "i32"], cgsize: [160, "i32"], ntrak: [164, "i32"],
  nsect: [168, "i32"], spc: [172, "i32"], ncyl: [176, "i32"], cpg: [180, "i32"],
  ipg: [184, "i32"], fpg: [188, "i32"], ndir: [192, "i32"], nbfree: [196, "i32"],
  nifree: [200, "i32"], nffree: [204, "i32"], fmod: [208, "u8"], clean: [209, "u8"],
  ronly: [210, "u8"], flags: [211, "u8"], cgrotor: [724, "i32"], cpc: [856, "i32"],
  contigsumsize: [1316, "i32"], maxsymlinklen: [1320, "i32"], inodefmt: [1324, "i32"],
  maxfilesize: [1328, "u64"], qbmask: [1336, "u64"], qfmask: [1344, "u64"],
  postblformat: [1356, "i32"], nrpos: [1360, "i32"], postbloff: [1364, "i32"],
  rotbloff: [1368, "i32"], magic: [1372, "i32"],
} as const satisfies Fields;

/** fs_fsmnt: where the file system was last mounted. */
export const FS_FSMNT = { offset: 212, length: 512 } as const;

const CG_FIELDS = {
  magic: [4, "i32"], time: [8, "i32"], cgx: [12, "i32"], ncyl: [16, "i16"],
  niblk: [18, "i16"], ndblk: [20, "i32"], ndir: [24, "i32"], nbfree: [28, "i32"],
  nifree: [32, "i32"], nffree: [36, "i32"], rotor: [40, "i32"], frotor: [44, "i32"],
  irotor: [48, "i32"], btotoff: [84, "i32"], boff: [88, "i32"], iusedoff: [92, "i32"],
  freeoff: [96, "i32"], nextfreeoff: [100, "i32"], clustersumoff: [104, "i32"],
  clusteroff: [108, "i32"], nclusterblks: [112, "i32"],
} as const satisfies Fields;

/** cg_frsum: free runs of n fragments at index n. */
export const CG_FRSUM = 52;

const DINODE_FIELDS = {
  mode: [0, "u16"], nlink: [2, "i16"], size: [8, "size"], atime: [16, "i32"], atimensec: [20, "i32"],
  mtime: [24, "i32"], mtimensec: [28, "i32"], ctime: [32, "i32"], ctimensec: [36, "i32"],
  flags: [100, "u32"], blocks: [104, "u32"], gen: [108, "i32"], uid: [112, "u32"], gid: [116, "u32"],
} as const satisfies Fields;

/** Byte offsets in a dinode of the direct and the indirect pointers; short symbolic links lie there too. */
export const DINODE_DB = 40;
export const DINODE_IB = 88;

/** The counters of free things, in a group, in the summary area and in the superblock. */
export const CSUM_FIELDS = {
  ndir: [0, "i32"], nbfree: [4, "i32"], nifree: [8, "i32"], nffree: [12, "i32"],
} as const satisfies Fields;
export const CSUM_NAMES = ["ndir", "nbfree", "nifree", "nffree"] as const;

export type Superblock = Struct<typeof FS_FIELDS>;
export type CylinderGroup = Struct<typeof CG_FIELDS>;
export type Csum = Struct<typeof CSUM_FIELDS>;
export interface Dinode extends Struct<typeof DINODE_FIELDS> {
  db: number[];
  ib: number[];
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readField(view: DataView, at: number, type: FieldType): number | bigint {
  switch (type) {
    case "u8":
      return view.getUint8(at);
    case "i16":
      return view.getInt16(at, true);
    case "u16":
      return view.getUint16(at, true);
    case "i32":
      return view.getInt32(at, true);
    case "u32":
      return view.getUint32(at, true);
    case "u64":
      return view.getBigUint64(at, true);
    default:
      return Number(view.getBigUint64(at, true));
  }
}

function writeField(view: DataView, at: number, type: FieldType, value: number | bigint): void {
  switch (type) {
    case "u8":
      return view.setUint8(at, Number(value));
    case "i16":
    case "u16":
      return view.setUint16(at, Number(value), true);
    case "i32":
    case "u32":
      return view.setUint32(at, Number(value), true);
    default:
      return view.setBigUint64(at, BigInt(value), true);
  }
}

function readStruct<T extends Fields>(bytes: Uint8Array, base: number, fields: T): Struct<T> {
  const view = viewOf(bytes);
  const entries = Object.entries(fields).map(([name, [offset, type]]) => [name, readField(view, base + offset, type)]);
  return Object.fromEntries(entries) as Struct<T>;
}

function writeStruct<T extends Fields>(bytes: Uint8Array, base: number, fields: T, struct: Struct<T>): void {
  const view = viewOf(bytes);
  for (const [name, [offset, type]] of Object.entries(fields)) {
    writeField(view, base + offset, type, struct[name as keyof T] as number | bigint);
  }
}

/** Reads a superblock at byte `base`; `bytes` must hold 1376 bytes from there. */
export function readSuperblock(bytes: Uint8Array, base: number): Superblock {
  return readStruct(bytes, base, FS_FIELDS);
}

/** Writes the fields of a superblock; the other bytes stay. */
export function writeSuperblock(bytes: Uint8Array, base: number, fs: Superblock): void {
  writeStruct(bytes, base, FS_FIELDS, fs);
}

export function readCylinderGroup(bytes: Uint8Array, base: number): CylinderGroup {
  return readStruct(bytes, base, CG_FIELDS);
}

export function writeCylinderGroup(bytes: Uint8Array, base: number, cg: CylinderGroup): void {
  writeStruct(bytes, base, CG_FIELDS, cg);
}

export function readCsum(bytes: Uint8Array, base: number): Csum {
  return readStruct(bytes, base, CSUM_FIELDS);
}

export function writeCsum(bytes: Uint8Array, base: number, csum: Csum): void {
  writeStruct(bytes, base, CSUM_FIELDS, csum);
}

export function readDinode(bytes: Uint8Array, base: number): Dinode {
  const view = viewOf(bytes);
  const pointers = (offset: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => view.getInt32(base + offset + 4 * i, true));
  return {
    ...readStruct(bytes, base, DINODE_FIELDS),
    db: pointers(DINODE_DB, NDADDR),
    ib: pointers(DINODE_IB, NIADDR),
  };
}

export function writeDinode(bytes: Uint8Array, base: number, dinode: Dinode): void {
  writeStruct(bytes, base, DINODE_FIELDS, dinode);
  const view = viewOf(bytes);
  dinode.db.forEach((pointer, i) => view.setInt32(base + DINODE_DB + 4 * i, pointer, true));
  dinode.ib.forEach((pointer, i) => view.setInt32(base + DINODE_IB + 4 * i, pointer, true));
}

/** The byte offset of a superblock field, for tests that damage images. */
export function superblockOffset(name: keyof Superblock): number {
  return FS_FIELDS[name][0];
}

/** The byte offset of a cylinder group field. */
export function cylinderGroupOffset(name: keyof CylinderGroup): number {
  return CG_FIELDS[name][0];
}

/** The byte offset of a dinode field. */
export function dinodeOffset(name: keyof typeof DINODE_FIELDS): number {
  return DINODE_FIELDS[name][0];
}

/** The directory entry type that goes with a mode, 0 for a mode without a known type. */
export function directTypeOf(mode: number): number {
  return FILE_TYPES.find((type) => type.mode === (mode & IFMT))?.direct ?? DT_UNKNOWN;
}
