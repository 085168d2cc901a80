// What the system calls itself.

export const OSREVISION: u32 = 1;

export function OSTYPE(): usize {
  return cs("ptmap");
}

export function OSRELEASE(): usize {
  return cs("0.1");
}

/** The first line on the console, and kern.version. */
export function version(): usize {
  return cs("ptmap 0.1 (GENERIC)");
}
