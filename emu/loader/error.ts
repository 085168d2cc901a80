// What a loader throws when it refuses an image: the message is one line for the user.

export class LoaderError extends Error {
  override readonly name = "LoaderError";

  /** `what` names the image; the message reads "what: reason; remedy". */
  constructor(what: string, reason: string, remedy: string) {
    super(`${what}: ${reason}; ${remedy}`);
  }
}
