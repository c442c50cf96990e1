/** The folder of a worker, in which the worker itself may write. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compatFolders } from "../../src/system/compat-folders.ts";
import { appendCompatEvent, readCompatJson, stageCompatJson, workerFolder } from "../../src/system/compat-worker.ts";

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), "compat-"))));
afterEach(() => rmSync(root, { recursive: true }));

test("events are appended, and only the owner may read them", () => {
  for (const type of ["create", "stop"]) appendCompatEvent(root, "w1", { time: "2026-01-01T00:00:00.000Z", type });
  const path = join(root, "w1", "events.jsonl");
  expect(
    readFileSync(path, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).type),
  ).toEqual(["create", "stop"]);
  expect([join(root, "w1"), path].map((each) => (statSync(each).mode & 0o777).toString(8))).toEqual(["700", "600"]);
});

test("links that a worker put in the place of its files lead nowhere", () => {
  const victim = join(root, "victim");
  writeFileSync(victim, "kept");
  mkdirSync(join(root, "w1"));
  for (const name of ["events.jsonl", "status.json"]) symlinkSync(victim, join(root, "w1", name));
  expect(() => appendCompatEvent(root, "w1", { time: "t", type: "$(id)" })).toThrow("could not be written");
  stageCompatJson(root, "w1", "status.json", { state: "idle" }).place();
  expect(readFileSync(victim, "utf8")).toBe("kept");
  expect(JSON.parse(readFileSync(join(root, "w1", "status.json"), "utf8"))).toEqual({ state: "idle" });
});

test("a pipe is not waited for, and a link is not read", () => {
  mkdirSync(join(root, "w1"));
  writeFileSync(join(root, "secret.json"), "{}");
  symlinkSync(join(root, "secret.json"), join(root, "w1", "status.json"));
  Bun.spawnSync(["mkfifo", join(root, "w1", "config.json")]);
  expect(() => readCompatJson(root, "w1", "config.json")).toThrow("not a plain file");
  expect(() => compatFolders(root)).toThrow("not a plain file");
  expect(() => readCompatJson(root, "w1", "status.json")).toThrow("cannot be read");
  expect(readCompatJson(root, "w1", "capture-meta.json")).toBeNull();
});

test("no name leads out of the root", () => {
  for (const name of ["..", ".", "../x", "/etc", "a/b", "", ".git", "x\0y", "%2e%2e"]) {
    const below = workerFolder(root, name).slice(root.length + 1);
    expect([name, /^[^/]+$/.test(below) && !below.startsWith(".")]).toEqual([name, true]);
  }
});
