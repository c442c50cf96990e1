/** The browser's own notices: only when a person has turned them on, each thing once, from whatever page. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { until, World } from "../harness.ts";
import { openTab, startBrowser } from "./browser.ts";
import { Site } from "./site.ts";
import { Stage } from "./stage.ts";

const w = new World();
w.realTime = true;
const stage = new Stage(w);
let browser: Browser;
let site: Site;

beforeAll(async () => {
  browser = await startBrowser();
  await stage.pair("first", "One goal");
  await stage.pair("second", "Another goal");
  await w.ok(["enqueue-nudge-worker", "first", "--message", "nobody carries this"]);
  site = await Site.open(w);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
  w.close();
});

/** Notes what is shown, and shows it. */
const NOTE = `window.shown = []; const Real = Notification;
  window.Notification = class extends Real { constructor(title, options) { super(title, options); window.shown.push([title, options.tag]); } };`;
const shown = (page: Page): Promise<[string, string][]> => page.evaluate("window.shown");

test("are off until they are turned on; then what comes is told once, what was there is not", async () => {
  const { page, context, complaints } = await openTab(browser, site.dashboard.url);
  await context.grantPermissions(["notifications"], { origin: new URL(site.dashboard.url).origin });
  await page.addInitScript(NOTE);
  // The address with the key leads on to the one without.
  await page.waitForSelector(".cards");
  await page.reload();
  await page.getByRole("link", { name: "first", exact: true }).last().click();
  await page.waitForSelector(".task-head");
  const turn = page.getByRole("button", { name: "Notices" });
  expect([await turn.getAttribute("aria-pressed"), await shown(page)]).toEqual(["false", []]);
  await turn.click();
  await page.getByRole("button", { name: "Notices on" }).waitFor();
  await page.waitForFunction(() => localStorage.getItem("conveyor-told")?.trim());
  // It is about another task than the page.
  await w.ok(["enqueue-nudge-worker", "second", "--message", "nor this"]);
  const [[title]] = (await until("a notice", async () => {
    const all = await shown(page);
    return all.length > 0 && all;
  })) as [[string, string]];
  expect(title).toContain("second");
  await page.reload();
  await page.getByRole("button", { name: "Notices on" }).waitFor();
  const other = await context.newPage();
  await other.addInitScript(NOTE);
  await other.goto(page.url());
  await other.getByRole("button", { name: "Notices on" }).waitFor();
  await stage.pair("third", "A third goal");
  await w.ok(["enqueue-nudge-worker", "third", "--message", "nor this one"]);
  await until("it at one of the two", async () => (await shown(page)).length + (await shown(other)).length > 0);
  const titles = [...(await shown(page)), ...(await shown(other))].map(([each]) => each);
  expect(titles.every((each) => each.includes("third"))).toBe(true);
  await page.getByRole("button", { name: "Notices on" }).click();
  expect(await page.getByRole("button", { name: "Notices off" }).getAttribute("aria-pressed")).toBe("false");
  expect(complaints).toEqual([]);
  await context.close();
}, 60_000);
