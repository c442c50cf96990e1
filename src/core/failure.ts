/** The two errors that a user can cause: a refusal (exit 1) and a misuse of the command line (exit 2). */

/** A refusal or a failure of the world, said in one sentence that names the things involved. */
export class Failure extends Error {
  readonly hint: string | undefined;
  readonly exit: number;
  /** A name that nothing has, and those that it may have been meant for: the nearest is suggested. */
  readonly similar: { readonly typed: string; readonly names: readonly string[] } | undefined;
  /** @param message one sentence; @param options.hint the next command to try; @param options.exit 1 unless given */
  constructor(message: string, options: { hint?: string | undefined; exit?: number; cause?: unknown; similar?: Failure["similar"] } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Failure";
    this.hint = options.hint;
    this.exit = options.exit ?? 1;
    this.similar = options.similar;
  }
}

/** Words on the command line that cannot be understood: printed below the usage line of the command, exit 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** Why the system refused something, without its code, call and path: `EACCES: permission denied, open '/x'` is "permission denied". */
export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/^E[A-Z0-9]+: (.*?)(?:, [a-z]+(?: '.*')?)?$/s, "$1");
