/** The end of a landing: what is written when it has landed or has not, and what one that was cut off in the middle is brought to. */
import { Failure } from "../../core/failure.ts";
import { keepOf, type Landing } from "../../core/landing.ts";
import { branchName } from "../../core/worktree.ts";
import { evidenceRunById } from "../../store/loops/evidence-runs.ts";
import { changeLanding, openLandings } from "../../store/landings.ts";
import { addEvent } from "../../store/record/events.ts";
import { addTelemetry } from "../../store/record/telemetry.ts";
import { tx } from "../../store/store.ts";
import { taskById } from "../../store/tasks/tasks.ts";
import { removeFolder } from "../../system/files/remove-folder.ts";
import { isThere } from "../../system/files/text-file.ts";
import { type OwnGit, withGit } from "../../system/git/own-git.ts";
import { settleMove } from "../../system/git/move-branch.ts";
import { endProcesses, seenProcess, stillRunning } from "../../system/processes/end-processes.ts";
import { isGone, thisHolder } from "../../system/processes/holder.ts";
import { usersOfFolder } from "../../system/processes/users-of-folder.ts";
import { restOn } from "../loops/evidence-run.ts";
import type { Scene } from "../scene.ts";

const said = ({ id, branch, into_ref, before_commit, after_commit, squash }: Landing) => ({
  landing_id: id,
  branch: branchName(branch),
  into: branchName(into_ref),
  before: before_commit,
  after: after_commit,
  squash,
});

/** `why` null: it was not meant to land, or there was nothing to, and the log of the task tells nothing of it. */
type End = { readonly state: "landed" } | { readonly state: "undone" | "unknown"; readonly why: string | null };

/**
 * Closes a landing: row, criteria (which rest on the proofs of the merge from now on), event and telemetry in one transaction.
 * @returns false when somebody else has taken it up
 */
export function closeLanding({ cx, store }: Scene, landing: Landing, end: End): boolean {
  return tx(store, () => {
    const why = end.state === "landed" ? null : end.why;
    const closed = changeLanding(store, landing, { state: end.state, ended_at: cx.now(), why, holder: null });
    const task = taskById(store, landing.task_id);
    if (closed === null || task === null) return false;
    if (end.state === "landed")
      for (const { evidence_id } of closed.proofs) {
        const run = evidenceRunById(store, evidence_id);
        if (run !== null) restOn(store, task, run, { landing_id: closed.id });
      }
    if (end.state !== "landed" && why === null) return true;
    const facts = said(closed);
    const type = end.state === "landed" ? "task_landed" : end.state === "undone" ? "task_landing_refused" : "task_landing_unknown";
    addEvent(store, { type, taskId: task.id, payload: { ...facts, proofs: closed.proofs, why } });
    addTelemetry(store, {
      type,
      taskId: task.id,
      severity: end.state === "landed" ? "info" : "warning",
      summary: end.state === "landed" ? `landed on ${facts.into}` : `not landed on ${facts.into}: ${why}`,
      correlation: { landing_id: closed.id },
      attributes: facts,
    });
    return true;
  });
}

/**
 * Takes away what a landing had for itself: what still runs in its folder (a proof goes on when a killed landing does not), the name that
 * kept its merge, and the folder. @param git null: there is no repository any more
 */
export async function clearLanding({ cx: { env } }: Scene, git: OwnGit | null, { folder, ...landing }: Landing): Promise<void> {
  const users = isThere(folder) ? ((await usersOfFolder(folder, env)) ?? []) : [];
  const seen = await Promise.all(users.map((pid) => seenProcess(pid, env)));
  await endProcesses(stillRunning(seen, env), { atOnce: true });
  if (git !== null) await git.refs(["update-ref", "-d", keepOf(landing)]);
  removeFolder(folder);
}

/** A landing that was cut off, and what has become of it. */
export interface Recovered {
  readonly landing: Landing;
  /** `open`: something blocks it. */
  readonly end: End["state"] | "open";
  readonly why: string | null;
}

/** Brings every landing whose process has ended to its own end: what had begun to move is moved whole or put back whole. */
export async function recoverLandings(scene: Scene): Promise<Recovered[]> {
  const { cx, store } = scene;
  const recovered: Recovered[] = [];
  for (const open of openLandings(store)) {
    if (open.holder !== null && !(await isGone(open.holder, cx.env))) continue;
    const landing = changeLanding(store, open, { holder: await thisHolder(cx.env) });
    if (landing === null) continue;
    try {
      const end = await endOf(scene, landing);
      if (closeLanding(scene, landing, end)) recovered.push({ landing, end: end.state, why: end.state === "landed" ? null : end.why });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      changeLanding(store, landing, { holder: null });
      recovered.push({ landing, end: "open", why: error.message });
    }
  }
  return recovered;
}

const CUT_OFF = "it was cut off";

async function endOf(scene: Scene, landing: Landing): Promise<End> {
  const { cx } = scene;
  const { common, checkout, checkout_gitdir, into_ref: ref, before_commit: before, after_commit: after } = landing;
  const undone: End = { state: "undone", why: CUT_OFF };
  if (!isThere(common)) {
    await clearLanding(scene, null, landing);
    return landing.state === "moving" ? { state: "unknown", why: `${CUT_OFF}, and ${common} is gone` } : undone;
  }
  const moved = landing.state === "moving" && before !== null && after !== null;
  // A checkout that git was told to remove since is none any more: the branch alone tells then.
  const stands = checkout !== null && (isThere(checkout) || isThere(checkout_gitdir!));
  const place = moved && stands ? { common, gitdir: checkout_gitdir!, path: checkout } : { common, gitdir: common, path: null };
  return withGit(cx.env, place, { bytes: "usual" }, async (git) => {
    const end = moved ? await settleMove(cx.env, git, { ref, before, after }) : "undone";
    await clearLanding(scene, git, landing);
    if (end === "landed") return { state: end };
    return end === "undone"
      ? undone
      : { state: end, why: `${CUT_OFF}, and ${branchName(ref)} or ${checkout ?? "its tree"} was changed before anybody looked` };
  });
}

/** One line for people, about a landing that somebody else had begun. */
export function recoveredLine(store: Scene["store"], { landing, end, why }: Recovered): string {
  const task = JSON.stringify(taskById(store, landing.task_id)?.name ?? landing.task_id);
  const what = `the landing of task ${task} on ${branchName(landing.into_ref)}, which was cut off,`;
  if (end === "landed") return `${what} has been finished`;
  if (end === "undone") return `${what} has been undone: nothing of it has moved`;
  return end === "open"
    ? `${what} is still open: ${why}`
    : `${what} has an end that nobody knows: look at ${landing.checkout ?? landing.common}`;
}
