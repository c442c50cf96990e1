/** How a session is started: by protocol where the agent as it is installed can, else the agent alone in its terminal; and why. */
import { rmSync } from "node:fs";
import type { Context } from "../../context.ts";
import type { Agent, ServedWords } from "../../core/agent/agent.ts";
import { Failure } from "../../core/failure.ts";
import type { WayOfLaunch } from "../../core/sessions/session.ts";
import type { InstalledAgent } from "../../system/agent/cli.ts";
import { commandLineOf } from "../../system/processes/processes.ts";
import { selfArgv } from "../../system/processes/self.ts";
import { newServedPlace, placeIn, readOutcome, type ServedPlace, type ServedStart, startFile, writeStart } from "./served-place.ts";

export const LAUNCH_WAYS = ["tmux", "protocol"] as const;
export type LaunchWish = (typeof LAUNCH_WAYS)[number];

/** The variable that chooses when no flag does. */
export const LAUNCH_VARIABLE = "CONVEYOR_LAUNCH";
const DEFAULT_LAUNCH: LaunchWish = "protocol";

/** @throws Failure when the variable names no way */
export function launchWish(cx: Context, given: string | undefined): LaunchWish {
  const wish = given ?? (cx.env[LAUNCH_VARIABLE] || DEFAULT_LAUNCH);
  const known = LAUNCH_WAYS.find((way) => way === wish);
  if (known !== undefined) return known;
  throw new Failure(`${LAUNCH_VARIABLE} names no way to start a session: ${JSON.stringify(wish)}`, {
    hint: `it takes ${LAUNCH_WAYS.join(" or ")}`,
  });
}

export interface Way {
  /** What the pane runs. */
  readonly argv: string[];
  /** Where the pane's process keeps its socket; null: there is none. */
  readonly place: ServedPlace | null;
  /** Why it is not by protocol though that was wished. */
  readonly why: string | null;
}

interface WayChoice {
  readonly agent: Agent;
  readonly name: string;
  readonly cwd: string;
  readonly wish: LaunchWish;
  /** The conversation to go on with; null: a new one. */
  readonly resume: ServedStart["resume"];
  /** Arguments of the agent alone. */
  readonly alone: readonly string[];
  /** Those of what draws it with a server of its own, and its sandbox; a text: which of its flags cannot go with one. */
  client(served: ServedWords, socket: string): { readonly words: readonly string[]; readonly sandbox: string | null } | string;
}

/** What to start. Of a session by protocol it is left in a file beside its socket, first words and all. */
export function wayOfLaunch(cx: Context, { agent, wish, ...choice }: WayChoice, installed: InstalledAgent): Way {
  const alone = [installed.path, ...choice.alone];
  const without = (why: string | null): Way => ({ argv: alone, place: null, why });
  if (wish === "tmux") return without(null);
  const { served } = agent;
  if (served === null || !installed.features.served)
    return without(`${agent.label} ${installed.features.version ?? "as it is installed"} cannot be spoken to by protocol`);
  const place = newServedPlace(cx, choice.name);
  const client = choice.client(served, place.socket);
  if (typeof client === "string") return without(`${agent.label} is not known to take ${client} beside a server of its own`);
  writeStart(place, {
    agent: agent.key,
    cwd: choice.cwd,
    sandbox: client.sandbox,
    resume: choice.resume,
    server: [installed.path, ...served.server(place.socket)],
    client: [installed.path, ...client.words],
    alone,
  });
  return { argv: [...selfArgv(), "codex-pane", place.folder], place, why: null };
}

/** Whether it is known by now how it is started: the process in the pane waits for the server's greeting first. */
export const isDecided = ({ place }: Way): boolean => place === null || readOutcome(place) !== null;

/** Whether a process of ours in the pane has yet to decide: a server of its own may have taken up a thread that it then gives back. */
export async function stillDecides(cx: Context, pid: number): Promise<boolean> {
  const used = placeIn(await commandLineOf(pid, cx.env));
  return used !== null && readOutcome(used) === null;
}

/** What is left behind of it should the start be interrupted. */
export const filesOf = ({ place }: Way): string[] => (place === null ? [] : [startFile(place)]);

/**
 * How it was started in the end: the process in the pane may have found that it cannot be by protocol, and a terminal that an earlier start
 * left behind has another place.
 * @param pid of the pane
 */
export async function outcomeOf(
  cx: Context,
  { place, why }: Way,
  pid: number,
): Promise<{ launch: WayOfLaunch; socket: string | null; launchWhy: string | null }> {
  const used = placeIn(await commandLineOf(pid, cx.env));
  if (place !== null && used?.folder !== place.folder) rmSync(place.folder, { recursive: true, force: true });
  const outcome = used === null ? null : readOutcome(used);
  if (used === null || outcome?.launch !== "protocol") return { launch: "tmux", socket: null, launchWhy: outcome?.why ?? why };
  return { launch: "protocol", socket: used.socket, launchWhy: null };
}
