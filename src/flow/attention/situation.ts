/** The one gathering of what decides whether a task or a session needs a person: records, and what the machine showed at the last look. */
import type { Context } from "../../context.ts";
import { byPressure, type Draft, type Item, itemOf } from "../../core/attention/item.ts";
import { taskDrafts } from "../../core/attention/items.ts";
import { type SideState, STALLED_AFTER_SECONDS, type TaskSituation } from "../../core/attention/situation.ts";
import type { SideFacts, TaskFacts } from "../../store/attention/tasks.ts";
import type { Look } from "./look.ts";
import { sideState } from "./side.ts";

/** What the machine showed, as far as it was looked at. */
export type Seen = Pick<Look, "sign" | "staleProofs">;

/** A task with its sides as they stand now. @param dispatch whether some Dispatch is alive */
export function situationOf(cx: Context, facts: TaskFacts, seen: Seen, dispatch: boolean): TaskSituation {
  const nowMs = cx.nowMs();
  const state = (side: SideFacts): SideState => sideState(cx, side, seen.sign(side.session.id), nowMs);
  return {
    task: facts.task,
    sides: [facts.worker, facts.manager].flatMap((side) => (side === null ? [] : state(side))),
    boundAt: facts.binding?.created_at ?? null,
    proposedCriteria: facts.proposed,
    staleProofs: seen.staleProofs(facts.task.id),
    uncertain: facts.uncertain,
    failed: facts.failed,
    queued: facts.queued,
    queuedSince: facts.queuedSince,
    underWay: facts.underWay,
    budget: null,
    dispatch,
    dismissed: facts.dismissed,
  };
}

/** What in a task needs a person, the most pressing first. Nothing does in one that is over. */
export function taskItems(cx: Context, situation: TaskSituation, stalledAfterSeconds = STALLED_AFTER_SECONDS): Item[] {
  const { task } = situation;
  if (task.state === "done" || task.state === "failed") return [];
  const named = (draft: Draft): Item => itemOf(draft, task, null);
  return taskDrafts(situation, { nowMs: cx.nowMs(), stalledAfterSeconds }).map(named).sort(byPressure);
}
