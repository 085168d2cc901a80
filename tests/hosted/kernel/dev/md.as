// Hosted machine: no boot modules.
export function mdattach(): void {}
