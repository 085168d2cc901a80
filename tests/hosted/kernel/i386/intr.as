// Hosted interrupts: there are none.
export function splvm(): u32 {
  return 0;
}

export function splhigh(): u32 {
  return 0;
}

export function splbio(): u32 {
  return 0;
}

export function splx(s: u32): void {}

export function spl0(): u32 {
  return 0;
}
