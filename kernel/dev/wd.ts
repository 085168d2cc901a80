// The ATA disk driver wd (wd(4)): the master of the primary channel, programmed
// I/O, one interrupt (line 14) per sector, 28-bit logical block addresses.
//
// Requests wait in a queue, first come first served; the first one is the one the
// drive works on. All of the softc is used at splbio. A request that fails is
// tried again WDIORETRIES times, with a reset of the drive in between.
//
// Partition a and the raw partition d are the whole disk.
import { B_ERROR, B_READ, Buf } from "../../fs/buf";
import { biodone } from "../../fs/vfs_bio";
import { D_DISK, MAXPARTITIONS, RAW_PART, WD_MAJOR, bdevsw } from "../conf";
import { delay } from "../i386/clock";
import { bss, inb, insw, outb, outsw } from "../i386/cpufunc";
import { IPL_BIO, intr_establish, splbio, splx } from "../i386/intr";
import { timeout, untimeout } from "../kern_clock";
import { printf } from "../subr_prf";
import { EINVAL, EIO, ENXIO } from "../sys/errno";
import { DEV_BSHIFT, DEV_BSIZE, HZ, minor } from "../sys/param";
import { Proc } from "../sys/proc";
import { TAILQ_FIRST, TAILQ_INIT, TAILQ_INSERT_TAIL, TAILQ_REMOVE } from "../sys/queue";
import { disk_ioctl } from "./disklabel";

// Registers of the channel, by their names in the ATA standard.
const WD_DATA: u32 = 0x1f0;
const WD_ERROR: u32 = 0x1f1;
const WD_SECCNT: u32 = 0x1f2;
const WD_SECTOR: u32 = 0x1f3;
const WD_CYL_LO: u32 = 0x1f4;
const WD_CYL_HI: u32 = 0x1f5;
const WD_SDH: u32 = 0x1f6;
const WD_COMMAND: u32 = 0x1f7;
const WD_STATUS: u32 = 0x1f7;
const WD_CTLR: u32 = 0x3f6;
const WD_IRQ: u32 = 14;

// Status bits.
const WDCS_ERR: u32 = 0x01;
const WDCS_DRQ: u32 = 0x08;
const WDCS_DWF: u32 = 0x20;
const WDCS_BSY: u32 = 0x80;

const WDCTL_IDS: u32 = 0x02;
const WDCTL_RST: u32 = 0x04;
/** Drive 0, logical block addresses. */
const WDSD_LBA: u32 = 0xe0;

const WDCC_READ: u32 = 0x20;
const WDCC_WRITE: u32 = 0x30;
const WDCC_IDENTIFY: u32 = 0xec;

// Words of the IDENTIFY data.
const ID_CYLINDERS: u32 = 1;
const ID_HEADS: u32 = 3;
const ID_SECTORS: u32 = 6;
const ID_MODEL: u32 = 27;
const ID_MODEL_WORDS: u32 = 20;
const ID_LBA_SIZE: u32 = 60;

const WDIORETRIES: u32 = 5;
/** Microseconds of polling for the end of BSY: a drive that spins up takes seconds. */
const WD_POLL_USECS: u32 = 5000000;
/** Ticks after which an interrupt counts as lost. */
const WD_TIMEOUT: i32 = 10 * i32(HZ);

@unmanaged class WdSoftc {
  /** Sectors; 0 = no drive. */
  sc_capacity: u32;
  /** Queue of requests. */
  sc_q_first: usize;
  sc_q_last: usize;
  /** The drive works on the first request. */
  sc_active: u32;
  /** Of that request: next byte in memory, bytes to go. */
  sc_data: usize;
  sc_left: u32;
  sc_retries: u32;
}

const wd: WdSoftc = changetype<WdSoftc>(memory.data(offsetof<WdSoftc>()));

const ACTQ: usize = offsetof<Buf>("b_actq_next");

function wd_queue(): usize {
  return changetype<usize>(wd) + offsetof<WdSoftc>("sc_q_first");
}

/** Waits until the drive is not busy; its status, or with bit 8 set when it stays busy. */
function wd_wait(): u32 {
  let status = inb(WD_STATUS);
  for (let i: u32 = 0; (status & WDCS_BSY) != 0; i++) {
    if (i > WD_POLL_USECS / 10) return status | 0x100;
    delay(10);
    status = inb(WD_STATUS);
  }
  return status;
}

/** Resets the channel; with interrupts off when `control` has WDCTL_IDS. */
function wd_reset(control: u32): void {
  outb(WD_CTLR, WDCTL_RST | WDCTL_IDS);
  delay(1000);
  outb(WD_CTLR, control);
  delay(1000);
  wd_wait();
}

/** Reads the IDENTIFY data, 512 bytes, to `buf`; false when there is no ATA drive. */
function wd_identify(buf: usize): bool {
  outb(WD_SDH, WDSD_LBA);
  delay(1);
  const first = inb(WD_STATUS);
  if (first == 0xff || first == 0) return false;
  wd_reset(WDCTL_IDS);
  outb(WD_SDH, WDSD_LBA);
  outb(WD_COMMAND, WDCC_IDENTIFY);
  delay(1);
  const status = wd_wait();
  if ((status & (WDCS_BSY | WDCS_ERR | WDCS_DWF)) != 0 || (status & WDCS_DRQ) == 0) return false;
  insw(WD_DATA, buf, 256);
  return true;
}

function id_word(buf: usize, word: u32): u32 {
  return load<u16>(buf + (word << 1));
}

/** The model name in the IDENTIFY data, whose words hold their bytes the wrong way round, as a string in place. */
function id_model(buf: usize): usize {
  const at = buf + (ID_MODEL << 1);
  let end: u32 = 0;
  for (let i: u32 = 0; i < ID_MODEL_WORDS; i++) {
    const word = id_word(buf, ID_MODEL + i);
    store<u8>(at + 2 * i, word >> 8);
    store<u8>(at + 2 * i + 1, word);
    if ((word >> 8) != 0x20 && (word >> 8) != 0) end = 2 * i + 1;
    if ((word & 0xff) != 0x20 && (word & 0xff) != 0) end = 2 * i + 2;
  }
  store<u8>(at + end, 0);
  return at;
}

/** Looks for the drive and says what it is. Interrupts may be off. */
export function wdattach(): void {
  const sw = bdevsw(WD_MAJOR);
  sw.set_open(wdopen);
  sw.set_close(wdclose);
  sw.set_strategy(wdstrategy);
  sw.set_ioctl(wdioctl);
  sw.set_psize(wdsize);
  sw.d_type = D_DISK;
  sw.d_name = cs("wd");
  TAILQ_INIT(wd_queue());
  const buf = bss(512, 4);
  if (!wd_identify(buf)) return;
  wd.sc_capacity = load<u32>(buf + (ID_LBA_SIZE << 1));
  printf(cs("wdc0 at isa0 port 0x1f0-0x1f7 irq 14\n"));
  printf(cs("wd0 at wdc0 channel 0 drive 0: <%s>\n"), id_model(buf));
  printf(cs("wd0: %d MB, %d cyl, %d head, %d sec, 512 bytes/sect x %u sectors\n"), wd.sc_capacity / 2048,
    id_word(buf, ID_CYLINDERS), id_word(buf, ID_HEADS), id_word(buf, ID_SECTORS), wd.sc_capacity);
  intr_establish(WD_IRQ, IPL_BIO, wdintr.index, changetype<usize>(wd));
  inb(WD_STATUS);
  outb(WD_CTLR, 0);
}

/** Is the device number the drive? */
function wd_valid(dev: u32): bool {
  const part = minor(dev) % MAXPARTITIONS;
  return minor(dev) / MAXPARTITIONS == 0 && (part == 0 || part == RAW_PART) && wd.sc_capacity != 0;
}

function wdopen(dev: u32, flags: u32, p: Proc): i32 {
  return wd_valid(dev) ? 0 : ENXIO;
}

function wdclose(dev: u32, flags: u32, p: Proc): i32 {
  return 0;
}

function wdioctl(dev: u32, command: u32, data: usize, flags: u32, p: Proc): i32 {
  return disk_ioctl(command, data, cs("wd"), wdsize(dev));
}

function wdsize(dev: u32): i32 {
  return wd_valid(dev) ? i32(wd.sc_capacity) : -1;
}

/** Ends a request before it began. */
function wd_refuse(bp: Buf, error: i32): void {
  bp.b_error = error;
  if (error != 0) bp.b_flags |= B_ERROR;
  bp.b_resid = bp.b_bcount;
  biodone(bp);
}

/** Queues a request; it ends in biodone, in the interrupt of its last sector. */
function wdstrategy(bp: Buf): void {
  if (!wd_valid(bp.b_dev)) {
    wd_refuse(bp, ENXIO);
    return;
  }
  const sectors = (bp.b_bcount + DEV_BSIZE - 1) >> DEV_BSHIFT;
  const first = u32(bp.b_blkno);
  if (first == wd.sc_capacity && (bp.b_flags & B_READ) != 0) {
    // Exactly at the end: nothing to read.
    wd_refuse(bp, 0);
    return;
  }
  if ((bp.b_bcount & (DEV_BSIZE - 1)) != 0 || sectors > 256
    || first >= wd.sc_capacity || sectors > wd.sc_capacity - first) {
    wd_refuse(bp, EINVAL);
    return;
  }
  if (sectors == 0) {
    wd_refuse(bp, 0);
    return;
  }
  bp.b_rawblkno = bp.b_blkno;
  const s = splbio();
  TAILQ_INSERT_TAIL(wd_queue(), changetype<usize>(bp), ACTQ);
  if (wd.sc_active == 0) {
    wd.sc_retries = 0;
    wdstart();
  }
  splx(s);
}

/** Gives the first request of the queue to the drive. splbio; the drive is idle. */
function wdstart(): void {
  const addr = TAILQ_FIRST(wd_queue());
  if (addr == 0) return;
  const bp = changetype<Buf>(addr);
  wd.sc_active = 1;
  wd.sc_data = bp.b_data;
  wd.sc_left = bp.b_bcount;
  if ((wd_wait() & 0x100) != 0) {
    wderror(bp, 0);
    return;
  }
  const block = u32(bp.b_rawblkno);
  outb(WD_SDH, WDSD_LBA | (block >> 24));
  outb(WD_SECCNT, (bp.b_bcount >> DEV_BSHIFT) & 0xff);
  outb(WD_SECTOR, block & 0xff);
  outb(WD_CYL_LO, (block >> 8) & 0xff);
  outb(WD_CYL_HI, (block >> 16) & 0xff);
  timeout(wdtimeout.index, changetype<usize>(wd), WD_TIMEOUT);
  if ((bp.b_flags & B_READ) != 0) {
    outb(WD_COMMAND, WDCC_READ);
    return;
  }
  outb(WD_COMMAND, WDCC_WRITE);
  // The drive takes the first sector at once, each other one after an interrupt.
  const status = wd_wait();
  if ((status & (0x100 | WDCS_ERR | WDCS_DWF)) != 0 || (status & WDCS_DRQ) == 0) {
    untimeout(wdtimeout.index, changetype<usize>(wd));
    wderror(bp, status);
    return;
  }
  wd_put_sector();
}

function wd_put_sector(): void {
  outsw(WD_DATA, wd.sc_data, DEV_BSIZE / 2);
  wd.sc_data += DEV_BSIZE;
  wd.sc_left -= DEV_BSIZE;
}

/** The request has failed with this status: again, or give it up. splbio. */
function wderror(bp: Buf, status: u32): void {
  const error = (status & WDCS_ERR) != 0 ? inb(WD_ERROR) : 0;
  const verb = (bp.b_flags & B_READ) != 0 ? cs("reading") : cs("writing");
  const last = u32(bp.b_rawblkno) + (bp.b_bcount >> DEV_BSHIFT) - 1;
  const again = wd.sc_retries < WDIORETRIES;
  printf(cs("wd0%c: error %s fsbn %d of %d-%d (status 0x%x, error 0x%x)%s\n"),
    0x61 + minor(bp.b_dev) % MAXPARTITIONS, verb, u32(bp.b_blkno) + ((bp.b_bcount - wd.sc_left) >> DEV_BSHIFT),
    bp.b_blkno, last, status & 0xff, error, again ? cs(", retrying") : cs(""));
  wd_reset(0);
  if (again) {
    wd.sc_retries++;
    wdstart();
    return;
  }
  bp.b_error = EIO;
  bp.b_flags |= B_ERROR;
  wddone(bp, bp.b_bcount);
}

/** Ends the first request with `resid` bytes not done and goes on with the next. splbio. */
function wddone(bp: Buf, resid: u32): void {
  TAILQ_REMOVE(wd_queue(), changetype<usize>(bp), ACTQ);
  wd.sc_active = 0;
  wd.sc_retries = 0;
  bp.b_resid = resid;
  biodone(bp);
  if (wd.sc_active == 0) wdstart();
}

/** The drive has read or written a sector, or failed. */
function wdintr(arg: usize): i32 {
  const status = inb(WD_STATUS);
  if (wd.sc_active == 0 || (status & WDCS_BSY) != 0) return 0;
  const bp = changetype<Buf>(TAILQ_FIRST(wd_queue()));
  const reading = (bp.b_flags & B_READ) != 0;
  const wants = reading || wd.sc_left > 0;
  if ((status & (WDCS_ERR | WDCS_DWF)) != 0 || (wants && (status & WDCS_DRQ) == 0)) {
    untimeout(wdtimeout.index, changetype<usize>(wd));
    wderror(bp, status);
    return 1;
  }
  if (reading) {
    insw(WD_DATA, wd.sc_data, DEV_BSIZE / 2);
    wd.sc_data += DEV_BSIZE;
    wd.sc_left -= DEV_BSIZE;
    if (wd.sc_left > 0) return 1;
  } else if (wd.sc_left > 0) {
    wd_put_sector();
    return 1;
  }
  untimeout(wdtimeout.index, changetype<usize>(wd));
  wddone(bp, 0);
  return 1;
}

/** No interrupt came in time. */
function wdtimeout(arg: usize): void {
  const s = splbio();
  if (wd.sc_active != 0) {
    printf(cs("wd0: lost interrupt\n"));
    wderror(changetype<Buf>(TAILQ_FIRST(wd_queue())), inb(WD_STATUS));
  }
  splx(s);
}
