// Hosted machine: the way down ends the call with an exception.
export declare function cpu_reboot(howto: u32, bootstr: usize): void;

export function kernel_debugger(): void {}
