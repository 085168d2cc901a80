// The two ways a command ends early: the user asked for something impossible
// (usage, exit 2) or an input turned out bad (failure, exit 1). Both become one
// line on stderr; neither shows a stack trace.

/** Exit statuses of `ptmap`, as documented in --help. */
export const EXIT = { ok: 0, failure: 1, usage: 2, guestPanic: 3, budget: 4 } as const;

/** A mistake on the command line. `message` names the input and the remedy. */
export class UsageError extends Error {}

/** An input (file, image, kernel) that cannot be used. `message` names it, the reason and the remedy. */
export class InputError extends Error {}
