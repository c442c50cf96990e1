/** The terminal of a real Claude Code in the page: it is shown, and who takes it over types into it as at its own keyboard. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { ClaudeSuiteWorld } from "../agent-suite/claude-world.ts";
import { describeClaude } from "../claude-world.ts";
import { until } from "../harness.ts";
import { boundTask } from "../served-world.ts";
import { openTab, picture, startBrowser, type Tab } from "./browser.ts";
import { Site } from "./site.ts";

describeClaude("the terminal of a Claude Code in the page", () => {
  let world: ClaudeSuiteWorld;
  let browser: Browser;
  let site: Site;
  let tab: Tab;
  let id = "";
  const side = () => tab.page.locator(".side", { hasText: "w1" }).first();
  const rows = (): Promise<string> => side().locator(".xterm-rows").innerText();
  beforeAll(async () => {
    world = new ClaudeSuiteWorld();
    const words = ["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "60", ...world.asking];
    id = (await world.ok(words)).codex_session_id;
    await boundTask(world);
    browser = await startBrowser();
    site = await Site.open(world);
    tab = await openTab(browser, `${site.dashboard.url}&task=t1`);
    await side().locator(".terminal.watching").waitFor();
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    await world.close();
  });

  test("shows its screen, and whose it is", async () => {
    await until("its composer", async () => (await rows()).includes("❯"));
    expect(await side().innerText()).toContain("claude");
  }, 60_000);

  test("takes words and the answer to a page, typed by who has taken it over", async () => {
    await side().getByRole("button", { name: "Take over" }).click();
    await side().locator(".terminal.typing").waitFor();
    await until("the attached client is drawn", async () => (await rows()).includes("❯"));
    await tab.page.keyboard.type("ask touch typed-in-the-page");
    await until("the words in its composer", async () => (await rows()).includes("touch typed-in-the-page"));
    await tab.page.keyboard.press("Enter");
    await world.status("claude-w1", "waiting");
    await until("its page", async () => (await rows()).includes("Do you want to proceed?"));
    await picture(tab.page, "claude-asks");
    await tab.page.keyboard.press("1");
    await until("the command", () => existsSync(join(world.project, "typed-in-the-page")));
    await world.idle(id);
    expect(world.userTexts(id)).toContain("ask touch typed-in-the-page");
    await side().getByRole("button", { name: "Hand back" }).click();
    await side().locator(".terminal.watching").waitFor();
    expect(tab.complaints).toEqual([]);
  }, 90_000);
});
