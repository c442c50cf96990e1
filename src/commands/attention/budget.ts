/** `budget`: what a task may use before nothing more is said to its worker. */
import { flag, integer, number, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import { quoteWord } from "../../core/shell.ts";
import { needPerson } from "../../flow/reach/asker.ts";
import { budgetState, clearBudget, setBudget } from "../../store/attention/budgets.ts";
import { countParked, releaseParked } from "../../store/attention/parked.ts";
import { openBinding } from "../../store/sessions/bindings.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { budgetText } from "../../view/limits.ts";

export default verb(
  {
    about:
      "Says what a task may use: so many tokens of its sessions, cached ones not counted, or so much of any window of its worker's " +
      "account, by whomever it is used. Over it, what is for the task's worker is parked: nothing is killed, and finish-task works as " +
      "always. Raising or clearing the budget lets what is parked go on at once. Without a flag it tells how the task stands. Only a " +
      "person clears it.",
    examples: [
      ["budget login-fix --tokens 2000000", "two million tokens and no more"],
      ["budget login-fix --window 80", "leave a fifth of each window to others"],
      ["budget login-fix --clear", "as much as it will"],
    ],
    positionals: { task: word("a task, by name or id") },
    flags: {
      tokens: integer("the most tokens that its sessions may use", { min: 1, value: "N" }),
      window: number("the most of a window that may be used", { max: 100, value: "PERCENT" }),
      show: flag("tell how the task stands (the default)"),
      clear: flag("the task may use what it will"),
      json: flag("print JSON"),
      path: pathFlag,
    },
    exclusive: [{ of: ["show", "clear"] }],
  },
  async (args, cx: Context) => {
    const { tokens, window: windowPercent } = args;
    if (windowPercent === 0) throw new UsageError("--window must be more than 0: stop-task ends a task");
    const sets = tokens !== undefined || windowPercent !== undefined;
    if (sets && (args.show || args.clear)) throw new UsageError(`${args.show ? "--show" : "--clear"} goes without --tokens and --window`);
    const store = cx.store(args.path);
    const { id, name } = needTask(store, args.task);
    if (args.clear) {
      await needPerson(cx, store, `clears the budget of ${JSON.stringify(name)}`, `${cx.program} budget ${quoteWord(name)} --clear`);
      if (!clearBudget(store, id)) cx.err(`note: ${JSON.stringify(name)} has no budget`);
    } else if (sets) setBudget(store, id, { tokens, windowPercent });
    if (args.clear || sets) releaseParked(store);
    const worker = openBinding(store, id)?.worker_session_id ?? null;
    const shown = { task: name, task_id: id, ...budgetState(store, id), parked: worker === null ? 0 : countParked(store, worker) };
    if (args.json) cx.json(shown);
    else cx.out(budgetText(shown));
  },
);
