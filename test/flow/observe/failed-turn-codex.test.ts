/** The real Codex, failing at a model that refuses, breaks off and is full: what its rollouts say becomes kinds of failure. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CodexWorld } from "../../codex-world.ts";
import { meta, rollout, THREAD } from "../../rollout.ts";

const frame = (type: string, body: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...body })}\n\n`;
const stream = (...frames: string[]) => new Response(frames.join(""), { headers: { "content-type": "text/event-stream" } });
const created = frame("response.created", { response: { id: "r" } });
const failed = (code: string) => stream(created, frame("response.failed", { response: { id: "r", error: { code, message: "no" } } }));
const json = { "content-type": "application/json" };
const resetsAt = Math.floor(Date.now() / 1000) + 3600;

const ANSWERS: Readonly<Record<string, () => Response>> = {
  "FAIL-LIMIT": () =>
    new Response(JSON.stringify({ error: { type: "usage_limit_reached", message: "x", plan_type: "pro", resets_in_seconds: 3600 } }), {
      status: 429,
      headers: {
        ...json,
        "x-codex-primary-used-percent": "100",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": String(resetsAt),
      },
    }),
  "FAIL-429": () => new Response("{}", { status: 429, headers: json }),
  "FAIL-503": () => new Response(JSON.stringify({ error: { code: "server_is_overloaded" } }), { status: 503, headers: json }),
  "FAIL-500": () => new Response("{}", { status: 500, headers: json }),
  "FAIL-CONTEXT": () => failed("context_length_exceeded"),
  "FAIL-401": () => new Response("{}", { status: 401, headers: json }),
  "FAIL-CUT": () => stream(created),
  "FAIL-400": () =>
    new Response(JSON.stringify({ error: { message: "bad", type: "invalid_request_error" } }), { status: 400, headers: json }),
};

const model = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    if (!request.url.includes("/responses")) return Response.json({ models: [] });
    const asked = JSON.stringify(await request.json());
    const [, answer] = Object.entries(ANSWERS).find(([word]) => asked.includes(word)) ?? [];
    return answer?.() ?? failed("server_error");
  },
});
const world = new CodexWorld();

beforeAll(async () => {
  const config = join(world.codexHome, "config.toml");
  const provider = `base_url = "http://127.0.0.1:${model.port}/v1"\nrequest_max_retries = 0\nstream_max_retries = 0`;
  writeFileSync(config, readFileSync(config, "utf8").replace(/^base_url = .*$/m, provider));
  const manager = await rollout(world, meta(THREAD.manager), THREAD.manager);
  await world.ok(["register-manager", "--name", "m1", "--pid", String(process.pid), "--codex-session", manager.path, "--cwd", world.work]);
});
afterAll(async () => {
  await world.close();
  await model.stop(true);
});

/** Runs one turn of a new thread to its end and gives its rollout. */
async function turn(words: string): Promise<string> {
  const sessions = join(world.codexHome, "sessions");
  const files = () => new Set((readdirSync(sessions, { recursive: true }) as string[]).filter((name) => name.endsWith(".jsonl")));
  const before = files();
  const codex = Bun.spawn(["codex", "exec", "--skip-git-repo-check", words], {
    env: world.env,
    cwd: world.project,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  await codex.exited;
  const made = [...files()].filter((name) => !before.has(name) && readFileSync(join(sessions, name), "utf8").includes('"task_complete"'));
  expect(made).toHaveLength(1);
  return join(sessions, made[0]!);
}

test.each([
  ["FAIL-LIMIT", "usage_limit"],
  ["FAIL-429", "overloaded"],
  ["FAIL-503", "overloaded"],
  ["FAIL-500", "server_error"],
  ["FAIL-CONTEXT", "context_full"],
  ["FAIL-401", "auth"],
  ["FAIL-CUT", "disconnected"],
  ["FAIL-400", "other"],
])(
  "%s ends the turn as %s, in cycle and in the manager's inbox",
  async (words, kind) => {
    const path = await turn(words);
    const name = words.toLowerCase();
    await world.ok(["register-worker", "--name", name, "--pid", String(process.pid), "--codex-session", path, "--cwd", world.work]);
    await world.ok(["tasks", "--create", `t-${name}`, "--goal", "g"]);
    await world.ok(["bind", "--task", `t-${name}`, "--worker", name, "--manager", "m1"]);
    const seen = await world.ok(["cycle", `t-${name}`]);
    const resets_at = kind === "usage_limit" ? new Date(resetsAt * 1000).toISOString() : null;
    expect(seen).toMatchObject({ state: "idle", turn: "failed", turn_error: { kind, resets_at, message: expect.stringMatching(/./) } });
    await world.ok(["dispatch", "--once", "--json"]);
    const { items } = await world.ok(["manager-inbox", `t-${name}`, "--json"]);
    expect(items.at(-1).payload).toMatchObject({
      message: expect.stringContaining(`${name}'s turn failed: `),
      worker_receipt: { turn_error: { kind } },
    });
    await world.ok(["unbind", "--task", `t-${name}`]);
  },
  30_000,
);
