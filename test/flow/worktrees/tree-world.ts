/** A world with a repository and worktrees that were made for workers, without any agent in them; and what stands in a folder, byte for byte. */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Worktree } from "../../../src/core/worktree.ts";
import { makeWorktree } from "../../../src/flow/worktrees/make.ts";
import { planWorktree, type WorktreeWish } from "../../../src/flow/worktrees/plan.ts";
import { World } from "../../harness.ts";

/** Runs the user's own git. @throws when it fails */
export function git(folder: string, ...words: string[]): string {
  const identity = ["-c", "user.name=x", "-c", "user.email=x@y", "-c", "protocol.file.allow=always"];
  const done = Bun.spawnSync(["git", "-C", folder, ...identity, ...words], { env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" } });
  if (done.exitCode !== 0) throw new Error(`git ${words.join(" ")}: ${done.stderr.toString()}`);
  return done.stdout.toString().trim();
}

export class TreeWorld extends World {
  readonly repository: string;
  readonly trees: string;

  constructor(options: { sha256?: boolean } = {}) {
    super();
    this.realTime = true;
    mkdirSync(join(this.dir, "a repo"));
    this.repository = join(realpathSync(this.dir), "a repo");
    this.trees = join(realpathSync(this.dir), "state", ".worktrees");
    git(this.repository, "init", "-q", "-b", "main", ...(options.sha256 ? ["--object-format=sha256"] : []));
    this.put("a.txt", "one\n");
    this.put("sub/b.txt", "two\n");
    this.put(".gitignore", "*.log\nout/\n");
    git(this.repository, "add", ".");
    git(this.repository, "commit", "-qm", "one");
  }

  /** Writes a file of the repository. */
  put(path: string, content: string | Uint8Array): void {
    write(join(this.repository, path), content);
  }

  /** A worktree as a start makes it. */
  async made(worker: string, wish: Partial<WorktreeWish> = {}, database?: string): Promise<Worktree> {
    const cx = this.context({ cwd: this.repository });
    const scene = { cx, store: cx.store(database) };
    const asked = { store: scene.store, worker, task: null, cwd: this.repository };
    const plan = await planWorktree(cx, { ...asked, wish: { branch: undefined, base: undefined, setup: undefined, ...wish } });
    return (await makeWorktree(scene, plan, null, { check: () => {} })).tree;
  }

  /** The commit that a ref of the repository names; null: there is none. */
  refOf(ref: string): string | null {
    const done = Bun.spawnSync(["git", "-C", this.repository, "rev-parse", "--verify", "--quiet", ref]);
    return done.exitCode === 0 ? done.stdout.toString().trim() : null;
  }
}

export function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** All that stands in a folder but its own `.git`: kind, rights and content by path of bytes. */
export function standing(folder: string, apart: readonly string[] = []): Record<string, string> {
  const found: Record<string, string> = {};
  const look = (place: Buffer, path: string): void => {
    for (const name of readdirSync(place, { encoding: "buffer" }) as unknown as Buffer[]) {
      const below = path === "" ? name.toString("latin1") : `${path}/${name.toString("latin1")}`;
      if (below === ".git" || apart.includes(below)) continue;
      const inside = Buffer.concat([place, Buffer.from("/"), name]);
      const stat = lstatSync(inside);
      const mode = (stat.mode & 0o777).toString(8);
      if (stat.isSymbolicLink()) found[below] = `link ${readlinkSync(inside, { encoding: "latin1" })}`;
      else if (stat.isDirectory()) {
        found[below] = `folder ${mode}`;
        look(inside, below);
      } else found[below] = `file ${mode} ${createHash("sha256").update(readFileSync(inside)).digest("hex")}`;
    }
  };
  look(Buffer.from(folder), "");
  return found;
}
