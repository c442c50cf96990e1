/**
 * gh for a repository that is not trusted. gh asks git about the folder that it runs in, and git would run what that repository names: so
 * gh runs in an empty folder, and is told the repository and the branch, which we read ourselves.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withScratch } from "../files/scratch.ts";
import type { Env } from "../processes/environment.ts";
import { type Ran, runProgram } from "../processes/run.ts";
import { withSafeGit } from "./safe-git.ts";

const LIMIT_MS = 10_000;

interface Place {
  /** `host/owner/name` as gh takes it; null when no remote is one that gh may be pointed to. */
  readonly repository: string | null;
  readonly branch: string | null;
}

/** Owner and name as the hosts allow them, and never a flag. */
const ADDRESS =
  /^(?:(?:https?|ssh|git):\/\/(?:[^/@\s]*@)?([A-Za-z0-9.-]+)(?::\d+)?\/|(?:[^/@:\s]+@)([A-Za-z0-9.-]+):\/?)([A-Za-z0-9_][A-Za-z0-9_.-]*)\/([A-Za-z0-9_.][A-Za-z0-9_.-]*?)(?:\.git)?\/?$/;

/** The repository that an address names, in lower-case host; null when it is no address of that form. */
function repositoryOf(address: string): { host: string; path: string } | null {
  const found = ADDRESS.exec(address.trim());
  if (!found) return null;
  const host = (found[1] ?? found[2]!).toLowerCase().replace(/^(?:ssh|www)\.github\.com$/, "github.com");
  return { host, path: `${found[3]}/${found[4]}` };
}

/** Hosts that the person's own gh knows. A repository that names any other must not get a token sent there. */
function knownHosts(env: Env): Set<string> {
  const hosts = new Set(["github.com", ...(env.GH_HOST ? [env.GH_HOST.toLowerCase()] : [])]);
  const folder = env.GH_CONFIG_DIR || (env.XDG_CONFIG_HOME ? join(env.XDG_CONFIG_HOME, "gh") : join(env.HOME ?? "/", ".config", "gh"));
  try {
    for (const [, host] of readFileSync(join(folder, "hosts.yml"), "utf8").matchAll(/^["']?([A-Za-z0-9.-]+)["']?:/gm))
      hosts.add(host!.toLowerCase());
  } catch {
    // Nobody has logged in by a file.
  }
  return hosts;
}

/** In the order in which gh prefers remotes. */
const rank = (name: string): number => ["upstream", "github", "origin"].indexOf(name) + 1 || 4;

async function placeOf(env: Env, folder: string): Promise<Place> {
  const done = await withSafeGit(env, folder, LIMIT_MS, async (git) => {
    const settings = (await git.ask(["config", "-z", "--get-regexp", "^remote\\..*\\.(url|gh-resolved)$"])).stdout;
    const branch = (await git.ask(["symbolic-ref", "--quiet", "--short", "HEAD"])).stdout.trim();
    const remotes = new Map<string, { address?: string; chosen: boolean }>();
    for (const entry of settings.split("\0")) {
      const found = /^remote\.(.*)\.(url|gh-resolved)\n(.*)$/s.exec(entry);
      if (!found) continue;
      const [, name = "", key, value = ""] = found;
      const known = remotes.get(name) ?? { chosen: false };
      remotes.set(name, key === "url" ? { ...known, address: known.address ?? value } : { ...known, chosen: value === "base" });
    }
    const hosts = knownHosts(env);
    const fit = [...remotes].flatMap(([name, { address, chosen }]) => {
      const repository = repositoryOf(address ?? "");
      return repository !== null && hosts.has(repository.host) ? [{ order: chosen ? 0 : rank(name), repository }] : [];
    });
    const [best] = fit.sort((a, b) => a.order - b.order);
    return {
      repository: best === undefined ? null : `${best.repository.host}/${best.repository.path}`,
      // gh takes `owner:branch` as somebody else's.
      branch: /^[^-:\s][^:\s]*$/.test(branch) ? branch : null,
    };
  });
  return "value" in done ? done.value : { repository: null, branch: null };
}

/** Nothing of the caller's git is handed on. */
const quiet = (env: Env): Env => ({
  ...Object.fromEntries(Object.entries(env).filter(([name]) => !/^GIT_(?!CONFIG_NOSYSTEM)/.test(name))),
  GH_PROMPT_DISABLED: "1",
  GIT_TERMINAL_PROMPT: "0",
});

const gh = (env: Env, words: readonly string[], options: { stdin?: string; timeoutMs: number }): Promise<Ran> =>
  withScratch("conveyor-gh-", (cwd) =>
    runProgram(["gh", ...words], { env: { ...quiet(env), GIT_CEILING_DIRECTORIES: cwd }, cwd, ...options }),
  );

/**
 * Up to five recent pull requests of the folder's repository; empty when it has no remote that gh knows, or gh is missing or does not say.
 */
export async function recentPullRequests(env: Env, folder: string): Promise<unknown[]> {
  const { repository } = await placeOf(env, folder);
  if (repository === null) return [];
  const fields = ["--json", "number,title,state,url,headRefName"];
  const done = await gh(env, ["pr", "list", "--state", "all", "--limit", "5", ...fields, "--repo", repository], { timeoutMs: LIMIT_MS });
  if (done.code !== 0) return [];
  try {
    const list: unknown = JSON.parse(done.stdout);
    return Array.isArray(list) ? list.slice(0, 5) : [];
  } catch {
    return [];
  }
}

/**
 * Opens a draft pull request of the branch that the folder is on; nothing is ever pushed, since gh is told the branch. Of a folder without
 * a remote gh says itself that it cannot.
 */
export async function openDraft(env: Env, folder: string, title: string, body: string, timeoutMs: number): Promise<Ran> {
  const { repository, branch } = await placeOf(env, folder);
  const where = [
    ...(repository === null ? [] : ["--repo", repository]),
    ...(repository === null || branch === null ? [] : ["--head", branch]),
  ];
  return gh(env, ["pr", "create", "--draft", "--title", title, "--body-file", "-", ...where], { stdin: body, timeoutMs });
}
