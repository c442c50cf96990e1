/** `crew`: who works for a manager, at what, and how each stands. It costs by the number of workers, not by what they have done. */
import type { CrewRow } from "../../core/crew.ts";
import type { Item, Kind } from "../../core/attention/item.ts";
import { STALLED_AFTER_SECONDS } from "../../core/attention/situation.ts";
import { firstLine } from "../../core/plain-text.ts";
import { openCriteria } from "../../core/tasks/criteria.ts";
import { sideFacts } from "../../store/attention/tasks.ts";
import { unreadOfTask } from "../../store/dispatch/inbox.ts";
import { lastWords } from "../../store/observe/codex-events.ts";
import { tokensIn } from "../../store/observe/tokens.ts";
import { boundManagers, crewOf, type Pairing } from "../../store/sessions/bindings.ts";
import { listCriteria } from "../../store/tasks/criteria.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { listWorktrees } from "../../store/worktrees.ts";
import { recordedPlace } from "../worktrees/make.ts";
import { bentIn } from "../../system/git/place.ts";
import { type Checkout, checkoutOf } from "../../system/git/git.ts";
import { attend } from "../attention/attend.ts";
import { Look } from "../attention/look.ts";
import { sideState } from "../attention/side.ts";
import type { Scene } from "../scene.ts";

const MOST_FILES = 100;

/** What keeps a worker waiting though its session shows nothing of it. */
const OF_TASK: readonly Kind[] = ["budget", "no_dispatch"];

/** Everybody who works for a manager, all of a manager together. */
export const allCrews = ({ store }: Scene): Pairing[] => boundManagers(store).flatMap(({ id }) => crewOf(store, id));

/** A row for each of these pairs. */
export async function crewRows(scene: Scene, pairs: readonly Pairing[]): Promise<CrewRow[]> {
  if (pairs.length === 0) return [];
  const { cx, store } = scene;
  const look = new Look(cx, store);
  const { told } = await attend(scene, look, STALLED_AFTER_SECONDS, pairs);
  const folders = [...new Set(pairs.map(({ worker }) => worker.cwd))];
  const trees = listWorktrees(store);
  const found = await Promise.all(
    folders.map((folder) => {
      const tree = trees.find(({ path }) => path === folder);
      // One that is half made, or leads elsewhere than it did.
      const isBent = tree !== undefined && (tree.gitdir === null || bentIn(recordedPlace(tree)) !== null);
      return isBent ? null : checkoutOf(cx.env, folder, cx.stateRoot);
    }),
  );
  const checkouts = new Map(folders.map((folder, at) => [folder, found[at]!]));
  return pairs.map((pair) => rowOf(scene, pair, look, told.items, checkouts.get(pair.worker.cwd) ?? null));
}

function rowOf({ cx, store }: Scene, pair: Pairing, look: Look, items: readonly Item[], checkout: Checkout | null): CrewRow {
  const { manager, binding } = pair;
  const task = needTask(store, binding.task_id);
  const facts = sideFacts(store, pair.worker);
  const { session: worker, waiting } = facts;
  const { alive, state, turn, turnAt } = sideState(cx, facts, look.sign(worker.id), cx.nowMs());
  const mine = items.filter(({ task_id }) => task_id === task.id);
  const waits = mine.find(({ session }) => session === worker.name) ?? mine.find(({ kind }) => OF_TASK.includes(kind));
  const said = lastWords(store, worker.id);
  return {
    manager: manager.name,
    task: task.name,
    task_id: task.id,
    worker: worker.name,
    agent: worker.agent,
    host: null,
    alive,
    state,
    turn,
    since: turnAt,
    waits_for: waits ? { id: waits.id, kind: waits.kind, text: waits.text, since: waits.since, resets_at: waits.resets_at } : null,
    open_criteria: openCriteria(listCriteria(store, task.id)).length,
    unread: waiting,
    unread_by_manager: unreadOfTask(store, manager.id, task.id),
    folder: worker.cwd,
    branch: checkout?.branch ?? null,
    changed_files: checkout?.changed.length ?? null,
    files: checkout?.changed.slice(0, MOST_FILES) ?? [],
    tokens: tokensIn(store, worker.id, task.id),
    last_words: said === null ? null : firstLine(said),
  };
}
