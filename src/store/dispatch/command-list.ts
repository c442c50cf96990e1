/** `commands` and their attempts as the `commands` command shows them. */
import { isObject, type JsonObject, parseStored } from "../../core/json.ts";
import { type CommandRow, type CommandState, payloadOf } from "../../core/dispatch/queued-command.ts";
import type { Store } from "../store.ts";

interface Attempt {
  readonly id: number;
  readonly command_id: string;
  readonly correlation_id: string;
  readonly dispatcher_id: string;
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly state: string;
  readonly result: JsonObject | null;
  readonly error: string | null;
  readonly side_effect_started: boolean;
  readonly side_effect_completed: boolean;
}

interface ListedCommand extends Omit<CommandRow, "payload_json" | "result_json"> {
  readonly task_name: string | null;
  readonly payload: JsonObject;
  readonly result: JsonObject | null;
  readonly attempt_history?: readonly Attempt[];
}

interface CommandFilter {
  /** Name or id. */
  readonly task?: string | undefined;
  readonly state?: CommandState | undefined;
  readonly type?: string | undefined;
  readonly worker?: string | undefined;
  readonly manager?: string | undefined;
}

const objectOrNull = (json: string | null): JsonObject | null => {
  const value = parseStored<unknown>(json, null);
  return isObject(value) ? value : null;
};

type AttemptRow = Omit<Attempt, "result" | "side_effect_started" | "side_effect_completed"> & {
  result_json: string | null;
  side_effect_started: number;
  side_effect_completed: number;
};

/** The attempts of a command, oldest first. */
const attemptsOf = (store: Store, commandId: string): Attempt[] =>
  store.db
    .query<AttemptRow, [string]>("select * from command_attempts where command_id = ? order by id")
    .all(commandId)
    .map(({ result_json, side_effect_started, side_effect_completed, ...row }) => ({
      ...row,
      result: objectOrNull(result_json),
      side_effect_started: side_effect_started === 1,
      side_effect_completed: side_effect_completed === 1,
    }));

/** Commands of all types that fit every given filter, oldest first. */
export function listCommands(store: Store, filter: CommandFilter, options: { attempts: boolean }): ListedCommand[] {
  const asked = [
    { term: "c.task_id in (select id from tasks where id = ? or name = ?)", values: [filter.task, filter.task] },
    { term: "c.state = ?", values: [filter.state] },
    { term: "c.type = ?", values: [filter.type] },
    { term: "c.worker_id = ?", values: [filter.worker] },
    { term: "c.manager_id = ?", values: [filter.manager] },
  ].filter(({ values }) => values[0] !== undefined);
  return store.db
    .query<CommandRow & { task_name: string | null }, string[]>(
      `select c.*, t.name as task_name from commands c left join tasks t on t.id = c.task_id
       ${asked.length ? `where ${asked.map(({ term }) => term).join(" and ")}` : ""} order by julianday(c.created_at), c.rowid`,
    )
    .all(...asked.flatMap(({ values }) => values as string[]))
    .map(({ payload_json, result_json, ...row }) => ({
      ...row,
      payload: payloadOf({ payload_json }),
      result: objectOrNull(result_json),
      ...(options.attempts ? { attempt_history: attemptsOf(store, row.id) } : {}),
    }));
}
