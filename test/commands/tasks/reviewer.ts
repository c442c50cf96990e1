/** A bound task with both proposals of a turn, and programs that play the reviewer. */
import { chmodSync, symlinkSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { bind } from "../../../src/store/sessions/bindings.ts";
import { registerSession } from "../../../src/store/sessions/sessions.ts";
import { needTask } from "../../../src/store/tasks/tasks.ts";
import type { World } from "../../harness.ts";

/** Makes the task `t1`, its two sessions with rollouts outside of Codex's own folder, and turn `turn-1`. */
export async function boundTurn(w: World): Promise<{ rollouts: string[] }> {
  await w.ok("tasks --create t1 --goal G");
  const store = w.store();
  const rollouts: string[] = [];
  const sessions = await Promise.all(
    (["worker", "manager"] as const).map(async (role) => {
      const rollout = await w.file(`elsewhere/${role}.jsonl`, "rollout secret\n");
      rollouts.push(rollout);
      return registerSession(store, {
        name: role,
        role,
        pid: null,
        cwd: w.work,
        codexSessionPath: rollout,
        codexSessionId: null,
        tmuxSession: null,
      });
    }),
  );
  bind(store, needTask(store, "t1"), sessions[0]!, sessions[1]!);
  await w.ok("manager-config t1 --permit context.spawn_reviewer");
  for (const role of ["worker", "manager"])
    await w.ok(`continuation t1 --submit ${role} --from-stdin --correlation-id turn-1`, { stdin: `{"next":"${role}"}` });
  return { rollouts };
}

/** Words of the command up to the reviewer's own. */
export const reviewWords = (...flags: string[]): string[] => [
  ...["continuation-reviewer", "t1", "--correlation-id", "turn-1", "--reviewer-session-id", "rev-1", "--manager-session-id", "man-1"],
  ...flags,
  "--reviewer-command",
];

/** A reviewer as a shell script; its path. */
export async function script(w: World, body: string): Promise<string> {
  const path = await w.file("reviewer.sh", `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A PATH with the given programs alone. */
export async function pathOf(w: World, ...programs: string[]): Promise<string> {
  const folder = join(w.dir, "programs");
  await mkdir(folder, { recursive: true });
  for (const program of programs) symlinkSync(Bun.which(program)!, join(folder, program));
  return folder;
}
