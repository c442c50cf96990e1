/** A worker started in a worktree of its own: what is made for the start, and goes again when the start leaves nobody there. */
import type { Agent, PermissionChoice } from "../../core/agent/agent.ts";
import { Failure } from "../../core/failure.ts";
import { branchName, type Worktree, worktreeWords } from "../../core/worktree.ts";
import { hasSession } from "../../system/terminal/sessions.ts";
import type { Scene } from "../scene.ts";
import { openErrands } from "./errand.ts";
import { makeWorktree, type Stop, unmakeUntouched } from "./make.ts";
import type { WorktreePlan } from "./plan.ts";

/** What a start says of itself. */
interface Start extends PermissionChoice {
  readonly agent: Agent;
  readonly cwd: string;
  readonly prompt: string | null;
  readonly asSetUp: boolean;
}

interface StartScene extends Scene {
  readonly under: Stop & { readonly interrupted: boolean; cleansUp(clean: () => Promise<string | null>): void };
}

/** The launch as it is in the worktree that is planned; null: as it is. */
export function inWorktree<S extends Start>(request: S, plan: WorktreePlan | null): S & { readonly cwdToCome?: boolean } {
  if (plan === null) return request;
  const { agent, prompt } = request;
  const words = worktreeWords(plan.path, plan.branch, !request.asSetUp && agent.confined(request));
  return { ...request, cwd: plan.path, cwdToCome: plan.known?.state !== "made", prompt: prompt === null ? null : `${prompt}\n\n${words}` };
}

/** What is told of a worktree in which a worker was started. */
export interface StartedTree {
  readonly path: string;
  readonly branch: string;
  readonly base: string;
  readonly base_commit: string;
  readonly made: boolean;
}

/**
 * Makes the worktree that is planned, and starts somebody there; without a plan it only starts.
 * @throws Failure as `act` does; the worktree is taken away again when nobody runs there and nothing was done in it
 */
export async function withWorktree<T>(
  scene: StartScene,
  plan: WorktreePlan | null,
  taskId: string | null,
  launch: Start & { readonly name: string },
  act: (tree: StartedTree | null) => Promise<T>,
): Promise<T> {
  if (plan === null) return act(null);
  const { under, cx } = scene;
  const { tree, made } = await makeWorktree(scene, plan, taskId, under);
  if (made) under.cleansUp(() => unmakeUntouched(scene, tree));
  try {
    if (launch.agent.confined(launch)) openErrands(tree.path);
    return await act(told(tree, made));
  } catch (error) {
    if (!made || under.interrupted || !(error instanceof Failure)) throw error;
    const runs = await hasSession(cx.env, `${launch.agent.tmuxPrefix}${launch.name}`).catch(() => true);
    const left = runs ? null : await unmakeUntouched(scene, tree);
    if (left === null) throw error;
    throw new Failure(`${error.message}; ${left}`, { hint: error.hint });
  }
}

const told = ({ path, branch, base_ref, base_commit }: Worktree, made: boolean): StartedTree => ({
  path,
  branch: branchName(branch),
  base: base_ref,
  base_commit,
  made,
});
