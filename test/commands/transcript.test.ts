/** transcript-capture, -show and -prune on the terminals of a task. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../harness.ts";
import { showing, tmux, typed } from "../panes.ts";
import { boundPair } from "../rollout.ts";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.close());

const texts = () => w.rows<{ t: string | null }>("select segment_text as t from transcript_segments order by id").map((row) => row.t);
const contents = () => w.rows<{ c: string | null }>("select content as c from terminal_captures order by id").map((row) => row.c !== null);

test("a half-empty screen that grows gives only the new lines", async () => {
  await boundPair(w, { extra: ["--tmux-session", "tm"] });
  await showing(w, "tm", "one\n");
  await w.ok("transcript-capture t1 --role worker --json");
  await typed(w, "tm", "two");
  await w.ok("transcript-capture t1 --role worker --json");
  expect(texts()).toEqual(["one", "two"]);
});

test("an unknown task fails with all roles too, and so does one that never had a worker", async () => {
  expect((await w.run("transcript-capture t9")).exit).toBe(1);
  await w.ok(["tasks", "--create", "t1", "--goal", "g"]);
  expect((await w.run("transcript-capture t1 --role manager")).exit).toBe(1);
  expect(await w.ok("transcript-capture t1 --json")).toMatchObject({
    captures: [
      { role: "worker", error: expect.any(String) },
      { role: "manager", error: expect.any(String) },
    ],
  });
});

test("show prints what was kept, oldest first, texts only on demand", async () => {
  await boundPair(w, { extra: ["--tmux-session", "tm"] });
  await showing(w, "tm", "secret one\n");
  await w.ok("transcript-capture t1 --role worker");
  await typed(w, "tm", "secret two");
  await w.ok("transcript-capture t1 --role worker");
  await w.ok("transcript-capture t1 --role worker --mode metadata");
  const shown = await w.run("transcript-show t1");
  expect(shown.stdout).not.toContain("secret");
  expect(shown.stdout).toContain("metadata");
  const told = await w.run("transcript-show t1 --include-content --limit 2");
  expect(told.stdout).toContain("secret two");
  expect(told.stdout).not.toContain("secret one");
  expect((await w.ok("transcript-show t1 --role manager --json")).segments).toEqual([]);
});

test("pruning takes the text from segments and from the captures they came from, the newest stay", async () => {
  await boundPair(w, { extra: ["--tmux-session", "tm"] });
  await showing(w, "tm", "one\n");
  await w.ok("transcript-capture t1 --role worker");
  for (const text of ["two", "three"]) {
    await typed(w, "tm", text);
    await w.ok("transcript-capture t1 --role worker");
  }
  expect(await w.ok("transcript-prune t1 --keep-latest 1 --dry-run")).toMatchObject({
    dry_run: true,
    pruned_count: 0,
    would_prune_count: 2,
  });
  expect(await w.ok("transcript-prune t1 --keep-latest 1")).toMatchObject({ pruned_count: 2, would_prune_count: 2 });
  expect(texts()).toEqual([null, null, expect.stringContaining("three")]);
  expect(contents()).toEqual([false, false, true]);
  expect(w.rows("select retention_class, segment_kind from transcript_segments where segment_text is null")).toEqual(
    Array(2).fill({ retention_class: "cold", segment_kind: "metadata" }),
  );
  expect(w.rows("select count(*) as n from events where type = 'transcript_segments_pruned' and task_id is not null")).toEqual([{ n: 1 }]);
  expect((await w.run("transcript-prune t1 --keep-latest -1")).exit).toBe(2);
});

test("every way in which a worker of the oldest releases differs from its row is named", async () => {
  await w.ok(["tasks", "--create", "t1", "--goal", "g"]);
  const pane = await showing(w, "codex-old1", "hi\n");
  await w.file(
    "state/old1/config.json",
    JSON.stringify({ name: "old1", identity_token: "right", tmux_session: "codex-old1", tmux_pane_id: pane }),
  );
  const { db } = w.store();
  db.run(
    "insert into workers (id, name, tmux_session, tmux_pane_id, identity_token, cwd, state, created_at, updated_at) values ('worker-1', 'old1', 'codex-old1', ?, 'right', '', 'active', '', '')",
    [pane],
  );
  db.run(
    "insert into bindings (id, task_id, worker_id, state, created_at) select 'binding-1', id, 'worker-1', 'active', '2026-01-01T00:00:00Z' from tasks",
  );
  expect(await w.ok("transcript-capture t1 --role worker --json")).toMatchObject({
    captures: [{ binding_id: "binding-1", worker: { id: "worker-1", tmux_pane_id: pane } }],
  });
  expect(w.rows("select worker_id from terminal_captures")).toEqual([{ worker_id: "worker-1" }]);
  db.run("update workers set identity_token = 'other', tmux_pane_id = '%77'");
  const refused = await w.run("transcript-capture t1 --role worker");
  for (const word of ["identity_token_mismatch", "config_pane_mismatch", "tmux_pane_mismatch"]) expect(refused.stderr).toContain(word);
  tmux(w, "kill-session", "-t", "=codex-old1");
  await w.file("state/old1/config.json", JSON.stringify({ name: "old1", tmux_session: "codex-else" }));
  const gone = await w.run("transcript-capture t1 --role worker");
  for (const word of ["config_identity_token_missing", "tmux_session_mismatch", "tmux_session_missing"])
    expect(gone.stderr).toContain(word);
});
