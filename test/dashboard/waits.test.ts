/** What waits for a person on the page is what `attention` tells, under the same ids; with the whole command, drawn as text. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import type { Item } from "../../src/core/attention/item.ts";
import { FIXTURES, until, World } from "../harness.ts";
import { closeTabs, openTab, picture, startBrowser, violations } from "./browser.ts";
import { Site } from "./site.ts";
import { Stage } from "./stage.ts";

const APPROVAL = readFileSync(join(FIXTURES, "codex-0.169.0", "screens", "approval-prompt.ansi"), "utf8");
/** As Codex asked before 0.169, in few rows. */
const TRUST =
  "  Do you trust the contents of this directory? Working with untrusted contents comes with risk.\n\n" +
  "› 1. Yes, continue\n  2. No, quit\n\n  Press enter to continue\n";
const HOSTILE = `rm -rf /\n<img src=x onerror="window.owned=1">\u202e`;

const w = new World();
w.realTime = true;
const stage = new Stage(w);
let browser: Browser;
let site: Site;

beforeAll(async () => {
  browser = await startBrowser();
  await w.ok(["tasks", "--create", "login-fix", "--goal", "It works"]);
  const worker = await stage.session("worker", "login-worker", APPROVAL);
  await stage.session("manager", "login-manager");
  await stage.session("worker", "alone", TRUST);
  // What this one asks cannot be put on record: nobody knows in which conversation it is asked.
  await stage.session("worker", "nameless", APPROVAL);
  w.rows("update sessions set codex_session_id = null, codex_session_path = null where name = 'nameless'");
  await w.ok("bind --task login-fix --worker login-worker --manager login-manager");
  await w.ok(["enqueue-nudge-worker", "login-fix", "--message", "go on"]);
  stage.turn(worker, "t1", "done", 100);
  w.rows(
    `insert into agent_asks (id, session_id, request_id, thread_id, kind, question, command, choices_json, takes_text, asked_at)
     select 'ask-hostile', id, '1', 'thread', 'command', 'may I?', ?, '[{"word":"no","label":"no"}]', 0, '2026-01-01T00:00:00.000Z'
     from sessions where name = 'login-manager'`,
    HOSTILE,
  );
  w.rows("insert into session_sockets (session_id, socket) select id, '/nowhere' from sessions where name = 'login-manager'");
  site = await Site.open(w);
}, 60_000);
afterEach(() => closeTabs(browser));
afterAll(async () => {
  await browser?.close();
  await site?.close();
  w.close();
});

test("the same things as the command, in the same order", async () => {
  const stream = await site.live("overview");
  const parts = new Map<string, any>();
  const shown = (): Item[] =>
    [...parts].flatMap(([name, part]) => (name === "freeWaits" ? part : name.startsWith("task/") ? part.waits : []));
  const names = (items: readonly Item[]) => items.map(({ id, kind }) => `${kind} ${id}`).toSorted();
  try {
    const { items } = await w.ok<{ items: Item[] }>("attention --json");
    expect(items.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["question", "trust", "no_dispatch"]));
    await until("the same on the page", async () => {
      const { data } = await stream.next();
      for (const [name, part] of Object.entries(data.set)) parts.set(name, part);
      return JSON.stringify(names(shown())) === JSON.stringify(names(items));
    });
  } finally {
    await stream.close();
  }
}, 60_000);

test("a question stands there with its whole command and the commands that answer it; nothing of it is obeyed", async () => {
  const tab = await openTab(browser, site.dashboard.url, {});
  await tab.page.waitForSelector(".waits");
  const region = tab.page.getByRole("region", { name: /Waiting for you/ });
  await region.getByText("no Dispatch is running").waitFor();
  const nameless = region.locator(".wait", { hasText: "nameless asks" });
  expect(await nameless.locator("pre.whole").innerText()).toBe("touch /home/dev/approved");
  await picture(tab.page, "waits-overview");
  await tab.page.getByRole("link", { name: "login-fix", exact: true }).last().click();
  await tab.page.waitForSelector(".task-head");
  const question = tab.page.locator(".wait", { hasText: "login-manager asks" });
  expect(await question.locator("pre.whole").innerText()).toContain("rm -rf /\n<img src=x");
  expect(await question.locator(".command code").allInnerTexts()).toEqual([
    "conveyor answer ask-hostile no",
    "conveyor open-manager login-fix",
  ]);
  expect(await tab.page.evaluate("window.owned")).toBeUndefined();
  await picture(tab.page, "waits-task");
  expect(await violations(tab.page)).toEqual([]);
  expect(tab.complaints).toEqual([]);
}, 60_000);
