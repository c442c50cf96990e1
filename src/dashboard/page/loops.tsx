/** Loops of a task: how often the worker may go round, and what must be shown before. */
import type { Task } from "../../core/tasks/task.ts";
import type { LoopView } from "../loops.ts";
import { Empty, Pill, Time } from "./parts.tsx";

export const Loops = ({ loops, task }: { loops: readonly LoopView[]; task: Task }) =>
  loops.length === 0 ? (
    <Empty commands={["conveyor loop-templates --list", `conveyor loop-templates --create-run ${task.name} --template NAME`]}>
      No loop has been set up. A loop lets the worker go round again, but only with the evidence it asks for.
    </Empty>
  ) : (
    <ul class="plain loops">
      {loops.map((loop) => (
        <Loop key={loop.run.id} loop={loop} />
      ))}
    </ul>
  );

function Loop({ loop: { run, policy, reached, gate, messages } }: { loop: LoopView }) {
  const done = gate.reason === "max_iterations_reached";
  return (
    <li>
      <h3>
        <bdi>{run.name}</bdi> <Pill>{policy.template ?? "custom"}</Pill>{" "}
        <Pill tone={run.status === "active" ? "busy" : "plain"}>{run.status}</Pill>
      </h3>
      <ol class="rounds" aria-label={`Iteration ${reached} of ${policy.max_iterations}`}>
        {Array.from({ length: Math.min(policy.max_iterations, 30) }, (_, index) => (
          <li key={index} class={index + 1 <= reached ? "reached" : ""}>
            {index + 1}
          </li>
        ))}
      </ol>
      <p>
        {done ? (
          "All iterations are used up."
        ) : gate.reason === null ? (
          <Pill tone="good">iteration {gate.requested} may begin</Pill>
        ) : (
          <>
            <Pill tone="soon">iteration {gate.requested} waits</Pill>{" "}
            {gate.missing.length === 0 && <span class="dim">{gate.reason.replaceAll("_", " ")}</span>}
          </>
        )}
      </p>
      {policy.required_before_continue.length > 0 && !done && (
        <ul class="gates">
          {policy.required_before_continue.map((type) => {
            const missing = gate.requested > 1 && gate.missing.includes(type);
            return (
              <li key={type} class={missing ? "missing" : "met"}>
                <span aria-hidden="true">{missing ? "○" : "✓"}</span> {type.replaceAll("_", " ")}{" "}
                <span class="dim">
                  {missing ? "is missing" : gate.requested > 1 ? "is there" : "is asked for from the second iteration on"}
                </span>
              </li>
            );
          })}
        </ul>
      )}
      {messages.length > 0 && (
        <p class="dim">
          Last sent: iteration {messages.at(-1)!.iteration}, {messages.at(-1)!.state} <Time at={messages.at(-1)!.delivered_at} />
        </p>
      )}
    </li>
  );
}
