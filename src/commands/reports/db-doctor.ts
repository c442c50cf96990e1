/** `db-doctor`: whether the database is healthy, and with `--live` whether what it names still runs. */
import { flag, integer, jsonFlag, pathFlag, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { checkLiveness } from "../../flow/sessions/liveness.ts";
import { checkHealth } from "../../store/health.ts";

export default verb(
  {
    about:
      "Checks the database (created or migrated when needed) and prints what it found as JSON; exit 1 when something is wrong. " +
      "With --live it also compares the recorded workers and managers with tmux and the running processes. Repairs nothing.",
    examples: [["db-doctor --live", "the database, and whether everybody in it still runs"]],
    flags: {
      live: flag("also look at the recorded sessions and unfinished commands"),
      managerStaleSeconds: integer("warn about a running manager that was not seen for longer than this", {
        default: 600,
        value: "SECONDS",
      }),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    const health = checkHealth(store);
    if (!args.live) {
      cx.json(health);
      return health.ok ? 0 : 1;
    }
    const { check, live_reconcile } = await checkLiveness(cx, store, args.managerStaleSeconds);
    const ok = health.ok && check.ok;
    cx.json({ ...health, ok, checks: [...health.checks, check], live_reconcile });
    return ok ? 0 : 1;
  },
);
