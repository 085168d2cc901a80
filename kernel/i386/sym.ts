// Addresses of linker and assembly symbols: `sym.etext()` is the address of
// `etext`. kcc turns each call into a constant that the linker fills in.
// Functions used only for their address (interrupt stubs) stand here too.

export declare namespace sym {
  function kernel_text(): usize;
  function etext(): usize;
  function edata(): usize;
  function end(): usize;
  /** The symbol table that the linker made for DDB; see tools/kcc/link.ts. */
  function ddb_symtab(): usize;
}
