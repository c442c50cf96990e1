/** `crew`: the workers of a manager, and how each stands. */
import { dirname } from "node:path";
import { flag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { needCrew } from "../../flow/crew/crew.ts";
import { allCrews, crewRows } from "../../flow/crew/report.ts";
import { crewText } from "../../view/crew.ts";

export default verb(
  {
    about:
      "Tells who works for a manager, a row for each worker: its task, how it stands and since when, what it waits for, how " +
      "many accepted criteria are open, how many messages it has not read, the branch that its folder has checked out with " +
      "the number of files that are not as HEAD has them, its tokens for this task, and the first line of what it said last. " +
      "In JSON the names of those files stand under files, so that two workers on one file can be seen. Without MANAGER every " +
      "pair is told. host is null: this machine.",
    examples: [
      ["crew manager-1", "who does what"],
      ["crew --json", "every pair of these records, for a program"],
    ],
    positionals: { manager: word("name of the manager session", { optional: true }) },
    flags: { json: flag("print JSON (the default where it is no terminal that reads)"), path: pathFlag },
  },
  async (args, cx: Context) => {
    const scene = { cx, store: cx.store(args.path) };
    const rows = await crewRows(scene, args.manager === undefined ? allCrews(scene) : needCrew(scene, args.manager).pairs);
    if (cx.outside.tty.out && !args.json) cx.out(crewText(rows, cx.nowMs(), dirname(scene.store.path)));
    else cx.json(rows);
  },
);
