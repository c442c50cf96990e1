/** Everything that happened in a task, newest first, one day under the other. */
import { useEffect, useState } from "preact/hooks";
import type { Cursor, TimelineItem, TimelinePage } from "../../store/dashboard/timeline.ts";
import { verdict } from "./delivery.tsx";
import { ask } from "./do.ts";
import { Empty, Pill, Said, type Tone, clockTime, span, Time } from "./parts.tsx";

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const keyOf = (item: TimelineItem): string => `${item.kind} ${item.row}`;

export function Timeline({ page, taskId }: { page: TimelinePage | undefined; taskId: string }) {
  const [older, setOlder] = useState<{ items: readonly TimelineItem[]; next: Cursor | null } | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => setOlder(null), [taskId]);
  if (!page) return null;
  if (page.items.length === 0) return <Empty>Nothing has happened yet.</Empty>;
  const known = new Set(page.items.map(keyOf));
  const items = [...page.items, ...(older?.items ?? []).filter((item) => !known.has(keyOf(item)))];
  const next = older ? older.next : page.next;
  const more = async (): Promise<void> => {
    setBusy(true);
    const got = await ask<TimelinePage>(
      `api/timeline?task=${encodeURIComponent(taskId)}&before=${encodeURIComponent(JSON.stringify(next))}`,
    );
    // What slid off the live page meanwhile is kept: nothing in between gets lost.
    if (got) setOlder({ items: [...items, ...got.items], next: got.next });
    setBusy(false);
  };
  return (
    <div class="timeline">
      {days(items).map(([title, ofDay]) => (
        <section key={title} aria-label={title}>
          <h3>{title}</h3>
          <ol>
            {ofDay.map((item) => (
              <Line key={keyOf(item)} item={item} />
            ))}
          </ol>
        </section>
      ))}
      {next && (
        <button type="button" onClick={() => void more()} disabled={busy}>
          {busy ? "Reading…" : "Show older"}
        </button>
      )}
    </div>
  );
}

function days(items: readonly TimelineItem[]): [string, TimelineItem[]][] {
  const groups = new Map<string, TimelineItem[]>();
  for (const item of items) {
    const title = day.format(Date.parse(item.at));
    groups.set(title, [...(groups.get(title) ?? []), item]);
  }
  return [...groups];
}

interface Told {
  readonly tone: Tone;
  readonly title: string;
  readonly mark?: string;
  readonly text?: string | null;
}

function Line({ item }: { item: TimelineItem }) {
  const told = TELL[item.kind](item);
  return (
    <li class={`happening ${told.tone}`}>
      <span class="clock">
        <time dateTime={item.at} title={item.at}>
          {clockTime(item.at)}
        </time>
      </span>
      <span class="dot" aria-hidden="true" />
      <div>
        <p>
          <bdi>{told.title}</bdi> {told.mark && <Pill tone={told.tone}>{told.mark}</Pill>}
          <span class="dim ago">
            <Time at={item.at} />
          </span>
        </p>
        {told.text && (
          <p class="quote">
            <Said text={told.text} />
          </p>
        )}
      </div>
    </li>
  );
}

const str = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
const num = (value: unknown): number | null => (typeof value === "number" ? value : null);
const words = (name: string): string => name.replaceAll("_", " ");

const TELL: Readonly<Record<TimelineItem["kind"], (item: TimelineItem) => Told>> = {
  turn({ what, who, text, data }) {
    if (what === "task_started") return { tone: "busy", title: `${who} began a turn` };
    if (what === "turn_aborted") return { tone: "soon", title: `${who} was interrupted` };
    const error = str(data.error);
    if (error !== null) return { tone: "bad", title: `A turn of ${who} failed`, text: error };
    const took = num(data.duration_ms);
    return {
      tone: "good",
      title: `${who} finished a turn${took === null ? "" : took < 1000 ? " within a second" : ` after ${span(took)}`}`,
      text,
    };
  },
  cycle({ what, text, data }) {
    const state = str(data.state);
    if (what === "failed") return { tone: "bad", title: "A look at the worker failed", text };
    const pattern = str(data.pattern);
    return {
      tone: pattern ? "soon" : "plain",
      title: `The manager looked: worker ${state ?? "unknown"}`,
      ...(pattern && { mark: words(pattern) }),
    };
  },
  delivery({ what, who, text, data }) {
    const [tone, word] = verdict({
      state: what,
      mode: str(data.mode),
      proof: null,
      consumed: data.consumed_at !== null,
      started: data.started === 1,
      completed: data.completed === 1,
    });
    return {
      tone,
      title: `${str(data.from)} → ${who}: ${words(str(data.signal) ?? "message")}`,
      mark: word,
      text: str(data.error) ?? text,
    };
  },
  command({ what, text, data }) {
    const tone: Tone = what === "succeeded" ? "good" : what === "failed" ? "bad" : what === "blocked" ? "now" : "busy";
    return { tone, title: `Command ${words(str(data.type) ?? "")}`, mark: what, text: str(data.error) ?? text };
  },
  decision: ({ what, text }) => ({ tone: "plain", title: "The manager decided", mark: what, text }),
  event({ what, who, data }) {
    const status = str(data.status);
    const asked = str(data.command) ?? str(data.question);
    const text = asked ?? str(data.criterion) ?? str(data.summary) ?? str(data.reason) ?? str(data.error);
    const whom = str(data.session);
    return {
      tone: what.endsWith("failed") ? "bad" : "plain",
      title: `${words(what)}${whom ? `: ${whom}` : ""}${who && who !== "workerctl" ? ` by ${who}` : ""}`,
      ...(status && { mark: status }),
      text,
    };
  },
};
