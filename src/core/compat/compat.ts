/** A worker kept in files by the oldest releases: config.json, status.json, transcript.txt and events.jsonl in a folder of its name. */
import * as v from "valibot";
import { Failure } from "../failure.ts";
import { isObject, type JsonObject } from "../json.ts";
import { instant } from "../time.ts";

/** The texts of one folder; null where the file is not there. */
export interface CompatFolder {
  readonly name: string;
  readonly path: string;
  readonly config: string;
  readonly status: string | null;
  readonly transcript: string | null;
  readonly captureMeta: string | null;
  readonly events: string | null;
}

export const STATUS_STATES = ["planning", "editing", "running_tests", "blocked", "waiting", "done", "unknown"] as const;

const words = v.pipe(v.string(), v.nonEmpty());
const maybeWords = v.fallback(v.nullable(words), null);
const maybeTime = v.fallback(
  v.nullable(
    v.pipe(
      v.string(),
      v.check((text) => instant(text) !== null),
    ),
  ),
  null,
);

const Config = v.object({
  name: v.fallback(v.optional(words), undefined),
  tmux_session: maybeWords,
  tmux_pane_id: maybeWords,
  identity_token: maybeWords,
  cwd: v.fallback(v.nullable(v.string()), null),
  created_at: maybeTime,
});
export type CompatConfig = Omit<v.InferOutput<typeof Config>, "name"> & { readonly name: string };

const Status = v.object({
  state: v.fallback(v.picklist(STATUS_STATES), "unknown"),
  current_task: maybeWords,
  next_action: maybeWords,
  blocker: maybeWords,
  last_update: maybeTime,
});
export type CompatStatus = v.InferOutput<typeof Status>;

const Meta = v.object({
  captured_at: maybeTime,
  changed_at: maybeTime,
  history_lines: v.fallback(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0))), null),
});
type CompatCaptureMeta = v.InferOutput<typeof Meta>;

/** An event by its line, counted from 1; `event` is null when the line is no JSON object. */
interface CompatEvent {
  readonly line: number;
  readonly text: string;
  readonly event: { readonly type: string; readonly time: string | null; readonly payload: JsonObject } | null;
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const objectOf = (folder: CompatFolder, file: string, text: string): JsonObject => {
  const value = parse(text);
  if (!isObject(value))
    throw new Failure(`${folder.path}/${file} is not a JSON object`, {
      hint: "correct or move that file, or import one worker with --worker NAME",
    });
  return value;
};

/** What config.json says; a key it lacks, or of the wrong type, is null. Throws a Failure naming the file when it is no JSON object. */
export function compatConfig(folder: CompatFolder): CompatConfig {
  const config = v.parse(
    Config,
    complete(objectOf(folder, "config.json", folder.config), ["tmux_session", "tmux_pane_id", "identity_token", "cwd", "created_at"]),
  );
  return { ...config, name: config.name ?? folder.name };
}

/** What status.json says, an unknown state as `unknown`; null when there is no such file. Throws as `compatConfig`. */
export function compatStatus(folder: CompatFolder): CompatStatus | null {
  if (folder.status === null) return null;
  return v.parse(
    Status,
    complete(objectOf(folder, "status.json", folder.status), ["state", "current_task", "next_action", "blocker", "last_update"]),
  );
}

/** What capture-meta.json says of the transcript. Throws as `compatConfig`. */
export function compatCaptureMeta(folder: CompatFolder): CompatCaptureMeta {
  const meta = folder.captureMeta === null ? {} : objectOf(folder, "capture-meta.json", folder.captureMeta);
  return v.parse(Meta, complete(meta, ["captured_at", "changed_at", "history_lines"]));
}

const complete = (object: JsonObject, keys: readonly string[]): JsonObject => ({
  ...Object.fromEntries(keys.map((key) => [key, null])),
  ...object,
});

/** The lines of events.jsonl that are not blank. */
export function compatEvents(folder: CompatFolder): CompatEvent[] {
  return (folder.events ?? "").split("\n").flatMap((text, at) => {
    if (text.trim() === "") return [];
    const value = parse(text);
    if (!isObject(value)) return { line: at + 1, text, event: null };
    const { type, time, ...payload } = value;
    return {
      line: at + 1,
      text,
      event: {
        type: typeof type === "string" && type !== "" ? type : "unknown",
        time: typeof time === "string" && instant(time) !== null ? time : null,
        payload,
      },
    };
  });
}
