/** What pages can look at, as named parts: `overview`, and `task:<id>`. */
import type { Context } from "../context.ts";
import type { Criterion } from "../core/tasks/criteria.ts";
import type { Session } from "../core/sessions/session.ts";
import type { Task } from "../core/tasks/task.ts";
import { limitsOfTask, limitsReport, type ReportedAccount, type TaskLimits } from "../store/attention/report.ts";
import { latestAck } from "../store/tasks/acks.ts";
import { boundSessionNames } from "../store/tasks/discover.ts";
import { listCriteria } from "../store/tasks/criteria.ts";
import { type Chain, chains } from "../store/dashboard/chains.ts";
import { type InboxLine, inboxOf } from "../store/dashboard/inbox.ts";
import { endedTasks, shownTask, shownTasks } from "../store/dashboard/tasks.ts";
import { timeline, type TimelinePage } from "../store/dashboard/timeline.ts";
import { type DispatcherRow, listDispatchers } from "../store/dispatch/dispatchers.ts";
import { latestHandoff } from "../store/tasks/handoffs.ts";
import { findConfig } from "../store/tasks/manager-configs.ts";
import { listSessions } from "../store/sessions/list.ts";
import type { Store } from "../store/store.ts";
import { freeItems } from "../flow/attention/situation.ts";
import type { Scene } from "../flow/scene.ts";
import type { Item } from "../core/attention/item.ts";
import { VERSION } from "../version.ts";
import type { Look } from "../flow/attention/look.ts";
import { boundManagers, crewOf } from "../store/sessions/bindings.ts";
import { type Bindable, type Card, cardOf, type Party, partyOf } from "./cards.ts";
import type { Parts } from "./live.ts";
import { type LoopView, loopsOf } from "./loops.ts";
import type { TokenLine, TokenLines } from "./tokens.ts";

interface About {
  readonly program: string;
  readonly version: string;
  readonly database: string;
  readonly cwd: string;
}

export interface DispatchView {
  readonly alive: boolean;
  readonly watches: readonly (Pick<
    DispatcherRow,
    "dispatcher_id" | "host" | "pid" | "started_at" | "last_seen_at" | "ended_at" | "iterations" | "processed_count" | "last_error"
  > & { readonly alive: boolean; readonly dryRun: boolean })[];
}

/** Parts of the overview; every active task is a part of its own, `task/<id>`. */
export interface OverviewParts {
  readonly about: About;
  readonly dispatch: DispatchView;
  readonly ended: { readonly tasks: readonly Task[]; readonly total: number };
  readonly sessions: readonly Party[];
  /** What needs a person in sessions that work for nobody. */
  readonly freeWaits: readonly Item[];
  /** Accounts of which something was told, or that a session works with. */
  readonly limits: readonly ReportedAccount[];
  /** Ids of the active tasks, newest first. */
  readonly order: readonly string[];
}

export interface Agreements {
  readonly mode: string | null;
  readonly objective: string | null;
  readonly guidelines: readonly string[];
  readonly permissions: readonly string[];
  readonly requireAcks: boolean;
  readonly revision: number | null;
  readonly workerAck: { readonly at: string; readonly stale: boolean } | null;
  readonly managerAck: { readonly at: string; readonly stale: boolean } | null;
  readonly handoff: { readonly at: string; readonly summary: string; readonly nextSteps: readonly string[] } | null;
}

/** Parts of the page of one task. */
export interface TaskParts {
  readonly about: About;
  readonly dispatch: DispatchView;
  readonly card: Card;
  readonly criteria: readonly Criterion[];
  /** Sessions that work for nobody, while nobody is bound. */
  /** Who may be bound: whoever is free, and managers that lead others. */
  readonly free: readonly Bindable[];
  readonly timeline: TimelinePage;
  readonly chains: readonly Chain[];
  readonly workerInbox: { readonly pending: readonly InboxLine[]; readonly consumed: readonly InboxLine[] };
  readonly managerInbox: { readonly pending: readonly InboxLine[]; readonly consumed: readonly InboxLine[] };
  readonly tokens: readonly TokenLine[];
  /** Null: nobody is bound. */
  readonly limits: TaskLimits | null;
  readonly loops: readonly LoopView[];
  readonly agreements: Agreements;
}

const ENDED_SHOWN = 30;
const TIMELINE_PAGE = 60;
const CHAINS = 30;
const INBOX = 30;

export class Views {
  private readonly scene: Scene;

  constructor(
    private readonly cx: Context,
    private readonly store: Store,
    private readonly look: Look,
    private readonly tokens: TokenLines,
  ) {
    this.scene = { cx, store };
  }

  /** The parts of the view of this name; null when there is none. */
  readonly build = (name: string): Parts | null => {
    if (name === "overview") return this.overview();
    return name.startsWith("task:") ? this.task(name.slice("task:".length)) : null;
  };

  private about(): About {
    return { program: this.cx.program, version: VERSION, database: this.store.path, cwd: this.cx.cwd };
  }

  private dispatch(): DispatchView {
    const watches = listDispatchers(this.store).map((row) => {
      const { dispatcher_id, host, pid, started_at, last_seen_at, ended_at, iterations, processed_count, last_error } = row;
      return {
        dispatcher_id,
        host,
        pid,
        started_at,
        last_seen_at,
        ended_at,
        iterations,
        processed_count,
        last_error,
        alive: this.look.lives(row),
        dryRun: row.dry_run === 1,
      };
    });
    return { alive: watches.some((watch) => watch.alive && !watch.dryRun), watches };
  }

  private overview(): Parts {
    const dispatch = this.dispatch();
    const cards = shownTasks(this.store).map((facts) => cardOf(this.scene, facts, this.look));
    const parts: OverviewParts = {
      about: this.about(),
      dispatch,
      ended: endedTasks(this.store, ENDED_SHOWN),
      sessions: this.free().map((session) => partyOf(session, this.look)),
      freeWaits: freeItems(this.scene, this.look),
      limits: limitsReport(this.store).accounts,
      order: cards.map((card) => card.task.id),
    };
    return { ...parts, ...Object.fromEntries(cards.map((card) => [`task/${card.task.id}`, card])) };
  }

  private free(): Session[] {
    const bound = boundSessionNames(this.store);
    return listSessions(this.store, { state: "active" }).filter((session) => !bound.has(session.name));
  }

  private bindable(): Bindable[] {
    const leaders = boundManagers(this.store).map(({ id, name, role }) => ({ name, role, leads: crewOf(this.store, id).length }));
    return [...this.free().map(({ name, role }) => ({ name, role, leads: 0 })), ...leaders];
  }

  private task(id: string): Parts | null {
    const facts = shownTask(this.store, id);
    if (!facts) return null;
    const dispatch = this.dispatch();
    const criteria = listCriteria(this.store, id);
    const { worker, manager } = facts;
    const empty = { pending: [], consumed: [] };
    const parts: TaskParts = {
      about: this.about(),
      dispatch,
      card: cardOf(this.scene, facts, this.look),
      criteria,
      free: facts.binding === null ? this.bindable() : [],
      timeline: timeline(this.store, id, TIMELINE_PAGE),
      chains: chains(this.store, id, CHAINS),
      workerInbox: worker ? inboxOf(this.store, worker.session.id, INBOX) : empty,
      managerInbox: manager ? inboxOf(this.store, manager.session.id, INBOX) : empty,
      tokens: [worker, manager].flatMap((side) => (side ? this.tokens.line(side.session) : [])),
      limits: worker && manager ? limitsOfTask(this.store, id, { worker: worker.session, manager: manager.session }) : null,
      loops: loopsOf(this.store, id, criteria),
      agreements: this.agreements(id),
    };
    return { ...parts };
  }

  private agreements(taskId: string): Agreements {
    const config = findConfig(this.store, taskId);
    const [worker, manager] = (["worker", "manager"] as const).map((role) => {
      const ack = latestAck(this.store, taskId, role);
      return ack && { at: ack.created_at, stale: config !== null && ack.manager_config_revision !== config.revision };
    });
    const handoff = latestHandoff(this.store, taskId);
    return {
      mode: config?.supervision_mode ?? null,
      objective: config?.objective ?? null,
      guidelines: config?.guidelines ?? [],
      permissions: Object.entries(config?.permissions ?? {}).flatMap(([category, granted]) =>
        granted.map((action: string) => `${category}.${action}`),
      ),
      requireAcks: config?.require_acks ?? false,
      revision: config?.revision ?? null,
      workerAck: worker ?? null,
      managerAck: manager ?? null,
      handoff: handoff && { at: handoff.created_at, summary: handoff.summary, nextSteps: handoff.next_steps },
    };
  }
}
