/** The acceptance ledger: what must be shown, and how far each is. */
import type { Criterion } from "../../core/tasks/criteria.ts";
import type { Task } from "../../core/tasks/task.ts";
import type { Form } from "./forms.tsx";
import { Empty, Pill, Said, type Tone } from "./parts.tsx";
import type { Dialog } from "./task-forms.ts";
import { Time } from "./time.tsx";

const TONES: Readonly<Record<Criterion["status"], Tone>> = {
  proposed: "soon",
  accepted: "busy",
  satisfied: "good",
  deferred: "plain",
  rejected: "bad",
};
const ORDER: readonly Criterion["status"][] = ["proposed", "accepted", "satisfied", "deferred", "rejected"];

type Judgement = Exclude<Criterion["status"], "proposed">;
const NEXT: Readonly<Record<Criterion["status"], readonly Judgement[]>> = {
  proposed: ["accepted", "deferred", "rejected"],
  accepted: ["satisfied", "deferred", "rejected"],
  satisfied: ["accepted"],
  deferred: ["accepted"],
  rejected: ["accepted"],
};
const VERBS: Readonly<Record<Judgement, string>> = { accepted: "Accept", satisfied: "Satisfy", deferred: "Defer", rejected: "Reject" };

const addForm = (task: Task): Form => ({
  title: "Add a criterion",
  action: "add-criterion",
  fixed: { task: task.id },
  fields: [
    { name: "criterion", label: "What must be true", kind: "long" },
    {
      name: "status",
      label: "Status",
      kind: "choice",
      choices: [
        ["accepted", "accepted: the task needs it"],
        ["proposed", "proposed: to be judged"],
      ],
    },
  ],
  button: "Add",
});

const judgeForm = (task: Task, { id, criterion, status }: Criterion, to: Judgement): Form => ({
  title: `${status === "satisfied" || status === "deferred" || status === "rejected" ? "Reopen" : VERBS[to]} criterion ${id}`,
  action: "judge-criterion",
  fixed: { task: task.id, id, status: to },
  fields: [
    to === "satisfied"
      ? { name: "proof", label: "Proof", kind: "long", help: "What was run or seen, and what came of it." }
      : { name: "rationale", label: "Why", kind: "long", optional: true },
  ],
  button: status === "satisfied" || status === "deferred" || status === "rejected" ? "Reopen" : VERBS[to],
  warning: criterion,
});

export function Criteria({ criteria, task, ask }: { criteria: readonly Criterion[]; task: Task; ask: (form: Dialog) => void }) {
  const ended = task.state === "done" || task.state === "failed";
  const add = !ended && (
    <button type="button" onClick={() => ask(addForm(task))}>
      Add a criterion
    </button>
  );
  if (criteria.length === 0) {
    return (
      <div>
        <Empty commands={[`conveyor criteria ${task.name} --add --criterion TEXT --source user_requested --status accepted`]}>
          Nothing is asked of this task yet. Criteria say what must be shown before it can be finished.
        </Empty>
        {add}
      </div>
    );
  }
  const sorted = criteria.toSorted((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status) || a.id - b.id);
  return (
    <div>
      <ul class="criteria">
        {sorted.map((criterion) => (
          <li key={criterion.id}>
            <span class="number">{criterion.id}</span>
            <div class="words">
              <p>
                <Said text={criterion.criterion} />
              </p>
              {criterion.proof && (
                <p class="quote">
                  <Said text={criterion.proof} />
                </p>
              )}
              {criterion.rationale && (
                <p class="dim">
                  <Said text={criterion.rationale} />
                </p>
              )}
              <p class="dim">
                <Pill tone={TONES[criterion.status]}>{criterion.status}</Pill> {criterion.source.replaceAll("_", " ")} ·{" "}
                <Time at={criterion.updated_at} />
                {Object.keys(criterion.evidence).length > 0 && <> · evidence: {Object.keys(criterion.evidence).sort().join(", ")}</>}
              </p>
            </div>
            {!ended && (
              <span class="actions" role="group" aria-label={`Criterion ${criterion.id}`}>
                {NEXT[criterion.status].map((to) => (
                  <button key={to} type="button" onClick={() => ask(judgeForm(task, criterion, to))}>
                    {NEXT[criterion.status].length === 1 ? "Reopen" : VERBS[to]}
                  </button>
                ))}
              </span>
            )}
          </li>
        ))}
      </ul>
      {add}
    </div>
  );
}
