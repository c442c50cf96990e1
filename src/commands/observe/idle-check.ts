/** `idle-check`: whether a worker gets on, waits, or has gone quiet, and what to do about it. */
import { flag, integer, jsonFlag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { needSubject } from "../../flow/reach/subject.ts";
import { idleReport } from "../../flow/compat/worker-status.ts";

export default verb(
  {
    about:
      "Judges a worker or session by its own report, by the page on its screen and " +
      "by when both last changed, and recommends an action. It does not act.",
    examples: [
      ["idle-check worker-1", "health, reason, recommended action"],
      ["idle-check worker-1 --no-refresh", "the same without recording a capture"],
    ],
    positionals: { name: word("a worker or a registered session") },
    flags: {
      noRefresh: flag("look at the terminal without recording it"),
      lines: integer("lines of history to capture", { default: 200, value: "N" }),
      statusStaleSeconds: integer("a report of this age is stale", { default: 120, value: "SECONDS" }),
      terminalStaleSeconds: integer("a terminal that has not changed for so long is stale", { default: 120, value: "SECONDS" }),
      busyWaitSeconds: integer("a younger report than this makes every waiting pattern silent", { default: 90, value: "SECONDS" }),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    const { noRefresh, lines, statusStaleSeconds, terminalStaleSeconds, busyWaitSeconds } = args;
    const scene = { cx, store, subject: needSubject(cx, store, args.name) };
    cx.json(
      await idleReport(scene, {
        refresh: !noRefresh,
        lines,
        statusStaleSeconds,
        terminalStaleSeconds,
        busyWaitSeconds,
      }),
    );
  },
);
