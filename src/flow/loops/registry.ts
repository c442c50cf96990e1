/** The registry of loop templates as a command: `loop-templates`, and `ralph-loop-presets` under its older name. */
import { flag, integer, pathFlag, text, type Verb, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import { loopMetadata } from "../../core/loops/loop-run.ts";
import { LOOP_TEMPLATE_NAMES, LOOP_TEMPLATES, needLoopTemplate } from "../../core/loops/templates.ts";
import { LOOP } from "../../core/loops/run.ts";
import { createRun } from "../../store/record/runs.ts";
import { needTask } from "../../store/tasks/tasks.ts";

const ONLY_WITH_CREATE = {
  name: "--name",
  maxIterations: "--max-iterations",
  currentIteration: "--current-iteration",
  seedPromptSha256: "--seed-prompt-sha256",
  path: "--path",
} as const;

/**
 * The command under one of its two names.
 * @param selector the flag that names a template, without dashes; its plural is the key of the printed list
 */
export function loopRegistry(command: string, selector: "template" | "preset"): Verb {
  const known = LOOP_TEMPLATE_NAMES.join(", ");
  return verb(
    {
      about:
        `Lists the built-in loop ${selector}s, shows one, or records a loop policy for a task made from one. A policy says how often ` +
        `the worker may be sent round again and which evidence must exist before; nothing runs by itself. Known: ${known}. Prints ` +
        "JSON.",
      examples: [
        [`${command} --list`, "what there is"],
        [`${command} --show visual_diff_loop`, "its gates and what evidence must hold"],
        [
          `${command} --create-run login-fix --${selector} test_coverage_loop --name coverage --current-iteration 1`,
          "a policy for a task, the first iteration already under way",
        ],
      ],
      flags: {
        list: flag(`print all ${selector}s, sorted by name`),
        show: text(`print one ${selector}`, { value: "NAME", suggest: LOOP_TEMPLATE_NAMES }),
        createRun: text("record a loop policy for this task, by name or id", { value: "TASK" }),
        [selector]: text(`the ${selector} to make the policy from (needed with --create-run): ${known}`, {
          value: "NAME",
          suggest: LOOP_TEMPLATE_NAMES,
        }),
        name: text("name of the run (default: TASK-ralph-loop- and the time)", { value: "NAME" }),
        maxIterations: integer(`how many iterations at most (default: the ${selector}'s)`, { min: Number.MIN_SAFE_INTEGER }),
        currentIteration: integer("the iteration the worker is in now (default: 0)", { min: Number.MIN_SAFE_INTEGER }),
        seedPromptSha256: text("digest of the prompt that every iteration starts from", { value: "SHA256" }),
        json: flag("print JSON (it is always JSON)"),
        path: pathFlag,
      },
      exclusive: [{ of: ["list", "show", "createRun"], required: true }],
    },
    (args, cx: Context) => {
      const chosen = (args as Record<string, unknown>)[selector] as string | undefined;
      if (args.createRun === undefined) {
        const stray = (Object.keys(ONLY_WITH_CREATE) as (keyof typeof ONLY_WITH_CREATE)[]).find((key) => args[key] !== undefined);
        if (chosen !== undefined || stray)
          throw new UsageError(`${stray ? ONLY_WITH_CREATE[stray] : `--${selector}`} is only for --create-run`);
        return cx.json(args.show === undefined ? { [`${selector}s`]: LOOP_TEMPLATES } : needLoopTemplate(args.show));
      }
      if (chosen === undefined) throw new UsageError(`--create-run needs --${selector}`);
      const { maxIterations, currentIteration = 0, seedPromptSha256 } = args;
      const metadata = loopMetadata({ template: needLoopTemplate(chosen), maxIterations, currentIteration, seedPromptSha256 });
      const store = cx.store(args.path);
      cx.json(createRun(store, needTask(store, args.createRun), { name: args.name || undefined, purpose: LOOP, metadata }));
    },
  );
}
