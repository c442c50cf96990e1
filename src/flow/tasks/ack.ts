/** What `worker-ack` and `manager-ack` share: an acknowledgement is written from stdin, or the newest is read. */
import { flag, pathFlag, text as textFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { ackAdvice, misfits, readObject } from "../../core/tasks/agent-input.ts";
import { UsageError } from "../../core/failure.ts";
import type { Role } from "../../core/sessions/session.ts";
import { addAck, latestAck } from "../../store/tasks/acks.ts";
import { sendErrand } from "../worktrees/errand.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import { needTask } from "../../store/tasks/tasks.ts";

const ASKED = "goal_restatement, proposed_criteria, expected_tools, open_questions, ready_to_start";

/** The command by which this role acknowledges a task. */
export const ackVerb = (role: Role) =>
  verb(
    {
      about:
        `Records the ${role}'s acknowledgement of a task, a JSON object on standard input, or prints the newest one. Any object is ` +
        `taken; asked for are ${ASKED}.`,
      examples: [
        [`${role}-ack login-fix --from-stdin`, "acknowledge; the JSON object comes on standard input"],
        [`${role}-ack login-fix --json`, `what the ${role} said last, or null`],
      ],
      positionals: { task: word("task id or name") },
      flags: {
        fromStdin: flag("write: read the acknowledgement from standard input"),
        json: flag("without --from-stdin: read the newest acknowledgement"),
        correlationId: textFlag("ties the acknowledgement to other records", { value: "ID" }),
        path: pathFlag,
      },
    },
    async (args, cx: Context) => {
      if (!args.fromStdin && !args.json)
        throw new UsageError("--from-stdin writes an acknowledgement, --json reads the newest one: give one of them");
      if (args.fromStdin && role === "worker") {
        const { task: named, correlationId } = args;
        const flags = { "from-stdin": true, "correlation-id": correlationId };
        const done = await sendErrand(cx, args.path, { command: "worker-ack", task: named, flags }, () => cx.stdin({ exact: true }));
        if (done !== null) return done;
      }
      const payload = args.fromStdin ? readObject(cx.stdin({ exact: true }), "the acknowledgement") : null;
      const store = cx.store(args.path);
      const task = needTask(store, args.task);
      if (payload) {
        const ack = addAck(store, task.id, role, { payload, correlationId: args.correlationId || undefined });
        for (const { text } of misfits(ackAdvice, payload)) cx.err(`warning: ${text}`);
        return cx.json(ack);
      }
      const ack = latestAck(store, task.id, role);
      const current = findConfig(store, task.id)?.revision ?? null;
      if (ack && current !== null && ack.manager_config_revision !== current) {
        const revision = ack.manager_config_revision;
        const seen = revision === null ? "no configuration" : `configuration revision ${revision}`;
        cx.err(`warning: this acknowledgement is of ${seen}, the current one is revision ${current}`);
      }
      return cx.json(ack);
    },
  );
