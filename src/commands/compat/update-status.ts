/** `update-status`: a worker's report of itself. */
import { choice, jsonFlag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { STATUS_STATES } from "../../core/compat/compat.ts";
import { Failure } from "../../core/failure.ts";
import { compatSubject } from "../../flow/reach/subject.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import { addStatus } from "../../store/compat/statuses.ts";
import { appendCompatEvent, stageCompatJson } from "../../system/compat-worker.ts";

function needWorker(cx: Context, name: string, path: string | undefined) {
  const worker = compatSubject(cx.stateRoot, name);
  if (worker) return worker;
  if (findSession(cx.store(path), name))
    throw new Failure(`${JSON.stringify(name)} is a registered session, which reports by what it does`, {
      hint: `see the state of a bound worker: ${cx.program} cycle TASK`,
    });
  throw new Failure(`there is no worker ${JSON.stringify(name)}`, { hint: `${cx.program} list` });
}

export default verb(
  {
    about:
      "Records what a worker made by create says of itself: state, task, next " +
      "action and what blocks it. A blocker that is not given is cleared.",
    examples: [["update-status w1 --state running_tests --current-task 'Fix login' --next-action 'Read the failures'", "a worker reports"]],
    positionals: { name: word("a worker with a folder below the state root") },
    flags: {
      state: choice("what it is doing", STATUS_STATES, { required: true }),
      currentTask: text("what it works on", { required: true }),
      nextAction: text("what it will do next", { required: true }),
      blocker: text("what it waits for"),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    const worker = needWorker(cx, args.name, args.path);
    const seen = {
      name: worker.name,
      tmuxSession: worker.tmuxSession!,
      paneId: worker.paneId,
      identityToken: worker.identityToken,
      cwd: worker.cwd,
    };
    const report = { state: args.state, current_task: args.currentTask, next_action: args.nextAction, blocker: args.blocker ?? null };
    const status = addStatus(cx.store(args.path), seen, report);
    try {
      stageCompatJson(cx.stateRoot, worker.name, "status.json", status).place();
      appendCompatEvent(cx.stateRoot, worker.name, { time: status.last_update!, type: "status_updated", ...report });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      cx.err(`warning: the report is on record, but ${error.message}`);
    }
    cx.json(status);
  },
);
