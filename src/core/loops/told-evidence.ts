/** A run that a worker in its sandbox made and tells of, since the records are closed to it. */
import { array, boolean, integer, maxLength, minValue, nullable, number, object, parse, picklist, pipe, regex, string } from "valibot";
import { CRITERION_SOURCES } from "../tasks/criteria.ts";
import type { MeasuredRun } from "./evidence-run.ts";

const count = pipe(number(), integer(), minValue(0));
const word = pipe(string(), maxLength(10_000));
const digest = pipe(string(), regex(/^[0-9a-f]{64}$/));

const shape = object({
  settling: object({
    criterion: nullable(pipe(number(), integer(), minValue(1))),
    loopRun: nullable(word),
    iteration: nullable(pipe(number(), integer())),
    type: nullable(word),
    source: picklist(CRITERION_SOURCES),
    correlationId: nullable(word),
  }),
  measured: object({
    command: array(word),
    folder: word,
    tree: nullable(object({ head: nullable(pipe(string(), regex(/^[0-9a-f]{40,64}$/))), dirty: boolean(), diff_sha256: digest })),
    tree_changed: boolean(),
    started_at: pipe(string(), regex(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)),
    duration_ms: count,
    exit_code: nullable(count),
    signal: nullable(word),
    timed_out: boolean(),
    output_bytes: count,
    output_sha256: digest,
    output_tail: pipe(string(), maxLength(64_000)),
  }),
});

export interface ToldEvidence {
  readonly settling: {
    readonly criterion: number | null;
    readonly loopRun: string | null;
    readonly iteration: number | null;
    readonly type: string | null;
    readonly source: (typeof CRITERION_SOURCES)[number];
    readonly correlationId: string | null;
  };
  readonly measured: MeasuredRun;
}

/** @throws what valibot throws when it is none */
export const readToldEvidence = (text: string): ToldEvidence => parse(shape, JSON.parse(text));
