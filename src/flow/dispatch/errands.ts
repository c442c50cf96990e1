/** Runs what confined workers have left in their worktrees to be done outside: of few commands one, about their own task alone. */
import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { ERRAND_BYTES, type ErrandAnswer, ERRANDS, errandId, errandMs, readErrand } from "../../core/errand.ts";
import { Failure } from "../../core/failure.ts";
import type { Worktree } from "../../core/worktree.ts";
import { bindingsOfSession } from "../../store/sessions/bindings.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import { findTask } from "../../store/tasks/tasks.ts";
import { listWorktrees } from "../../store/worktrees.ts";
import { type FolderWatch, watchFolder } from "../../system/files/watch.ts";
import { writeWhole } from "../../system/files/whole-file.ts";
import { runProgram } from "../../system/processes/run.ts";
import { selfArgv } from "../../system/processes/self.ts";
import type { Scene } from "../scene.ts";
import { answersFor } from "../worktrees/errand.ts";

/** An answer that nobody came for. */
const STALE_MS = 3_600_000;

export class ErrandWatch {
  private readonly watches = new Map<string, FolderWatch | null>();
  private readonly begun = new Set<string>();
  private readonly open = new Set<Promise<void>>();

  constructor(
    private readonly scene: Scene,
    private readonly problem: (message: string) => void,
  ) {}

  /** Looks at the worktrees that there are now, and at what lies in them. */
  follow(): void {
    const trees = listWorktrees(this.scene.store).filter(({ state }) => state === "made");
    for (const [path, watch] of this.watches) {
      if (trees.some((tree) => tree.path === path)) continue;
      watch?.close();
      this.watches.delete(path);
    }
    for (const tree of trees) {
      const folder = join(tree.path, ERRANDS);
      // A link may lead anywhere.
      if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) continue;
      if (this.watches.get(tree.path) == null)
        this.watches.set(
          tree.path,
          watchFolder(folder, () => this.look(tree, folder)),
        );
      this.look(tree, folder);
    }
  }

  async close(): Promise<void> {
    for (const watch of this.watches.values()) watch?.close();
    await Promise.all(this.open);
  }

  private look(tree: Worktree, folder: string): void {
    let names: string[];
    try {
      names = readdirSync(folder);
    } catch {
      return;
    }
    for (const name of names) {
      const id = errandId(name);
      if (id === null || this.begun.has(id)) continue;
      this.begun.add(id);
      const run = this.answer(tree, join(folder, name), id)
        .catch((error: unknown) => this.problem(`an errand of ${tree.worker} was not done: ${(error as Error).message}`))
        .finally(() => this.open.delete(run));
      this.open.add(run);
    }
  }

  private async answer(tree: Worktree, file: string, id: string): Promise<void> {
    const answers = answersFor(tree.path);
    mkdirSync(answers, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(answers))
      if (Date.now() - (statSync(join(answers, name), { throwIfNoEntry: false })?.mtimeMs ?? 0) > STALE_MS)
        rmSync(join(answers, name), { force: true });
    const reply = join(answers, `${id}.json`);
    // Done by whoever watched before.
    if (lstatSync(reply, { throwIfNoEntry: false }) !== undefined) return;
    writeWhole(reply, JSON.stringify(await this.done(tree, file)));
  }

  private async done(tree: Worktree, file: string): Promise<ErrandAnswer> {
    const { cx, store } = this.scene;
    const refused = (message: string): ErrandAnswer => ({ exit: 1, stdout: "", stderr: `${cx.program}: ${message}` });
    try {
      const errand = readErrand(textOf(file));
      const task = findTask(store, errand.task);
      const session = findSession(store, tree.worker);
      const bound = session === null ? [] : bindingsOfSession(store, session.id);
      if (task === null || !bound.some(({ task_id }) => task_id === task.id))
        return refused(`${tree.worker} is not bound to the task ${JSON.stringify(errand.task)}, and nothing else is done for it`);
      const { command, flags, stdin } = errand;
      const ran = await runProgram([...selfArgv(), command, ...flags, "--path", store.path, "--", task.id], {
        env: cx.env,
        cwd: answersFor(tree.path),
        timeoutMs: errandMs(errand),
        ...(stdin === null ? {} : { stdin }),
      });
      return { exit: ran.code ?? 1, stdout: ran.stdout, stderr: ran.stderr };
    } catch (error) {
      if (error instanceof Failure) return refused(error.message);
      return refused("what was left to be done outside cannot be read");
    }
  }
}

/** Never through a link, never waiting for a pipe, and not more than an errand holds. */
function textOf(file: string): string {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > ERRAND_BYTES) throw new Failure("what was left to be done outside is no file, or too large");
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}
