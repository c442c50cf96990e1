/** Commands counted and listed for reports. */
import { type CommandFacts, type CommandRow, commandFacts } from "../../core/dispatch/command-facts.ts";
import { type Row, shown } from "../../core/row.ts";
import type { Parameter } from "../reading.ts";
import { namesRun, type Scope, termsOf } from "../reports/scope.ts";
import type { Store } from "../store.ts";

/** The two groups have an index each, whose condition must stand here word by word. */
const GROUPS = { failed: ["iif(c.state = 'failed', 1, 0)"], unfinished: ["c.state in ('attempted', 'pending')"], all: [] } as const;
type CommandGroup = keyof typeof GROUPS;

/** Of one task there is an index by state instead. */
const termsFor = (group: CommandGroup, scope: Scope) =>
  termsOf(scope, places, group === "failed" && scope.taskId !== undefined ? ["c.state = 'failed'"] : GROUPS[group]);

const places = { task: "c.task_id", time: "c.updated_at", run: namesRun("c") };

export function countCommands(store: Store, group: CommandGroup, scope: Scope): number {
  const { where, parameters } = termsFor(group, scope);
  return store.db.query<{ n: number }, Parameter[]>(`select count(*) as n from commands c ${where}`).get(...parameters)!.n;
}

/** The commands that were touched last, newest first. */
export function newestCommands(store: Store, group: CommandGroup, scope: Scope, limit: number): CommandFacts[] {
  const { where, parameters } = termsFor(group, scope);
  return store.db
    .query<Row, Parameter[]>(
      `select c.*, (select t.name from tasks t where t.id = c.task_id) as task_name from commands c ${where} order by
        julianday(c.updated_at) desc, c.id desc limit ?`,
    )
    .all(...parameters, limit)
    .map((row) => commandFacts(shown(row) as unknown as CommandRow));
}

/** How many commands of the task are in each state that occurs. */
export const commandStates = (store: Store, taskId: string): Record<string, number> =>
  Object.fromEntries(
    store.db
      .query<{ state: string; n: number }, [string]>("select state, count(*) as n from commands where task_id = ? group by state")
      .all(taskId)
      .map(({ state, n }) => [state, n]),
  );
