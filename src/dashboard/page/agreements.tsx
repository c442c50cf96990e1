/** How the task is to be supervised, what both sides acknowledged, and the worker's last handoff. */
import type { Task } from "../../core/tasks/task.ts";
import { Command, Empty, Pill, Said } from "./parts.tsx";
import { Time } from "./time.tsx";
import type { Agreements } from "../views.ts";

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
