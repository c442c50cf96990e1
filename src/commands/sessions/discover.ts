/** `discover` (also `search`): finds tasks, sessions, bindings and telemetry, and suggests what to do next. */
import { flag, integer, jsonFlag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { REDACTED } from "../../core/sessions/session.ts";
import { quoteCommand } from "../../core/shell.ts";
import { ACTIVE_TASK_STATES } from "../../core/tasks/task.ts";
import { printedSession, whereIs } from "../../flow/observe/whereabouts.ts";
import { reachable } from "../../flow/reach/reachable.ts";
import { boundSessionNames, discover, type Found } from "../../store/tasks/discover.ts";

/** The next step that the rows found allow: bind what is free, else register what is missing. */
function suggest(program: string, found: Found, bound: ReadonlySet<string>): Record<string, unknown>[] {
  const states: readonly string[] = ACTIVE_TASK_STATES;
  const active = found.sessions.filter((row) => row.state === "active");
  const free = (role: string) => active.find((row) => row.role === role && !bound.has(row.name));
  const task = found.tasks.find((row) => states.includes(row.state) && !found.bindings.some((binding) => binding.task_name === row.name));
  const worker = free("worker");
  const manager = free("manager");
  const suggestions: Record<string, unknown>[] = [];
  if (task && worker && manager) {
    const command = quoteCommand([program, "bind", "--task", task.name, "--worker", worker.name, "--manager", manager.name]);
    suggestions.push({ kind: "bind", task: task.name, worker: worker.name, manager: manager.name, command });
  }
  for (const role of ["worker", "manager"] as const) {
    if (active.some((row) => row.role === role)) continue;
    suggestions.push({
      kind: `register-${role}`,
      prompt: `In the session that should be the ${role}, run: ${program} register-${role} --name NAME --self`,
    });
  }
  return suggestions;
}

export default verb(
  {
    about:
      "Searches tasks, sessions, open bindings and telemetry for a text (any case, anywhere), " +
      "and suggests the next step. Without a text everything that is active is shown.",
    examples: [
      ["discover", "what is there"],
      ["discover login --all", "also what is over"],
    ],
    positionals: { query: word("text to look for", { default: "" }) },
    flags: {
      all: flag("also tasks that are over and sessions that are gone"),
      limit: integer("at most this many of each kind", { default: 10 }),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const query = args.query.trim();
    const store = cx.store(args.path);
    const found = discover(store, query, { all: args.all, limit: args.limit });
    const sessions = await Promise.all(found.sessions.map((row) => whereIs(cx, store, row)));
    const options = { program: cx.program, ...(args.path === undefined ? {} : { path: cx.storePath(args.path) }) };
    cx.json({
      query,
      tasks: found.tasks,
      sessions: sessions.map((row) => ({ ...printedSession(cx, row), identity_token: REDACTED, communication: reachable(row, options) })),
      bindings: found.bindings,
      telemetry: found.telemetry,
      suggestions: suggest(cx.program, found, boundSessionNames(store)),
    });
  },
);
