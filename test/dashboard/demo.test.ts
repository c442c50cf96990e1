/** A real pair, real Codex with scripts for models, started, watched and seen to its end through the page alone. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import type { Context } from "../../src/context.ts";
import { childContext } from "../child-context.ts";
import { type Dashboard, serveDashboard } from "../../src/dashboard/server.ts";
import { closeDemo } from "../../src/flow/qa/demo-close.ts";
import { DEMO, demoCast, playedScript } from "../../src/flow/qa/demo-script.ts";
import { type DemoFolder, GREETING, makeDemoFolder, removeDemoFolder } from "../../src/system/demo-folder.ts";
import { agents } from "../../src/core/agent/agents.ts";
import type { ScriptedModel } from "../../src/core/agent/scripted-model.ts";
import { machineOf } from "../../src/system/agent/agents.ts";
import { openTab, picture, startBrowser, type Tab, violations } from "./browser.ts";

const ROOT = resolve(import.meta.dir, "..", "..");
const PATIENCE = { timeout: 90_000 };

let model: ScriptedModel;
let folder: DemoFolder;
let contexts: Context[] = [];
let dashboard: Dashboard;
let browser: Browser;
let tab: Tab;
let page: Page;

const contextOf = (env: Record<string, string>): Context => childContext({ env, cwd: folder.project });

beforeAll(async () => {
  model = machineOf(agents.codex).scriptedModel(playedScript(demoCast, () => {}));
  folder = await makeDemoFolder(
    { ...process.env, PATH: `${join(ROOT, "node_modules", ".bin")}:${process.env.PATH}` },
    [{ agent: agents.codex, modelUrl: model.url }],
    GREETING,
  );
  contexts = [contextOf(folder.env), contextOf(folder.env)];
  dashboard = await serveDashboard(contexts[0]!, contexts[1]!, {
    host: "127.0.0.1",
    port: 0,
    task: undefined,
    path: undefined,
    problem: () => {},
    lost: () => {},
  });
  browser = await startBrowser();
  tab = await openTab(browser, dashboard.url);
  page = tab.page;
});
afterAll(async () => {
  await browser?.close();
  await dashboard?.close();
  for (const cx of contexts) cx.close();
  if (folder) {
    const cx = contextOf(folder.env);
    await closeDemo(cx, folder, [], () => {});
    cx.close();
    removeDemoFolder(folder);
  }
  await model?.stop();
});

test("the demonstration's pair, from the first click to the finished task", async () => {
  await page.getByRole("button", { name: "Start a pair" }).click();
  const field = (name: RegExp) => page.getByRole("dialog").getByRole("textbox", { name });
  await field(/^Task/).fill(DEMO.task);
  await field(/^Goal/).fill(DEMO.goal);
  await field(/^First words/).fill(DEMO.prompt);
  await field(/^Worker/).fill(DEMO.worker);
  await field(/^Manager/).fill(DEMO.manager);
  await field(/^Folder/).fill(folder.project);
  await picture(page, "demo-1-start");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.getByRole("heading", { name: DEMO.task, level: 1 }).waitFor(PATIENCE);

  // Both terminals show what the two sessions do.
  await page.locator(".terminal.watching").nth(1).waitFor(PATIENCE);
  await page.locator(".xterm-rows", { hasText: "greet" }).first().waitFor(PATIENCE);
  await picture(page, "demo-2-working");

  // The manager's gate holds, it speaks to the worker, and the proof of that is seen.
  await page.getByRole("tabpanel").getByText(`${DEMO.worker} finished a turn`).first().waitFor(PATIENCE);
  await page.getByRole("tab", { name: "Criteria" }).click();
  await page.getByText(DEMO.criterion).first().waitFor(PATIENCE);
  await picture(page, "demo-3-criteria");
  await page.getByRole("tab", { name: "Messages" }).click();
  await page.getByText("seen in the rollout").first().waitFor(PATIENCE);
  await picture(page, "demo-4-proof");

  await page.locator(".task-head .pill", { hasText: "done" }).waitFor(PATIENCE);
  await page.getByRole("tab", { name: "Timeline" }).click();
  const story = await page.getByRole("tabpanel").innerText();
  expect(story.match(new RegExp(`${DEMO.worker} finished a turn`, "g"))!.length).toBeGreaterThanOrEqual(2);
  expect(story).toContain("The manager looked");
  expect(story).toContain("greet.sh greets by name now.");
  await picture(page, "demo-5-done");
  await page.getByRole("tab", { name: "Tokens" }).click();
  await page.getByRole("rowheader", { name: DEMO.worker }).waitFor(PATIENCE);
  expect(await violations(page)).toEqual([]);
  expect(tab.complaints).toEqual([]);
}, 300_000);
