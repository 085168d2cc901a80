// The name cache: (directory, name) -> vnode, so that most lookups read no
// directory (namecache(9)).
//
// An entry holds no reference. It remembers the v_id of both vnodes; an entry
// whose directory or file has another v_id by now is stale and is dropped when
// met. An entry without a vnode (negative) says that the name does not exist.
// Entries out of use are reused first, the others in least-recently-used order. Names longer than NCHNAMLEN
// are not cached.
import { bzero, memcmp, memcpy } from "../kernel/libkern";
import { M_CACHE, M_WAITOK } from "../kernel/sys/malloc";
import { ENOENT } from "../kernel/sys/errno";
import { LK_EXCLUSIVE } from "../kernel/sys/lock";
import {
  LIST_FIRST, LIST_INSERT_HEAD, LIST_NEXT, LIST_REMOVE, TAILQ_FIRST, TAILQ_INIT, TAILQ_INSERT_HEAD,
  TAILQ_INSERT_TAIL, TAILQ_NEXT, TAILQ_REMOVE,
} from "../kernel/sys/queue";
import { free, malloc } from "../kernel/kern_malloc";
import { Pool, PR_WAITOK, pool_get, pool_init } from "../kernel/subr_pool";
import { PAGE_SIZE } from "../kernel/sys/param";
import { Mount } from "./mount";
import { CREATE, Componentname, ISDOTDOT, ISLASTCN, LOCKPARENT, MAKEENTRY, PDIRUNLOCK } from "./namei";
import { vget, vput, vref } from "./vfs_subr";
import { vn_lock } from "./vfs_vnops";
import { Vnode } from "./vnode";
import { VOP_UNLOCK } from "./vnode_if";

/** Longest name that is cached. */
export const NCHNAMLEN: u32 = 31;

@unmanaged class Namecache {
  nc_hash_next: usize;
  nc_hash_prev: usize;
  nc_lru_next: usize;
  nc_lru_prev: usize;
  nc_dvp: Vnode;
  nc_dvpid: u32;
  /** 0 in a negative entry. */
  nc_vp: Vnode;
  nc_vpid: u32;
  nc_nlen: u32;
  // nc_name[NCHNAMLEN], then a byte unused.

  @inline get nc_name(): usize { return changetype<usize>(this) + offsetof<Namecache>(); }
}

const NAMECACHE_SIZE: u32 = offsetof<Namecache>() + 32;
const NCHASH: usize = offsetof<Namecache>("nc_hash_next");
const NCLRU: usize = offsetof<Namecache>("nc_lru_next");

/** Statistics of the cache, and its state. */
@unmanaged export class Nchstats {
  /** Hits that could be used. */
  ncs_goodhits: u32;
  /** Negative hits that could be used. */
  ncs_neghits: u32;
  /** Hits that had to be dropped. */
  ncs_badhits: u32;
  /** Hits with a stale v_id. */
  ncs_falsehits: u32;
  ncs_miss: u32;
  /** Names too long for the cache. */
  ncs_long: u32;
  numcache: u32;
  maxcache: u32;
  hashtable: usize;
  hashmask: u32;
  /** The v_id given out last. */
  nextvnodeid: u32;
}

export const nchstats: Nchstats = changetype<Nchstats>(memory.data(offsetof<Nchstats>()));
const namecache_pool: Pool = changetype<Pool>(memory.data(offsetof<Pool>()));
/** LRU list, oldest first. */
const nclruhead: usize = memory.data(8);

/** Makes an empty cache of at most `entries` names; 0 switches it off. */
export function nchinit(entries: u32): void {
  TAILQ_INIT(nclruhead);
  pool_init(namecache_pool, NAMECACHE_SIZE, 0, 0, 0, cs("ncachepl"), PAGE_SIZE, 0, 0, M_CACHE);
  let buckets: u32 = 16;
  while (buckets < entries) buckets <<= 1;
  if (nchstats.hashtable != 0) free(nchstats.hashtable, M_CACHE);
  nchstats.hashtable = malloc(buckets * 4, M_CACHE, M_WAITOK);
  bzero(nchstats.hashtable, buckets * 4);
  nchstats.hashmask = buckets - 1;
  nchstats.maxcache = entries;
  nchstats.numcache = 0;
}

function nchash(dvp: Vnode, cnp: Componentname): usize {
  return nchstats.hashtable + (((cnp.cn_hash ^ dvp.v_id) & nchstats.hashmask) << 2);
}

/** Takes an entry out of use: first in line for another name. */
function cache_remove(ncp: Namecache): void {
  const addr = changetype<usize>(ncp);
  TAILQ_REMOVE(nclruhead, addr, NCLRU);
  if (ncp.nc_hash_prev != 0) LIST_REMOVE(addr, NCHASH);
  ncp.nc_hash_prev = 0;
  TAILQ_INSERT_HEAD(nclruhead, addr, NCLRU);
}

/** The entry just used is the last to be reused. */
function cache_touch(ncp: Namecache): void {
  TAILQ_REMOVE(nclruhead, changetype<usize>(ncp), NCLRU);
  TAILQ_INSERT_TAIL(nclruhead, changetype<usize>(ncp), NCLRU);
}

/** The entry of a name of a directory, 0 = none. */
function cache_find(dvp: Vnode, cnp: Componentname): Namecache {
  let addr = LIST_FIRST(nchash(dvp, cnp));
  while (addr != 0) {
    const ncp = changetype<Namecache>(addr);
    if (ncp.nc_dvp == dvp && ncp.nc_dvpid == dvp.v_id && ncp.nc_nlen == cnp.cn_namelen
      && memcmp(ncp.nc_name, cnp.cn_nameptr, cnp.cn_namelen) == 0) return ncp;
    addr = LIST_NEXT(addr, NCHASH);
  }
  return changetype<Namecache>(0);
}

/**
 * Gives a found vnode to the caller with the locks that VOP_LOOKUP leaves; an errno when vget or
 * vn_lock fails. PDIRUNLOCK tells whether dvp is unlocked.
 */
function cache_lock(dvp: Vnode, vp: Vnode, cnp: Componentname): i32 {
  const keepparent = (cnp.cn_flags & (LOCKPARENT | ISLASTCN)) == (LOCKPARENT | ISLASTCN);
  if (vp == dvp) {
    vref(dvp);
    return 0;
  }
  if ((cnp.cn_flags & ISDOTDOT) != 0) {
    // Child to parent is against the order of locking: let go of the child first.
    VOP_UNLOCK(dvp, 0);
    cnp.cn_flags |= PDIRUNLOCK;
    let error = vget(vp, LK_EXCLUSIVE);
    if (error != 0 || !keepparent) return error;
    error = vn_lock(dvp, LK_EXCLUSIVE);
    if (error != 0) {
      vput(vp);
      return error;
    }
    cnp.cn_flags &= ~PDIRUNLOCK;
    return 0;
  }
  const error = vget(vp, LK_EXCLUSIVE);
  if (error == 0 && !keepparent) {
    VOP_UNLOCK(dvp, 0);
    cnp.cn_flags |= PDIRUNLOCK;
  }
  return error;
}

/**
 * Looks a name up. -1: not known (dvp locked, *vpp 0). ENOENT: known not to exist. 0: *vpp is
 * the vnode, referenced and locked, and dvp as after VOP_LOOKUP. Other errno: dvp could not
 * be locked again (PDIRUNLOCK). Clears MAKEENTRY when the name must not be entered. Sleeps.
 */
export function cache_lookup(dvp: Vnode, vpp: usize, cnp: Componentname): i32 {
  store<usize>(vpp, 0);
  if (nchstats.maxcache == 0 || cnp.cn_namelen > NCHNAMLEN) {
    if (cnp.cn_namelen > NCHNAMLEN) nchstats.ncs_long++;
    cnp.cn_flags &= ~MAKEENTRY;
    return -1;
  }
  const ncp = cache_find(dvp, cnp);
  if (changetype<usize>(ncp) == 0) {
    nchstats.ncs_miss++;
    return -1;
  }
  if ((cnp.cn_flags & MAKEENTRY) == 0) {
    nchstats.ncs_badhits++;
    cache_remove(ncp);
    return -1;
  }
  const vp = ncp.nc_vp;
  if (changetype<usize>(vp) == 0) {
    if (cnp.cn_nameiop == CREATE && (cnp.cn_flags & ISLASTCN) != 0) {
      // About to be made: the file system has to look for room anyway.
      nchstats.ncs_badhits++;
      cache_remove(ncp);
      return -1;
    }
    nchstats.ncs_neghits++;
    cache_touch(ncp);
    return ENOENT;
  }
  const vpid = ncp.nc_vpid;
  if (vpid != vp.v_id) {
    nchstats.ncs_falsehits++;
    cache_remove(ncp);
    return -1;
  }
  cache_touch(ncp);
  const error = cache_lock(dvp, vp, cnp);
  if (error == 0 && vpid == vp.v_id) {
    nchstats.ncs_goodhits++;
    store<usize>(vpp, changetype<usize>(vp));
    return 0;
  }
  // The vnode became another file while we waited for its lock.
  nchstats.ncs_falsehits++;
  if (error == 0) {
    if (vp == dvp) vp.v_usecount--;
    else vput(vp);
  }
  if ((cnp.cn_flags & PDIRUNLOCK) != 0) {
    const relock = vn_lock(dvp, LK_EXCLUSIVE);
    if (relock != 0) return relock;
    cnp.cn_flags &= ~PDIRUNLOCK;
  }
  return -1;
}

/** Enters a name: vp 0 for one that does not exist. dvp is locked. */
export function cache_enter(dvp: Vnode, vp: Vnode, cnp: Componentname): void {
  if (nchstats.maxcache == 0 || cnp.cn_namelen > NCHNAMLEN) return;
  const old = cache_find(dvp, cnp);
  if (changetype<usize>(old) != 0) cache_remove(old);
  let ncp = changetype<Namecache>(TAILQ_FIRST(nclruhead));
  const unused = changetype<usize>(ncp) != 0 && ncp.nc_hash_prev == 0;
  if (!unused && nchstats.numcache < nchstats.maxcache) {
    ncp = changetype<Namecache>(pool_get(namecache_pool, PR_WAITOK));
    nchstats.numcache++;
  } else {
    TAILQ_REMOVE(nclruhead, changetype<usize>(ncp), NCLRU);
    if (ncp.nc_hash_prev != 0) LIST_REMOVE(changetype<usize>(ncp), NCHASH);
  }
  ncp.nc_dvp = dvp;
  ncp.nc_dvpid = dvp.v_id;
  ncp.nc_vp = vp;
  ncp.nc_vpid = changetype<usize>(vp) != 0 ? vp.v_id : 0;
  ncp.nc_nlen = cnp.cn_namelen;
  memcpy(ncp.nc_name, cnp.cn_nameptr, cnp.cn_namelen);
  TAILQ_INSERT_TAIL(nclruhead, changetype<usize>(ncp), NCLRU);
  LIST_INSERT_HEAD(nchash(dvp, cnp), changetype<usize>(ncp), NCHASH);
}

/** Forgets all names of and in vp: gives it a new v_id. */
export function cache_purge(vp: Vnode): void {
  nchstats.nextvnodeid++;
  vp.v_id = nchstats.nextvnodeid;
  if (nchstats.nextvnodeid != 0) return;
  // The numbers have wrapped: an old entry might match again, so none may stay.
  let addr = TAILQ_FIRST(nclruhead);
  while (addr != 0) {
    const ncp = changetype<Namecache>(addr);
    if (ncp.nc_hash_prev != 0) LIST_REMOVE(addr, NCHASH);
    ncp.nc_hash_prev = 0;
    addr = TAILQ_NEXT(addr, NCLRU);
  }
  nchstats.nextvnodeid = 1;
  vp.v_id = 1;
}

/** Forgets all names in directories of a file system, and those that are stale. (A vnode's memory stays a vnode.) */
export function cache_purgevfs(mp: Mount): void {
  let addr = TAILQ_FIRST(nclruhead);
  while (addr != 0) {
    const ncp = changetype<Namecache>(addr);
    addr = TAILQ_NEXT(addr, NCLRU);
    if (ncp.nc_hash_prev != 0 && (ncp.nc_dvp.v_mount == mp || ncp.nc_dvpid != ncp.nc_dvp.v_id)) cache_remove(ncp);
  }
}
