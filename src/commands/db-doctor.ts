/** `db-doctor`: whether the database is healthy. */
import { pathFlag, verb } from "../args/spec.ts";
import type { Context } from "../context.ts";
import { checkHealth } from "../store/health.ts";

export default verb(
  {
    about: "Checks the database (created or migrated when needed) and prints what it found as JSON; exit 1 when something is wrong. Repairs nothing.",
    flags: { path: pathFlag },
  },
  (args, cx: Context) => {
    const health = checkHealth(cx.store(args.path));
    cx.json(health);
    return health.ok ? 0 : 1;
  },
);
