/**
 * The questions by which a manager's configuration is collected: as data for an agent that asks in chat, or one by one on a terminal or a
 * pipe.
 */
import { Failure } from "../failure.ts";
import {
  type ConfigChange,
  type ConfigSettings,
  defaultSettings,
  EPILOGUE_STEPS,
  type EpilogueStep,
  NUDGE_MODES,
  type NudgeMode,
  SUPERVISION_MODES,
  type SupervisionMode,
} from "./manager-config.ts";
import { isGranted, TAXONOMY } from "./permissions.ts";

interface Field {
  readonly id: keyof ConfigSettings;
  readonly kind: "choice" | "text" | "list" | "categorized_permissions" | "choice_list" | "boolean";
  readonly question: string;
  readonly help?: string;
  readonly choices?: readonly string[];
}

const FIELDS: readonly Field[] = [
  {
    id: "supervision_mode",
    kind: "choice",
    question: "How closely should the manager supervise the worker?",
    help:
      "light: only look when something is wrong; guided: check each turn " +
      "against the criteria; strict: also ask for proof before every next step.",
    choices: [...SUPERVISION_MODES].sort(),
  },
  {
    id: "objective",
    kind: "text",
    question: "What is the objective of the supervision?",
    help: "One or two sentences: what the manager makes sure of, beyond the goal of the task.",
  },
  {
    id: "guidelines",
    kind: "list",
    question: "Which guidelines must the worker follow?",
    help: "Short rules, for instance: no new dependencies.",
  },
  {
    id: "acceptance_criteria",
    kind: "list",
    question: "What must be true before the task counts as done?",
    help: "Each one checkable, for instance: the test suite passes.",
  },
  {
    id: "reference_paths",
    kind: "list",
    question: "Which files, folders or pages should the manager know?",
    help: "Paths or addresses of plans, specifications, issues.",
  },
  { id: "permissions", kind: "categorized_permissions", question: "What may the manager do on its own?" },
  {
    id: "tools",
    kind: "list",
    question: "Which tools is the worker expected to use?",
    help: "Program names; the epilogue step run-tools looks whether they run.",
  },
  {
    id: "epilogues",
    kind: "choice_list",
    question: "Which steps must be done before the task is finished?",
    choices: [...EPILOGUE_STEPS].sort(),
  },
  {
    id: "nudge_on_completion",
    kind: "choice",
    question: "What happens when the worker completes a turn?",
    choices: [...NUDGE_MODES].sort(),
  },
  {
    id: "require_acks",
    kind: "boolean",
    question: "Must worker and manager acknowledge the task first?",
    help: "Then cycles and finishing wait for both acknowledgements.",
  },
];

interface Question extends Omit<Field, "choices"> {
  readonly default: unknown;
  readonly choices?: readonly string[] | typeof TAXONOMY;
}

/** All questions in their order, with what is stored (or would be by default) as defaults. */
export const configQuestions = (stored: ConfigSettings | null): Question[] =>
  FIELDS.map((field) => ({
    ...field,
    default: (stored ?? defaultSettings())[field.id],
    ...(field.kind === "categorized_permissions" ? { choices: TAXONOMY } : {}),
  }));

/** One question of the interview; every answer is one line. */
interface Prompt {
  readonly id: string;
  readonly kind: "choice" | "text" | "list" | "choice_list" | "boolean";
  readonly question: string;
  readonly choices?: readonly string[];
  readonly default: string | readonly string[] | boolean | null;
}

export type Answer = string | readonly string[] | boolean;

const PERMISSION_PROMPTS = [
  ["allow_pr", "May the manager open pull requests?"],
  ["allow_merge_green", "May the manager merge green pull requests?"],
  ["allow_worker_compact_clear", "May the manager compact or clear the worker's session?"],
] as const;

/** The twelve questions of the interview: permissions are three of yes or no. */
export function interview(stored: ConfigSettings | null): Prompt[] {
  const settings = stored ?? defaultSettings();
  return FIELDS.flatMap((field): Prompt[] => {
    if (field.kind === "categorized_permissions")
      return PERMISSION_PROMPTS.map(([id, question]) => ({ id, kind: "boolean", question, default: isGranted(settings.permissions, id) }));
    return [
      {
        id: field.id,
        kind: field.kind,
        question: field.question,
        default: settings[field.id] as Prompt["default"],
        ...(field.choices ? { choices: field.choices } : {}),
      },
    ];
  });
}

/** The question as one line with its choices and, in brackets, its default. */
export function promptLine(prompt: Prompt): string {
  const choices = prompt.choices ? ` (${prompt.choices.join(", ")})` : "";
  const shown =
    prompt.kind === "boolean"
      ? prompt.default
        ? "yes"
        : "no"
      : Array.isArray(prompt.default)
        ? prompt.default.join(", ")
        : (prompt.default ?? "");
  return `${prompt.question}${choices}${prompt.kind === "list" || prompt.kind === "choice_list" ? ", separated by commas" : ""} [${shown}]`;
}

/**
 * What a line answers; undefined for a blank one, which keeps the default.
 * @throws Failure for a word that is not one of the choices
 */
export function readAnswer(prompt: Prompt, line: string): Answer | undefined {
  const said = line.trim();
  if (said === "") return undefined;
  if (prompt.kind === "boolean") return ["y", "yes", "true", "1"].includes(said.toLowerCase());
  if (prompt.kind === "text") return said;
  const words =
    prompt.kind === "choice"
      ? [said]
      : said
          .split(",")
          .map((word) => word.trim())
          .filter((word) => word !== "");
  const wrong = prompt.choices && words.find((word) => !prompt.choices!.includes(word));
  if (wrong !== undefined)
    throw new Failure(`${prompt.id} must be one of ${prompt.choices!.join(", ")}, not ${JSON.stringify(wrong)}; nothing was stored`);
  return prompt.kind === "choice" ? said : words;
}

/** The change that the answers ask for, over what flags asked for already. A no to a permission revokes it. */
export function changeOfAnswers(answers: ReadonlyMap<string, Answer>, flags: ConfigChange): ConfigChange {
  const of = <T extends Answer>(id: string): T | undefined => answers.get(id) as T | undefined;
  const permissions = new Map(Object.entries(flags.permissions ?? {}));
  for (const [id] of PERMISSION_PROMPTS) {
    const said = of<boolean>(id);
    if (said === undefined) continue;
    permissions.delete(id);
    permissions.set(id, said);
  }
  return {
    ...flags,
    mode: of<SupervisionMode>("supervision_mode") ?? flags.mode,
    objective: of<string>("objective") ?? flags.objective,
    guidelines: of<string[]>("guidelines") ?? flags.guidelines,
    acceptance: of<string[]>("acceptance_criteria") ?? flags.acceptance,
    references: of<string[]>("reference_paths") ?? flags.references,
    tools: of<string[]>("tools") ?? flags.tools,
    epilogues: of<EpilogueStep[]>("epilogues") ?? flags.epilogues,
    nudge: of<NudgeMode>("nudge_on_completion") ?? flags.nudge,
    requireAcks: of<boolean>("require_acks") ?? flags.requireAcks,
    permissions: Object.fromEntries(permissions),
  };
}
