/** The one gathering of what decides whether a task or a session needs a person: records, and what the machine showed at the last look. */
import type { Context } from "../../context.ts";
import { type About, byPressure, type Draft, type Item, itemOf, ledBy } from "../../core/attention/item.ts";
import { restsSince, taskDrafts } from "../../core/attention/items.ts";
import { freeDrafts } from "../../core/attention/session-items.ts";
import { type SideState, STALLED_AFTER_SECONDS, type TaskSituation } from "../../core/attention/situation.ts";
import type { Task } from "../../core/tasks/task.ts";
import { instant } from "../../core/time.ts";
import { settle } from "../../store/attention/sightings.ts";
import { activeTasks, type FreeFacts, freeFacts, type SideFacts, type TaskFacts, taskFacts } from "../../store/attention/tasks.ts";
import { recordsWords } from "../reach/next-command.ts";
import type { Scene } from "../scene.ts";
import type { Look } from "./look.ts";
import { sideState } from "./side.ts";

/** What the machine showed, as far as it was looked at. */
export type Seen = Pick<Look, "sign" | "staleProofs" | "dispatches" | "lookedAt">;

export interface Everything {
  /** The most pressing first. */
  readonly items: readonly Item[];
  /** When something will be otherwise though nothing happens, in milliseconds since the epoch: a limit ends, a pair rests for too long. */
  readonly nextMs: number | null;
}

const stateOf = (cx: Context, side: SideFacts, seen: Pick<Seen, "sign">): SideState =>
  sideState(cx, side, seen.sign(side.session.id), cx.nowMs());

/** A task with its sides as they stand now. */
export function situationOf(cx: Context, facts: TaskFacts, seen: Omit<Seen, "lookedAt">): TaskSituation {
  return {
    task: facts.task,
    sides: [facts.worker, facts.manager, ...facts.lost].flatMap((side) => (side === null ? [] : stateOf(cx, side, seen))),
    boundAt: facts.binding?.created_at ?? null,
    proposedCriteria: facts.proposed,
    staleProofs: seen.staleProofs(facts.task.id),
    uncertain: facts.uncertain,
    failed: facts.failed,
    queued: facts.queued,
    untold: facts.untold,
    queuedSince: facts.queuedSince,
    underWay: facts.underWay,
    budget: facts.budget,
    dispatch: seen.dispatches(),
    dismissed: facts.dismissed,
    toldElsewhere: facts.toldElsewhere,
  };
}

/** Puts on record what is so, and names it. */
function named({ cx, store }: Scene, drafts: readonly Draft[], scope: string, about: About, seen: Seen): Item[] {
  const more = recordsWords(cx, store);
  const passing = drafts.filter(({ lasting }) => !lasting).map(({ key }) => key);
  const sightings = settle(store, scope, passing, seen.lookedAt);
  return drafts
    .map((draft) => itemOf({ ...draft, actions: ledBy(draft.actions, more) }, about, sightings.get(draft.key) ?? null))
    .sort(byPressure);
}

/** What in a task needs a person, the most pressing first. Nothing does in one that is over. */
export function taskItems(scene: Scene, situation: TaskSituation, seen: Seen, stalledAfterSeconds: number = STALLED_AFTER_SECONDS): Item[] {
  const { task } = situation;
  if (task.state === "done" || task.state === "failed") return [];
  return named(scene, taskDrafts(situation, { nowMs: scene.cx.nowMs(), stalledAfterSeconds }), task.id, task, seen);
}

const freeItemsOf = (scene: Scene, { side, freeSince }: FreeFacts, seen: Seen): Item[] =>
  named(scene, freeDrafts({ side: stateOf(scene.cx, side, seen), freeSince }), side.session.id, null, seen);

/** What needs a person in the sessions that work for nobody. */
export const freeItems = (scene: Scene, seen: Seen): Item[] =>
  freeFacts(scene.store)
    .flatMap((facts) => freeItemsOf(scene, facts, seen))
    .sort(byPressure);

/** Everything that needs a person, over all tasks that are worked on and all sessions that run. @param only in these tasks alone */
export function everything(scene: Scene, seen: Seen, stalledAfterSeconds: number, only: readonly Task[] | null = null): Everything {
  const { cx, store } = scene;
  const situations = (only ?? activeTasks(store)).map((task) => situationOf(cx, taskFacts(store, task), seen));
  const items = [
    ...situations.flatMap((situation) => taskItems(scene, situation, seen, stalledAfterSeconds)),
    ...(only === null ? freeItems(scene, seen) : []),
  ].sort(byPressure);
  const moments = [
    ...items.map(({ resets_at }) => instant(resets_at)),
    ...situations.map((situation) => {
      const since = instant(restsSince(situation));
      return since === null ? null : since + stalledAfterSeconds * 1000;
    }),
  ].filter((at): at is number => at !== null && at > cx.nowMs());
  return { items, nextMs: moments.length === 0 ? null : Math.min(...moments) };
}
