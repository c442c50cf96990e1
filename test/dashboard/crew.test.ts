/** The page groups the tasks of a manager that leads several, binds it to more, and gives one up without ending it. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import { until, World } from "../harness.ts";
import { closeTabs, openTab, picture, startBrowser, type Tab, violations } from "./browser.ts";
import { Site } from "./site.ts";
import { Stage } from "./stage.ts";

const w = new World();
w.realTime = true;
const stage = new Stage(w);
let browser: Browser;
let site: Site;

const task = async (name: string, goal: string) => {
  await w.ok(["tasks", "--create", name, "--goal", goal]);
  return stage.session("worker", `${name}-worker`);
};

beforeAll(async () => {
  browser = await startBrowser();
  await stage.pair("alone", "Somebody else's work");
  await stage.session("manager", "lead");
  for (const [name, goal] of [
    ["api", "The API answers"],
    ["docs", "The docs are true"],
  ] as const) {
    const worker = await task(name, goal);
    await w.ok(["bind", "--task", name, "--worker", worker.name, "--manager", "lead", "--crew"]);
    stage.turn(worker, `turn-${name}`, `${name} is done`, 4000);
    await w.ok(`ingest ${worker.name}`);
  }
  await task("later", "Nobody is bound to it yet");
  site = await Site.open(w);
});
afterEach(() => closeTabs(browser));
afterAll(async () => {
  await browser?.close();
  await site?.close();
  w.close();
});

const opened = async (width = 1440): Promise<Tab> => {
  const tab = await openTab(browser, site.dashboard.url, { width });
  await tab.page.waitForSelector(".crew");
  return tab;
};

test("the tasks of one manager stand together below its name; a pair stands for itself", async () => {
  const { page, complaints } = await opened();
  const crew = page.locator(".crew");
  expect(await crew.count()).toBe(1);
  expect(await crew.locator(".leader").innerText()).toMatch(/^lead\s+leads 2 tasks/);
  expect((await crew.locator("h3 a").allInnerTexts()).toSorted()).toEqual(["api", "docs"]);
  // Above them, and not again in each.
  expect(await crew.locator(".who").first().innerText()).not.toContain("Manager");
  expect(await page.locator(".cards > .card h3 a").allInnerTexts()).toContain("alone");
  expect(await violations(page)).toEqual([]);
  await picture(page, "crew");
  expect(complaints).toEqual([]);
  const narrow = await opened(420);
  await picture(narrow.page, "crew-narrow");
  expect(await narrow.page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
});

test("a third worker is given to it on the page, and refused unless that is said; then one task is given up, and it goes on", async () => {
  const { page } = await opened();
  await page.getByRole("link", { name: "later", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Bind free sessions" }).click();
  await dialog.getByLabel("Manager", { exact: true }).selectOption("lead");
  await dialog.getByRole("button", { name: "Bind", exact: true }).click();
  await dialog.getByText("already bound").waitFor();
  await dialog.getByLabel("The manager may lead others, and leads this worker too").check();
  await dialog.getByRole("button", { name: "Bind", exact: true }).click();
  await page.getByText("Also leads").waitFor();
  expect(await page.getByText("Also leads").innerText()).toMatch(/api, docs|docs, api/);
  await picture(page, "crew-task");
  expect((await w.ok("crew lead")).map((row: { task: string }) => row.task)).toEqual(["api", "docs", "later"]);
  await page.getByRole("button", { name: "Give up" }).click();
  expect(await dialog.innerText()).not.toContain("the manager, is ended");
  await dialog.getByRole("button", { name: "Give up" }).click();
  await until("the end of the task", () => w.rows("select 1 from tasks where name = 'later' and state = 'done'").length === 1);
  expect((await w.ok("crew lead")).map((row: { task: string }) => row.task)).toEqual(["api", "docs"]);
  expect(w.rows("select state from sessions where name = 'lead'")).toEqual([{ state: "active" }]);
});
