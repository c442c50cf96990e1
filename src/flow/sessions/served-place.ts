/** Where a session that is spoken to by protocol has its things: one folder for each start, told to the process in the pane alone. */
import { existsSync, lstatSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { allAgents } from "../../core/agent/agents.ts";
import type { TakenUp } from "../../core/agent/protocol.ts";
import { isObject } from "../../core/json.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { writeWhole } from "../../system/files/whole-file.ts";

/** A server that does not greet within this is given up, and the agent started without one. */
export const GREET_MS = 10_000;

export interface ServedPlace {
  readonly folder: string;
  readonly socket: string;
  /** What the server prints. */
  readonly log: string;
}

/** What the process in the pane is to start. */
export interface ServedStart {
  /** The agent's key. */
  readonly agent: string;
  readonly cwd: string;
  /** Null: as the agent is set up. */
  readonly sandbox: string | null;
  /** The conversation to go on with, and how; null: a new one. */
  readonly resume: (TakenUp & { readonly threadId: string }) | null;
  /** Program and arguments of the server, of what draws it, and of the agent alone when the two cannot be. */
  readonly server: readonly string[];
  readonly client: readonly string[];
  readonly alone: readonly string[];
}

/** How it went: by protocol, or why not. */
export interface ServedOutcome {
  readonly launch: "protocol" | "tmux";
  readonly why: string | null;
}

export const servedPlace = (folder: string): ServedPlace => ({
  folder,
  socket: join(folder, "socket"),
  log: join(folder, "server.log"),
});

/** The words of this program, in front of its verb: itself, or Bun and its first file. */
const MOST_BEFORE = 2;

/** The place of the process in a pane that was started with these words; null when it is none of ours. */
export function placeIn(words: readonly string[] | null): ServedPlace | null {
  // A pane is a copy of the server of tmux until it has begun, and that one may have been started with such words at the end of its own.
  const at = words?.indexOf("codex-pane") ?? -1;
  const folder = at > 0 && at <= MOST_BEFORE ? words![at + 1] : undefined;
  return folder === undefined ? null : servedPlace(folder);
}

/** Below it each start has its folder. */
const servedRoot = (cx: Pick<Context, "stateRoot">): string => join(cx.stateRoot, "artifacts", "served");

export const newServedPlace = (cx: Context, name: string): ServedPlace =>
  servedPlace(join(servedRoot(cx), `${name}-${cx.newId("served")}`));

/** The places of all starts, those that have ended too; what is no folder of such a name is none. */
export function allPlaces(cx: Pick<Context, "stateRoot">): ServedPlace[] {
  const root = servedRoot(cx);
  if (lstatSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() && /-served-[^/]+$/.test(entry.name) ? [servedPlace(join(root, entry.name))] : [],
  );
}

/** What is to be started, first words and all: there until the process in the pane has read it. */
export const startFile = ({ folder }: ServedPlace): string => join(folder, "start.json");
const outcomeFile = ({ folder }: ServedPlace): string => join(folder, "outcome.json");

export const writeStart = (place: ServedPlace, start: ServedStart): void => writeWhole(startFile(place), JSON.stringify(start));

/** Reads what is to be started and removes it: it holds the first words to the agent. Null when it is not there. */
export function takeStart(place: ServedPlace): ServedStart | null {
  const value = read(startFile(place));
  rmSync(startFile(place), { force: true });
  return value as ServedStart | null;
}

export const writeOutcome = (place: ServedPlace, outcome: ServedOutcome): void => writeWhole(outcomeFile(place), JSON.stringify(outcome));

/** Null while it is not known. */
export const readOutcome = (place: ServedPlace): ServedOutcome | null => read(outcomeFile(place)) as ServedOutcome | null;

/** Takes away all but the log, once nothing of it runs. */
export function clearPlace(agent: Agent, place: ServedPlace): void {
  machineOf(agent).served?.clear(place.socket);
  for (const file of [startFile(place), outcomeFile(place), place.socket]) rmSync(file, { force: true });
}

/** Takes all of it away; what nobody of ours has put there stays. */
export function removePlace(place: ServedPlace): void {
  for (const agent of allAgents) clearPlace(agent, place);
  rmSync(place.log, { force: true });
  if (readdirSync(place.folder).length === 0) rmdirSync(place.folder);
}

function read(file: string): object | null {
  if (!existsSync(file)) return null;
  const value: unknown = JSON.parse(readFileSync(file, "utf8"));
  return isObject(value) ? value : null;
}
