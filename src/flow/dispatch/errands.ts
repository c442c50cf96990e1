/** Runs what confined workers have left in their worktrees to be done outside: of few commands one, about their own task alone. */
import { linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ERRAND_BYTES, type ErrandAnswer, ERRANDS, errandId, errandMs, readErrand } from "../../core/errand.ts";
import { Failure } from "../../core/failure.ts";
import type { Holder } from "../../core/dispatch/holder.ts";
import type { Worktree } from "../../core/worktree.ts";
import { bindingsOfSession } from "../../store/sessions/bindings.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import { findTask } from "../../store/tasks/tasks.ts";
import { listWorktrees } from "../../store/worktrees.ts";
import { readPlainText } from "../../system/files/text-file.ts";
import { type FolderWatch, watchFolder } from "../../system/files/watch.ts";
import { writeWhole } from "../../system/files/whole-file.ts";
import { isGone, thisHolder } from "../../system/processes/holder.ts";
import { runProgram } from "../../system/processes/run.ts";
import { selfArgv } from "../../system/processes/self.ts";
import type { Scene } from "../scene.ts";
import { answersFor } from "../worktrees/errand.ts";

/** An answer that nobody came for; longer than any errand may take. */
const STALE_MS = 7_200_000;

export class ErrandWatch {
  private readonly watches = new Map<string, FolderWatch | null>();
  private readonly begun = new Set<string>();
  private readonly open = new Set<Promise<void>>();

  constructor(
    private readonly scene: Scene,
    private readonly problem: (message: string) => void,
  ) {}

  /** Watches the worktrees that there are now. @param again looks also where a watch stands, which may have gone deaf */
  follow(again: boolean): void {
    const trees = listWorktrees(this.scene.store).filter(({ state }) => state === "made");
    for (const [path, watch] of this.watches) {
      if (trees.some((tree) => tree.path === path)) continue;
      watch?.close();
      this.watches.delete(path);
    }
    for (const tree of trees) {
      const isWatched = this.watches.get(tree.path) != null;
      if (isWatched && !again) continue;
      const folder = join(tree.path, ERRANDS);
      // A link may lead anywhere.
      if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) continue;
      if (!isWatched)
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
      if (id === null || this.begun.has(join(folder, name))) continue;
      this.begun.add(join(folder, name));
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
    const isDone = (): boolean => lstatSync(reply, { throwIfNoEntry: false }) !== undefined;
    // Done by whoever watched before.
    if (isDone()) return;
    const { cx } = this.scene;
    const taken = join(answers, `${id}.taken`);
    const own = `${taken}.${process.pid}`;
    writeFileSync(own, JSON.stringify(await thisHolder(cx.env)), { mode: 0o600 });
    try {
      // Another Dispatch may watch beside this one: a message is taken from an inbox once.
      linkSync(own, taken);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      await this.ofAnother(taken, reply, file);
      return;
    } finally {
      rmSync(own, { force: true });
    }
    if (!isDone()) writeWhole(reply, JSON.stringify(await this.done(tree, file)));
    rmSync(taken, { force: true });
  }

  /** Leaves it to who has taken it, and looks again; when that one has ended in it nobody knows what was done. */
  private async ofAnother(taken: string, reply: string, file: string): Promise<void> {
    const { cx } = this.scene;
    const holder = holderIn(taken);
    if (holder !== null && (await isGone(holder, cx.env))) {
      const stderr = `${cx.program}: whoever was at it has ended, and it is not known whether it was done: look before you ask again`;
      const answer: ErrandAnswer = { exit: 1, stdout: "", stderr };
      if (lstatSync(reply, { throwIfNoEntry: false }) === undefined) writeWhole(reply, JSON.stringify(answer));
      rmSync(taken, { force: true });
    } else this.begun.delete(file);
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

/** Who has taken an errand; null: it is done by now, or the system does not tell. */
function holderIn(taken: string): Holder | null {
  try {
    return JSON.parse(readFileSync(taken, "utf8")) as Holder | null;
  } catch {
    return null;
  }
}

function textOf(file: string): string {
  try {
    return readPlainText(file, ERRAND_BYTES);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
    throw new Failure("what was left to be done outside is no file, or too large");
  }
}
