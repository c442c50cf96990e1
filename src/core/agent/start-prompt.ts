/** The first words to a session that `start` opens: how a person and the agent make a supervised worker of it. */
import { quoteCommand } from "../shell.ts";

export interface StartCommands {
  readonly registerWorker: string;
  readonly createTask: string;
  readonly startManager: string;
  readonly bind: string;
  readonly questions: string;
  readonly workerAck: string;
}

const PERMISSIONS = ["--sandbox", "--ask-for-approval", "--permission-mode"];

/** Those of the agent's own flags that start-manager has too. */
function managerFlags(flags: readonly string[]): string[] {
  const kept: string[] = [];
  for (const [at, word] of flags.entries()) {
    const [name = "", value = flags[at + 1]] = word.includes("=") ? word.split(/=(.*)/s) : [word];
    if (PERMISSIONS.includes(name) && value !== undefined) kept.push(name, value);
  }
  return kept;
}

/** Where the session is that `start` opened, and how it was started. */
interface StartedPlace {
  /** What its manager is to run; null: what is run where nobody says which. */
  readonly agent: string | null;
  readonly session: string;
  readonly cwd: string;
  readonly flags: readonly string[];
}

/** The commands of the way from a bare session to a supervised one; words in `<…>` are for the reader to fill in. */
export function startCommands(program: string, { agent, session, cwd, flags }: StartedPlace): StartCommands {
  const line = (...words: string[]) => quoteCommand([program, ...words]).replace(/'(<[^']+>)'/g, "$1");
  return {
    registerWorker: line("register-worker", "--name", "<worker>", "--self", "--tmux-session", session),
    createTask: line("tasks", "--create", "<task>", "--goal", "<goal>"),
    startManager: line(
      "start-manager",
      "--name",
      "<manager>",
      "--task",
      "<task>",
      "--worker",
      "<worker>",
      "--cwd",
      cwd,
      ...(agent === null ? [] : ["--agent", agent]),
      ...managerFlags(flags),
    ),
    bind: line("bind", "--task", "<task>", "--worker", "<worker>", "--manager", "<manager>"),
    questions: line("manager-config", "<task>", "--questions"),
    workerAck: line("worker-ack", "<task>", "--from-stdin"),
  };
}

export function startPrompt(program: string, session: string, cwd: string, commands: StartCommands): string {
  return [
    `You run in the tmux session ${session}, in ${cwd}. You are a candidate for a supervised worker of Agent Conveyor and not yet ` +
      "registered.",
    "",
    "Four things are needed before anything is set up: worker (a name for you), manager (a name for the session that " +
      "will supervise you), task (its name) and goal. Ask the user for those that you were not told. Never invent them.",
    "",
    "Then run these six steps, in this order, each only after the one before it succeeded:",
    `1. \`${commands.registerWorker}\``,
    `2. \`${commands.createTask}\``,
    `3. \`${commands.startManager}\``,
    `4. \`${commands.bind}\``,
    `5. \`${commands.questions}\`: ask the user these questions and store the answers with manager-config`,
    `6. \`${commands.workerAck}\`: a JSON object on standard input with goal_restatement, proposed_criteria, expected_tools, ` +
      "open_questions, ready_to_start",
    "",
    `Anybody can look on with \`${program} open-worker <task>\` and \`${program} open-manager <task>\`.`,
    "Begin by asking the user what is missing.",
  ].join("\n");
}
