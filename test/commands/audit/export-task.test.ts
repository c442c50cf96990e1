/** `export-task` and `verify`: what is written, that it repeats to the byte, and that nothing can be changed unseen. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { addEvent } from "../../../src/store/record/events.ts";
import { World } from "../../harness.ts";

let w: World;
let taskId: string;
let out: string;
beforeEach(async () => {
  w = new World();
  taskId = (await w.ok("tasks --create job --goal g")).id;
  await w.ok("criteria job --add --criterion A --source user_requested");
  await w.ok("runs --create job --name r");
  out = join(w.dir, "out");
});
afterEach(() => w.close());

const read = (name: string, dir = out) => readFileSync(join(dir, name), "utf8");
const json = (name: string, dir = out) => JSON.parse(read(name, dir));
const tree = (dir: string) =>
  Object.fromEntries(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [
        join(entry.parentPath, entry.name).slice(dir.length + 1),
        readFileSync(join(entry.parentPath, entry.name)).toString("base64"),
      ]),
  );
const exported = (more = "") => w.ok(`export-task job --output ${out} ${more}`);
const verified = async (path = out, more = "") => (await w.run(`verify ${path} --json ${more}`)).json();

describe("what is written", () => {
  test("the manifest names every file with size and digest, and the end of the chain", async () => {
    const { manifest, archive, export_dir } = await exported();
    expect({ archive, export_dir }).toEqual({ archive: null, export_dir: out });
    expect(json("manifest.json")).toEqual(manifest);
    expect(Object.keys(tree(out)).sort()).toEqual([...manifest.files, "manifest.json"].sort());
    for (const name of manifest.files) {
      expect(new Bun.CryptoHasher("sha256").update(read(name)).digest("hex")).toBe(manifest.sha256[name]);
      expect(Buffer.byteLength(read(name))).toBe(manifest.bytes[name]);
    }
    expect(manifest.chain).toEqual({ head: (await w.run("audit job --verify --json")).json().head, links: 5 });
    expect(manifest.telemetry_events).toEqual({ listed: 2, total: 2 });
  });

  test("the same state gives the same bytes, in the directory and in the archive", async () => {
    await exported("--zip --include-full-transcripts");
    const [first, zip] = [tree(out), readFileSync(`${out}.zip`)];
    await exported("--zip --include-full-transcripts");
    expect(tree(out)).toEqual(first);
    expect(readFileSync(`${out}.zip`).equals(zip)).toBe(true);
    await w.ok("criteria job --accept 1");
    await exported("--zip");
    expect(readFileSync(`${out}.zip`).equals(zip)).toBe(false);
  });

  test("the archive holds exactly what the manifest lists, and other files of the directory stay out of it", async () => {
    mkdirSync(out);
    writeFileSync(join(out, "mine.txt"), "mine");
    const { manifest } = await exported("--zip");
    expect(read("mine.txt")).toBe("mine");
    const members = unzipSync(readFileSync(`${out}.zip`));
    expect(Object.keys(members).sort()).toEqual([...manifest.files, "manifest.json"].sort());
    for (const [name, bytes] of Object.entries(members)) expect(Buffer.from(bytes).toString("utf8")).toBe(read(name));
    expect((await verified()).unlisted).toEqual(["mine.txt"]);
  });

  test("secrets are masked unless asked for", async () => {
    const secret = `sk-proj-${"aB3".repeat(12)}`;
    addEvent(w.store(), { type: "x", taskId, payload: { message: `use ${secret}`, identity_token: "plain-looking" } });
    await exported();
    expect(read("audit.json")).not.toContain(secret);
    expect(read("audit.json")).not.toContain("plain-looking");
    expect(json("manifest.json").masked_secrets).toBe(2);
    expect(await verified()).toMatchObject({ ok: true, rows_masked: 1 });
    await exported("--include-secrets");
    expect(read("audit.json")).toContain(secret);
    expect(await verified()).toMatchObject({ ok: true, rows_masked: 0 });
  });

  test("more telemetry than is listed is told", async () => {
    w.store().db.run(`with recursive n(i) as (select 1 union all select i + 1 from n where i < 10001)
      insert into telemetry_events select 'many-' || i, null, '${taskId}', strftime('%Y-%m-%dT%H:%M:%fZ', 1770000000 + i, 'unixepoch'), 'system', 'many', 'info', 's', '{}', '{}' from n`);
    const { manifest } = await exported();
    expect(manifest.telemetry_events).toEqual({ listed: 10_000, total: 10_003 });
    expect(json("telemetry-events.json")).toHaveLength(10_000);
    expect(json("telemetry-summary.json").total).toBe(10_003);
    expect(read("telemetry-report.md")).toContain("Only the oldest 10000 of 10003");
    expect(await verified()).toMatchObject({ ok: true, rows_unsealed: 9_998 });
    expect((await exported("--all-telemetry")).manifest.telemetry_events.listed).toBe(10_003);
  });

  test("an id that would lead out of the state root stays in it", async () => {
    w.store()
      .db.query("insert into tasks values ('../../evil', 'evil', 'g', null, 'candidate', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')")
      .run();
    const { export_dir } = await w.ok("export-task evil");
    expect(export_dir).toBe(join(w.stateRoot, "artifacts", "tasks", "%2E%2E%2F%2E%2E%2Fevil", "export"));
  });

  test("a directory that cannot be is refused and leaves nothing", async () => {
    writeFileSync(out, "a file");
    const refused = await w.run(`export-task job --output ${out}/below`);
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain(out);
    expect(read("../out")).toBe("a file");
  });
});

describe("verifying an export", () => {
  test("a changed, missing or added file is named", async () => {
    await exported("--zip");
    expect(await verified()).toMatchObject({ ok: true, files: 20, rows_checked: 5, rows_unsealed: 0 });
    expect(await verified(`${out}.zip`)).toMatchObject({ ok: true, kind: "archive", rows_checked: 5 });
    const copy = join(w.dir, "copy");
    const tampered = async (change: () => void) => {
      rmSync(copy, { recursive: true, force: true });
      cpSync(out, copy, { recursive: true });
      change();
      const done = await w.run(`verify ${copy}`);
      expect(done.exit).toBe(1);
      return done.stdout;
    };
    expect(await tampered(() => writeFileSync(join(copy, "commands.json"), "[]\n\n"))).toContain("changed: commands.json");
    expect(await tampered(() => rmSync(join(copy, "replay.json")))).toContain("missing: replay.json");
    expect(
      await tampered(() => writeFileSync(join(copy, "manifest.json"), read("manifest.json").replace('"name": "job"', '"name": "bob"'))),
    ).toContain("manifest: ");
    expect(
      await tampered(() => {
        rmSync(join(copy, "prompts.json"));
        symlinkSync("/etc/passwd", join(copy, "prompts.json"));
      }),
    ).toContain("missing: prompts.json");
  });

  test("a row is named even when file and manifest were made to fit", async () => {
    await exported();
    const forged = read("audit.json").replace('"goal": "g"', '"goal": "h"');
    writeFileSync(join(out, "audit.json"), forged);
    const { digest: _, ...manifest } = json("manifest.json");
    manifest.sha256["audit.json"] = new Bun.CryptoHasher("sha256").update(forged).digest("hex");
    const { compactJson } = await import("../../../src/core/json.ts");
    writeFileSync(
      join(out, "manifest.json"),
      JSON.stringify({ ...manifest, digest: new Bun.CryptoHasher("sha256").update(compactJson(manifest)).digest("hex") }),
    );
    const report = await verified();
    expect(report.problems).toEqual([{ kind: "changed", file: "audit.json", id: 1, message: "events 1 is not what was sealed" }]);
  });

  test("the manifest says what its digest is about and nothing else, once", async () => {
    await w.ok('tasks --create "\u00e4 \u2028 \\ odd" --goal g');
    for (const name of ["job", "\u00e4 \u2028 \\ odd"]) {
      await w.ok(["export-task", name, "--output", out]);
      expect(await verified()).toMatchObject({ ok: true, task: { name } });
    }
    const whole = read("manifest.json");
    const told = async (text: string | Uint8Array) => {
      writeFileSync(join(out, "manifest.json"), text);
      return w.run(`verify ${out}`);
    };
    expect((await told(JSON.stringify(JSON.parse(whole)))).exit).toBe(0);
    for (const [member, added] of [
      ['"chain": {', '"by": "mallory",'],
      ['"task": {', '"owner": "mallory",'],
      ['"telemetry_events": {', '"seen": 1,'],
      ["{", '"approved": true,'],
      ["{", '"files": [],'],
      ['"task": {', '"name": "another",'],
      ['"bytes": {', '"__proto__": 1,'],
      ['"bytes": {', '"audit.json": 1,'],
    ] as const) {
      const done = await told(whole.replace(member, () => member + added));
      expect(done).toMatchObject({ exit: 1 });
      // What makes it no manifest at all is refused, anything else is a finding.
      expect(done.stdout + done.stderr).toMatch(/manifest: manifest.json is not what was written|cannot be read/);
    }
    expect((await told(whole.replace(/"links": (\d+)/, '"links": $1.0'))).stdout).toContain("manifest: ");
    for (const bytes of [
      Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), Buffer.from(whole)]),
      Buffer.from(whole.replace("odd", "\u00ff"), "latin1"),
    ])
      expect((await told(bytes)).stderr).toContain("cannot be read");
  });

  test("a manifest of our form only: names that lead to one place each, digests and counts that can be", async () => {
    const { manifest } = await exported();
    const told = async (change: object) => {
      writeFileSync(join(out, "manifest.json"), JSON.stringify({ ...manifest, ...change }));
      return w.run(`verify ${out}`);
    };
    const listing = (...names: string[]) => ({
      files: [...manifest.files, ...names],
      bytes: { ...manifest.bytes, ...Object.fromEntries(names.map((name) => [name, 3])) },
      sha256: { ...manifest.sha256, ...Object.fromEntries(names.map((name) => [name, "0".repeat(64)])) },
    });
    for (const change of [
      ...["Audit.json", "audit.json", "audit.json/x", "manifest.json", "MANIFEST.json", "/x", "../x", "a\\b", "C:x", "x\0", "x.", ".x"].map(
        (n) => listing(n),
      ),
      { bytes: listing("more").bytes },
      { sha256: listing("more").sha256 },
      { sha256: { ...manifest.sha256, "audit.json": "nothing" } },
      { bytes: { ...manifest.bytes, "audit.json": -1 } },
      { bytes: { ...manifest.bytes, "audit.json": 0.5 } },
      { chain: { ...manifest.chain, head: "" } },
    ]) {
      const done = await told(change);
      expect(done).toMatchObject({ exit: 1, stdout: "" });
      expect(done.stderr).toContain("cannot be read");
    }
    expect((await told(listing("more.json"))).stdout).toContain("missing: more.json");
  });

  test("what a sealed file says twice, or says more, is found even when the manifest was made to fit", async () => {
    await exported();
    const audit = read("audit.json");
    const { digest: _, ...manifest } = json("manifest.json");
    const { compactJson } = await import("../../../src/core/json.ts");
    const told = async (forged: string) => {
      expect(forged).not.toBe(audit);
      writeFileSync(join(out, "audit.json"), forged);
      const sha = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");
      const fitting = {
        ...manifest,
        bytes: { ...manifest.bytes, "audit.json": Buffer.byteLength(forged) },
        sha256: { ...manifest.sha256, "audit.json": sha(forged) },
      };
      writeFileSync(join(out, "manifest.json"), JSON.stringify({ ...fitting, digest: sha(compactJson(fitting)) }));
      return w.run(`verify ${out}`);
    };
    const events = '"events": [';
    for (const forged of [
      audit.replace(/\n}\n$/, ',\n  "events": []\n}\n'),
      audit.replace(/\n}\n$/, ',\n  "task": {}, "events": []\n}\n'),
      audit.replace(events, `"\\u0065vents": [],\n  ${events}`),
      audit.replace('"goal": "g"', '"goal": "h",\n        "goal": "g"'),
      audit.replace('"goal": "g"', '"goal": "h", "goal": "g"'),
    ])
      expect(await told(forged)).toMatchObject({
        exit: 1,
        stdout: "",
        stderr: expect.stringContaining("not written as export-task writes it"),
      });
    const more = audit.replace('      "id": 1,\n      "manager_id"', '      "forged": true,\n      "id": 1,\n      "manager_id"');
    expect((await told(more)).stdout).toContain("events 1 is not what was sealed");
    expect((await told(audit.replace('      "manager_id": null,\n', ""))).stdout).toContain("is not what was sealed");
  });

  test("a noted end of the chain must be part of it", async () => {
    const { head } = (await w.run("audit job --verify --json")).json();
    await w.ok("criteria job --accept 1");
    await exported();
    expect(await verified(out, `--head ${head}`)).toMatchObject({ ok: true });
    expect(await verified(out, `--head ${"0".repeat(64)}`)).toMatchObject({ ok: false, problems: [{ kind: "chain" }] });
  });

  test("a row that was changed in the database before the export is named", async () => {
    w.store().db.run("update telemetry_events set summary = 'nothing happened' where event_type = 'run_started'");
    await exported();
    expect(await verified()).toMatchObject({ ok: false, problem_count: 1, problems: [{ kind: "chain" }] });
  });

  test("what is no export is refused in words", async () => {
    for (const [path, content] of [
      ["none", null],
      ["text", "hello"],
      ["zip", "PK\u0005\u0006"],
    ] as const) {
      if (content !== null) await w.file(path, content);
      const refused = await w.run(`verify ${join(w.dir, path)}`);
      expect(refused).toMatchObject({ exit: 1, stdout: "" });
      expect(refused.stderr).toContain(path);
    }
    mkdirSync(out);
    writeFileSync(
      join(out, "manifest.json"),
      JSON.stringify({ created_at: "x", files: ["../../etc/passwd"], task: { id: "a", name: "b" } }),
    );
    expect((await w.run(`verify ${out}`)).exit).toBe(1);
  });

  test("a damaged archive is found out, wherever it is damaged", async () => {
    await exported("--zip");
    const whole = readFileSync(`${out}.zip`);
    for (let at = 7; at < whole.length; at += Math.ceil(whole.length / 60)) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 0x55;
      writeFileSync(`${out}.bad.zip`, bytes);
      const done = await w.run(`verify ${out}.bad.zip --json`);
      expect([0, 1]).toContain(done.exit);
      if (done.exit === 0) expect(done.json()).toMatchObject({ ok: true, rows_checked: 5 });
    }
    expect(existsSync(w.dbPath)).toBe(true);
  });
});
