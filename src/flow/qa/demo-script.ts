/** What the two agents of the demonstration do: scripts in place of a model, whose commands really run inside the sessions. */
import { prettyJson } from "../../core/json.ts";
import type { ModelItem, ModelRequest, ModelScript } from "../../core/agent/scripted-model.ts";

export const DEMO = {
  task: "greeting",
  worker: "demo-worker",
  manager: "demo-manager",
  goal: "greet.sh greets by name, and everybody when no name is given; sh check.sh proves it",
  prompt: "Make greet.sh greet by name, and everybody when it is called without one.",
  criterion: "sh check.sh passes: greet.sh greets by name, and the world without one",
  nudge: "The check fails: without a name greet.sh must greet the world.\nPlease repair that,\nrun sh check.sh, and report what it prints.",
} as const;

/** Told of everything an agent does. */
export type DemoWitness = (who: string, did: string) => void;

/** A script gives what the agent does next and gets the model's next request for it. */
export type Plan = Generator<ModelItem, void, ModelRequest>;

const shellText = (value: unknown): string => `printf '%s' '${prettyJson(value).replaceAll("'", "'\\''")}'`;

function* worker(): Plan {
  const ack = {
    goal_restatement: DEMO.goal,
    proposed_criteria: [DEMO.criterion],
    expected_tools: ["sh"],
    open_questions: [],
    ready_to_start: true,
  };
  yield { run: `${shellText(ack)} | conveyor worker-ack ${DEMO.task} --from-stdin` };
  yield { run: "printf '%s\\n' 'echo \"Hello, $1!\"' > greet.sh && sh greet.sh Ada" };
  yield { say: "greet.sh greets by name now." };
  yield { run: "printf '%s\\n' 'echo \"Hello, ${1:-world}!\"' > greet.sh && sh check.sh" };
  yield { say: "Repaired: greet.sh greets the world when no name is given. sh check.sh prints: all greetings are right." };
}

/** Turns of the worker that the manager was told of: what the user said after the instructions. */
const told = (request: ModelRequest): number => request.userTexts.length - 1;

function* manager(): Plan {
  const ack = {
    goal_restatement: DEMO.goal,
    proposed_criteria: [DEMO.criterion],
    expected_tools: ["cycle", "criteria"],
    open_questions: [],
    ready_to_start: true,
  };
  let request = yield { run: `${shellText(ack)} | conveyor manager-ack ${DEMO.task} --from-stdin` };
  // The binding is made a moment after this session has begun.
  do request = yield { run: `sleep 0.3; conveyor cycle ${DEMO.task}` };
  while (/no active binding/.test(request.toolOutput ?? ""));
  request = yield { run: `conveyor criteria ${DEMO.task} --add --criterion '${DEMO.criterion}' --source manager_inferred` };
  const criterion = /"id": (\d+)/.exec(request.toolOutput ?? "")?.[1] ?? "1";
  request = yield { run: `conveyor criteria ${DEMO.task} --accept ${criterion}` };
  while (told(request) < 1) request = yield { say: "The criterion is accepted. I wait for the worker." };
  yield { run: `conveyor cycle ${DEMO.task}` };
  yield { run: "sh check.sh" };
  yield { run: `conveyor finish-task ${DEMO.task} --reason 'the worker says so' --require-criteria-audit` };
  request = yield { run: `conveyor session-nudge ${DEMO.worker} '${DEMO.nudge}'` };
  while (told(request) < 2) request = yield { say: "The check fails, so the task stays open. I told the worker." };
  yield { run: `conveyor cycle ${DEMO.task}` };
  request = yield { run: "sh check.sh" };
  const evidence = { command: "sh check.sh", output: request.printed?.trim() ?? "" };
  yield {
    run:
      `conveyor criteria ${DEMO.task} --satisfy ${criterion} --proof 'sh check.sh passed when the manager ran it' --evidence-json ` +
      `"$(${shellText(evidence)})"`,
  };
  yield { run: `conveyor finish-task ${DEMO.task} --reason 'the check passes, run by the manager itself' --require-criteria-audit` };
  yield { say: "The task is finished: its one criterion is satisfied, with evidence." };
}

interface Actor {
  readonly who: string;
  readonly plan: Plan;
  /** What was given last, and how many commands had been answered then. */
  last: ModelItem | null;
  answered: number;
}

/** Who speaks in a thread that begins with these words, and what they do; null: it is none of them (one that makes titles). */
export type Cast = (firstWords: string) => readonly [who: string, plan: Plan] | null;

/** Plays all agents, each told by its first words; a thread that is none of them gets a title. */
export function playedScript(cast: Cast, witness: DemoWitness): ModelScript {
  const actors = new Map<string, Actor>();
  return (request) => {
    const actor = actors.get(request.threadId) ?? begin(cast, request);
    if (actor === null) return [{ say: "Greeting" }];
    actors.set(request.threadId, actor);
    // A message that comes in between makes the agent ask again before it has run the command.
    if (actor.last !== null && "run" in actor.last && request.answered === actor.answered) return [actor.last];
    const next = actor.last === null ? actor.plan.next() : actor.plan.next(request);
    const item: ModelItem = next.done ? { say: "There is nothing left to do." } : next.value;
    actor.last = item;
    actor.answered = request.answered;
    witness(actor.who, "say" in item ? `says: ${item.say}` : `runs: ${item.run}`);
    return [item];
  };
}

function begin(cast: Cast, request: ModelRequest): Actor | null {
  const found = cast(request.userTexts[0] ?? "");
  return found && { who: found[0], plan: found[1], last: null, answered: 0 };
}

export const isManagerPrompt = (firstWords: string): boolean => firstWords.startsWith("You are a manager session");

/** The two of the demonstration. */
export const demoCast: Cast = (first) =>
  isManagerPrompt(first) ? ["manager", manager()] : first.startsWith(DEMO.prompt) ? ["worker", worker()] : null;
