// Hosted timer: time stands still.
export function delay(microseconds: u32): void {}
