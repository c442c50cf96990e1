/** `start-worker`: a session in tmux of its own, on record as worker. */
import { text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { launchOf, start, startFlags, timeoutSeconds } from "../../flow/sessions/start-session.ts";
import { worktreeFlags, worktreeWish } from "../../flow/worktrees/flags.ts";

export default verb(
  {
    about:
      "Starts the agent in a detached tmux session codex-NAME or claude-NAME, waits until its session is known and registers it as " +
      "worker. Without --task a newer Codex gets a short standby prompt, since its session cannot be known before the first turn. " +
      "When the session is not known in time nothing is registered, and the message says how to go on.",
    examples: [
      ['start-worker --name w1 --task "Fix the flaky test"', "a worker with its first words"],
      ["start-worker --name w1 --cwd ~/project --accept-trust", "in a folder that the agent does not know yet"],
      ["start-worker --name w1 --resume THREAD_ID", "go on with a conversation that has ended"],
      ["start-worker --name w1 --worktree --setup 'npm ci'", "in a git worktree of its own, on the branch conveyor/w1"],
    ],
    exclusive: [{ of: ["resume", "task"] }],
    flags: {
      ...startFlags,
      ...worktreeFlags,
      task: text("first words to the worker", { value: "TEXT", filled: true }),
      timeoutSeconds: timeoutSeconds(15),
    },
  },
  (args, cx: Context) => {
    const wish = worktreeWish(args);
    return start(cx, args.path, launchOf(cx, "worker", args.name, cx.path(args.cwd ?? cx.cwd), args, args.task ?? null), wish);
  },
);
