/** The browser's own notices of what presses now, once a person has turned them on: each thing once, also while this page is hidden. */
import { useEffect, useState } from "preact/hooks";
import type { Item } from "../../core/attention/item.ts";
import type { Card } from "../cards.ts";
import type { OverviewParts } from "../views.ts";
import { note } from "./do.ts";
import { useLive } from "./live.ts";
import { go } from "./route.ts";

const ON = "conveyor-notices";
const TOLD = "conveyor-told";
/** Names of things that were told; a night has fewer. */
const KEPT = 500;

/** A browser that keeps nothing tells again what it is shown again. */
const kept = (name: string): string | null => {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
};
const keep = (name: string, value: string): void => {
  try {
    localStorage.setItem(name, value);
  } catch {
    // It is as if it had never been said.
  }
};

const told = (): string[] => (kept(TOLD) ?? "").split("\n");
const remember = (items: readonly Item[]): void => keep(TOLD, [...told(), ...items.map(({ id }) => id)].slice(-KEPT).join("\n"));

function show({ id, kind, session, task, task_id, text }: Item): void {
  const who = [session, task].filter((name) => name !== null).join(", ");
  // Pages of one browser that show the same thing show it once, by its name.
  const shown = new Notification(who === "" ? kind : `${who}: ${kind.replaceAll("_", " ")}`, { body: text, tag: id });
  shown.onclick = () => {
    window.focus();
    go({ task: task_id });
    shown.close();
  };
}

const pressing = (parts: Record<string, unknown>): Item[] => {
  const cards = Object.entries(parts).flatMap(([name, part]) => (name.startsWith("task/") ? [part as Card] : []));
  const free = (parts.freeWaits ?? []) as readonly Item[];
  return [...cards.flatMap(({ waits }) => waits), ...free].filter(({ weight }) => weight === "now");
};

/** Looks at everything, whatever this page shows. */
function Watching({ quiet }: { quiet: boolean }) {
  const { parts } = useLive<OverviewParts>("overview", { stay: true });
  const [first, setFirst] = useState(quiet);
  useEffect(() => {
    if (parts.order === undefined) return;
    const known = told();
    const items = pressing(parts).filter(({ id }) => !known.includes(id));
    remember(items);
    // What was there when they were turned on, the person has before them.
    if (!first) items.forEach(show);
    setFirst(false);
  }, [parts]);
  return null;
}

export function Notices() {
  const allowed = "Notification" in window && Notification.permission === "granted";
  const [on, setOn] = useState(allowed && kept(ON) === "on");
  const [fresh, setFresh] = useState(false);
  if (!("Notification" in window)) return null;
  const turn = async (): Promise<void> => {
    if (on) {
      keep(ON, "off");
      return setOn(false);
    }
    if ((await Notification.requestPermission()) !== "granted")
      return note({ done: false, said: "The browser allows this page no notices.", hint: null });
    keep(ON, "on");
    setFresh(true);
    setOn(true);
  };
  return (
    <>
      <button
        type="button"
        class="quiet"
        aria-pressed={on}
        onClick={() => void turn()}
        title="Tell me of what presses now, also while this page is hidden"
      >
        {on ? "Notices on" : "Notices off"}
      </button>
      {on && <Watching quiet={fresh} />}
    </>
  );
}
