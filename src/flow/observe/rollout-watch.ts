/** Follows rollouts, of all bound sessions or of others: what begins or ends a turn is stored at once, the rest at the next backstop. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import type { Session } from "../../core/sessions/session.ts";
import { boundWorkers, managersToTell } from "../../store/sessions/bindings.ts";
import type { Store } from "../../store/store.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { openRollout } from "../../system/files/rollout-reader.ts";
import { type FolderWatch, lookWhereDeaf, watchFolder } from "../../system/files/watch.ts";
import { ingest } from "./ingest.ts";
import { followListed } from "./whereabouts.ts";
import { type Grown, unread } from "./unread.ts";

/** All that are bound, and managers that wait to be told: of a manager, too, is told here that its turn ended, or died. */
const bound = (store: Store): Session[] => [...boundWorkers(store), ...managersToTell(store)];

/** Those whose rollout is not as long as what is stored of it. */
const grownRollouts = (sessions: readonly Session[]): Grown[] => sessions.flatMap((session) => unread(session) ?? []);

/** The folder that changes when the session begins another conversation; null where its agent lists none. */
export function listFolderOf(session: Session): string | null {
  const agent = agentOf(session);
  const { list } = machineOf(agent);
  const home = session.codex_session_path === null ? null : agent.transcript.homeOf(session.codex_session_path);
  return list === null || home === null ? null : list.folder(home);
}

const rolloutOf = ({ id }: Session): string => `the rollout of ${id}`;

/**
 * Stores one rollout and gives how far it is stored now. A rollout that cannot be read is a `problem`, for which null is given: it may be
 * back, as long as it was, before the next try. A database that cannot be written is thrown.
 */
function storeGrown(cx: Context, store: Store, { session }: Pick<Grown, "session">, { problem, fine }: Told): number | null {
  const what = rolloutOf(session);
  try {
    const stored = ingest(cx, store, session, true).new_offset;
    fine?.(what);
    return stored;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    problem(error.message, what);
    return null;
  }
}

/** What this session's rollout has gained; that one which is stored to its end is `fine`. */
function grownOrFine(session: Session, { fine }: Told): Grown | null {
  const grown = unread(session);
  if (grown === null) fine?.(rolloutOf(session));
  return grown;
}

/** Who is told of rollouts that cannot be read, and of those that can be read again; `what` stays the same, the words may not. */
export interface Told {
  problem(message: string, what: string): void;
  fine?: ((what: string) => void) | undefined;
}

/** Stores what the rollouts of all bound sessions have gained. @param problem told of those that cannot be read */
export function ingestBound(cx: Context, store: Store, problem: (message: string) => void): void {
  for (const grown of grownRollouts(bound(store))) storeGrown(cx, store, grown, { problem });
}

export interface RolloutWatch {
  /** Watches the folders of today's sessions, and no others. */
  follow(): void;
  /** Stores what was gained: everything at a backstop, else only where a turn began or ended. */
  ingest(all: boolean): void;
  close(): void;
}

/**
 * @param grew called when a rollout may have gained something @param fine told of a rollout that could be stored
 * @param sessions whose rollouts are followed: by default all that are bound at the moment
 */
export function watchRollouts(
  cx: Context,
  store: Store,
  grew: () => void,
  problem: Told["problem"],
  fine?: Told["fine"],
  sessions: () => readonly Session[] = () => bound(store),
): RolloutWatch {
  const folders = new Map<string, FolderWatch>();
  /** What was read at which size and offset, so that half a line is not tried for ever. */
  const tried = new Map<string, { size: number; offset: number }>();
  /** How far a rollout was searched for turns without being stored. */
  const searched = new Map<string, number>();
  let touched = new Set<string>();
  /**
   * What was told of since the last backstop: what grew without being told of has a watch that went deaf, as when its folder was replaced.
   */
  let heard = new Set<string>();
  let followed = new Set<string>();

  const touch = (path: string): void => {
    touched.add(path);
    heard.add(path);
    grew();
  };

  const sizes = new Map<string, number>();
  const lookAtSizes = (): boolean => {
    let found = false;
    for (const { path, size } of grownRollouts(sessions())) {
      if (sizes.get(path) === size) continue;
      sizes.set(path, size);
      touch(path);
      found = true;
    }
    return found;
  };
  const looks = lookWhereDeaf(lookAtSizes);
  /** Where the system gave no watch for a folder that is there. */
  let alone: FolderWatch | null = null;

  const holdsTurn = ({ session, path, offset }: Grown): boolean => {
    const file = openRollout(path);
    if (!file) return false;
    const { wakes } = agentOf(session).transcript;
    try {
      for (let from = Math.max(offset, searched.get(path) ?? 0); ;) {
        const { lines, next, more } = file.read(from);
        if (lines.some(({ text }) => text !== null && wakes(text))) return true;
        searched.set(path, next);
        if (!more) return false;
        from = next;
      }
    } finally {
      file.close();
    }
  };

  const forget = (folder: string): void => {
    folders.get(folder)?.close();
    folders.delete(folder);
  };

  const follow = (): void => {
    const members = sessions().map((session) => followListed(cx, store, session));
    const paths = members.flatMap((session) => {
      const { codex_session_path: path, codex_session_id: thread } = session;
      return path === null ? [] : machineOf(agentOf(session)).newestTranscript(path, thread);
    });
    const lists = new Set(members.flatMap((session) => listFolderOf(session) ?? []));
    const wanted = new Set([...paths.map(dirname), ...lists]);
    const begun = new Set<string>();
    for (const folder of folders.keys()) {
      if (!wanted.has(folder)) forget(folder);
    }
    for (const folder of wanted) {
      if (folders.has(folder)) continue;
      const listed = (): void => {
        if (sessions().some((session) => followListed(cx, store, session) !== session)) follow();
      };
      const grown = (name: string | null): void => void (name === null ? lookAtSizes() : touch(join(folder, name)));
      const watch = watchFolder(folder, lists.has(folder) ? listed : grown);
      if (!watch) {
        if (existsSync(folder)) alone ??= lookWhereDeaf(lookAtSizes, true);
        continue;
      }
      folders.set(folder, watch);
      begun.add(folder);
    }
    // What was written before the watch stood, or by a session before it was bound, would wait for the backstop.
    const unseen = paths.filter((path) => begun.has(dirname(path)) || !followed.has(path));
    followed = new Set(paths);
    for (const path of unseen) touched.add(path);
    if (unseen.length > 0) grew();
  };

  return {
    follow,
    ingest(all) {
      const these = touched;
      if (!all && these.size === 0) return;
      touched = new Set();
      for (const each of sessions()) {
        const grown = grownOrFine(each, { problem, fine });
        if (grown === null) continue;
        const { session, path, size, offset } = grown;
        const last = tried.get(session.id);
        if (last?.size === size && last.offset === offset) continue;
        if (!all && !(these.has(path) && holdsTurn(grown))) continue;
        if (all && !heard.has(path)) forget(dirname(path));
        const stored = storeGrown(cx, store, grown, { problem, fine });
        if (stored === null) tried.delete(session.id);
        else tried.set(session.id, { size, offset: stored });
      }
      if (!all) return;
      heard = new Set();
      follow();
    },
    close() {
      looks.close();
      alone?.close();
      for (const watch of folders.values()) watch.close();
      folders.clear();
    },
  };
}
