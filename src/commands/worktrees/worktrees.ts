/** `worktrees`: the worktrees that were made for workers, and what is in each. */
import { flag, pathFlag, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { recoveredLine, recoverLandings } from "../../flow/landing/end.ts";
import { reportOf } from "../../flow/worktrees/facts.ts";
import { listWorktrees } from "../../store/worktrees.ts";
import { worktreeLines } from "../../view/worktrees.ts";

export default verb(
  {
    about:
      "Lists the git worktrees that were made for workers: branch, task, age, and what would be in the way of removing one: files that " +
      "are changed or untracked, commits that neither its base nor an upstream has, stashes of its branch, and processes that work " +
      "there. What is ignored is told and is in the way of nothing. A fact that cannot be found out is null, and is in the way, too. " +
      "A landing (land) that was cut off is brought to its end first.",
    examples: [
      ["worktrees", "one paragraph for each"],
      ["worktrees --json", "the same as data"],
    ],
    flags: { json: flag("print JSON"), path: pathFlag },
  },
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    for (const each of await recoverLandings({ cx, store })) cx.err(`note: ${recoveredLine(store, each)}`);
    const reports = [];
    for (const tree of listWorktrees(store)) reports.push(await reportOf(cx, store, tree));
    if (args.json) return cx.json(reports);
    if (reports.length > 0) return cx.out(reports.map(worktreeLines).join("\n\n"));
    cx.out("no worktrees");
  },
);
