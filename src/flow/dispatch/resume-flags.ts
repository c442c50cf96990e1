/** The flags by which a Dispatch goes on with turns that died of a limit, on it and on the commands that start one. */
import { flag, number } from "../../args/spec.ts";
import { UsageError } from "../../core/failure.ts";

const AFTER_SECONDS = 60;

export const resumeFlags = {
  resumeLimits: flag("tell a session whose turn died of a usage limit, once, to go on when that is over, if nobody else has"),
  resumeAfter: number("with --resume-limits: how long after the limit is over (60)", { max: 86_400, value: "SECONDS" }),
};

interface Chosen {
  readonly resumeLimits: boolean;
  readonly resumeAfter: number | undefined;
}

/**
 * How long after its limit is over a turn is gone on with; undefined: it is not.
 * @throws UsageError for a time without the wish
 */
export function resumeAfterMs({ resumeLimits, resumeAfter }: Chosen): number | undefined {
  if (!resumeLimits && resumeAfter !== undefined) throw new UsageError("--resume-after needs --resume-limits");
  return resumeLimits ? (resumeAfter ?? AFTER_SECONDS) * 1000 : undefined;
}

/** The same for the command line of a Dispatch. @throws UsageError for a time without the wish */
export function resumeWords(chosen: Chosen): string[] {
  const after = resumeAfterMs(chosen);
  if (after === undefined) return [];
  return ["--resume-limits", ...(chosen.resumeAfter === undefined ? [] : ["--resume-after", String(chosen.resumeAfter)])];
}
