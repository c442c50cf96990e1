/** `criteria-plan`: suggests criteria commands from a worker's answer; writes nothing. */
import { flag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { planCriteria, type Suggestion } from "../../core/tasks/criteria-plan.ts";
import { quoteCommand } from "../../core/shell.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { readText } from "../../system/files/text-file.ts";

const LIMIT = 4 << 20;

/** A value that could be read as a flag goes behind an equals sign. */
const valued = (name: string, value: string): string[] =>
  value.startsWith("--") && !/\s/.test(value) ? [`${name}=${value}`] : [name, value];

export default verb(
  {
    about:
      "Reads a worker's answer and prints the criteria commands that would record it: items under a must-have heading " +
      "as accepted, items under a follow-up heading as deferred. It never writes; review the commands, then run them.",
    examples: [
      ["criteria-plan login-fix --from-worker-response answer.md", "commands to review and run"],
      ["criteria-plan login-fix --from-stdin --json", "the same for a script"],
    ],
    positionals: { task: word("task id or name") },
    flags: {
      fromWorkerResponse: text("file with the answer", { value: "FILE" }),
      fromText: text("the answer itself"),
      fromStdin: flag("read the answer from standard input"),
      json: flag("print JSON"),
      path: pathFlag,
    },
    exclusive: [{ of: ["fromWorkerResponse", "fromText", "fromStdin"], required: true }],
  },
  (args, cx: Context) => {
    const answer =
      args.fromText ??
      (args.fromWorkerResponse === undefined ? cx.stdin({ limitBytes: LIMIT }) : readText(cx.path(args.fromWorkerResponse)));
    const task = needTask(cx.store(args.path), args.task);
    const plan = planCriteria(answer);
    const command = ({ criterion, status, rationale }: Suggestion) => [
      ...[
        cx.program,
        "criteria",
        task.name,
        "--add",
        ...valued("--criterion", criterion),
        "--source",
        "worker_proposed",
        "--status",
        status,
      ],
      ...(rationale === null ? [] : ["--rationale", rationale]),
      ...(args.path === undefined ? [] : ["--path", cx.storePath(args.path)]),
    ];
    if (args.json)
      return cx.json({
        task: task.name,
        suggestions: plan.suggestions.map((item) => ({ ...item, command: command(item) })),
        warnings: plan.warnings,
      });
    for (const [status, title] of [
      ["accepted", "must-have now"],
      ["deferred", "later follow-up"],
    ] as const) {
      const group = plan.suggestions.filter((item) => item.status === status);
      if (group.length > 0) cx.out([`# ${status}: ${title}`, ...group.map((item) => quoteCommand(command(item)))].join("\n"));
    }
    for (const warning of plan.warnings) cx.out(`# warning: ${warning}`);
    cx.out("# Nothing was written. Review these commands before you run them.");
  },
);
