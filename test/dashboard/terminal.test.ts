/** Terminals in the page: they show what happens, take keys only after take-over, and hostile output reaches nothing else. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { capturePane } from "../../src/system/terminal/panes.ts";
import { newSession } from "../../src/system/terminal/sessions.ts";
import { until, World } from "../harness.ts";
import { closeTabs, openTab, picture, startBrowser, type Tab } from "./browser.ts";
import { Site } from "./site.ts";
import { Stage, type StagedSession } from "./stage.ts";

const w = new World();
w.realTime = true;
const stage = new Stage(w);
let browser: Browser;
let site: Site;
let worker: StagedSession;

beforeAll(async () => {
  browser = await startBrowser();
  worker = (await stage.pair("typing", "Keys go where they should")).worker;
  site = await Site.open(w);
});
afterEach(() => closeTabs(browser));
afterAll(async () => {
  await browser?.close();
  await site?.close();
  w.close();
});

const shown = (): Promise<string> => capturePane(w.env, worker.name, 0);
const side = (page: Page, name = worker.name) => page.locator(".side", { hasText: name }).first();
const inPage = (page: Page, name?: string): Promise<string> => side(page, name).locator(".xterm-rows").innerText();
const size = (): string =>
  Bun.spawnSync(["tmux", "display-message", "-p", "-t", `=${worker.name}:`, "#{window_width}x#{window_height} #{pane_in_mode}"], {
    env: w.env,
  })
    .stdout.toString()
    .trim();
const clients = (): number =>
  Bun.spawnSync(["tmux", "list-clients", "-F", "#{client_pid}"], { env: w.env }).stdout.toString().split("\n").filter(Boolean).length;

async function opened(): Promise<Tab> {
  const tab = await openTab(browser, `${site.dashboard.url}&task=typing`);
  await side(tab.page).locator(".terminal.watching").waitFor();
  await until("the screen is drawn", async () => (await inPage(tab.page)).includes(`${worker.name} is ready`));
  return tab;
}

describe("watching", () => {
  test("shows what happens there, side by side with the manager's", async () => {
    const tab = await opened();
    Bun.spawnSync(["tmux", "send-keys", "-t", `=${worker.name}:`, "-l", "typed elsewhere\r"], { env: w.env });
    await until("it shows", async () => (await inPage(tab.page)).includes("typed elsewhere"));
    expect(await inPage(tab.page, "typing-manager")).toContain("typing-manager is ready");
    expect(tab.complaints).toEqual([]);
  });

  test("lets no key through, and changes neither size nor mode of the session", async () => {
    const tab = await opened();
    await side(tab.page).locator(".terminal-box").click();
    await tab.page.keyboard.type("rm -rf everything");
    await tab.page.keyboard.press("Enter");
    await side(tab.page).locator(".xterm-helper-textarea").focus();
    await tab.page.keyboard.type("again");
    // A message to the server that says so is not enough either.
    await tab.page.evaluate(`new Promise((done) => {
      const socket = new WebSocket("ws://" + location.host + location.pathname + "api/terminal?session=${worker.name}");
      socket.onmessage = ({ data }) => { if (typeof data !== "string") { socket.send(JSON.stringify({ type: "keys", keys: "sneaked in\\r" })); socket.send("not json"); socket.send(new Uint8Array([1, 2])); setTimeout(done, 0); } };
    })`);
    const live = await site.act("message", {
      task: "typing",
      session: worker.name,
      to: "worker",
      how: "now",
      message: "after all of that",
    });
    expect(live.body.done).toBe(true);
    await until("a later message is there", async () => (await shown()).includes("after all of that"));
    const screen = await shown();
    expect(screen).not.toContain("everything");
    expect(screen).not.toContain("again");
    expect(screen).not.toContain("sneaked");
    expect(size()).toBe("100x26 0");
  });

  test("shows the whole width of the session, in large windows and small ones", async () => {
    const tab = await opened();
    const fits = `(() => { const frame = document.querySelector(".terminal").getBoundingClientRect(); const screen = document.querySelector(".xterm-screen").getBoundingClientRect(); return screen.right <= frame.right && screen.width > frame.width * 0.85; })()`;
    for (const width of [1440, 1100, 1700]) {
      await tab.page.setViewportSize({ width, height: 900 });
      await until(`it fits ${width}`, () => tab.page.evaluate(fits) as Promise<boolean>);
    }
  });

  test("text is copied as from any page", async () => {
    const tab = await opened();
    await tab.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: site.origin });
    await side(tab.page).locator(".xterm-rows").getByText(`${worker.name} is ready`).click({ clickCount: 3, force: true });
    await tab.page.keyboard.press("Control+C");
    const reader = await tab.context.newPage();
    await reader.setContent("<textarea></textarea>");
    await reader.locator("textarea").click();
    await reader.keyboard.press("Control+V");
    expect((await reader.locator("textarea").inputValue()).trim()).toBe(`${worker.name} is ready`);
  });

  test("a session that ends is said to have ended", async () => {
    const brief = await stage.pair("brief", "Soon over");
    const tab = await openTab(browser, `${site.dashboard.url}&task=brief`);
    await side(tab.page, brief.worker.name).locator(".terminal.watching").waitFor();
    Bun.spawnSync(["tmux", "kill-session", "-t", `=${brief.worker.name}`], { env: w.env });
    await side(tab.page, brief.worker.name)
      .getByText(/the session has ended|is not running/)
      .first()
      .waitFor();
  });

  test("Tab goes on through the page", async () => {
    const tab = await opened();
    await side(tab.page).locator(".xterm-helper-textarea").focus();
    await tab.page.keyboard.press("Tab");
    expect(await tab.page.evaluate("document.activeElement.className")).not.toContain("xterm");
  });
});

describe("taking over", () => {
  test("sends keys, visibly so, is on record, and can be handed back", async () => {
    const tab = await opened();
    await side(tab.page).getByRole("button", { name: "Take over" }).click();
    await side(tab.page).locator(".terminal.typing").waitFor();
    expect(await side(tab.page).getByRole("status").innerText()).toContain(`You are typing into ${worker.name}`);
    await picture(tab.page, "taken-over");
    await until("the attached client is drawn", async () => (await inPage(tab.page)).includes(worker.name));
    await tab.page.keyboard.type("hello from the page");
    await tab.page.keyboard.press("Enter");
    await until("the keys arrived", async () => (await shown()).includes("hello from the page"));
    expect(w.rows("select payload_json from events where type = 'terminal_taken_over'")).toEqual([
      { payload_json: `{"session":"${worker.name}","via":"dashboard"}` },
    ]);
    await tab.page.keyboard.press("Control+Shift+Escape");
    await side(tab.page).locator(".terminal.watching").waitFor();
    await tab.page.keyboard.type("too late");
    await side(tab.page).getByRole("button", { name: "Take over" }).click();
    await side(tab.page).locator(".terminal.typing").waitFor();
    await side(tab.page).getByRole("button", { name: "Hand back" }).click();
    await side(tab.page).locator(".terminal.watching").waitFor();
    expect(await shown()).not.toContain("too late");
  });

  test("a lost connection comes back, and then only watches", async () => {
    const tab = await openTab(browser, site.dashboard.url);
    const cut: (() => void)[] = [];
    await tab.page.routeWebSocket(/api\/terminal/, (socket) => {
      const server = socket.connectToServer();
      cut.push(() => {
        void server.close();
        void socket.close();
      });
    });
    await tab.page.goto(`${site.home}?task=typing`);
    await side(tab.page).getByRole("button", { name: "Take over" }).click();
    await side(tab.page).locator(".terminal.typing").waitFor();
    for (const each of cut.splice(0)) each();
    await side(tab.page).locator(".terminal.watching").waitFor();
    await until("the screen is drawn again", async () => (await inPage(tab.page)).includes(`${worker.name} is ready`));
  });

  test("makes the session as large as the page has room for, follows it, and undoes that", async () => {
    const tab = await opened();
    await side(tab.page).getByRole("button", { name: "Take over" }).click();
    await side(tab.page).locator(".terminal.typing").waitFor();
    const first = await until("it fits the page", () => (size().startsWith("100x26") ? null : size()));
    await tab.page.setViewportSize({ width: 1040, height: 900 });
    await until("it follows the page", () => size() !== first);
    await side(tab.page).getByRole("button", { name: "Hand back" }).click();
    await until("it is as before", () => size() === "100x26 0");
    await side(tab.page).getByRole("button", { name: "Take over" }).click();
    await until("it fits the page again", () => !size().startsWith("100x26"));
    await closeTabs(browser);
    await until("it is as before, also when the page just closed", () => size() === "100x26 0");
  });

  test("belongs to one page: who takes over next takes it away", async () => {
    const [first, second] = [await opened(), await opened()];
    await side(first.page).getByRole("button", { name: "Take over" }).click();
    await side(first.page).locator(".terminal.typing").waitFor();
    await side(second.page).getByRole("button", { name: "Take over" }).click();
    await side(second.page).locator(".terminal.typing").waitFor();
    await side(first.page).locator(".terminal.watching").waitFor();
  });

  test("leaves no tmux client behind when pages close", async () => {
    await until("nobody is attached", () => clients() === 0);
    await opened();
    await until("both sides are attached", () => clients() === 2);
    await closeTabs(browser);
    await until("nobody is attached any more", () => clients() === 0);
  });
});

describe("what scrolled away", () => {
  test("is shown on demand, without touching the session", async () => {
    const file = await w.file("long.txt", Array.from({ length: 200 }, (_, i) => `line ${i + 1} of many`).join("\n"));
    await newSession(w.env, {
      name: "long-worker",
      cwd: w.work,
      argv: ["sh", "-c", 'cat "$1"; exec cat', "sh", file],
      width: 100,
      height: 20,
    });
    const rollout = await w.file(
      "codex/sessions/2026/01/02/rollout-x-0198a000-0000-7000-8000-0000000000ff.jsonl",
      `${JSON.stringify({ timestamp: new Date().toISOString(), type: "session_meta", payload: { id: "0198a000-0000-7000-8000-0000000000ff", cwd: w.work, timestamp: new Date().toISOString() } })}\n`,
    );
    await w.ok([
      "register-worker",
      "--name",
      "long-worker",
      "--pid",
      String(process.pid),
      "--codex-session",
      rollout,
      "--tmux-session",
      "long-worker",
    ]);
    await until("it is all written", async () => (await capturePane(w.env, "long-worker", 0)).includes("line 200"));
    const answer = await site.ask("/api/history?session=long-worker");
    const { text } = (await answer.json()) as { text: string };
    expect(text).toContain("line 1 of many");
    expect(text).toContain("line 200 of many");
    const tab = await opened();
    await side(tab.page).getByRole("button", { name: "Scroll back" }).click();
    await tab.page.getByRole("dialog").locator(".xterm-rows").waitFor();
    await until("history is drawn", async () =>
      (await tab.page.getByRole("dialog").locator(".xterm-rows").innerText()).includes(`${worker.name} is ready`),
    );
  });
});

describe("hostile output", () => {
  test("writes no HTML, no clipboard, no title, and opens nothing", async () => {
    const hostile = await stage.session("worker", "hostile-worker", "hostile ready\n");
    await w.ok("tasks --create hostile --goal x");
    const manager = await stage.session("manager", "hostile-manager");
    await w.ok(["bind", "--task", "hostile", "--worker", hostile.name, "--manager", manager.name]);
    Bun.spawnSync(["tmux", "set-option", "-g", "set-clipboard", "on"], { env: w.env });
    Bun.spawnSync(["tmux", "set-option", "-g", "set-titles", "on"], { env: w.env });
    const tab = await openTab(browser, `${site.dashboard.url}&task=hostile`);
    await tab.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: site.origin });
    await side(tab.page, hostile.name).locator(".terminal.watching").waitFor();
    await tab.page.evaluate(`navigator.clipboard.writeText("mine")`);
    const tty = Bun.spawnSync(["tmux", "display-message", "-p", "-t", `=${hostile.name}:`, "#{pane_tty}"], { env: w.env })
      .stdout.toString()
      .trim();
    const osc = (text: string): string => `\u001b]${text}\u0007`;
    appendFileSync(
      tty,
      [
        `<img src=x onerror="window.owned=1"><script>window.owned=2</script>\r\n`,
        osc(`52;c;${btoa("stolen")}`),
        `\u001bPtmux;\u001b${osc(`52;c;${btoa("stolen")}`)}\u001b\\`,
        osc("0;owned title"),
        osc(`8;;javascript:window.owned=3`) + "click me" + osc("8;;"),
        "\r\nend of attack\r\n",
      ].join(""),
    );
    await until("it is shown", async () => (await inPage(tab.page, hostile.name)).includes("end of attack"));
    expect(await inPage(tab.page, hostile.name)).toContain(`<img src=x onerror="window.owned=1">`);
    await side(tab.page, hostile.name).getByText("click me").click({ force: true });
    expect(await tab.page.evaluate("window.owned ?? null")).toBeNull();
    expect(await tab.page.locator("img").count()).toBe(0);
    expect(await tab.page.title()).not.toContain("owned");
    expect(tab.context.pages()).toHaveLength(1);
    const reader = await tab.context.newPage();
    await reader.setContent("<textarea></textarea>");
    await reader.locator("textarea").click();
    await reader.keyboard.press("Control+V");
    expect(await reader.locator("textarea").inputValue()).toBe("mine");
  });
});
