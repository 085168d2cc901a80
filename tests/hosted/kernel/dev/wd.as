// Hosted machine: no disk.
export function wdattach(): void {}
