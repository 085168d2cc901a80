// Hosted console: bytes go to a string in JavaScript.
export declare function cnputc(c: u32): void;
