/**
 * What a worker whose sandbox is closed to the records has done outside: a command of few, about its own task alone. It is left as a file
 * in the worker's worktree, and Dispatch, which stands outside, runs it and leaves the answer where the worker can only read.
 */
import { literal, maxLength, object, parse, pipe, regex, string, array, nullable, union } from "valibot";

/** The folder in the worktree. */
export const ERRANDS = ".conveyor";
/** More than any acknowledgement. */
export const ERRAND_BYTES = 4 << 20;

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const words = (...names: string[]) => union(names.map((name) => literal(name)));

const shape = object({
  command: words("worker-ack", "worker-inbox", "handoff", "evidence-told"),
  task: pipe(string(), maxLength(200)),
  /** Flags with their values, `--name=value`. */
  flags: array(
    pipe(
      string(),
      regex(/^--(from-stdin|json|consume-next|wait|(correlation-id|timeout|interval|limit|summary|next-step|payload-json)=[^]*)$/),
      maxLength(1 << 20),
    ),
  ),
  stdin: nullable(string()),
});

export interface Errand {
  readonly command: string;
  readonly task: string;
  readonly flags: readonly string[];
  readonly stdin: string | null;
}

/** What came of it. */
export interface ErrandAnswer {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The id that a file's name tells; null: it is none of an errand. */
export const errandId = (name: string): string | null => (name.endsWith(".json") && ID.test(name.slice(0, -5)) ? name.slice(0, -5) : null);

/** @throws what valibot throws when it is none */
export const readErrand = (text: string): Errand => parse(shape, JSON.parse(text));

/** How long it may take, by its own flags: a wait at the inbox, and the time around it. */
export function errandMs({ flags }: Errand): number {
  if (!flags.includes("--wait")) return 30_000;
  const seconds = Number(flags.findLast((flag) => flag.startsWith("--timeout="))?.slice("--timeout=".length) ?? 30);
  return 30_000 + (Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 3600) * 1000 : 0);
}
