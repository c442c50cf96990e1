/** `commands`: lists what was queued or done as a command, with its attempts. */
import { choice, flag, pathFlag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { oneLine } from "../../core/plain-text.ts";
import { COMMAND_STATES } from "../../core/dispatch/queued-command.ts";
import { listCommands } from "../../store/dispatch/command-list.ts";

export default verb(
  {
    about: "Lists commands, oldest first: those queued for Dispatch and the records of direct actuation. Filters combine.",
    examples: [
      ["commands --task login-fix --attempts", "what became of each message of a task"],
      ["commands --state failed --json", "what needs a person, for a script"],
    ],
    flags: {
      task: text("only commands of this task (name or id)"),
      state: choice("only commands in this state", COMMAND_STATES),
      type: text("only commands of this type"),
      worker: text("only commands of this worker id", { value: "ID" }),
      manager: text("only commands of this manager id", { value: "ID" }),
      attempts: flag("with every attempt that Dispatch made"),
      json: flag("print JSON"),
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    const { task, type, worker, manager } = args;
    const filter = {
      state: args.state,
      task: task || undefined,
      type: type || undefined,
      worker: worker || undefined,
      manager: manager || undefined,
    };
    const commands = listCommands(cx.store(args.path), filter, { attempts: args.attempts });
    if (args.json) return cx.json(commands);
    for (const { id, state, type: kind, task_name, error, attempt_history } of commands) {
      cx.out(
        [id, state, kind, task_name ?? "", ...(attempt_history ? [`attempts=${attempt_history.length}`] : []), ...(error ? [error] : [])]
          .map(oneLine)
          .join("\t"),
      );
    }
  },
);
