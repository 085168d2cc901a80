// Who asks: the user and the group behind the credentials that the vnode operations pass.
//
// A credential is the address of the process on whose behalf the call is made, or
// one of the constants NOCRED and FSCRED, or 0: the kernel itself. These last act
// as uid 0.

import { Proc, groupmember } from "../../kernel/sys/proc";
import { FSCRED, NOCRED } from "../vnode";

/** User id of a credential; 0 for the kernel's own. */
export function cr_uid(cred: usize): u32 {
  if (cred == 0 || cred == NOCRED || cred == FSCRED) return 0;
  return changetype<Proc>(cred).p_uid;
}

/** Is the credential's process in group `gid`? The kernel is in all of them. */
export function cr_ingroup(cred: usize, gid: u32): bool {
  if (cred == 0 || cred == NOCRED || cred == FSCRED) return true;
  return groupmember(changetype<Proc>(cred), gid);
}
