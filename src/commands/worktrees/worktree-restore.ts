/** `worktree-restore`: brings back what worktree-remove has kept. */
import { flag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { restoreWorktree } from "../../flow/worktrees/restore.ts";

export default verb(
  {
    about:
      "Brings back what worktree-remove has kept: as the worktree that it was, where it stood and with the index as it was, on its " +
      "branch where that is free and still at the same commit; or with --into as plain files. What is kept stays kept.",
    examples: [
      ["worktree-restore w1/20261130T212700.000Z", "the worktree, where it stood"],
      ["worktree-restore refs/conveyor/kept/w1/20261130T212700.000Z --into /tmp/w1", "its files alone"],
    ],
    positionals: { ref: word("name under which it is kept, as worktree-remove tells it; refs/conveyor/kept/ may be left out") },
    flags: {
      into: text("folder for its files, which is not there yet or empty", { value: "FOLDER", filled: true }),
      json: flag("print JSON"),
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const restored = await restoreWorktree(
      { cx, store: cx.store(args.path) },
      args.ref,
      args.into === undefined ? null : cx.path(args.into),
    );
    if (args.json) return cx.json(restored);
    const { worktree, worker, path, branch } = restored;
    if (!worktree) return cx.out(`restored the files of ${worker} in ${path}`);
    cx.out(`restored the worktree of ${worker} in ${path}, ${branch === null ? "on its commit alone, with no branch" : `on ${branch}`}`);
  },
);
