/** The one way to end a terminal: look at pane, process and place, end that and nothing else, look again, and say what really ended. */
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { instant } from "../../core/time.ts";
import { agentOfProcess, isShared, sessionFamily, sessionLine } from "../../system/agent/kinship.ts";
import { endProcesses, type SeenProcess, seenProcess, stillRunning } from "../../system/processes/end-processes.ts";
import type { Process } from "../../system/processes/process-listing.ts";
import { alive, commandLineOf, listProcesses, startedAt } from "../../system/processes/processes.ts";
import { killPane, listPanes, type Pane } from "../../system/terminal/panes.ts";
import { isPaneId } from "../../system/terminal/tmux.ts";
import { type Place, placeIn } from "./pane.ts";

/** A place to be ended, with when its session was last heard of. */
export interface EndPlace extends Place {
  readonly lastHeard?: string | null;
  /** Where its own server listens. */
  readonly socket?: string | null;
}

/**
 * Why there is no pane to end. `missing`: nothing of it runs. `moved`: the recorded pane is not shown to be its. `another`: its program has
 * ended, and the pane runs somebody else's since. `elsewhere`: its process runs, in no pane of its. `unclear`: several panes, and nothing
 * tells which is its.
 */
export type Absence = "no_tmux" | "missing" | "moved" | "another" | "elsewhere" | "unclear";

/** What was seen of a terminal. */
export interface Terminal {
  readonly name: string;
  readonly pane: Pane | null;
  readonly why: Absence | null;
  /** `why` in a sentence. */
  readonly reason: string;
  /** Whose end is the end of the terminal: the program of the pane, the process on record, the agent. */
  readonly processes: readonly SeenProcess[];
  /** Its own server and what draws it, where it has one. */
  readonly servers: readonly SeenProcess[];
  /** This process lives in it. */
  readonly own: boolean;
}

/** Start times are told to the second, and clocks are set. */
const SLACK_MS = 2000;

/**
 * Looks. Nothing is ended.
 * @param panes those of the server, when they are known already
 * @throws Failure when tmux is absent or denied
 */
export async function lookAtTerminal(cx: Context, place: EndPlace, panes?: readonly Pane[]): Promise<Terminal> {
  const known = panes ?? (place.tmuxSession === null ? [] : await listPanes(cx.env));
  const processes = (await listProcesses(cx.env)) ?? [];
  const recorded = await recordedProcess(cx, place);
  const served = await servers(cx, place.socket ?? null, processes);
  const placed = await placeIn(cx, known, recorded === null ? { ...place, pid: null } : place);
  const absent = async (why: Absence, reason: string): Promise<Terminal> => ({
    name: place.name,
    pane: null,
    why,
    reason,
    processes: recorded === null || (why !== "missing" && why !== "elsewhere") ? [] : [await seenProcess(recorded.pid, cx.env)],
    servers: served,
    own: false,
  });
  const who = JSON.stringify(place.name);
  if (placed.pane === null) {
    const runs = recorded?.agent === true && placed.why !== "no_tmux";
    return runs
      ? absent("elsewhere", `process ${recorded.pid} of ${who} runs, but in no pane that tmux shows here`)
      : absent(placed.why, placed.reason);
  }
  const { pane } = placed;
  const family = await sessionFamily(pane.pid, processes, cx.env);
  const inPane = recorded !== null && family.includes(recorded.pid);
  if (recorded?.agent && !inPane) return absent("elsewhere", `process ${recorded.pid} of ${who} does not run in pane ${pane.paneId}`);
  if (recorded === null && (await isSince(cx, place, pane)))
    return absent("another", `process ${place.pid} of ${who} has ended, and pane ${pane.paneId} runs something else since`);
  if (!inPane && isAmbiguous(known, place, pane))
    return absent(
      "unclear",
      `tmux session ${JSON.stringify(place.tmuxSession)} has several panes, and nothing tells which of them is that of ${who}`,
    );
  const line = await sessionLine(process.pid, processes, cx.env);
  return {
    name: place.name,
    pane,
    why: null,
    reason: "",
    processes: await principals(cx, pane, family, inPane ? recorded.pid : null, line),
    servers: served,
    own: line.includes(pane.pid),
  };
}

/**
 * The session's own server and what draws it, by the socket in their words: one that outlived its parent in the pane goes on with its turn
 * with nobody watching.
 */
async function servers(cx: Context, socket: string | null, processes: readonly Process[]): Promise<SeenProcess[]> {
  const found: SeenProcess[] = [];
  for (const { pid } of socket === null ? [] : processes)
    if ((await commandLineOf(pid, cx.env))?.some((word) => word.endsWith(`://${socket}`))) found.push(await seenProcess(pid, cx.env));
  return found;
}

interface Recorded {
  readonly pid: number;
  /** It is the agent of one session, and no server of several. */
  readonly agent: boolean;
}

/** The process on record, if it still runs: a pid that was given out again is somebody else's. */
async function recordedProcess(cx: Context, { pid, since, lastHeard }: EndPlace): Promise<Recorded | null> {
  if (pid == null || !alive(pid)) return null;
  const agent = (await agentOfProcess(pid, cx.env)) !== null && !(await isShared(pid, cx.env));
  const started = await startedAt(pid, cx.env);
  const heard = heardOf(since, lastHeard);
  return agent && started !== null && heard !== null && started > heard + SLACK_MS ? null : { pid, agent };
}

const heardOf = (...times: readonly (string | null | undefined)[]): number | null => {
  const known = times.flatMap((time) => instant(time ?? null) ?? []);
  return known.length === 0 ? null : Math.max(...known);
};

/** Whether the program of the pane was started after the last sign of the session, whose own process is on record and has ended. */
async function isSince(cx: Context, { pid, since, lastHeard }: EndPlace, pane: Pane): Promise<boolean> {
  const heard = heardOf(since, lastHeard);
  if (pid == null || alive(pid) || heard === null) return false;
  const started = await startedAt(pane.pid, cx.env);
  return !pane.dead && started !== null && started > heard + SLACK_MS;
}

/** Only a tmux session is on record, and it has more than the one pane. */
function isAmbiguous(panes: readonly Pane[], { tmuxSession, paneId }: Place, pane: Pane): boolean {
  if (paneId !== null || tmuxSession === null || isPaneId(tmuxSession)) return false;
  return panes.some((each) => each.session === tmuxSession && each.paneId !== pane.paneId);
}

async function principals(
  cx: Context,
  pane: Pane,
  family: readonly number[],
  recorded: number | null,
  above: readonly number[],
): Promise<SeenProcess[]> {
  const wanted = new Set<number>(recorded === null ? [] : [recorded]);
  if (!pane.dead) wanted.add(pane.pid);
  for (const pid of family) if ((await agentOfProcess(pid, cx.env)) !== null) wanted.add(pid);
  // Whoever ends its own terminal cannot outlive what runs it, and so cannot wait for its end.
  return Promise.all([...wanted].filter((pid) => alive(pid) && !above.includes(pid)).map((pid) => seenProcess(pid, cx.env)));
}

/**
 * Ends what was seen: the pane, wherever it stands, then whatever of it does not take the hang-up for an end. Returns when all of it is
 * gone.
 * @throws Failure naming what is still there
 */
export async function endTerminal(cx: Context, terminal: Terminal): Promise<void> {
  const { pane, name } = terminal;
  if (pane !== null) await killPane(cx.env, pane);
  const left = await endProcesses(stillRunning([...terminal.processes, ...terminal.servers], cx.env));
  const stays = pane !== null && (await listPanes(cx.env)).some((each) => each.paneId === pane.paneId && each.pid === pane.pid);
  if (!stays && left.length === 0) return;
  const what = [...(stays ? [`pane ${pane.paneId}`] : []), ...left.map(({ pid }) => `process ${pid}`)].join(" and ");
  throw new Failure(`the terminal of ${JSON.stringify(name)} could not be ended: ${what} is still there`, {
    hint: stays ? `tmux kill-pane -t ${pane.paneId}` : `kill -KILL ${left.map(({ pid }) => pid).join(" ")}`,
  });
}
