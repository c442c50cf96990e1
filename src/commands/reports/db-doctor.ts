/** `db-doctor`: whether the database is healthy, and with `--live` whether what it names still runs. */
import { flag, integer, jsonFlag, pathFlag, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { checkLiveness } from "../../flow/sessions/liveness.ts";
import { Progress } from "../../flow/audit/progress.ts";
import { checkHealth, type Health } from "../../store/health.ts";
import { checkIntegrity } from "../../store/integrity.ts";
import { checkValueTypes } from "../../store/value-types.ts";
import type { Store } from "../../store/store.ts";

export default verb(
  {
    about:
      "Checks the database (created or migrated when needed) and prints what it found as JSON; exit 1 when something is wrong. " +
      "It reads the whole file, which takes a while for a large one: --quick leaves that out. " +
      "With --live it also compares the recorded workers and managers with tmux and the running processes. Repairs nothing.",
    examples: [
      ["db-doctor --live", "the database, and whether everybody in it still runs"],
      ["db-doctor --quick", "without reading every row and index"],
    ],
    flags: {
      quick: flag("leave out the checks that read the whole file: integrity_check, value_types"),
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
    const health = args.quick ? checkHealth(store) : checkWhole(cx, store);
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

/** All checks, told on a terminal while they run. */
function checkWhole(cx: Context, store: Store): Health {
  const progress = new Progress(cx);
  try {
    const health = checkHealth(store);
    const whole = checkIntegrity(store, (part, done, parts) => progress.step(`checking ${part}: ${done} of ${parts}`));
    const types = checkValueTypes(store);
    return { ...health, ok: health.ok && whole.ok && types.ok, checks: [...health.checks, whole, types] };
  } finally {
    progress.end();
  }
}
