/** A real Codex whose pane a person uses: rewound twice, on to another conversation, archived and packed; nothing goes to the wrong thread. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { writtenThreads } from "../../../src/system/codex/lock.ts";
import { tmuxResult } from "../../../src/system/terminal/tmux.ts";
import { Hands } from "../../codex-hands.ts";
import { CodexWorld } from "../../codex-world.ts";
import { until } from "../../harness.ts";

const world = new CodexWorld(undefined, { launch: "tmux" });
let thread = "";
const row = () => world.rows<Record<string, string>>("select * from sessions where name = 'w'")[0]!;
const hands = new Hands(world, "codex-w");
const said = (path: string, text: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.includes("UserMessage") && line.includes(text)).length;

beforeAll(async () => {
  thread = (await world.ok(["start-worker", "--name", "w", "--cwd", world.project, "--timeout-seconds", "40"])).codex_session_id;
  await world.idle(thread);
}, 60_000);
afterAll(() => world.close());

test("a thread that is rewound, and rewound again, is followed by deliveries, ingest and register", async () => {
  const first = row().codex_session_path!;
  const files = new Set([first]);
  for (const round of ["one", "two"]) {
    await world.ok(["session-nudge", "w", `before rewind ${round}`]);
    await world.idle(thread);
    await world.ok("ingest w");
    await hands.rewind();
    await hands.keys("C-u");
    const sent = await world.ok(["session-nudge", "w", `after rewind ${round}`]);
    expect(sent).toMatchObject({ transport: "tmux", proof: "seen" });
    await world.idle(thread);
    expect((await world.ok("ingest w")).new_events).toBeGreaterThan(5);
    const path = row().codex_session_path!;
    expect(files.has(path)).toBe(false);
    expect(basename(path)).toContain(`${thread}_`);
    expect(said(path, `after rewind ${round}`)).toBe(1);
    files.add(path);
  }
  expect(world.rows("select 1 from events where type = 'session_rollout_followed'")).toHaveLength(2);
  expect(
    world.rows("select 1 from codex_events where payload_json like '%after rewind one%' and payload_json like '%UserMessage%'"),
  ).toHaveLength(1);
  // Whoever names the old file, or the thread, means the one that is written now.
  const last = row().codex_session_path!;
  for (const named of [first, thread]) {
    await world.ok(["register-worker", "--name", "w", "--codex-session", named, "--tmux-session", "codex-w"]);
    expect(row().codex_session_path).toBe(last);
  }
}, 120_000);

test("a conversation that was only just begun gets nothing that was meant for the one before", async () => {
  await hands.rest();
  await hands.say("/new");
  await hands.shows("enter select");
  await hands.enter();
  await until("the second lock", () => writtenThreads(world.codexHome).size === 2);
  const sent = await world.run(["session-nudge", "w", "for the old one"]);
  const others = [...world.rollouts()].filter(([id]) => id !== thread && !id.endsWith(thread));
  for (const [id] of others) expect(world.userTexts(id)).not.toContain("for the old one");
  expect(await hands.text()).not.toContain("for the old one");
  if (sent.exit === 0) expect(sent.json()).toMatchObject({ transport: "codex_queue", proof: "seen" });
  expect((await world.run("session-interrupt w --key x")).stderr).toContain("no key was pressed");
}, 60_000);

test("an archived thread is read where it lies, packed too, and where it was before it was taken out again", async () => {
  await tmuxResult(world.env, ["kill-session", "-t", "=codex-w"]);
  await until("its end", () => !writtenThreads(world.codexHome).has(thread));
  await world.ok("ingest w");
  const live = row().codex_session_path!;
  const before = await world.ok("ingest w");
  const archive = join(world.codexHome, "archived_sessions", basename(live));
  await world.file(`codex/archived_sessions/${basename(live)}`, "");
  renameSync(live, archive);
  expect(await world.ok("ingest w")).toEqual({ ...before, new_events: 0 });
  expect(row().codex_session_path).toBe(archive);
  const packed = `${archive}.zst`;
  writeFileSync(packed, zstdCompressSync(readFileSync(archive)));
  rmSync(archive);
  expect(await world.ok("ingest w")).toEqual({ ...before, new_events: 0 });
  expect(row().codex_session_path).toBe(packed);
  await world.ok(["register-worker", "--name", "w", "--codex-session", thread, "--pid", String(process.pid)]);
  expect((await world.ok("ingest w")).new_events).toBe(0);
  writeFileSync(live, Bun.zstdDecompressSync(readFileSync(packed)));
  rmSync(packed);
  expect(await world.ok("ingest w")).toEqual({ ...before, new_events: 0 });
  expect(existsSync(row().codex_session_path!)).toBe(true);
}, 60_000);
