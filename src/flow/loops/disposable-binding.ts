/** Makes a task, its two sessions without tmux, their binding and perhaps a loop run, all in one transaction. */
import { dirname, join } from "node:path";
import { agentOfPath } from "../../core/agent/agents.ts";
import { DISPOSABLE_ORIGINATOR, disposableRollout, sessionSlug } from "../../core/loops/disposable-binding.ts";
import { Failure } from "../../core/failure.ts";
import { LOOP, type Run } from "../../core/loops/run.ts";
import type { Role, Session } from "../../core/sessions/session.ts";
import type { Task } from "../../core/tasks/task.ts";
import { bind, type Binding } from "../../store/sessions/bindings.ts";
import { addEvent } from "../../store/record/events.ts";
import { createRun } from "../../store/record/runs.ts";
import { registerSession, sessionOfRollout } from "../../store/sessions/sessions.ts";
import { type Store, tx } from "../../store/store.ts";
import { createTask, findTask, setTaskState, taskById } from "../../store/tasks/tasks.ts";
import { firstLine } from "../../system/agent/transcript.ts";
import { placing, type StagedFile, stageFile } from "../../system/files/whole-file.ts";

interface DisposableInput {
  readonly task: string;
  readonly goal: string;
  readonly summary?: string | null;
  readonly worker: string;
  readonly manager: string;
  /** Folder of the rollouts, absolute. */
  readonly folder: string;
  readonly cwd: string;
  /** A loop run to make: its metadata is checked already. */
  readonly run?: { readonly name?: string | undefined; readonly metadata: Record<string, unknown> };
}

interface DisposableBinding {
  readonly task: Task;
  /** The task was made here. */
  readonly created: boolean;
  readonly binding: Binding;
  readonly worker: Session;
  readonly manager: Session;
  readonly run: Run | null;
}

export const defaultFolder = (db: string): string => join(dirname(db), "disposable-sessions");

/** Where this session's rollout goes: names that differ may have one slug, so a place that is somebody else's is left to them. */
function place(store: Store, folder: string, name: string, taken: ReadonlySet<string>): { path: string; id: string } {
  const slug = sessionSlug(name);
  for (let serial = 1; ; serial++) {
    const label = serial === 1 ? slug : `${slug}-${serial}`;
    const path = join(folder, `rollout-${label}.jsonl`);
    const owner = sessionOfRollout(store, path);
    if (!taken.has(path) && (owner === null || owner.name === name)) return { path, id: `codex-${label}` };
  }
}

/** A file that some other program wrote is not replaced. */
function refuseForeign(path: string): void {
  const line = firstLine(path);
  if (line === null) return;
  const meta = agentOfPath(path).transcript.head(line);
  if (typeof meta === "string" || meta.originator !== DISPOSABLE_ORIGINATOR) {
    throw new Failure(`${path} was not made by create-disposable-binding and stays as it is`, {
      hint: "choose another folder with --session-dir",
    });
  }
}

/**
 * Binds `task` (found by id or name, else created) to two sessions that pull their messages.
 * No process is recorded for them: the one that runs this command ends at once, and the apps that will poll are not known.
 * @throws Failure when the task is over or bound, a session is of the other role or bound; nothing is stored then, and no file written
 */
export function createDisposableBinding(store: Store, input: DisposableInput): DisposableBinding {
  if (input.worker === input.manager)
    throw new Failure(`worker and manager need different names, not both ${JSON.stringify(input.worker)}`);
  return tx(store, () => {
    const found = findTask(store, input.task);
    const task = found ?? createTask(store, { name: input.task, goal: input.goal, summary: input.summary ?? null });
    const files: StagedFile[] = [];
    const taken = new Set<string>();
    const register = (name: string, role: Role): Session => {
      const { path, id } = place(store, input.folder, name, taken);
      refuseForeign(path);
      taken.add(path);
      const session = registerSession(store, {
        name,
        role,
        pid: null,
        cwd: input.cwd,
        codexSessionPath: path,
        codexSessionId: id,
        tmuxSession: null,
        note: { via: "create-disposable-binding" },
      });
      files.push(stageFile(path, disposableRollout({ id, cwd: input.cwd, timestamp: store.now() })));
      return session;
    };
    return placing(files, (placeFiles) => {
      const worker = register(input.worker, "worker");
      const manager = register(input.manager, "manager");
      const binding = bind(store, task, worker, manager);
      setTaskState(store, task.id, "managed");
      const run = input.run ? createRun(store, task, { name: input.run.name, purpose: LOOP, metadata: input.run.metadata }) : null;
      addEvent(store, {
        type: "disposable_binding_created",
        taskId: task.id,
        payload: { binding_id: binding.id, worker: worker.name, manager: manager.name, run: run?.name ?? null },
      });
      placeFiles();
      return { task: taskById(store, task.id)!, created: found === null, binding, worker, manager, run };
    });
  });
}
