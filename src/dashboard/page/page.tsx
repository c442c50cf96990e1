/** The page's entry script: the frame around every page, keys, dialogs, receipts. */
import "./page.css";
import { render } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { ask as read, forgetNote, type Note, note as showNote, onNotes, act } from "./do.ts";
import { FinishDialog } from "./finish.tsx";
import { FormDialog } from "./forms.tsx";
import { type Connection, useLive } from "./live.ts";
import { Notices } from "./notices.tsx";
import { newTask, Overview } from "./overview.tsx";
import { Modal } from "./parts.tsx";
import { address, follow, go, useRoute } from "./route.ts";
import { actionsOf, type Dialog } from "./task-forms.ts";
import { TaskPage } from "./task.tsx";
import type { Item } from "../../core/attention/item.ts";
import type { Card } from "../cards.ts";
import type { OverviewParts, TaskParts } from "../views.ts";

const isId = (text: string): boolean => text.startsWith("task-");

function App() {
  const route = useRoute();
  const [id, setId] = useState<string | null>(null);
  const [form, setForm] = useState<Dialog | null>(null);
  const [help, setHelp] = useState(false);
  useEffect(() => {
    setForm(null);
    if (route.task === null || isId(route.task)) return setId(route.task);
    setId(null);
    // A name in the address is looked up once; from then on the id stands there, since names repeat.
    void read<{ id: string }>(`api/find?task=${encodeURIComponent(route.task)}`).then((found) =>
      go({ task: found?.id ?? "task-unknown", tab: route.tab }, true),
    );
  }, [route.task]);
  const live = useLive<OverviewParts & TaskParts>(id === null ? "overview" : `task:${id}`);
  const { card } = live.parts as { card?: Card };
  useKeys(
    (key) => {
      if (key === "?") return setHelp(true);
      if (key === "o") return go({});
      if (key === "n") return setForm(newTask);
      const wanted = card && actionsOf(card).find((each) => each.key === key);
      if (!wanted) return;
      if (wanted.form) setForm(wanted.form);
      else if (wanted.action) void act(wanted.action, { task: card.task.id });
    },
    form !== null || help,
  );
  useTitle(card, live.parts);
  const waitingForId = route.task !== null && id === null;
  return (
    <>
      <Top connection={live.connection} parts={live.parts} onHelp={() => setHelp(true)} />
      {live.connection === "over" ? (
        <Over />
      ) : waitingForId ? (
        <main class="page" aria-busy="true" />
      ) : id === null ? (
        <Overview live={live} ask={setForm} />
      ) : (
        <TaskPage live={live} tab={route.tab} ask={setForm} />
      )}
      {form &&
        ("finish" in form ? (
          <FinishDialog card={form.finish} close={() => setForm(null)} />
        ) : (
          <FormDialog key={form.title} form={form} close={() => setForm(null)} />
        ))}
      {help && <Help close={() => setHelp(false)} />}
      <Notes />
    </>
  );
}

function useTitle(card: Card | undefined, parts: Record<string, unknown>): void {
  const cards = card ? [card] : Object.entries(parts).flatMap(([name, part]) => (name.startsWith("task/") ? [part as Card] : []));
  const free = card ? [] : ((parts.freeWaits ?? []) as readonly Item[]);
  const urgent = [...cards.flatMap((each) => each.waits), ...free].filter((wait) => wait.weight === "now").length;
  useEffect(() => {
    document.title = `${urgent > 0 ? `(${urgent}) ` : ""}${card ? `${card.task.name} · ` : ""}Conveyor`;
  });
}

/** Single keys act unless something takes text or a dialog is open; j and k walk along the rows. */
function useKeys(press: (key: string) => void, blocked: boolean): void {
  // At once with what is on the page: a key that follows a closed dialog already counts.
  useLayoutEffect(() => {
    const down = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (blocked || event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select, dialog, [contenteditable]"))
        return;
      if (event.key === "j" || event.key === "k") {
        const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
        const at = rows.indexOf(document.activeElement as HTMLElement);
        rows[Math.min(rows.length - 1, Math.max(0, at + (event.key === "j" ? 1 : at < 0 ? 1 : -1)))]?.focus();
        return;
      }
      if (event.key.length !== 1) return;
      press(event.key);
      if (/^[a-z?]$/.test(event.key)) event.preventDefault();
    };
    document.addEventListener("keydown", down);
    return () => document.removeEventListener("keydown", down);
  });
}

const CONNECTIONS: Readonly<Record<Connection, string>> = {
  connecting: "Connecting",
  live: "Live",
  lost: "Reconnecting",
  over: "Ended",
  none: "Live",
};

function Top({ connection, parts, onHelp }: { connection: Connection; parts: Partial<OverviewParts>; onHelp: () => void }) {
  const { dispatch, about } = parts;
  return (
    <header class="top">
      <a
        href={address({})}
        onClick={follow({})}
        class="brand"
        title={about ? `${about.program} ${about.version} · ${about.database}` : undefined}
      >
        Conveyor
      </a>
      <span
        class={`doing ${connection === "live" || connection === "none" ? "good" : connection === "connecting" ? "plain" : "now"}`}
        role="status"
      >
        <span class="dot" aria-hidden="true" />
        {CONNECTIONS[connection]}
      </span>
      {dispatch && (
        <span class={`doing ${dispatch.alive ? "good" : "plain"}`}>
          <span class="dot" aria-hidden="true" />
          {dispatch.alive ? "Dispatch runs" : "No Dispatch"}
        </span>
      )}
      <span class="stretch" />
      <Notices />
      <button type="button" class="quiet" onClick={onHelp}>
        Keys <kbd>?</kbd>
      </button>
    </header>
  );
}

const Over = () => (
  <main class="page">
    <section class="empty">
      <h1>This dashboard has ended</h1>
      <p>Start it again and open the address that it prints:</p>
      <code>conveyor dashboard</code>
    </section>
  </main>
);

function Notes() {
  const [notes, setNotes] = useState<readonly Note[]>([]);
  useEffect(() => onNotes(setNotes), []);
  return (
    <div class="notes" role="log" aria-label="Receipts" aria-live="polite">
      {notes.map(({ id, answer }) => (
        <div key={id} class={answer.done ? "note" : "note refused"}>
          <p>{answer.said}</p>
          {answer.done ? (
            (answer.wrote.length > 0 || answer.events.length > 0) && (
              <details>
                <summary>What was written</summary>
                <ul>
                  {answer.wrote.map((row) => (
                    <li key={row}>{row}</li>
                  ))}
                  {answer.events.map(({ id, type }) => (
                    <li key={id}>
                      event {id}: {type.replaceAll("_", " ")}
                    </li>
                  ))}
                </ul>
              </details>
            )
          ) : (
            <>{answer.hint && <code>{answer.hint}</code>}</>
          )}
          <button type="button" class="quiet" aria-label="Put away" onClick={() => forgetNote(id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}

const KEYS: readonly (readonly [string, string])[] = [
  ["j  k", "next and previous row"],
  ["Enter", "open the row"],
  ["o", "all tasks"],
  ["n", "new task"],
  ["m", "message the worker of this task"],
  ["c", "look at the worker now (a cycle)"],
  ["d", "record a decision"],
  ["f", "finish the task, with its gates explained"],
  ["Ctrl Shift Esc", "hand a terminal back"],
  ["?", "these keys"],
];

const Help = ({ close }: { close: () => void }) => (
  <Modal title="Keys" close={close}>
    <dl class="keys">
      {KEYS.map(([key, what]) => (
        <div key={key}>
          <dt>
            {key.split(/\s+/).map((each) => (
              <kbd key={each}>{each}</kbd>
            ))}
          </dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
  </Modal>
);

window.addEventListener("unhandledrejection", (event) =>
  showNote({ done: false, said: `The page met an error: ${String(event.reason)}`, hint: null }),
);
render(<App />, document.getElementById("app")!);
