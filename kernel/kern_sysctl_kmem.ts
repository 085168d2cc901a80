// sysctl debug.buckets, debug.kmemstats, debug.pools: who has the kernel's memory, for vmstat -m.
import { MAXBUCKET, MINBUCKET, free, malloc, malloc_bucket, malloc_stats } from "./kern_malloc";
import { sysctl_out } from "./kern_sysctl";
import { strlcpy } from "./libkern";
import { Pool, pool_list_first, pool_list_next } from "./subr_pool";
import { M_LAST, M_TEMP, M_WAITOK, malloc_type_name } from "./sys/malloc";
import { KMEM_NAME_SIZE, KinfoBucket, KinfoMalloc, KinfoPool } from "./sys/sysctl";
import { Sys__sysctlArgs } from "./syscallargs";

/** Gives `size` bytes of records from malloc out and frees them. Sleeps. */
function records_out(uap: Sys__sysctlArgs, records: usize, size: u32): i32 {
  const error = sysctl_out(uap, records, size);
  free(records, M_TEMP);
  return error;
}

/** debug.buckets: KinfoBucket records. Sleeps. */
export function sysctl_buckets(uap: Sys__sysctlArgs): i32 {
  const size = (MAXBUCKET - MINBUCKET + 1) * offsetof<KinfoBucket>();
  const records = malloc(size, M_TEMP, M_WAITOK);
  let at = records;
  for (let index = MINBUCKET; index <= MAXBUCKET; index++) {
    const record = changetype<KinfoBucket>(at);
    const kbp = malloc_bucket(index);
    record.kb_size = u32(1) << index;
    record.kb_calls = kbp.kb_calls;
    record.kb_total = kbp.kb_total;
    record.kb_totalfree = kbp.kb_totalfree;
    at += offsetof<KinfoBucket>();
  }
  return records_out(uap, records, size);
}

/** debug.kmemstats: a KinfoMalloc record for each type with a name. Sleeps. */
export function sysctl_kmemstats(uap: Sys__sysctlArgs): i32 {
  const records = malloc(M_LAST * offsetof<KinfoMalloc>(), M_TEMP, M_WAITOK);
  let at = records;
  for (let type: u32 = 0; type < M_LAST; type++) {
    const name = malloc_type_name(type);
    if (name == 0) continue;
    const record = changetype<KinfoMalloc>(at);
    const ksp = malloc_stats(type);
    memory.fill(at, 0, offsetof<KinfoMalloc>());
    strlcpy(at, name, KMEM_NAME_SIZE);
    record.km_inuse = ksp.ks_inuse;
    record.km_calls = ksp.ks_calls;
    record.km_memuse = ksp.ks_memuse;
    record.km_maxused = ksp.ks_maxused;
    record.km_sizes = ksp.ks_size;
    at += offsetof<KinfoMalloc>();
  }
  return records_out(uap, records, u32(at - records));
}

function fill_pool(record: KinfoPool, pp: Pool): void {
  memory.fill(changetype<usize>(record), 0, offsetof<KinfoPool>());
  strlcpy(changetype<usize>(record), pp.pr_wchan, KMEM_NAME_SIZE);
  record.kp_size = pp.pr_size;
  record.kp_pagesz = pp.pr_pagesz;
  record.kp_nget = pp.pr_nget;
  record.kp_nfail = pp.pr_nfail;
  record.kp_nput = pp.pr_nput;
  record.kp_npagealloc = pp.pr_npagealloc;
  record.kp_npagefree = pp.pr_npagefree;
  record.kp_npages = pp.pr_npages;
  record.kp_hiwat = pp.pr_hiwat;
  record.kp_minpages = pp.pr_minpages;
  record.kp_maxpages = pp.pr_maxpages;
  record.kp_nidle = pp.pr_nidle;
}

/** debug.pools: a KinfoPool record for each pool. Sleeps. */
export function sysctl_pools(uap: Sys__sysctlArgs): i32 {
  let count: u32 = 0;
  for (let pool = pool_list_first(); pool != 0; pool = pool_list_next(pool)) count++;
  const size = count * offsetof<KinfoPool>();
  const records = malloc(size, M_TEMP, M_WAITOK);
  let at = records;
  // A pool that has come while malloc slept has no record.
  for (let pool = pool_list_first(); pool != 0 && at < records + size; pool = pool_list_next(pool)) {
    fill_pool(changetype<KinfoPool>(at), changetype<Pool>(pool));
    at += offsetof<KinfoPool>();
  }
  return records_out(uap, records, u32(at - records));
}
