/** Waits until something is so, or has happened since a cursor, of sessions and tasks: woken by events, decided by what is on record. */
import { type Cursor, readCursor, writeCursor } from "../../core/attention/cursor.ts";
import { fresh, type Happening, kept, type Reason, REASONS, shownAll, shownNothing, type Sighting } from "../../core/attention/reason.ts";
import { Failure } from "../../core/failure.ts";
import { marksNow } from "../../store/attention/waits.ts";
import { dataVersion, keepsPlace, requirePlace } from "../../store/place.ts";
import { Bell } from "../../system/files/bell.ts";
import { within } from "../../system/processes/collected.ts";
import { LongRest } from "../../system/processes/long-rest.ts";
import type { Scene } from "../scene.ts";
import { databaseMark, lookForWait, sessionsOf, type WaitLook } from "./wait-look.ts";
import { refuseVain, Targets, wantedOf } from "./wait-targets.ts";
import { watchForWait } from "./wait-watch.ts";

export interface WaitOptions {
  /** As typed. */
  readonly targets: readonly string[];
  readonly reasons: readonly Reason[];
  /** Every target must have reached one; else the first does. */
  readonly all: boolean;
  /** null: as long as it takes. */
  readonly timeoutSeconds: number | null;
  readonly since: string | undefined;
  /** Nothing else goes on in this process: it may sleep as a whole. */
  readonly alone: boolean;
}

export interface Waited {
  /** The most telling one of what was reached; null: the time was up. */
  readonly reason: Reason | null;
  readonly target: string | null;
  readonly task: string | null;
  readonly facts: readonly Happening[];
  readonly cursor: string;
  readonly elapsed_seconds: number;
  readonly timed_out: boolean;
}

/** Asked to stop. */
export interface Stop {
  readonly asked: boolean;
  listen(listener: () => void): void;
}

/** A terminal or a server that hangs keeps nobody from what the rest tells. */
const SETTLED_MS = 4000;
/** A watch that went deaf, as when its folder was replaced, is made up for after this, where something was written. */
const BACKSTOP_MS = 60_000;
/** And where nothing was, as when a process ended unheard, after so many of them: a look costs more than all the waiting before it. */
const BLIND_BACKSTOPS = 5;

/** @throws Failure for a text that is no cursor of this database */
function cursorOf({ cx, store }: Scene, text: string, database: string): Cursor {
  const hint = `without --since, ${cx.program} wait begins with what is so now`;
  const cursor = readCursor(text);
  if (cursor === null) throw new Failure("the text after --since is no cursor, or not all of one", { hint });
  const now = marksNow(store);
  if (cursor.database !== database) throw new Failure("the cursor is of another database", { hint });
  if (cursor.record > now.record || cursor.message > now.message || cursor.event > now.event)
    throw new Failure("the cursor is of a later state of this database, which was put back since", { hint });
  return cursor;
}

const shown = ({ key: _, record: __, message: ___, ...happening }: Sighting): Happening => happening;

/** The most telling first, and of one kind in the order in which they were found. */
const byReason = (one: Sighting, other: Sighting): number => REASONS.indexOf(one.reason) - REASONS.indexOf(other.reason);

/**
 * Waits. @param tell called once when it begins to wait, with how many it waits for
 * @throws Failure for names and cursors that nothing fits, for what can never come to pass, and when the database has gone
 */
export async function waitFor(scene: Scene, options: WaitOptions, stop: Stop, problem: (message: string) => void): Promise<Waited | null> {
  const { cx, store } = scene;
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1000;
  const wanted = wantedOf(scene, options.targets);
  const database = databaseMark(store);
  const given = options.since === undefined ? null : cursorOf(scene, options.since, database);
  const targets = new Targets(store, wanted, given?.event ?? null);
  refuseVain(scene, targets.now(), options.reasons, wanted);

  const bell = new Bell();
  const rest = options.alone ? new LongRest(bell, () => !keepsPlace(store)) : bell;
  stop.listen(() => bell.ring());
  let due = true;
  let grown = true;
  const told = new Set<string>();
  const watch = watchForWait(scene, options.reasons, {
    wake: () => {
      due = true;
      bell.ring();
    },
    grew: () => {
      grown = true;
      bell.ring();
    },
    problem: (message) => {
      if (!told.has(message)) problem(message);
      told.add(message);
    },
  });

  const deadline = options.timeoutSeconds === null ? Number.POSITIVE_INFINITY : began + options.timeoutSeconds * 1000;
  let cursor = given;
  let backstop = performance.now() + BACKSTOP_MS;
  let backstops = 0;
  let version = dataVersion(store);
  let timeDue = Number.POSITIVE_INFINITY;

  const answer = (found: readonly Sighting[], next: Cursor): Waited => {
    const facts = found.toSorted(byReason).map(shown);
    const [first] = facts;
    return {
      reason: first?.reason ?? null,
      target: first?.target ?? null,
      task: first?.task ?? null,
      facts,
      cursor: writeCursor(next),
      elapsed_seconds: Math.round(elapsed() * 1000) / 1000,
      timed_out: first === undefined,
    };
  };

  /** What is new to who waits, if that is enough; else the cursor goes on. */
  const decide = (look: WaitLook): readonly Sighting[] | null => {
    const found = fresh(look, cursor);
    const reached = new Set(found.map(({ target }) => target));
    const enough = options.all ? look.targets.length > 0 && look.targets.every(({ label }) => reached.has(label)) : found.length > 0;
    if (enough) return found;
    cursor = cursor === null ? shownNothing(look) : kept(cursor, look);
    refuseVain(scene, look.targets, options.reasons, wanted);
    return null;
  };

  const look = (): WaitLook =>
    lookForWait(scene, () => targets.now(), watch, { database, reasons: options.reasons, record: cursor?.record ?? null });
  const follow = (): void => watch.follow(targets.now().flatMap(sessionsOf));

  try {
    follow();
    watch.ingest(true);
    await within(SETTLED_MS, watch.settled());
    for (;;) {
      requirePlace(store);
      if (grown) {
        grown = false;
        const before = marksNow(store).record;
        watch.ingest(false);
        due ||= marksNow(store).record !== before;
      }
      if (due) {
        due = false;
        version = dataVersion(store);
        follow();
        const seen = look();
        timeDue = seen.due;
        const found = decide(seen);
        if (found !== null) return answer(found, shownAll(seen));
      }
      if (stop.asked) return null;
      const now = performance.now();
      if (now >= deadline) return answer([], cursor!);
      if (now >= backstop) {
        backstop = now + BACKSTOP_MS;
        backstops += 1;
        const before = marksNow(store).record;
        watch.ingest(true);
        due ||= marksNow(store).record !== before || dataVersion(store) !== version || backstops % BLIND_BACKSTOPS === 0;
        continue;
      }
      const time = now + Math.max(1, timeDue - cx.nowMs());
      const rung = await rest.wait(Math.min(deadline, backstop, time) - now);
      if (!rung && performance.now() >= time) due = true;
    }
  } finally {
    watch.close();
  }
}
