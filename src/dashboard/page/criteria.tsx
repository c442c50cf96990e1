/** The agreements of a task: its criteria, acknowledgements and configuration. */
import type { Criterion } from "../../core/tasks/criteria.ts";
import type { Task } from "../../core/tasks/task.ts";
import type { Form } from "./forms.tsx";
import { Empty, Pill, Said, type Tone, Time, Command } from "./parts.tsx";
import type { Dialog } from "./task-forms.ts";
import type { Agreements } from "../views.ts";

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

export function Agreed({ agreements: a, task }: { agreements: Agreements; task: Task }) {
  if (a.mode === null && !a.handoff && !a.workerAck && !a.managerAck) {
    return (
      <Empty commands={[`conveyor manager-config ${task.name} --mode guided`]}>
        Nothing has been agreed: there is no configuration of the manager, no acknowledgement and no handoff.
      </Empty>
    );
  }
  return (
    <div class="columns">
      <section aria-label="Supervision">
        <h3>Supervision {a.mode && <Pill>{a.mode}</Pill>}</h3>
        {a.objective && (
          <p>
            <Said text={a.objective} />
          </p>
        )}
        {a.guidelines.length > 0 && (
          <ul>
            {a.guidelines.map((each) => (
              <li key={each}>
                <Said text={each} />
              </li>
            ))}
          </ul>
        )}
        <h4>Permitted</h4>
        {a.permissions.length === 0 ? (
          <p class="dim">nothing beyond looking and speaking</p>
        ) : (
          <p>
            {a.permissions.map((each) => (
              <Pill key={each}>{each}</Pill>
            ))}
          </p>
        )}
        {a.mode === null && <Command text={`conveyor manager-config ${task.name} --mode guided`} />}
      </section>
      <section aria-label="Acknowledgements and handoff">
        <h3>Acknowledgements {a.requireAcks && <Pill tone="soon">required</Pill>}</h3>
        <Ack role="worker" ack={a.workerAck} />
        <Ack role="manager" ack={a.managerAck} />
        <h3>Handoff</h3>
        {a.handoff ? (
          <>
            <p>
              <Said text={a.handoff.summary} />{" "}
              <span class="dim">
                <Time at={a.handoff.at} />
              </span>
            </p>
            <ol>
              {a.handoff.nextSteps.map((step) => (
                <li key={step}>
                  <Said text={step} />
                </li>
              ))}
            </ol>
          </>
        ) : (
          <p class="dim">none yet</p>
        )}
      </section>
    </div>
  );
}

const Ack = ({ role, ack }: { role: string; ack: Agreements["workerAck"] }) => (
  <p>
    <span class="role">{role}</span>{" "}
    {ack ? (
      <>
        <Pill tone={ack.stale ? "soon" : "good"}>{ack.stale ? "of an older configuration" : "given"}</Pill>{" "}
        <span class="dim">
          <Time at={ack.at} />
        </span>
      </>
    ) : (
      <span class="dim">not given</span>
    )}
  </p>
);
