/** Both inboxes: what waits to be taken, and what was. */
import type { InboxLine } from "../../store/dashboard/inbox.ts";
import type { Card } from "../cards.ts";
import { Empty, Pill, Said, Time } from "./parts.tsx";
import type { TaskParts } from "../views.ts";

type Inbox = TaskParts["workerInbox"];

export const Inboxes = ({ worker, manager, card }: { worker: Inbox | undefined; manager: Inbox | undefined; card: Card }) => (
  <div class="columns">
    <OneInbox name={card.manager?.name} role="manager" inbox={manager} task={card.task.name} />
    <OneInbox name={card.worker?.name} role="worker" inbox={worker} task={card.task.name} />
  </div>
);

function OneInbox({ name, role, inbox, task }: { name: string | undefined; role: string; inbox: Inbox | undefined; task: string }) {
  const heading = `inbox-${role}`;
  return (
    <section aria-labelledby={heading}>
      <h3 id={heading}>
        <span class="role">{role}</span> {name && <bdi>{name}</bdi>}
      </h3>
      {!inbox || (inbox.pending.length === 0 && inbox.consumed.length === 0) ? (
        <Empty commands={name ? [`conveyor ${role}-inbox ${task}`] : []}>{name ? "Nothing has come in." : `No ${role} is bound.`}</Empty>
      ) : (
        <>
          <List title="Waiting" lines={inbox.pending} none="Nothing waits." />
          <List title="Taken" lines={inbox.consumed} none="Nothing was taken yet." />
        </>
      )}
    </section>
  );
}

const List = ({ title, lines, none }: { title: string; lines: readonly InboxLine[]; none: string }) => (
  <>
    <h4>
      {title} <span class="count">{lines.length}</span>
    </h4>
    {lines.length === 0 ? (
      <p class="dim">{none}</p>
    ) : (
      <ul class="plain">
        {lines.map((line) => (
          <li key={line.id} class="letter">
            <p>
              <span class="number">#{line.id}</span> {line.signal_type.replaceAll("_", " ")} from <bdi>{line.source}</bdi>{" "}
              <Pill>{line.delivery_mode === "push" ? "also pushed" : "to be taken"}</Pill>
              <span class="dim">
                {" "}
                <Time at={line.consumed_at ?? line.created_at} />
                {line.cycle_id !== null && ` by cycle ${line.cycle_id}`}
              </span>
            </p>
            {line.text && (
              <p class="quote">
                <Said text={line.text} most={200} />
              </p>
            )}
          </li>
        ))}
      </ul>
    )}
  </>
);
