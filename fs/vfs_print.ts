// DDB's `show buf` and `show vnode`. The output function is given as a code
// address, since the same text may go to the console or to the debugger's pager.
import { uvm_object_printit } from "../vm/uvm_ddb";
import { LIST_FIRST, LIST_NEXT } from "../kernel/sys/queue";
import { Buf } from "./buf";
import { vtype_name } from "./vfs_subr";
import { Vnode } from "./vnode";

// A printf of DDB takes the format and ten words.
function print(pr: u32, fmt: usize, a: usize, b: usize, c: usize, d: usize): void {
  call_indirect<void>(pr, fmt, a, b, c, d, 0, 0, 0, 0, 0, 0);
}

/** Name of bit `bit` of b_flags; 0 = none. */
function buf_flag_name(bit: u32): usize {
  switch (bit) {
    case 0: return cs("AGE");
    case 1: return cs("NEEDCOMMIT");
    case 2: return cs("ASYNC");
    case 3: return cs("BAD");
    case 4: return cs("BUSY");
    case 5: return cs("SCANNED");
    case 6: return cs("CALL");
    case 7: return cs("DELWRI");
    case 8: return cs("DIRTY");
    case 9: return cs("DONE");
    case 10: return cs("EINTR");
    case 11: return cs("ERROR");
    case 12: return cs("GATHERED");
    case 13: return cs("INVAL");
    case 14: return cs("LOCKED");
    case 15: return cs("NOCACHE");
    case 16: return cs("ORDERED");
    case 18: return cs("PHYS");
    case 19: return cs("RAW");
    case 20: return cs("READ");
    case 21: return cs("TAPE");
    case 23: return cs("WANTED");
    case 24: return cs("WRITEINPROG");
    case 25: return cs("XXX");
    case 26: return cs("VFLUSH");
    default: return 0;
  }
}

/** Name of bit `bit` of v_flag; 0 = none. */
function vnode_flag_name(bit: u32): usize {
  switch (bit) {
    case 0: return cs("ROOT");
    case 1: return cs("TEXT");
    case 2: return cs("SYSTEM");
    case 3: return cs("ISTTY");
    case 8: return cs("XLOCK");
    case 9: return cs("XWANT");
    case 10: return cs("BWAIT");
    case 11: return cs("ALIASED");
    case 12: return cs("DIROP");
    case 13: return cs("LAYER");
    case 14: return cs("ONWORKLST");
    default: return 0;
  }
}

/** Prints `hex<NAME,NAME>`. */
function print_flags(pr: u32, flags: u32, vnode: bool): void {
  print(pr, cs("0x%x"), flags, 0, 0, 0);
  let separator = cs("<");
  for (let bit: u32 = 0; bit < 32; bit++) {
    if ((flags & (1 << bit)) == 0) continue;
    const name = vnode ? vnode_flag_name(bit) : buf_flag_name(bit);
    if (name == 0) continue;
    print(pr, cs("%s%s"), separator, name, 0, 0);
    separator = cs(",");
  }
  if (separator == cs(",")) print(pr, cs(">"), 0, 0, 0, 0);
}

/** `show buf`. `full` has no more to say. */
export function vfs_buf_print(bp: Buf, full: bool, pr: u32): void {
  print(pr, cs("  vp %p lblkno 0x%x blkno 0x%x dev 0x%x\n"), changetype<usize>(bp.b_vp), bp.b_lblkno, bp.b_blkno,
    bp.b_dev);
  print(pr, cs("  error %d flags "), bp.b_error, 0, 0, 0);
  print_flags(pr, bp.b_flags, false);
  print(pr, cs("\n  bufsize 0x%lx bcount 0x%lx resid 0x%lx\n"), bp.b_bufsize, bp.b_bcount, bp.b_resid, 0);
  print(pr, cs("  data %p saveaddr %p dep %p\n"), bp.b_data, bp.b_saveaddr, bp.b_dep, 0);
  print(pr, cs("  iodone %p\n"), bp.b_iodone, 0, 0, 0);
}

/** Name of a vnode tag. */
function vtag_name(tag: u32): usize {
  if (tag == 0) return cs("VT_NON");
  if (tag == 1) return cs("VT_UFS");
  if (tag == 2) return cs("VT_NFS");
  if (tag == 3) return cs("VT_MFS");
  if (tag == 21) return cs("VT_VFS");
  return cs("unknown");
}

function print_buffers(pr: u32, title: usize, head: usize): void {
  print(pr, title, 0, 0, 0, 0);
  let addr = LIST_FIRST(head);
  while (addr != 0) {
    print(pr, cs(" bp %p\n"), addr, 0, 0, 0);
    vfs_buf_print(changetype<Buf>(addr), true, pr);
    addr = LIST_NEXT(addr, offsetof<Buf>("b_vnbufs_next"));
  }
}

/** `show vnode`; `full` lists the buffers too. */
export function vfs_vnode_print(vp: Vnode, full: bool, pr: u32): void {
  uvm_object_printit(vp, full, pr);
  print(pr, cs("\nVNODE flags "), 0, 0, 0, 0);
  print_flags(pr, vp.v_flag, true);
  print(pr, cs("\nmp %p numoutput %d size 0x%llx\n"), changetype<usize>(vp.v_mount), vp.v_numoutput, u32(vp.u_size),
    u32(vp.u_size >> 32));
  print(pr, cs("data %p usecount %d writecount %d holdcnt %d"), vp.v_data, vp.v_usecount, vp.v_writecount,
    vp.v_holdcnt);
  print(pr, cs(" numoutput %d\n"), vp.v_numoutput, 0, 0, 0);
  print(pr, cs("type %s(%d) tag %s(%d)"), vtype_name(vp.v_type), vp.v_type, vtag_name(vp.v_tag), vp.v_tag);
  print(pr, cs(" id 0x%lx mount %p typedata %p\n"), vp.v_id, changetype<usize>(vp.v_mount), vp.v_un, 0);
  if (!full) return;
  print_buffers(pr, cs("clean bufs:\n"), changetype<usize>(vp) + offsetof<Vnode>("v_cleanblkhd"));
  print_buffers(pr, cs("dirty bufs:\n"), changetype<usize>(vp) + offsetof<Vnode>("v_dirtyblkhd"));
}
