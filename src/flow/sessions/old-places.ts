/** Places of sessions with a server of their own that have ended: what is left there is what the server printed. */
import { basename } from "node:path";
import { statSync } from "node:fs";
import type { Context } from "../../context.ts";
import { socketsInUse } from "../../store/sessions/agents.ts";
import type { Store } from "../../store/store.ts";
import { commandLineOf, listProcesses } from "../../system/processes/processes.ts";
import { allPlaces, removePlace, type ServedPlace, startFile } from "./served-place.ts";

/** A start that nobody took up within this was cut off. */
const BEGUN_MS = 3_600_000;

/** Takes away the places of sessions that have ended, and gives how many there are. @param dryRun only count */
export async function pruneOldPlaces(cx: Context, store: Store, dryRun: boolean): Promise<number> {
  const old = await oldPlaces(cx, store);
  if (!dryRun) for (const place of old) removePlace(place);
  return old.length;
}

/** Those that no session on record listens at, no process names, and no start has just made. */
async function oldPlaces(cx: Context, store: Store): Promise<ServedPlace[]> {
  const places = allPlaces(cx);
  // Asked in this order: a session that is put on record meanwhile has its process.
  const used = new Set(socketsInUse(store));
  const processes = places.length === 0 ? [] : await listProcesses(cx.env);
  if (processes === null) return [];
  const words = (await Promise.all(processes.map(async ({ pid }) => (await commandLineOf(pid, cx.env)) ?? []))).flat();
  const begun = (place: ServedPlace): boolean => {
    const made = statSync(startFile(place), { throwIfNoEntry: false })?.mtimeMs;
    return made !== undefined && Date.now() - made < BEGUN_MS;
  };
  return places.filter((place) => !used.has(place.socket) && !words.some((word) => word.includes(basename(place.folder))) && !begun(place));
}
