/** Small pieces that every part of the page is made of. */
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState, useEffect } from "preact/hooks";
import type { BoundParty } from "../cards.ts";

export type Tone = "good" | "now" | "soon" | "busy" | "bad" | "plain";

export const Pill = ({ tone = "plain", children, title }: { tone?: Tone; children: ComponentChildren; title?: string }) => (
  <span class={`pill ${tone}`} title={title}>
    {children}
  </span>
);

const TASK_TONES: Readonly<Record<string, Tone>> = { candidate: "plain", managed: "busy", paused: "soon", done: "good", failed: "bad" };
export const TaskState = ({ state }: { state: string }) => <Pill tone={TASK_TONES[state] ?? "plain"}>{state}</Pill>;

/** What a session is doing, as a word and a mark. */
export function Doing({ party }: { party: BoundParty }) {
  const [tone, word] = doing(party);
  return (
    <span class={`doing ${tone}`}>
      <span class="dot" aria-hidden="true" />
      {word}
      {party.turnAt && (tone === "busy" || tone === "plain") && (
        <>
          {" "}
          <Time at={party.turnAt} plain />
        </>
      )}
    </span>
  );
}

function doing(party: BoundParty): [Tone, string] {
  if (party.turn === "crashed") return ["bad", "crashed"];
  if (party.alive === false) return ["bad", party.recorded === "gone" ? "gone" : "not running"];
  if (party.moved !== null) return ["now", "moved to another conversation"];
  if (party.dialog !== null || party.asks.length > 0) return ["now", "asks something"];
  if (party.turn === "open") return ["busy", "working"];
  if (party.turn === "failed") return ["bad", "turn failed, idle"];
  if (party.turn === "aborted") return ["plain", "interrupted, idle"];
  if (party.turn === "completed") return ["plain", "idle"];
  return ["plain", party.alive === true ? "no turn yet" : "not seen yet"];
}

/** Text of others: never markup, kept apart from the text around it, long ones folded. */
export function Said({ text, most = 280 }: { text: string; most?: number }) {
  const [open, setOpen] = useState(false);
  const long = text.length > most + 40;
  return (
    <span class="said">
      <bdi>{long && !open ? `${text.slice(0, most)}…` : text}</bdi>
      {long && (
        <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "less" : `all ${text.length.toLocaleString()} characters`}
        </button>
      )}
    </span>
  );
}

/** Nothing is here yet: what would bring something. */
export const Empty = ({ children, commands = [] }: { children: ComponentChildren; commands?: readonly string[] }) => (
  <div class="empty">
    <p>{children}</p>
    {commands.map((command) => (
      <Command key={command} text={command} />
    ))}
  </div>
);

/** A command line to copy. */
export function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <span class="command">
      <code>{text}</code>
      <button type="button" class="quiet" onClick={copy} aria-label={`Copy the command ${text}`}>
        {copied ? "Copied" : "Copy"}
      </button>
    </span>
  );
}

export interface Tab {
  readonly id: string;
  readonly name: string;
  /** Shown beside the name when it is not 0. */
  readonly count?: number;
  render(): ComponentChildren;
}

/** Tabs as screen readers know them; arrow keys move. */
export function Tabs({ tabs, label, shown, show }: { tabs: readonly Tab[]; label: string; shown: string; show: (id: string) => void }) {
  const base = useId();
  const list = useRef<HTMLDivElement>(null);
  const current = tabs.find((tab) => tab.id === shown) ?? tabs[0]!;
  const move = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const at =
      event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : (tabs.indexOf(current) + step + tabs.length) % tabs.length;
    if (step === 0 && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    show(tabs[at]!.id);
    list.current?.querySelectorAll<HTMLButtonElement>("[role=tab]")[at]?.focus();
  };
  return (
    <div class="tabs">
      <div role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${base}-${tab.id}`}
            aria-selected={tab === current}
            aria-controls={`${base}-panel`}
            tabIndex={tab === current ? 0 : -1}
            onClick={() => show(tab.id)}
          >
            {tab.name}
            {tab.count ? <span class="count">{tab.count}</span> : null}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${base}-panel`} aria-labelledby={`${base}-${current.id}`} tabIndex={0} key={current.id}>
        {current.render()}
      </div>
    </div>
  );
}

/** A dialog over the page; Escape and the close button end it, the focus goes back where it was. */
export function Modal({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before anything else is typed: keys that follow at once belong into the dialog.
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    dialog.current?.showModal();
    return () => before?.focus();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={close} onCancel={close}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" class="quiet" onClick={close} aria-label="Close">
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}

const tickers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function onTick(tick: () => void): () => void {
  tickers.add(tick);
  timer ??= setInterval(() => {
    if (!document.hidden) for (const each of tickers) each();
  }, 1000);
  return () => {
    tickers.delete(tick);
    if (tickers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
];

/** `12 s`, `5 min`, `3 h`, `2 d`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const unit = UNITS.find(([size]) => seconds >= size);
  return unit ? `${Math.floor(seconds / unit[0])} ${unit[1]}` : `${seconds} s`;
}

const ago = (at: number, now: number): string => (now - at < 3000 ? "now" : `${span(now - at)} ago`);
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** @param plain without "ago", for durations that go on */
export function Time({ at, plain = false }: { at: string | null | undefined; plain?: boolean }) {
  const ms = at ? Date.parse(at) : Number.NaN;
  const say = (): string => (plain ? span(Date.now() - ms) : ago(ms, Date.now()));
  const [, setText] = useState("");
  useEffect(() => (Number.isNaN(ms) ? undefined : onTick(() => setText(say()))), [ms, plain]);
  if (Number.isNaN(ms)) return null;
  return (
    <time class="time" dateTime={at!} title={exact.format(ms)}>
      {say()}
    </time>
  );
}

/** Time of day, for lists that stand under a date. */
export const clockTime = (at: string): string => clock.format(Date.parse(at));

/** A terminal that is shown. */
export interface TerminalProps {
  /** Name of the session. */
  readonly session: string;
  readonly cols: number;
  readonly rows: number;
}

/** Width of a character over its height, with the padding of the box. */
const CELL = 0.52;

/** How much room a terminal of some size takes, known before it is there; as CSS has it: `aspect-ratio`. */
export const shape = (cols: number, rows: number): string =>
  `${Math.round(Math.max(cols, 20) * CELL * 100) / 100} / ${Math.max(rows, 5) + 1}`;
