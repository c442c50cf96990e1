/** `worktree-remove`: takes the worktree of a worker away, and keeps what is in it. */
import { flag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { removeWorktree } from "../../flow/worktrees/remove.ts";
import { removedLines } from "../../view/worktrees.ts";

export default verb(
  {
    about:
      "Removes the git worktree that was made for a worker; its branch stays. Refuses, and says why, while files are changed or " +
      "untracked, commits or stashes are its own, or processes work there. Whatever is there is kept first, as a commit under " +
      "refs/conveyor/kept/WORKER/TIME: tracked and untracked files byte for byte, and what the index had put aside; ignored files with " +
      "--keep-ignored alone. A submodule with changes or commits of its own, or another repository inside, refuses also with --force. " +
      "Cut off, the same command goes on.",
    examples: [
      ["worktree-remove w1", "when nothing is in the way"],
      ["worktree-remove w1 --force --keep-ignored", "whatever is there, with what is ignored; worktree-restore brings it back"],
    ],
    positionals: { worker: word("name of the worker") },
    flags: {
      force: flag("remove it whatever is in the way"),
      keepIgnored: flag("keep what is ignored, too"),
      json: flag("print JSON"),
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const removed = await removeWorktree({ cx, store: cx.store(args.path) }, args);
    if (args.json) return cx.json(removed);
    cx.out(removedLines(removed, cx.program));
  },
);
