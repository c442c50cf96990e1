/** What the four agents of the crew's demonstration do: a leader and three workers, two of whom fit together. */
import { join } from "node:path";
import type { ModelRequest } from "../../core/agent/scripted-model.ts";
import type { DemoProject } from "../../system/demo-folder.ts";
import { type Cast, isManagerPrompt, type Plan } from "./demo-script.ts";

export const LEADER = "demo-leader";

/** A worker, its task, and the file that it makes right. */
export interface Mate {
  readonly task: string;
  readonly worker: string;
  readonly goal: string;
  readonly prompt: string;
  /** What it runs, and says of it. */
  readonly does: string;
  readonly says: string;
  readonly test: string;
}

const mate = (task: string, goal: string, does: string): Mate => ({
  task,
  worker: `demo-${task}`,
  goal,
  prompt: `Task ${task}: ${goal}. sh ${task}.test.sh proves it.`,
  does: `${does} && sh ${task}.test.sh`,
  says: `Done: sh ${task}.test.sh passes.`,
  test: `${task}.test.sh`,
});

/** The last one builds on what the first one changes: no line of them conflicts, and together they are wrong. */
export const MATES: readonly Mate[] = [
  mate(
    "hello",
    "hello.sh greets calmly, with the mark of the house",
    `echo . > mark && printf '%s\\n' 'echo "Hello, $1$(cat mark)"' > hello.sh`,
  ),
  mate("bye", "bye.sh takes leave by name", `printf '%s\\n' 'echo "Bye, $1"' > bye.sh`),
  mate(
    "shout",
    "shout.sh says a name loudly, with the mark of the house",
    `printf '%s\\n' 'echo "$(echo "$1" | tr a-z A-Z)$(cat mark)"' > shout.sh`,
  ),
];
/** The one whose proof does not hold on the merge. */
export const UNFIT = "shout";

const test = (task: string, expected: string): string => `test "$(sh ${task}.sh Ada)" = "${expected}" || { sh ${task}.sh Ada; exit 1; }\n`;

export const HOUSE: DemoProject = {
  files: {
    mark: "!\n",
    "hello.sh": "exit 1\n",
    "bye.sh": "exit 1\n",
    "shout.sh": "exit 1\n",
    "hello.test.sh": test("hello", "Hello, Ada."),
    "bye.test.sh": test("bye", "Bye, Ada"),
    "shout.test.sh": test("shout", "ADA!"),
  },
  commit: "Three scripts that do nothing yet",
  below: MATES.map(({ worker }) => join(".worktrees", worker)),
};

function* worker({ does, says }: Mate): Plan {
  yield { run: does };
  yield { say: says };
}

/** How many of the three have said that they are done. */
const DONE = `conveyor crew ${LEADER} --json | grep -c '"last_words": "Done'`;

function* leader(): Plan {
  let request: ModelRequest = yield { say: "I lead this crew. I wait until they have done their work." };
  for (;;) {
    request = yield { run: DONE };
    if (Number(/\d+/.exec(request.printed ?? "")?.[0]) === MATES.length) break;
    request = yield { say: "Not all of them are done. I wait." };
  }
  for (const { task, worker: name, test: file } of MATES) {
    const add = `conveyor criteria ${task} --add --criterion 'sh ${file} passes' --source manager_inferred --status accepted`;
    request = yield { run: add };
    const id = /"id": (\d+)/.exec(request.toolOutput ?? "")?.[1] ?? "1";
    yield { run: `conveyor evidence run ${task} --criterion ${id} --cwd "$WORKERCTL_STATE_ROOT/.worktrees/${name}" -- sh ${file}` };
  }
  for (const { task } of MATES) request = yield { run: `conveyor land ${task} --finish` };
  yield { say: "hello and bye have landed. shout passed alone and fails on the merge: its worker has to see what hello has changed." };
}

/** The leader, and the three by their first words. */
export const crewCast: Cast = (first) => {
  if (isManagerPrompt(first)) return ["leader", leader()];
  const found = MATES.find(({ prompt }) => first.startsWith(prompt));
  return found === undefined ? null : [found.task, worker(found)];
};
