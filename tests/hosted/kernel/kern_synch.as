// Hosted scheduler: one process. Sleeping is the test's affair (tests/lib/hosted.ts).
export declare function tsleep(ident: usize, priority: i32, wmesg: usize, timo: i32): i32;
export declare function wakeup(ident: usize): void;
