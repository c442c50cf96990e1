/** `tasks`: lists tasks, or creates one. */
import { flag, pathFlag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import { oneLine } from "../../core/plain-text.ts";
import { createTask, listTasks } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Lists tasks in the order of their creation, or creates one in state candidate. Names " +
      "may repeat; wherever a name is asked for, the newest task of that name is meant.",
    examples: [
      ["tasks --create login-fix --goal 'Users can log in again'", "create a task"],
      ["tasks --active --json", "what is still being worked on, for a script"],
    ],
    flags: {
      json: flag("print JSON"),
      active: flag("only candidate, managed and paused tasks"),
      create: text("create a task of this name", { value: "NAME", filled: true }),
      goal: text("what is to be reached (needed with --create)"),
      summary: text("a longer description"),
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    if (args.create !== undefined) {
      if (!args.goal?.trim()) throw new UsageError("--create needs --goal");
      const { id, name } = createTask(cx.store(args.path), { name: args.create, goal: args.goal, summary: args.summary });
      return cx.json({ created: true, id, name });
    }
    const tasks = listTasks(cx.store(args.path), { active: args.active });
    if (args.json) return cx.json(tasks);
    for (const task of tasks) cx.out([task.name, task.state, task.goal].map(oneLine).join("\t"));
  },
);
