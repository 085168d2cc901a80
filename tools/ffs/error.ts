// What the FFS tools throw for an image or a tree that cannot be used: one line for the user.

export class FfsError extends Error {
  override readonly name = "FfsError";

  /** `what` names the image or the file; the message reads "what: reason". */
  constructor(what: string, reason: string) {
    super(`${what}: ${reason}`);
  }
}
