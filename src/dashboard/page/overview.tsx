/** The first page: what waits for a person, every task, sessions that work for nobody, Dispatch. */
import { byPressure, type Item } from "../../core/attention/item.ts";
import type { Task } from "../../core/tasks/task.ts";
import type { BoundParty, Card } from "../cards.ts";
import { Limits } from "./tokens.tsx";
import { Proof } from "./delivery.tsx";
import { act } from "./do.ts";
import type { Form } from "./forms.tsx";
import type { LiveState } from "./live.ts";
import { Command, Doing, Empty, Pill, Said, TaskState, Time } from "./parts.tsx";
import { address, follow, go } from "./route.ts";
import { Unbound } from "./finder.tsx";
import { type Dialog, pairForm } from "./task-forms.ts";
import { WaitLine } from "./waits.tsx";
import type { DispatchView, OverviewParts } from "../views.ts";

export const newTask: Form = {
  title: "New task",
  action: "create-task",
  button: "Create",
  fields: [
    { name: "name", label: "Name", help: "Short, as you would type it: login-fix" },
    { name: "goal", label: "Goal", kind: "long" },
    { name: "summary", label: "Summary", kind: "long", optional: true },
  ],
  done: (result) => go({ task: (result as { id: string }).id }),
};

const newPair = (cwd: string): Form => pairForm(cwd, null, (id) => go({ task: id }));

export function Overview({ live, ask }: { live: LiveState<OverviewParts>; ask: (form: Dialog) => void }) {
  const { parts } = live;
  if (!parts.order) return <main class="page" aria-busy="true" />;
  const cards = parts.order.map((id) => parts[`task/${id}`] as Card | undefined).filter((card) => card !== undefined);
  const waits = [...cards.flatMap((card) => card.waits), ...(parts.freeWaits ?? [])].sort(byPressure);
  return (
    <main class="page">
      <h1 class="hidden">Overview</h1>
      <Waiting waits={waits} any={cards.length > 0} />
      <section aria-labelledby="tasks">
        <header class="bar">
          <h2 id="tasks">
            Tasks <span class="count">{cards.length}</span>
          </h2>
          <button type="button" onClick={() => ask(newTask)}>
            New task <kbd>n</kbd>
          </button>
          <button type="button" class="primary" onClick={() => ask(newPair(parts.about?.cwd ?? ""))}>
            Start a pair
          </button>
        </header>
        {cards.length === 0 ? (
          <Empty commands={["conveyor demo", "conveyor pair --task NAME --task-goal GOAL --worker-name NAME --manager-name NAME"]}>
            No task is being worked on. The demo shows a whole pair at work without an account; a pair of your own starts with the second
            line.
          </Empty>
        ) : (
          <ul class="cards">
            {byLeader(cards).map((led) =>
              led.length === 1 ? <TaskRow key={led[0]!.task.id} card={led[0]!} /> : <Crew key={led[0]!.manager!.id} cards={led} />,
            )}
          </ul>
        )}
      </section>
      <div class="columns">
        <Unbound sessions={parts.sessions ?? []} ask={ask} />
        {parts.dispatch && <Dispatch dispatch={parts.dispatch} />}
        {parts.limits && parts.limits.length > 0 && <Limits accounts={parts.limits} />}
      </div>
      {parts.ended && parts.ended.total > 0 && <Ended tasks={parts.ended.tasks} total={parts.ended.total} />}
    </main>
  );
}

function Waiting({ waits, any }: { waits: readonly Item[]; any: boolean }) {
  if (waits.length === 0) {
    return any ? (
      <section class="calm" aria-label="Waiting for you">
        <span aria-hidden="true">✓</span> Nothing waits for you.
      </section>
    ) : null;
  }
  return (
    <section aria-labelledby="waiting">
      <h2 id="waiting">
        Waiting for you <span class="count">{waits.length}</span>
      </h2>
      <ul class="waits">
        {waits.map((wait) => (
          <WaitLine key={wait.id} wait={wait} named />
        ))}
      </ul>
    </section>
  );
}

/** The tasks of a manager that leads several stand together, at the place of the first. */
function byLeader(cards: readonly Card[]): Card[][] {
  const groups = new Map<string, Card[]>();
  for (const card of cards) {
    const key = card.leads.length > 0 ? card.manager!.id : card.task.id;
    groups.set(key, [...(groups.get(key) ?? []), card]);
  }
  return [...groups.values()];
}

function Crew({ cards }: { cards: readonly Card[] }) {
  const leader = cards[0]!.manager!;
  return (
    <li class="crew">
      <p class="leader" id={`crew-${leader.id}`}>
        <bdi class="name">{leader.name}</bdi> leads {cards.length} tasks <Doing party={leader} />
        {leader.waiting > 0 && <Pill tone="soon">{leader.waiting} unread</Pill>}
      </p>
      <ul aria-labelledby={`crew-${leader.id}`}>
        {cards.map((card) => (
          <TaskRow key={card.task.id} card={card} led />
        ))}
      </ul>
    </li>
  );
}

/** @param led its manager stands above it */
function TaskRow({ card, led = false }: { card: Card; led?: boolean }) {
  const { task, worker, manager, criteria } = card;
  const judged = criteria.accepted + criteria.satisfied;
  const urgent = card.waits.filter((wait) => wait.weight === "now").length;
  return (
    <li class={urgent > 0 ? "card urgent" : "card"}>
      <div class="what">
        <h3>
          <a href={address({ task: task.id })} onClick={follow({ task: task.id })} data-row>
            <bdi>{task.name}</bdi>
          </a>
          <TaskState state={task.state} />
          {urgent > 0 && <Pill tone="now">{urgent === 1 ? "1 thing waits" : `${urgent} things wait`}</Pill>}
        </h3>
        <p class="goal">
          <bdi>{task.goal}</bdi>
        </p>
      </div>
      <dl class="who">
        <Who title="Worker" party={worker} />
        {!led && <Who title="Manager" party={manager} />}
      </dl>
      <dl class="facts">
        <div>
          <dt>Last message</dt>
          <dd>{card.delivery ? <Proof delivery={card.delivery} /> : <span class="dim">none yet</span>}</dd>
        </div>
        <div>
          <dt>Criteria</dt>
          <dd>
            {judged === 0 ? (
              <span class="dim">none accepted</span>
            ) : (
              <span class="meter">
                <span class="meter-bar" aria-hidden="true">
                  <svg viewBox="0 0 100 6" preserveAspectRatio="none">
                    <rect width={(100 * criteria.satisfied) / judged} height="6" />
                  </svg>
                </span>
                {criteria.satisfied} of {judged}
              </span>
            )}
          </dd>
        </div>
        <div>
          <dt>Last look</dt>
          <dd>{card.cycle ? <Time at={card.cycle.started_at} /> : <span class="dim">no cycle yet</span>}</dd>
        </div>
      </dl>
    </li>
  );
}

const Who = ({ title, party }: { title: string; party: BoundParty | null }) => (
  <div>
    <dt>{title}</dt>
    <dd>
      {party ? (
        <>
          <bdi class="name">{party.name}</bdi> <Doing party={party} />
          {party.waiting > 0 && <Pill tone="soon">{party.waiting} unread</Pill>}
        </>
      ) : (
        <span class="dim">nobody</span>
      )}
    </dd>
  </div>
);

function Dispatch({ dispatch }: { dispatch: DispatchView }) {
  return (
    <section aria-labelledby="dispatch">
      <h2 id="dispatch">Dispatch</h2>
      {dispatch.watches.length === 0 ? (
        <Empty commands={["conveyor dispatch --watch"]}>
          No Dispatch has ever watched this database. It carries messages between the two sessions of each task.
        </Empty>
      ) : (
        <ul class="plain">
          {dispatch.watches.slice(0, 6).map((watch) => (
            <li key={`${watch.dispatcher_id} ${watch.host} ${watch.pid}`} class="line">
              <span class={`doing ${watch.alive ? "good" : "plain"}`}>
                <span class="dot" aria-hidden="true" />
                <bdi class="name">{watch.dispatcher_id}</bdi>
              </span>
              <span class="dim">
                {watch.alive ? (
                  <>
                    process {watch.pid}, last heartbeat <Time at={watch.last_seen_at} />, {watch.processed_count} handled
                  </>
                ) : (
                  <>
                    {watch.ended_at ? "ended" : "died"} <Time at={watch.ended_at ?? watch.last_seen_at} />
                  </>
                )}
              </span>
              {watch.last_error && (
                <span class="bad">
                  <Said text={watch.last_error} />
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      {!dispatch.alive && (
        <p class="actions below">
          <button type="button" onClick={() => void act("dispatch", {})}>
            Start Dispatch
          </button>
          {dispatch.watches.length > 0 && <Command text="conveyor dispatch --watch" />}
        </p>
      )}
    </section>
  );
}

const Ended = ({ tasks, total }: { tasks: readonly Task[]; total: number }) => (
  <details class="ended">
    <summary>
      Ended tasks <span class="count">{total}</span>
    </summary>
    <ul class="plain">
      {tasks.map((task) => (
        <li key={task.id} class="line">
          <a href={address({ task: task.id })} onClick={follow({ task: task.id })}>
            <bdi>{task.name}</bdi>
          </a>
          <TaskState state={task.state} />
          <span class="dim">
            <Time at={task.updated_at} />
          </span>
        </li>
      ))}
    </ul>
  </details>
);
