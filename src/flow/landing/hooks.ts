/** The hooks of a merge, for who asked for them (`--hooks`): the user's own, as git would call them. */
import { join, resolve } from "node:path";
import { Failure } from "../../core/failure.ts";
import { maskSecrets } from "../../core/secrets.ts";
import { isExecutable } from "../../system/files/folders.ts";
import { needDone, type OwnGit } from "../../system/git/own-git.ts";
import { recordRun } from "../../system/processes/recorded-run.ts";
import type { Scene } from "../scene.ts";

interface Call {
  readonly name: "pre-merge-commit" | "post-merge";
  readonly words: readonly string[];
  /** The working tree that it is about. */
  readonly tree: string;
}

/** @param git opened with its hooks. @throws Failure with what it printed last, when it does not end with 0 */
export async function runHook({ cx }: Scene, git: OwnGit, { name, words, tree }: Call): Promise<void> {
  const told = await needDone(git.refs(["rev-parse", "--git-path", "hooks"]), "the hooks cannot be found");
  const hook = join(resolve(git.place.path ?? git.place.common, told.trimEnd()), name);
  if (!isExecutable(hook)) return;
  const ran = await recordRun([hook, ...words], { env: cx.env, cwd: tree, tailLines: 15, endsRest: true });
  if (ran.exitCode !== 0)
    throw new Failure(`the hook ${name} ended with ${ran.exitCode ?? ran.signal}: ${maskSecrets(ran.tail)}`, { hint: hook });
}
