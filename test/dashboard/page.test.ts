/** The page in a real browser: what it shows, keys, screen readers, hostile texts, and that it stays up to date. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import { until, World } from "../harness.ts";
import { closeTabs, openTab, picture, startBrowser, type Tab, violations } from "./browser.ts";
import { Site } from "./site.ts";
import { Stage, type StagedSession } from "./stage.ts";

const HOSTILE = `<img src=x onerror="window.owned=1"><script>window.owned=2</script>`;

const w = new World();
w.realTime = true;
const stage = new Stage(w);
let browser: Browser;
let site: Site;
let worker: StagedSession;

beforeAll(async () => {
  browser = await startBrowser();
  worker = (await stage.pair("login-fix", "Users can log in again after a restart of the server")).worker;
  stage.turn(worker, "t1", `I have found the cause. ${HOSTILE}`, 12_000);
  await w.ok(`ingest ${worker.name}`);
  await w.ok([
    "criteria",
    "login-fix",
    "--add",
    "--criterion",
    "Sessions survive a restart",
    "--source",
    "user_requested",
    "--status",
    "accepted",
  ]);
  await w.ok(["criteria", "login-fix", "--add", "--criterion", "The cookie is renewed", "--source", "worker_proposed"]);
  await w.ok(["enqueue-nudge-worker", "login-fix", "--message", "Please check the cookie too."]);
  await w.ok("dispatch --once");
  await w.ok("cycle login-fix");
  await w.ok(["record-decision", "login-fix", "nudge", "--reason", "the cookie needs a test"]);
  await w.ok(["manager-config", "login-fix", "--objective", "Ship the fix", "--permit", "repo.open_pr"]);
  await w.ok(["handoff", "login-fix", "--summary", "Cause found", "--next-step", "Write a test"]);
  await w.ok("loop-templates --create-run login-fix --template compact_then_continue --name polish");
  await w.ok(["tasks", "--create", HOSTILE, "--goal", HOSTILE]);
  site = await Site.open(w);
});
afterEach(() => closeTabs(browser));
afterAll(async () => {
  await browser?.close();
  await site?.close();
  w.close();
});

const opened = async (options: { dark?: boolean; width?: number } = {}): Promise<Tab> => {
  const tab = await openTab(browser, site.dashboard.url, options);
  await tab.page.waitForSelector(".cards");
  return tab;
};
const openTask = async (tab: Tab, name = "login-fix"): Promise<void> => {
  await tab.page.getByRole("link", { name, exact: true }).last().click();
  await tab.page.waitForSelector(".task-head");
};

describe("the overview", () => {
  test("shows every task with its pair, last message, criteria and what waits", async () => {
    const tab = await opened();
    const card = tab.page.locator(".card", { hasText: "login-fix" }).first();
    expect(await card.innerText()).toMatch(/login-fix-worker\s+idle[\s\S]*login-fix-manager[\s\S]*0 of 1/);
    expect(await tab.page.getByRole("region", { name: /Waiting for you/ }).innerText()).toContain(
      "1 criterion is proposed and not yet judged",
    );
    expect(await tab.page.getByRole("region", { name: "Dispatch" }).innerText()).toContain("Start Dispatch");
    await picture(tab.page, "overview-light");
    expect(tab.complaints).toEqual([]);
  });

  test("takes up what others commit, without being reloaded", async () => {
    const tab = await opened();
    await w.ok(["tasks", "--create", "from-outside", "--goal", "It shows up by itself"]);
    await tab.page.getByRole("link", { name: "from-outside" }).waitFor();
  });

  test("has no key in its address, and the address that brought it here is no step to go back to", async () => {
    const tab = await opened();
    expect(tab.page.url()).toBe(site.home);
    expect(await tab.page.evaluate("document.cookie")).toBe("");
  });
});

describe("a task", () => {
  test("says of both sides which agent with which model it is, and how it is spoken to", async () => {
    w.store()
      .db.query("update session_agents set model = 'some-model' where session_id = (select id from sessions where name = ?)")
      .run("login-fix-worker");
    const tab = await opened();
    await openTask(tab);
    const about = async (name: string) => tab.page.getByRole("article", { name }).locator(".where").innerText();
    expect(await about("login-fix-worker")).toEndWith(" · codex some-model · registered");
    expect(await about("login-fix-manager")).toEndWith(" · codex · registered");
  });

  test("shows timeline, criteria, chains, inboxes, tokens and agreements", async () => {
    const tab = await opened();
    await openTask(tab);
    const panel = tab.page.getByRole("tabpanel");
    expect(await panel.innerText()).toMatch(/The manager decided[\s\S]*finished a turn after 42 s/);
    const expected: [string, RegExp][] = [
      ["Criteria", /The cookie is renewed[\s\S]*proposed[\s\S]*Sessions survive a restart[\s\S]*accepted/],
      ["Messages", /nudge worker[\s\S]*Command[\s\S]*succeeded[\s\S]*Attempt 1[\s\S]*Delivery[\s\S]*Proof/],
      ["Inboxes", /login-fix-manager[\s\S]*Taken[\s\S]*by cycle/],
      ["Loops", /polish[\s\S]*iteration 1/],
      ["Tokens", /login-fix-worker[\s\S]*12,000/],
      ["Agreements", /Ship the fix[\s\S]*repo\.open_pr[\s\S]*Cause found/],
    ];
    for (const [name, text] of expected) {
      await tab.page.getByRole("tab", { name }).click();
      await until(name, async () => text.test(await panel.innerText()));
    }
    expect(tab.complaints).toEqual([]);
  });

  test("is found by name in the address, and an unknown one is said to be so", async () => {
    const tab = await openTab(browser, `${site.dashboard.url}&task=login-fix`);
    await tab.page.getByRole("heading", { name: /login-fix/, level: 1 }).waitFor();
    await tab.page.goto(`${site.home}?task=nothing-of-the-kind`);
    await tab.page.getByText("There is no such task.").waitFor();
  });

  test("a turn is shown as it begins and ends", async () => {
    const tab = await opened();
    await openTask(tab);
    stage.say(worker, { type: "task_started", turn_id: "live" });
    await tab.page.locator(".side", { hasText: worker.name }).getByText("working").waitFor();
    stage.say(worker, { type: "task_complete", turn_id: "live", last_agent_message: "Done with the live turn." });
    await tab.page.getByText("Done with the live turn.").first().waitFor();
  });
});

describe("texts of others", () => {
  test("stay text, wherever they are shown", async () => {
    const tab = await opened();
    expect(await tab.page.locator(".card", { hasText: "<img" }).first().innerText()).toContain(HOSTILE);
    await openTask(tab);
    expect(await tab.page.getByRole("tabpanel").innerText()).toContain("<script>window.owned=2</script>");
    await tab.page.goto(`${site.home}?task=${encodeURIComponent(HOSTILE)}`);
    await tab.page.waitForSelector(".task-head");
    expect(await tab.page.title()).toContain("<img");
    expect(await tab.page.locator("img").count()).toBe(0);
    expect(await tab.page.evaluate("window.owned ?? null")).toBeNull();
  });
});

describe("for people", () => {
  for (const options of [{}, { dark: true }, { width: 390 }, { dark: true, width: 390 }]) {
    const where = `${options.dark ? "dark" : "light"}, ${options.width ? "narrow" : "wide"}`;
    test(`axe finds nothing: ${where}, every tab and dialog`, async () => {
      const tab = await opened(options);
      expect([where, await violations(tab.page)]).toEqual([where, []]);
      await openTask(tab);
      await tab.page.waitForSelector(".terminal.watching");
      await picture(tab.page, `task${options.dark ? "-dark" : "-light"}${options.width ? "-narrow" : ""}`);
      for (const each of await tab.page.getByRole("tab").all()) {
        await each.click();
        expect([where, await each.innerText(), await violations(tab.page)]).toEqual([where, await each.innerText(), []]);
      }
      for (const name of ["Message worker", "Decide", "Finish", "Unbind", "Give up"]) {
        await tab.page.getByRole("button", { name }).first().click();
        await tab.page.waitForSelector("dialog[open] fieldset[aria-busy=false], dialog[open] form:not(:has(fieldset))");
        expect([where, name, await violations(tab.page)]).toEqual([where, name, []]);
        if (name === "Finish" && !options.width) await picture(tab.page, `finish${options.dark ? "-dark" : "-light"}`);
        await tab.page.keyboard.press("Escape");
        await tab.page.waitForSelector("dialog", { state: "detached" });
      }
      expect(tab.complaints).toEqual([]);
      await closeTabs(browser);
    });
  }

  test("nothing is wider than a narrow screen", async () => {
    const tab = await opened({ width: 360 });
    const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    expect(await tab.page.evaluate(overflow)).toBeLessThanOrEqual(0);
    await openTask(tab);
    await tab.page.waitForSelector(".terminal.watching");
    expect(await tab.page.evaluate(overflow)).toBeLessThanOrEqual(0);
  });

  test("works by keys alone", async () => {
    const tab = await opened();
    const { keyboard } = tab.page;
    await keyboard.press("?");
    await tab.page.getByRole("dialog", { name: "Keys" }).waitFor();
    await keyboard.press("Escape");
    await tab.page.waitForSelector("dialog", { state: "detached" });
    await keyboard.press("n");
    await keyboard.type("by-keys");
    await keyboard.press("Tab");
    await keyboard.type("Made without a mouse");
    await keyboard.press("Tab");
    await keyboard.press("Tab");
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    await tab.page.getByRole("heading", { name: /by-keys/, level: 1 }).waitFor();
    await keyboard.press("o");
    await tab.page.waitForSelector(".cards");
    await keyboard.press("j");
    await keyboard.press("j");
    await keyboard.press("Enter");
    await tab.page.waitForSelector(".task-head");
    await tab.page.getByRole("tab", { selected: true }).focus();
    await keyboard.press("Home");
    await keyboard.press("ArrowRight");
    expect(await tab.page.getByRole("tab", { selected: true }).innerText()).toContain("Criteria");
  });

  test("says the next command where nothing is yet", async () => {
    const empty = new World();
    const other = await Site.open(empty);
    const tab = await openTab(browser, other.dashboard.url);
    try {
      await tab.page.getByText("conveyor demo", { exact: true }).waitFor();
      await picture(tab.page, "empty");
      expect(await violations(tab.page)).toEqual([]);
    } finally {
      await other.close();
      empty.close();
    }
  });

  test("says so when the dashboard has ended", async () => {
    const own = new World();
    const first = await Site.open(own);
    const tab = await openTab(browser, first.dashboard.url);
    await tab.page.getByText("Live", { exact: true }).waitFor();
    await first.close();
    await tab.page.getByText("Reconnecting").waitFor();
    own.close();
  });
});
