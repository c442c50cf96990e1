/** `handoff`: a worker's summary for whoever goes on. */
import { json, jsonFlag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { sendErrand } from "../../flow/worktrees/errand.ts";
import { addHandoff } from "../../store/tasks/handoffs.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Saves a worker's progress summary with next steps. Every call saves one " +
      "more; the newest is the handoff that gates, epilogues and managers look at.",
    examples: [
      [
        "handoff login-fix --summary 'Sessions survive a restart; the form " +
          "is left' --next-step 'wire up the form' --next-step 'add the test'",
        "leave word before a compact or the end",
      ],
    ],
    positionals: { task: word("task id or name") },
    flags: {
      summary: text("what was done and how things stand", { required: true, filled: true }),
      nextStep: text("what comes next; may be given several times, order is kept", { repeat: true, value: "STEP" }),
      payloadJson: json("further facts, a JSON object", { value: "JSON" }),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const { summary, nextStep, payloadJson } = args;
    const payload = payloadJson === undefined ? undefined : JSON.stringify(payloadJson);
    const flags = { summary, "next-step": nextStep, "payload-json": payload };
    const done = await sendErrand(cx, args.path, { command: "handoff", task: args.task, flags });
    if (done !== null) return done;
    const store = cx.store(args.path);
    const task = needTask(store, args.task);
    cx.json(addHandoff(store, task.id, { summary: args.summary, nextSteps: args.nextStep, payload: args.payloadJson ?? {} }));
  },
);
