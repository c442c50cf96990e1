/** The page of one task: its pair with both terminals, what waits, and everything that happened. */
import { Agreed, Criteria } from "./criteria.tsx";
import type { Bindable, BoundParty, Card } from "../cards.ts";
import { Chains } from "./chains.tsx";
import { act } from "./do.ts";
import { Inboxes } from "./inboxes.tsx";
import type { LiveState } from "./live.ts";
import { Loops } from "./loops.tsx";
import { Doing, Empty, Pill, Said, type Tab, Tabs, TaskState, shape, type TerminalProps } from "./parts.tsx";
import { address, follow, go } from "./route.ts";
import { actionsOf, bindForm, type Dialog, interruptForm, messageForm, pairForm } from "./task-forms.ts";
import { Timeline } from "./timeline.tsx";
import { LimitsOfTask, Tokens } from "./tokens.tsx";
import { WaitLine } from "./waits.tsx";
import type { TaskParts } from "../views.ts";
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

const Terminal = lazy(
  () => import("./terminal.tsx").then((module) => module.Terminal),
  ({ cols, rows }: TerminalProps) => <div class="loading" aria-busy="true" style={{ aspectRatio: shape(cols, rows + 4) }} />,
);

export function TaskPage({ live, tab, ask }: { live: LiveState<TaskParts>; tab: string | null; ask: (form: Dialog) => void }) {
  const { card } = live.parts;
  if (live.connection === "none") {
    return (
      <main class="page">
        <Empty commands={["conveyor tasks"]}>There is no such task.</Empty>
        <a href={address({})} onClick={follow({})}>
          All tasks
        </a>
      </main>
    );
  }
  if (!card) return <main class="page" aria-busy="true" />;
  return (
    <main class="page">
      <Head card={card} ask={ask} />
      {card.waits.length > 0 && (
        <section aria-label="Waiting for you">
          <ul class="waits">
            {card.waits.map((wait) => (
              <WaitLine key={wait.id} wait={wait} />
            ))}
          </ul>
        </section>
      )}
      <Pair card={card} ask={ask} free={live.parts.free ?? []} cwd={live.parts.about?.cwd ?? ""} />
      <Tabs
        label="What happened"
        tabs={tabsOf(live.parts, card, ask)}
        shown={tab ?? "timeline"}
        show={(id) => go({ task: card.task.id, tab: id }, true)}
      />
    </main>
  );
}

function Head({ card, ask }: { card: Card; ask: (form: Dialog) => void }) {
  const { task } = card;
  return (
    <header class="task-head">
      <nav aria-label="Where you are">
        <a href={address({})} onClick={follow({})}>
          All tasks
        </a>
      </nav>
      <h1>
        <bdi>{task.name}</bdi> <TaskState state={task.state} />
      </h1>
      <p class="goal">
        <Said text={task.goal} />
      </p>
      <div class="actions" role="group" aria-label="Actions">
        {actionsOf(card).map((each) =>
          each.form ? (
            <button key={each.name} type="button" class={each.danger ? "danger" : ""} onClick={() => ask(each.form!)}>
              {each.name} {each.key && <kbd>{each.key}</kbd>}
            </button>
          ) : (
            <button key={each.name} type="button" onClick={() => void act(each.action!, { task: task.id })}>
              {each.name} {each.key && <kbd>{each.key}</kbd>}
            </button>
          ),
        )}
      </div>
    </header>
  );
}

function Pair({ card, ask, free, cwd }: { card: Card; ask: (form: Dialog) => void; free: readonly Bindable[]; cwd: string }) {
  if (!card.worker && !card.manager) {
    const form = bindForm(card, free);
    return (
      <section aria-label="Pair" class="empty">
        <p>Nobody is bound to this task.</p>
        {card.task.state !== "done" && card.task.state !== "failed" && (
          <p class="actions">
            <button type="button" class="primary" onClick={() => ask(pairForm(cwd, card.task.name, () => {}))}>
              Start a pair
            </button>
            {form && (
              <button type="button" onClick={() => ask(form)}>
                Bind free sessions
              </button>
            )}
          </p>
        )}
      </section>
    );
  }
  return (
    <section aria-label="Pair" class="pair">
      {[card.worker, card.manager].map((party) => party && <Side key={party.id} party={party} card={card} ask={ask} />)}
    </section>
  );
}

function Side({ party, card, ask }: { party: BoundParty; card: Card; ask: (form: Dialog) => void }) {
  const heading = `side-${party.role}`;
  return (
    <article class="side" aria-labelledby={heading}>
      <header class="bar">
        <h2 id={heading}>
          <span class="role">{party.role}</span> <bdi>{party.name}</bdi>
        </h2>
        <Doing party={party} />
        {party.waiting > 0 && <Pill tone="soon">{party.waiting} unread</Pill>}
        <span class="actions">
          <button type="button" onClick={() => ask(messageForm(card, party))}>
            Message
          </button>
          {party.tmux && (
            <button type="button" onClick={() => ask(interruptForm(party))}>
              Interrupt
            </button>
          )}
        </span>
      </header>
      <p class="dim where">
        <bdi>{party.cwd}</bdi>
        {party.thread && <span title="Conversation"> · {party.thread}</span>}
        <span title="Agent, model, and how it is spoken to">
          {" "}
          · {party.agent}
          {party.model !== null && ` ${party.model}`}
          {party.launch !== null && ` · ${party.launch}`}
        </span>
      </p>
      {party.role === "manager" && card.leads.length > 0 && (
        <p class="dim where">
          Also leads{" "}
          {card.leads.map(({ id, name }, at) => (
            <span key={id}>
              {at > 0 && ", "}
              <a href={address({ task: id })} onClick={follow({ task: id })}>
                <bdi>{name}</bdi>
              </a>
            </span>
          ))}
        </p>
      )}
      {party.terminal?.running ? (
        <Terminal session={party.name} cols={party.terminal.width} rows={party.terminal.height + 1} />
      ) : (
        <Empty
          commands={
            party.terminal
              ? [`conveyor start-${party.role} --name ${party.name}`]
              : [`conveyor ${party.role}-inbox ${card.task.name} --consume-next --wait`]
          }
        >
          {party.terminal
            ? `${party.terminal.reason ?? "Its terminal is not running"}.`
            : "It has no terminal: messages wait in its inbox until it asks."}
        </Empty>
      )}
    </article>
  );
}

function tabsOf(parts: LiveState<TaskParts>["parts"], card: Card, ask: (form: Dialog) => void): Tab[] {
  const pending = (parts.workerInbox?.pending.length ?? 0) + (parts.managerInbox?.pending.length ?? 0);
  return [
    { id: "timeline", name: "Timeline", render: () => <Timeline page={parts.timeline} taskId={card.task.id} /> },
    {
      id: "criteria",
      name: "Criteria",
      count: card.criteria.accepted + card.criteria.proposed,
      render: () => <Criteria criteria={parts.criteria ?? []} task={card.task} ask={ask} />,
    },
    { id: "messages", name: "Messages", render: () => <Chains chains={parts.chains ?? []} /> },
    {
      id: "inboxes",
      name: "Inboxes",
      count: pending,
      render: () => <Inboxes worker={parts.workerInbox} manager={parts.managerInbox} card={card} />,
    },
    { id: "loops", name: "Loops", count: parts.loops?.length ?? 0, render: () => <Loops loops={parts.loops ?? []} task={card.task} /> },
    { id: "tokens", name: "Tokens", render: () => <Used parts={parts} task={card.task.name} /> },
    { id: "agreements", name: "Agreements", render: () => parts.agreements && <Agreed agreements={parts.agreements} task={card.task} /> },
  ];
}

const Used = ({ parts, task }: { parts: Partial<TaskParts>; task: string }) => (
  <>
    <Tokens lines={parts.tokens ?? []} />
    {parts.limits && <LimitsOfTask {...parts.limits} task={task} />}
  </>
);

/** @param room holds the place meanwhile, so that nothing jumps */
function lazy<P extends object>(load: () => Promise<ComponentType<P>>, room: ComponentType<P>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [, ready] = useState(loaded !== undefined);
    useEffect(() => {
      if (loaded) return;
      let here = true;
      void load().then((component) => {
        loaded = component;
        if (here) ready(true);
      });
      return () => void (here = false);
    }, []);
    const Shown = loaded ?? room;
    return <Shown {...props} />;
  };
}
