/** Times as people say them, with the exact one on hover; all of them tick together. */
import { useEffect, useState } from "preact/hooks";

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
