/** Whether a submodule holds what its own remote does not have: it would be lost with the worktree it is in. */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../core/failure.ts";
import type { Env } from "../processes/environment.ts";
import { withGit } from "./own-git.ts";
import { shown } from "./tree-files.ts";
import { treeState } from "./tree-state.ts";

/** @param path of bytes, below `root`; @param commit that the tree around it names */
export async function submoduleTrouble(env: Env, root: string, path: string, commit: string): Promise<string[]> {
  const name = shown(path);
  const state = await treeState(env, join(root, name), []);
  if (state === null) return [`the submodule ${name} cannot be looked at`];
  return [
    ...(state.head === commit ? [] : [`the submodule ${name} is at another commit`]),
    ...(state.dirty ? [`the submodule ${name} has changes`] : []),
  ];
}

/** Of every repository that the git folder of a worktree holds: commits that no remote of it has. */
export async function ownCommitsBelow(env: Env, gitdir: string): Promise<string[]> {
  const found: string[] = [];
  const look = async (folder: string, name: string): Promise<void> => {
    const names = new Set(readdirSync(folder));
    if (names.has("HEAD") && names.has("objects")) {
      const place = { common: folder, gitdir: folder, path: null };
      const words = ["rev-list", "--count", "--branches", "--glob=refs/stash", "--reflog", "HEAD", "--not", "--remotes", "--tags", "--"];
      const count = await withGit(env, place, { bytes: "usual" }, async (git) => (await git.refs(words)).stdout.trim()).catch(
        (error: unknown) => {
          if (error instanceof Failure) return "";
          throw error;
        },
      );
      if (count !== "0") found.push(`the submodule ${name} has commits of its own`);
    }
    for (const each of names.has("HEAD") ? ["modules"] : names) {
      const inside = join(folder, each);
      if (lstatSync(inside, { throwIfNoEntry: false })?.isDirectory()) await look(inside, name === "" ? each : `${name}/${each}`);
    }
  };
  const modules = join(gitdir, "modules");
  if (lstatSync(modules, { throwIfNoEntry: false })?.isDirectory()) await look(modules, "");
  return found;
}
