/** The first words to a manager session: its role, its burden of proof, and the commands it works with. */
import type { ManagerConfig } from "./manager-config.ts";
import { CATEGORIES } from "./permissions.ts";
import { quoteWord } from "../shell.ts";

interface ManagerBrief {
  readonly program: string;
  /** How the program is called where its name is not found, as a command line. */
  readonly executable: string;
  readonly cwd: string;
  readonly manager: string;
  /** Name of the task; null while it has none. */
  readonly task: string | null;
  readonly goal: string | null;
  readonly worker: string | null;
  readonly config: ManagerConfig | null;
  /** Database file, when it is not the one below the state root. */
  readonly path?: string;
}

/** Agents run commands in shells of their own, whose PATH may be another. */
export const ifNotFound = (program: string, executable: string): string =>
  `Where the shell does not find ${program}, call it as ${executable}`;

/** Whatever a manager without tmux has to wake for. */
const STOPS_WAITING = "message,idle,question,limit,failed,crashed,gone,done";

/** Gives a command line as it is typed. */
type Run = (words: string) => string;

const runner = ({ program, path }: Pick<ManagerBrief, "program" | "path">): Run => {
  const records = path === undefined ? "" : ` --path ${quoteWord(path)}`;
  return (words) => `\`${program} ${words}${records}\``;
};

/** How one who leads several workers does it. */
const leading = (run: Run, manager: string): string =>
  `one look for all of them: ${run(`cycle --manager ${manager}`)}, and ${run(`crew ${manager}`)} for who does what; one nudge each, ` +
  "to the worker whom it concerns; never two workers on one file without telling both; what they say lies in one inbox, " +
  `${run(`session-inbox ${manager} --consume-next --json`)}. Each task is proven and finished for itself, without --stop-manager ` +
  "while you lead others.";

export interface CrewBrief extends Omit<ManagerBrief, "executable"> {
  readonly task: string;
  readonly worker: string;
  /** Names of the tasks that it leads beside this one. */
  readonly others: readonly string[];
}

/** What a manager that runs already is told when it is given another worker. */
export function crewPrompt(brief: CrewBrief): string {
  const task = quoteWord(brief.task);
  const run = runner(brief);
  const { others } = brief;
  const also = others.length === 0 ? "" : `, beside ${others.length === 1 ? "task" : "tasks"} ${others.join(", ")}`;
  return [
    `You now also supervise worker ${brief.worker} on task ${brief.task}${also}.`,
    `Goal: ${brief.goal ?? "none yet"}`,
    `Its folder: ${brief.cwd}`,
    "",
    ...configuration(brief.config, run, task),
    `Acknowledge this task, too, with ${run(`manager-ack ${task} --from-stdin`)}, and read ${run(`worker-ack ${task} --json`)} ` +
      "before you nudge this worker. You supervise it as you do the others, by its own criteria and its own proof.",
    `You lead several workers now: ${leading(run, quoteWord(brief.manager))}`,
  ].join("\n");
}

/** The whole prompt (`contract/sessions.md` § 10.4). */
export function managerPrompt(brief: ManagerBrief): string {
  const task = brief.task === null ? "<task>" : quoteWord(brief.task);
  const worker = brief.worker === null ? "<worker>" : quoteWord(brief.worker);
  const run = runner(brief);
  return [
    "You are a manager session of Agent Conveyor. You supervise one worker session; " +
      "you do not implement anything yourself and do not edit project files.",
    "",
    `Working folder: ${brief.cwd}`,
    `Manager session: ${brief.manager}`,
    `Task: ${brief.task ?? "<unbound-task>"}`,
    `Goal: ${brief.goal ?? "none yet"}`,
    `Worker session: ${brief.worker ?? "none yet"}`,
    "",
    ifNotFound(brief.program, brief.executable),
    "",
    "Burden of proof: before you call the task done, try to disprove it. A claim of the " +
      "worker is not proof; a changed file, the output of a command, a test you saw pass is.",
    "",
    ...configuration(brief.config, run, task),
    `Before the first cycle acknowledge with ${run(`manager-ack ${task} --from-stdin`)} (a JSON object on standard input). ` +
      `Read ${run(`worker-ack ${task} --json`)} before you nudge the worker or finish.`,
    "",
    "Then work in a loop:",
    `1. Observe with ${run(`cycle ${task}`)}. Read manager_context.manager_config, manager_context.acceptance_criteria and ` +
      "manager_context.criteria_negotiation in what it prints.",
    "2. Acceptance criteria are living: ask the worker which are must-have now " +
      "and which are follow-up, and record the answers with the criteria command.",
    `3. Speak to the worker only through the tool: ${run(`session-nudge ${worker} "TEXT"`)} when it runs in tmux; ` +
      `otherwise ${run(`enqueue-nudge-worker ${task} --message "TEXT"`)} and then ${run("dispatch --once")}.`,
    "4. With nothing to do, end your turn: you are told when the worker has ended one, and of all that came while you worked in one " +
      "message. When you do not run in tmux yourself, nobody can tell you: sleep in " +
      `${run(`wait ${task} --until ${STOPS_WAITING} --timeout 90 --json`)}, never in a loop of your own, ` +
      `and again with \`--since CURSOR\`, the cursor of the answer before, also after exit 3 (nothing came) and after a ` +
      `call that was cut off; take a message with ${run(`manager-inbox ${task} --consume-next --json`)}.`,
    "5. Compare the worker's receipts with the open accepted criteria; a criterion is satisfied only with evidence.",
    `6. When every accepted criterion is closed: ${run(`finish-task ${task} --reason "REASON" --require-criteria-audit`)}.`,
    `7. When you are told of more workers, each has a task of its own: ${leading(run, quoteWord(brief.manager))}`,
  ].join("\n");
}

function configuration(config: ManagerConfig | null, run: Run, task: string): string[] {
  if (config === null) {
    return [
      `No manager configuration is stored. Run ${run(`manager-config ${task} --questions`)}, ask the user those questions here in this ` +
        `chat, and store the answers with ${run(`manager-config ${task}`)} and its flags. Use --interactive only for a human in a terminal.`,
    ];
  }
  const granted = CATEGORIES.flatMap((category) => config.permissions[category].map((action) => `${category}.${action}`));
  return [
    `A manager configuration is stored (mode ${config.supervision_mode}): start with ${run(`cycle ${task}`)}, and ask the user only ` +
      "if the configuration is unsuitable.",
    ...(config.objective ? [`Objective: ${config.objective}`] : []),
    ...config.guidelines.map((line) => `Guideline: ${line}`),
    `Expected tools: ${config.tools.length === 0 ? "none named" : config.tools.join(", ")}`,
    `Permissions: ${granted.length === 0 ? "none beyond supervising" : granted.join(", ")}`,
  ];
}
