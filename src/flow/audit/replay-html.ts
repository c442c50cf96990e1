/** The replay as one page that opens anywhere: data, styles and script in a single file that asks no network for anything. */
import type { Role } from "../../core/sessions/session.ts";
import { SecretMask } from "../../core/secrets.ts";
import type { Task } from "../../core/tasks/task.ts";
import { deliveryItem, entryItem, type TimelineHead, type TimelineItem, type TokenPoint, turnItem } from "../../core/audit/timeline.ts";
import { seesManagement, seesParty } from "../../core/audit/replay.ts";
import { chainHead } from "../../store/record/chain.ts";
import { stateTime } from "../../store/audit/chain-export.ts";
import { toldBy } from "../../store/dispatch/digests.ts";
import { deliveriesOfTask, deliverySteps } from "../../store/deliveries.ts";
import { lastRows, type ReplayFilter, replayRows } from "../../store/audit/replay.ts";
import type { Store } from "../../store/store.ts";
import { tokenPoints, turns } from "../../store/observe/turns.ts";
import { sha256Base64 } from "../../system/files/digest.ts";
import { bundledPage } from "../../system/files/page-bundle.ts" with { type: "macro" };
import { replayPage } from "../../view/audit/replay-page.ts";

const bundle: Record<string, string> = bundledPage("view/audit/page-replay.ts");
const page = { script: bundle["page-replay.js"]!, style: bundle["page-replay.css"]! };

export interface HtmlRequest {
  readonly role: ReplayFilter["role"];
  /** Only the last so many entries, and what else happened since the first of them. */
  readonly limit: number | undefined;
  /** Leave secrets as they are. */
  readonly secrets: boolean;
}

/** Everything that is drawn, in no order. */
function* timelineItems(store: Store, task: Task, { role, limit }: HtmlRequest): Generator<TimelineItem> {
  const filter: ReplayFilter = { format: "timeline", role };
  let since = Number.NEGATIVE_INFINITY;
  for (const { entry, row } of limit === undefined ? replayRows(store, task.id, filter) : lastRows(store, task.id, filter, limit)) {
    // Chains repeat what their parts say; the page ties the parts together by itself.
    if (row === null) continue;
    const item = entryItem(entry, row);
    if (limit !== undefined && since === Number.NEGATIVE_INFINITY) since = item.at ?? since;
    yield item;
  }
  const late = ({ at }: TimelineItem) => at === null || at >= since;
  for (const turn of turns(store, task.id)) if (seesParty(role, turn.role)) yield* [turnItem(turn)].filter(late);
  if (seesManagement(role))
    for (const row of deliveriesOfTask(store, task.id))
      yield* [deliveryItem(row, deliverySteps(store, row.id), toldBy(store, row))].filter(late);
}

function* tokensSeen(store: Store, taskId: string, role: ReplayFilter["role"]): Generator<TokenPoint> {
  for (const point of tokenPoints(store, taskId)) if (seesParty(role, point.lane as Role)) yield point;
}

/** The document, piece by piece. Read it inside one snapshot. The same state gives the same bytes. */
export function replayHtml(store: Store, task: Task, request: HtmlRequest): Generator<string> {
  const mask = new SecretMask();
  const clean = <T>(value: T): T => (request.secrets ? value : (mask.value(value) as T));
  const { id, name, goal, state, summary } = task;
  const head: TimelineHead = {
    task: { id, name, goal, state, summary },
    state_at: stateTime(store, id),
    chain_head: chainHead(store, id)?.head ?? null,
  };
  const items = function* () {
    for (const item of timelineItems(store, task, request)) yield clean(item);
  };
  const parts = { ...page, scriptHash: sha256Base64(page.script), styleHash: sha256Base64(page.style) };
  return replayPage(clean(head), items(), tokensSeen(store, id, request.role), parts);
}
