/** `revive`: who ended without anybody having asked for it goes on with its own conversation, as it was started and bound. */
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import { parseStored } from "../../core/json.ts";
import { type Session, startAnew } from "../../core/sessions/session.ts";
import type { DeadSession } from "../../core/sessions/reconcile.ts";
import { turnSign } from "../../core/sessions/worker-state.ts";
import { quoteWord } from "../../core/shell.ts";
import { instant } from "../../core/time.ts";
import { addEvent } from "../../store/record/events.ts";
import { newestTurnEvent, noteBroken } from "../../store/observe/codex-events.ts";
import { bindingsOfSession, taskOfSession } from "../../store/sessions/bindings.ts";
import { markDead } from "../../store/sessions/reconcile.ts";
import { goneUnasked, reviveBinding, type WaitingBinding, waitingBindings } from "../../store/sessions/revivable.ts";
import { findSession, sessionById } from "../../store/sessions/sessions.ts";
import { listStarts, type UnfinishedStart } from "../../store/sessions/unfinished-starts.ts";
import type { Store } from "../../store/store.ts";
import { homeOfAgent, machineOf } from "../../system/agent/agents.ts";
import { liesWithRecords } from "../../system/records-place.ts";
import { onStop } from "../../system/processes/this-process.ts";
import { type Beside, ensureBeside } from "./beside.ts";
import { readAhead } from "../observe/ingest.ts";
import { conversationOf } from "../reach/conversation.ts";
import { nextCommand } from "../reach/next-command.ts";
import { newestTurn } from "../reach/open-turn.ts";
import type { Scene } from "../scene.ts";
import type { Launch } from "./begin-terminal.ts";
import { checkChoice, checkLaunch } from "./launch.ts";
import { deadSessions } from "./reconcile.ts";
import { startSession } from "./start-session.ts";
import { undertake, type Undertaking } from "./undertaking.ts";
import { leftBehind } from "./unfinished.ts";

/** How long the agent may take to take up its conversation again. */
export const RESUME_SECONDS = 60;
/** The last thread of an agent that was killed may hold its locks a moment longer than it is seen to live. */
const LOCK_MS = 5000;
const LOOK_MS = 50;

/** Which sessions are meant: those bound on one task, on any, or all. */
export type Extent = { readonly taskId: string } | "bound" | "all";

interface Revived {
  readonly session: string;
  readonly role: string;
  readonly task: string | null;
  readonly agent: string;
  readonly codex_session_id: string;
  /** Absent in a dry run. */
  readonly tmux_session?: string | null;
  readonly pid?: number | null;
  readonly launch: string | null;
  /** Its newest turn was cut off, and is not gone on with by itself. */
  readonly turn_cut_off: boolean;
}

interface NotRevived {
  readonly session: string;
  readonly reason: string;
  readonly next: string;
}

export interface Revival {
  readonly dry_run: boolean;
  readonly revived: readonly Revived[];
  readonly failed: readonly NotRevived[];
  /** The bindings that are active again, by task. */
  readonly bound: readonly string[];
  readonly dispatch: Beside;
}

/** One whose end nobody asked for. @param dead as it was found just now; null: that is on record */
export interface Unasked {
  readonly session: Session;
  readonly dead: DeadSession | null;
  /** The task on which it is bound, by name; null: none. */
  readonly task: string | null;
}

const bindingsIn = (store: Store, extent: Extent): WaitingBinding[] =>
  waitingBindings(store).filter(({ task_id }) => typeof extent === "string" || extent.taskId === task_id);

/** Everybody whose end nobody asked for. @param dead as the machine has shown them */
export function unasked({ store }: Scene, dead: readonly DeadSession[], extent: Extent): Unasked[] {
  const bindings = bindingsIn(store, extent);
  const taskOf = ({ id }: Session): string | null =>
    bindings.find((each) => each.worker_session_id === id || each.manager_session_id === id)?.task_name ?? null;
  const found = [
    ...dead.flatMap((each) => {
      const session = findSession(store, each.name);
      return session === null ? [] : [{ session, dead: each }];
    }),
    ...goneUnasked(store).map((session) => ({ session, dead: null })),
  ];
  const all = found.map((each) => ({ ...each, task: taskOf(each.session) }));
  // The worker of a pair first, as it was started first.
  return all
    .filter(({ task }) => extent === "all" || task !== null)
    .sort((a, b) => Number(a.session.role === "manager") - Number(b.session.role === "manager"));
}

/** The start on record, with its own conversation, in the home in which that lies. @throws Failure when there is nothing to go on with */
function startOf({ cx, store }: Scene, session: Session): { readonly there: Context; readonly request: Launch } {
  const agent = agentOf(session);
  const conversation = conversationOf(session);
  if (conversation === null)
    throw new Failure(
      session.codex_session_id === null
        ? "no conversation of it is on record"
        : `its conversation ${JSON.stringify(session.codex_session_id)} is nowhere any more`,
      { hint: `begin a new one: ${nextCommand(cx, store, ...startAnew(session))}` },
    );
  const { thread, home } = conversation;
  const elsewhere = home !== null && home !== homeOfAgent(agent, cx.env);
  // What is set up in a home is run by every agent that is started there.
  if (elsewhere && liesWithRecords(home, store.path))
    throw new Failure(`its conversation lies in ${home}, beside these records: whoever laid them there has set up that home`, {
      hint: `if that was you: ${agent.home.variable}=${quoteWord(home)} ${nextCommand(cx, store, "revive", "--all")}`,
    });
  const there = elsewhere ? { ...cx, env: { ...cx.env, [agent.home.variable]: home } } : cx;
  const told = parseStored<Record<string, unknown>>(session.permissions_json ?? "{}", {});
  const word = (value: unknown): string => (typeof value === "string" ? value : "");
  const mode = typeof told.permission_mode === "string" ? told.permission_mode : null;
  const asSetUp = Object.keys(told).length === 0;
  const request: Launch = {
    agent,
    role: session.role,
    name: session.name,
    cwd: session.cwd,
    sandbox: word(told.sandbox),
    approval: word(told.ask_for_approval),
    permissionMode: mode,
    model: session.model,
    effort: session.effort,
    prompt: null,
    acceptTrust: false,
    timeoutSeconds: RESUME_SECONDS,
    bindings: bindingsOfSession(store, session.id).map(({ id }) => id),
    asSetUp,
    wish: session.launch === "protocol" && !asSetUp ? "protocol" : "tmux",
    resume: thread,
  };
  return { there, request };
}

/** Waits until nobody holds the conversation, or for as long as one that has ended may seem to. */
async function lockGone(there: Context, { agent, resume }: Launch): Promise<void> {
  const home = homeOfAgent(agent, there.env);
  const held = (): boolean => machineOf(agent).writer(home, resume!)?.held === true;
  for (const end = performance.now() + LOCK_MS; held() && performance.now() < end;) await Bun.sleep(LOOK_MS);
}

/** The turn that stood open when the session was taken up again has ended, and nobody writes that. @param began when it was */
function noteCutOff({ cx, store }: Scene, sessionId: string, began: string): void {
  readAhead(cx, store, sessionId);
  const newest = newestTurnEvent(store, sessionId);
  if (newest === null || turnSign(newest) !== "open") return;
  if ((instant(newest.timestamp) ?? Number.POSITIVE_INFINITY) < (instant(began) ?? 0)) noteBroken(store, sessionId, newest.id);
}

/** What `revive` does: in turn, so that one that cannot be revived, or an interruption, leaves the others as they are. */
class Reviving {
  readonly revived: Revived[] = [];
  readonly failed: NotRevived[] = [];
  private asked = false;

  constructor(
    private readonly scene: Scene,
    private readonly extent: Extent,
    private readonly dryRun: boolean,
    private readonly flags: readonly string[],
  ) {}

  /** The request to end, which the start at hand hears, too. */
  stop(): void {
    this.asked = true;
  }

  /** Call it between two starts. @throws Failure when this process was asked to end */
  async check(task: string | null = null): Promise<void> {
    // A request that has come meanwhile is only heard then.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.asked)
      throw new Failure("it was interrupted between two starts: what was revived by then runs", {
        hint: `it goes on from here: ${this.again(task)}`,
      });
  }

  /** The same command again, which goes on from wherever this one came to. */
  private again(task: string | null): string {
    const which = this.extent === "all" ? ["--all"] : this.extent === "bound" || task === null ? [] : [task];
    return nextCommand(this.scene.cx, this.scene.store, "revive", ...which, ...this.flags);
  }

  /** @throws Failure when this process was asked to end: the start at hand is ended, and the same command goes on */
  async one({ session, dead, task }: Unasked): Promise<void> {
    await this.check(task);
    const { cx, store } = this.scene;
    const { name, role, codex_session_path: path } = session;
    const now = sessionById(store, session.id);
    // Somebody else was quicker.
    if (now?.state === "active" && now.pid !== session.pid) return;
    let under: Pick<Undertaking, "interrupted"> = { interrupted: false };
    try {
      const { there, request } = startOf(this.scene, session);
      const turn_cut_off = newestTurn(request.agent, path) === "open";
      const facts = { session: name, role, task, agent: session.agent, codex_session_id: request.resume!, turn_cut_off };
      const scene = { cx: there, store };
      if (this.dryRun) {
        // One that is still on record as active would be in the way of itself.
        await (dead === null ? checkLaunch(scene, request) : checkChoice(there, request));
        this.revived.push({ ...facts, launch: request.wish });
        return;
      }
      if (dead !== null) markDead(store, [dead]);
      await lockGone(there, request);
      await checkLaunch(scene, request);
      const began = cx.now();
      await undertake(there, async (undertaking) => {
        under = undertaking;
        await startSession({ ...scene, under: undertaking }, request, "revive");
        noteCutOff(this.scene, session.id, began);
      });
      const { tmux_session, pid, launch } = sessionById(store, session.id)!;
      addEvent(store, { type: "session_revived", taskId: taskOfSession(store, session.id), payload: facts });
      this.revived.push({ ...facts, tmux_session, pid, launch });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (under.interrupted)
        throw new Failure(error.message, { hint: `it goes on from here: ${this.again(task)}${error.hint ? `; ${error.hint}` : ""}` });
      this.failed.push({ session: name, reason: error.message, next: error.hint ?? this.again(task) });
    }
  }

  /** The start of one that runs, which was killed when all but its end was done. */
  async finish(start: UnfinishedStart): Promise<void> {
    await this.check();
    const { store } = this.scene;
    const session = start.session_id === null ? null : sessionById(store, start.session_id);
    if (session?.state !== "active" || conversationOf(session) === null) return;
    const { there, request } = startOf(this.scene, session);
    const scene = { cx: there, store };
    const left = await leftBehind(scene, start, request).catch((error: unknown) => {
      if (error instanceof Failure) return null;
      throw error;
    });
    if (!left?.session) return;
    await undertake(there, async (under) => {
      await startSession({ ...scene, under }, request, "revive");
      noteCutOff(this.scene, session.id, start.began_at);
    });
  }
}

/**
 * @param command starts the Dispatch that is missing; @param flags of this command that it goes by
 * @throws Failure when it was interrupted; what was revived by then is
 */
export async function revive(
  scene: Scene,
  extent: Extent,
  dryRun: boolean,
  { command, flags }: { readonly command: readonly string[]; readonly flags: readonly string[] },
): Promise<Revival> {
  const { cx, store } = scene;
  const reviving = new Reviving(scene, extent, dryRun, flags);
  const release = onStop(() => reviving.stop());
  const bound: string[] = [];
  try {
    for (const each of unasked(scene, await deadSessions(cx, store), extent)) await reviving.one(each);
    if (!dryRun) {
      for (const start of listStarts(store)) await reviving.finish(start);
      for (const binding of bindingsIn(store, extent)) if (reviveBinding(store, binding)) bound.push(binding.task_name);
    }
    const { revived, failed } = reviving;
    const dispatch = await ensureBeside(scene, command, somePairRuns(store, reviving, dryRun), dryRun);
    await reviving.check();
    return { dry_run: dryRun, revived, failed, bound, dispatch };
  } finally {
    release();
  }
}

/** Whether both ends of some pair run, and need a Dispatch beside them. */
function somePairRuns(store: Store, { revived, failed }: Reviving, dryRun: boolean): boolean {
  const runs = (id: string): boolean => {
    const session = sessionById(store, id);
    if (session === null || failed.some((each) => each.session === session.name)) return false;
    return session.state === "active" || revived.some((each) => each.session === session.name);
  };
  // In a dry run no binding has become active yet.
  return waitingBindings(store).some(
    ({ state, worker_session_id, manager_session_id }) =>
      (state !== "invalid" || dryRun) && runs(worker_session_id) && runs(manager_session_id),
  );
}
