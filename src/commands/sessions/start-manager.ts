/** `start-manager`: a session in tmux of its own, on record as manager and told its role. */
import { text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { managerPrompt } from "../../core/tasks/manager-prompt.ts";
import { quoteCommand } from "../../core/shell.ts";
import { launchOf, start, startFlags, timeoutSeconds } from "../../flow/sessions/start-session.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import { findTask } from "../../store/tasks/tasks.ts";
import { selfArgv } from "../../system/processes/self.ts";

export default verb(
  {
    about:
      "Starts the agent in a detached tmux session codex-NAME or claude-NAME with the manager's instructions, waits until its session " +
      "is known and registers it as manager. The task and the worker are named in the instructions; they are bound with bind, or all " +
      "at once with pair.",
    examples: [
      ["start-manager --name m1 --task fix-1 --worker w1", "for a task and a worker on record"],
      ['start-manager --name m1 --task-goal "All tests pass"', "before there is a task"],
    ],
    exclusive: [{ of: ["resume", "task"] }, { of: ["resume", "taskGoal"] }, { of: ["resume", "worker"] }],
    flags: {
      ...startFlags,
      task: text("task to supervise, by id or name", { filled: true }),
      taskGoal: text("goal to name in the instructions; else the task's own", { value: "TEXT", filled: true }),
      worker: text("name of the worker session", { value: "NAME", filled: true }),
      timeoutSeconds: timeoutSeconds(60),
    },
  },
  (args, cx: Context) => {
    const cwd = cx.path(args.cwd ?? cx.cwd);
    const store = cx.store(args.path);
    const task = args.task === undefined ? null : findTask(store, args.task);
    const prompt = managerPrompt({
      program: cx.program,
      executable: quoteCommand(selfArgv()),
      cwd,
      manager: args.name,
      task: task?.name ?? args.task ?? null,
      goal: args.taskGoal ?? task?.goal ?? null,
      worker: args.worker ?? null,
      config: task === null ? null : findConfig(store, task.id),
      ...(args.path === undefined ? {} : { path: cx.storePath(args.path) }),
    });
    return start(cx, args.path, launchOf(cx, "manager", args.name, cwd, args, prompt));
  },
);
