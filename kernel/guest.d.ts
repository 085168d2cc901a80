// Names of the guest dialect that AssemblyScript's own declarations lack. Only
// the type checker reads this file.

/**
 * The address of the text as NUL-terminated UTF-8 bytes in static storage;
 * equal texts share one address. The compiler replaces the call, so the
 * argument is a string literal.
 */
declare function cs(text: string): usize;
