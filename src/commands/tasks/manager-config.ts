/** `manager-config`: how a task is to be supervised, and what its manager may do. */
import { choice, flag, json, jsonFlag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import {
  CLEARABLE,
  changeOfFlags,
  type ConfigChange,
  EPILOGUE_STEPS,
  NUDGE_MODES,
  SUPERVISION_MODES,
} from "../../core/tasks/manager-config.ts";
import { changeOfAnswers, configQuestions } from "../../core/tasks/manager-interview.ts";
import { PERMISSION_NAMES } from "../../core/tasks/permissions.ts";
import { quoteCommand } from "../../core/shell.ts";
import { collectAnswers } from "../../flow/tasks/manager-interview.ts";
import { findConfig, saveConfig } from "../../store/tasks/manager-configs.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Shows or changes the supervision of a task: mode, objective, guidelines, criteria, references, " +
      "permissions, tools, closing steps. Without a setting it prints what is stored, and makes a " +
      "configuration of defaults where there is none. The revision grows by one whenever something differs.",
    examples: [
      ["manager-config login-fix --questions", "what to ask the operator, as JSON"],
      [
        "manager-config login-fix --mode strict --acceptance 'bun test passes' --permit repo.open_pr --epilogue run-tools",
        "store the answers",
      ],
      [`manager-config login-fix --permissions-json '{"repo": []}' --clear guidelines`, "take permissions back and empty a list"],
    ],
    positionals: { task: word("task id or name") },
    flags: {
      mode: choice("how closely to supervise", SUPERVISION_MODES),
      questions: flag("print the setup questions with the present values as defaults; store nothing"),
      interactive: flag("ask on the terminal, or take one answer per line of standard input"),
      objective: text("what the manager makes sure of"),
      guideline: text("a rule for the worker; all given ones replace the stored list", { repeat: true }),
      acceptance: text("an acceptance criterion; all given ones replace the stored list", { repeat: true }),
      reference: text("a file, folder or page to know; all given ones replace the stored list", { repeat: true }),
      permit: choice("grant a permission", PERMISSION_NAMES, { repeat: true, value: "PERMISSION" }),
      tool: text("a tool the worker is expected to use; all given ones replace the stored list", { repeat: true }),
      epilogue: choice("a step required before finishing; all given ones replace the stored list", EPILOGUE_STEPS, { repeat: true }),
      nudgeOnCompletion: choice("what happens when the worker completes a turn", NUDGE_MODES),
      requireAcks: flag("cycles and finishing need both acknowledgements"),
      noRequireAcks: flag("acknowledgements are no longer needed"),
      allowPr: flag("grant repo.open_pr"),
      allowMergeGreen: flag("grant repo.merge_green_pr"),
      allowWorkerCompactClear: flag("grant worker_session.compact and worker_session.clear"),
      permissionsJson: json("after the other permissions: a category with a list becomes exactly that list, a name is granted or revoked", {
        value: "JSON",
      }),
      clear: choice("empty a setting before the others are applied", CLEARABLE, { repeat: true }),
      json: jsonFlag,
      path: pathFlag,
    },
    exclusive: [{ of: ["requireAcks", "noRequireAcks"] }],
  },
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    const task = needTask(store, args.task);
    const stored = findConfig(store, task.id);
    const command = [cx.program, "manager-config", task.name];
    if (args.questions) {
      const fallback = quoteCommand([...command, "--interactive", ...(args.path === undefined ? [] : ["--path", cx.storePath(args.path)])]);
      return cx.json({
        task: { id: task.id, name: task.name },
        recommended_collection: "manager_codex_chat",
        fallback_collection: fallback,
        questions: configQuestions(stored),
      });
    }
    let change: ConfigChange | null = changeOfFlags(args);
    if (args.noRequireAcks) change = { ...change, requireAcks: false };
    if (args.clear.length > 0) change = { ...change, clear: args.clear };
    if (args.interactive) change = changeOfAnswers(await collectAnswers(cx, stored, quoteCommand(command)), change ?? {});
    if (change === null && stored) return cx.json(stored);
    const { config, warnings } = saveConfig(store, task.id, change ?? {});
    cx.json({ ...config, ...(warnings.length > 0 ? { warnings } : {}) });
  },
);
