/** `tasks`: lists tasks, or creates one. */
import { flag, pathFlag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { Failure, UsageError } from "../../core/failure.ts";
import { oneLine } from "../../core/plain-text.ts";
import type { Task } from "../../core/tasks/task.ts";
import { createTask, listTasks, openTaskNamed } from "../../store/tasks/tasks.ts";

/** Two open tasks of one name are told apart by their ids alone: a person is asked to mean it, a program is told. */
function minding(cx: Context, open: Task | null): void {
  if (open === null) return;
  const said = `task ${JSON.stringify(open.name)} is open already (${open.id}, ${open.state})`;
  if (!cx.outside.tty.out) return cx.err(`warning: ${said}; the name alone means the bound one of the two, else the newer`);
  throw new Failure(said, { hint: "choose another name, or create a second one with --allow-duplicate" });
}

export default verb(
  {
    about:
      "Lists tasks in the order of their creation, or creates one in state candidate. Names " +
      "may repeat: commands that act mean the bound task of a name, else the open one, else the newest; those that tell " +
      "what happened mean the newest.",
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
      allowDuplicate: flag("create it also when a task of this name is open"),
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    if (args.create !== undefined) {
      if (!args.goal?.trim()) throw new UsageError("--create needs --goal");
      const store = cx.store(args.path);
      if (!args.allowDuplicate) minding(cx, openTaskNamed(store, args.create));
      const { id, name } = createTask(store, { name: args.create, goal: args.goal, summary: args.summary });
      return cx.json({ created: true, id, name });
    }
    const tasks = listTasks(cx.store(args.path), { active: args.active });
    if (args.json) return cx.json(tasks);
    const sameName = Map.groupBy(tasks, ({ name }) => name);
    for (const { id, name, state, goal } of tasks)
      cx.out([name, state, goal, ...(sameName.get(name)!.length > 1 ? [id] : [])].map(oneLine).join("\t"));
  },
);
