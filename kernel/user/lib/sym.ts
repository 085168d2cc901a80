// Words of the start code: each function gives the address of the word.

/** The environment: a word with the address of the vector of strings. */
export declare function environ(): usize;
/** The error number of the last system call that failed. */
export declare function errno(): usize;
