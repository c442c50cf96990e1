/** A session that is started with an id of our choice. The agent is made up, since Codex chooses its own. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Agent } from "../../../src/core/agent/agent.ts";
import { agents } from "../../../src/core/agent/agents.ts";
import type { Launch } from "../../../src/flow/sessions/begin-terminal.ts";
import { startSession } from "../../../src/flow/sessions/start-session.ts";
import { undertake } from "../../../src/flow/sessions/undertaking.ts";
import { tmuxResult } from "../../../src/system/terminal/tmux.ts";
import { World } from "../../harness.ts";

let w: World;
beforeEach(() => {
  w = new World();
  w.realTime = true;
});
afterEach(async () => {
  await tmuxResult(w.env, ["kill-server"]);
  w.close();
});

/** Its transcripts lie where Codex's do. */
const choosy: Agent = {
  ...agents.codex,
  program: "choosy",
  features: (version, help) => ({ ...agents.codex.features(version, help), sessionId: true }),
  launchArguments: ({ sessionId, prompt }) => [
    ...(sessionId === null ? [] : ["--session-id", sessionId]),
    ...(prompt === null ? [] : [prompt]),
  ],
};

/** Writes first the transcript of another session that began with the same words, then of the one that it was told to be. */
const SCRIPT = `#!/bin/sh
[ "$1" = --version ] && { echo "choosy 1.2.3"; exit 0; }
[ "$1" = --help ] && exit 0
echo "$@" > "$CODEX_HOME/words"
folder="$CODEX_HOME/sessions/2026/05/11"; mkdir -p "$folder"
for id in 33333333-3333-4333-8333-333333333333 "$2"; do
  stamp=$(date -u +%Y-%m-%dT%H:%M:%S.999Z)
  { printf '{"type":"session_meta","timestamp":"%s","payload":{"id":"%s","timestamp":"%s","cwd":"%s"}}\\n' $stamp "$id" $stamp "$PWD"
    printf '{"type":"event_msg","timestamp":"%s","payload":{"type":"user_message","message":"go"}}\\n' $stamp
  } > "$folder/rollout-2026-05-11T14-00-00-$id.jsonl"
done
exec cat
`;

test("it is found by that id beside another that began with the same words, and what is recorded of the start can be run again", async () => {
  chmodSync(await w.file("bin/choosy", SCRIPT), 0o755);
  w.env.PATH = `${join(w.dir, "bin")}:${w.env.PATH}`;
  const cx = w.context();
  const request: Launch = {
    ...{ agent: choosy, role: "worker", name: "w1", cwd: w.work, sandbox: "read-only", approval: "never", permissionMode: null },
    ...{
      prompt: "go",
      model: null,
      effort: null,
      acceptTrust: false,
      timeoutSeconds: 20,
      bindings: [],
      wish: "tmux",
      resume: null,
      asSetUp: false,
    },
  };
  const started = await undertake(cx, (under) => startSession({ cx, store: cx.store(), under }, request, "test"));
  const [, id, ...rest] = readFileSync(join(w.env.CODEX_HOME!, "words"), "utf8").trim().split(" ");
  expect(rest).toEqual(["go"]);
  expect(choosy.isSessionId(id!)).toBe(true);
  expect(started).toMatchObject({ codex_session_id: id, codex_session_path: expect.stringContaining(id!) });
  const [row] = w.rows<{ argv_json: string; version: string }>("select argv_json, version from session_agents");
  expect(row).toMatchObject({ argv_json: JSON.stringify([join(w.dir, "bin/choosy")]), version: "1.2.3" });
});
