/**
 * A page that changes in the very moment between the last look at it and the key gets none. The real Claude Code cannot be made to change
 * its page then: a program draws it, and the tmux that is called has it draw the next one before it lets the keys through.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until, World } from "../../harness.ts";
import { LONG } from "../../long.ts";
import { tmux } from "../../panes.ts";

const ROUNDS = LONG === null ? 3 : 500;
const SESSION = "33333333-3333-4333-8333-333333333333";
// What a shell, a format of tmux and a pattern each take for something else, and letters that are not ASCII.
const odd = (word: string): string => `touch ${word} "#{x},#[y];" '*?[z]' $(id) \\ } 中文 ; `;

const w = new World();
const log = join(w.dir, "log");
const armed = join(w.dir, "armed");
const lines = (): string[] => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []);
const keys = (): string[] => lines().filter((line) => line.startsWith("key "));
let page = 0;

const record = (type: "user" | "assistant", message: object): string =>
  `${JSON.stringify({
    ...{ type, message, uuid: crypto.randomUUID(), timestamp: new Date().toISOString(), cwd: w.work, sessionId: SESSION },
    ...{ parentUuid: null, isSidechain: false, userType: "external", version: "2.1.332" },
  })}\n`;
const step = (id: string, command: string): string =>
  record("assistant", {
    ...{ id: "msg_1", type: "message", role: "assistant", model: "m", stop_reason: "tool_use" },
    content: [{ type: "tool_use", id, name: "Bash", input: { command } }],
  });

async function begin(session: string, ...commands: string[]): Promise<void> {
  writeFileSync(log, "");
  const program = join(import.meta.dir, "../../asking-page.ts");
  const words = ["new-session", "-d", "-s", session, "-x", "120", "-y", "40", "--", process.execPath, program, log, ...commands];
  tmux(w, ...words.map((word) => word.replace(/;$/, "\\;")));
  await until("the page", () => lines().includes("drawn 0"));
  page = Number(tmux(w, "list-panes", "-t", `=${session}:`, "-F", "#{pane_pid}").trim());
  w.env.PAGE = String(page);
  const said = [record("user", { role: "user", content: "go" }), ...commands.map((command, at) => step(`toolu_${at}`, command.trim()))];
  const path = await w.file(`claude/projects/-work/${SESSION}.jsonl`, said.join(""));
  await w.file(
    `claude/sessions/${page}.json`,
    JSON.stringify({ pid: page, sessionId: SESSION, cwd: w.work, kind: "interactive", status: "waiting" }),
  );
  const place = ["--pid", String(page), "--codex-session", path, "--tmux-session", session, "--cwd", w.work];
  await w.ok(["register-worker", "--agent", "claude", "--name", "w1", ...place]);
}

beforeAll(async () => {
  w.realTime = true;
  w.env.CLAUDE_CONFIG_DIR = join(w.dir, "claude");
  w.env.ARMED = armed;
  w.env.LOG = log;
  const shim = await w.file(
    "bin/tmux",
    `#!/bin/sh
case "$*" in *@conveyor-pane*)
  if [ -e "$ARMED" ]; then
    rm "$ARMED"
    kill -USR1 "$PAGE"
    until grep -q 'drawn 1' "$LOG" && ${Bun.which("tmux")} capture-pane -p -t claude-w1 | grep -q second; do sleep 0.01; done
  fi
esac
exec ${Bun.which("tmux")} "$@"
`,
  );
  chmodSync(shim, 0o755);
  await begin("claude-w1", odd("first"), odd("second"));
  w.env.PATH = `${join(w.dir, "bin")}:${w.env.PATH}`;
});
afterAll(() => w.close());

test(
  `${ROUNDS} pages that change between look and key get none, and are still asked`,
  async () => {
    const { id } = await w.ok("answer w1 --json");
    for (let round = 0; round < ROUNDS; round++) {
      writeFileSync(log, "");
      process.kill(page, "SIGUSR2");
      await until("the first page", () => lines().includes("drawn 0"));
      const first = await w.ok("answer w1 --json");
      expect(first).toMatchObject({ question: "Do you want to proceed?", command: odd("first").trim() });
      if (round === 0) expect(first.id).toBe(id);
      writeFileSync(armed, "");
      const refused = await w.run(["answer", first.id, "yes"]);
      expect([refused.exit, refused.stdout, existsSync(armed)]).toEqual([1, "", false]);
      expect(refused.stderr).toContain('nothing was chosen: "w1" no longer asks that');
      expect(keys()).toEqual([]);
      expect(w.rows("select answer, sender_pid, ended_at from agent_asks where id = ?", first.id)).toEqual([
        { answer: null, sender_pid: null, ended_at: null },
      ]);
      expect((await w.ok("answer w1 --json")).command).toBe(odd("second").trim());
    }
  },
  LONG === null ? 90_000 : 3_600_000,
);

test("one that stays gets its key", async () => {
  writeFileSync(log, "");
  process.kill(page, "SIGUSR2");
  await until("the first page", () => lines().includes("drawn 0"));
  const { id } = await w.ok("answer w1 --json");
  const answering = w.run(["answer", id, "no", "--json"]);
  await until("the key", () => keys().length > 0, 30);
  process.kill(page, "SIGUSR1");
  expect((await answering).json()).toMatchObject({ choice: "no", sent: true });
  expect(keys()).toEqual(["key 0 2"]);
}, 90_000);
