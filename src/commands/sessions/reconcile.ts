/** `reconcile`: reports where records and processes have drifted apart, and with `--apply` puts it right. */
import { flag, jsonFlag, number, pathFlag, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { deadSessions, drift } from "../../flow/sessions/reconcile.ts";
import { nextCommand } from "../../flow/reach/next-command.ts";
import { strays } from "../../flow/sessions/unfinished.ts";
import { nextCommands } from "../../flow/sessions/way-back.ts";
import { checkHealth } from "../../store/health.ts";
import { applyReconcile } from "../../store/sessions/reconcile.ts";

export default verb(
  {
    about:
      "Reports active sessions whose process is gone, bindings to sessions that are gone, bound tasks without " +
      "a recent cycle, and terminals that a start which was cut off has left, as JSON. " +
      "With --apply dead sessions become gone and their bindings invalid. Nothing is " +
      "closed, typed or killed. next_commands leads on: `revive` for those whose end nobody asked for, then how to start and bind again " +
      "who was stopped.",
    examples: [
      ["reconcile", "what has drifted"],
      ["reconcile --apply", "put the records right"],
    ],
    flags: {
      apply: flag("mark dead sessions gone and their bindings invalid"),
      staleCyclesSeconds: number("a bound task whose last cycle is older than this is stuck", { default: 3600, value: "SECONDS" }),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    const report = drift(cx, store, await deadSessions(cx, store), args.staleCyclesSeconds);
    const { path: _, ...schema_health } = checkHealth(store);
    const applied = args.apply ? applyReconcile(store, report.dead_pid_sessions) : null;
    const unfinished_starts = await strays(cx, store);
    const next_commands = [
      ...(await nextCommands(cx, store, report, applied)),
      ...unfinished_starts.map(({ name }) => nextCommand(cx, store, "stop", name)),
    ];
    cx.json({ ...report, schema_health, ...(applied ? { applied } : {}), unfinished_starts, next_commands });
  },
);
