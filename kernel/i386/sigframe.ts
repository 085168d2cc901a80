// <machine/signal.h>: what lies on a user's stack while a signal handler runs.

/** The interrupted registers and the signal mask: a handler may look at them and change them. */
@unmanaged export class Sigcontext {
  sc_gs: u32;
  sc_fs: u32;
  sc_es: u32;
  sc_ds: u32;
  sc_edi: u32;
  sc_esi: u32;
  sc_ebp: u32;
  sc_ebx: u32;
  sc_edx: u32;
  sc_ecx: u32;
  sc_eax: u32;
  sc_eip: u32;
  sc_cs: u32;
  sc_eflags: u32;
  sc_esp: u32;
  sc_ss: u32;
  sc_onstack: u32;
  /** The first word of sc_mask, where programs from before NetBSD 1.4 look. */
  sc_mask13: u32;
  sc_trapno: u32;
  sc_err: u32;
  sc_mask: u32;
  sc_mask1: u32;
  sc_mask2: u32;
  sc_mask3: u32;
}

@unmanaged export class Sigframe {
  sf_signum: u32;
  sf_code: u32;
  sf_scp: usize;
  sf_handler: usize;

  @inline get sf_sc(): Sigcontext { return changetype<Sigcontext>(changetype<usize>(this) + 16); }
}
