/** The replay page in a real browser: it draws itself, asks the network for nothing, and obeys nothing that others wrote. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { addEvent } from "../../src/store/record/events.ts";
import { World } from "../harness.ts";

const CHROME =
  process.env.CHROME_PATH ??
  ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].map((name) => Bun.which(name)).find(Boolean);
const HOSTILE = `</script><img src=x onerror="document.title='owned'"><!-- \u2028`;

let browser: Browser;
let w: World;
let file: string;
let taskId: string;
beforeAll(async () => {
  if (!CHROME) throw new Error("this test needs Chromium or Chrome: apt-get install chromium, or CHROME_PATH");
  browser = await chromium.launch({ executablePath: CHROME, args: ["--no-sandbox"] });
});
afterAll(() => browser?.close());
beforeEach(async () => {
  w = new World();
  file = join(w.dir, "page.html");
  taskId = (await w.ok(["tasks", "--create", "job", "--goal", `Log in ${HOSTILE}`])).id;
  await w.ok(["criteria", "job", "--add", "--criterion", `Users can log in ${HOSTILE}`, "--source", "user_requested"]);
  await w.ok("criteria job --satisfy 1 --proof seen");
  await w.ok(["record-decision", "job", "nudge", "--reason", "ask for tests"]);
  seed();
});
afterEach(() => w.close());

/** Two bound sessions with turns and tokens, a command and its delivery. */
function seed(): void {
  const { db } = w.store();
  const at = (ms: number) => new Date(w.clock + ms).toISOString();
  for (const [id, role] of [
    ["w", "worker"],
    ["m", "manager"],
  ] as const)
    db.query(
      "insert into sessions (id, name, role, identity_token, cwd, registered_at, state) values (?1, ?1, ?2, ?1, '/', ?3, 'active')",
    ).run(id, role, at(0));
  db.query(
    "insert into bindings (id, task_id, worker_session_id, manager_session_id, state, created_at) values ('b', ?, 'w', 'm', 'active', ?)",
  ).run(taskId, at(0));
  const told = db.query(
    "insert into codex_events (session_id, timestamp, type, subtype, payload_json, byte_offset, ingested_at) values (?1, ?2, 'event_msg', ?3, ?4, 0, ?2)",
  );
  told.run("w", at(0), "task_started", '{"turn_id":"t1"}');
  told.run("w", at(500), "token_count", '{"type":"token_count","info":{"total_token_usage":{"total_tokens":1200}}}');
  told.run("w", at(900), "task_complete", '{"turn_id":"t1"}');
  told.run("m", at(1000), "task_started", '{"turn_id":"t2"}');
  db.query(
    "insert into commands (id, idempotency_key, created_at, updated_at, task_id, correlation_id, type, state, payload_json) values ('c', 'c', ?1, ?1, ?2, 'corr', 'nudge_worker', 'succeeded', '{}')",
  ).run(at(200), taskId);
  db.query(
    `insert into deliveries (id, origin, session_name, task_id, command_id, client_id, transport, state, proof, text_digest, text_lines, text_length, side_effect_started, side_effect_completed, sender_pid, created_at, finished_at)
     values ('d', 'dispatch', 'w', ?, 'c', 'x', 'tmux', 'delivered', 'seen', 'x', 1, 1, 1, 1, 1, ?, ?)`,
  ).run(taskId, at(210), at(260));
}

interface Opened {
  readonly page: Page;
  /** What should not be there: errors, and requests for anything but the file. */
  readonly troubles: string[];
}

async function open(options: { dark?: boolean; width?: number } = {}): Promise<Opened> {
  const troubles: string[] = [];
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: 860 },
    colorScheme: options.dark ? "dark" : "light",
  });
  const page = await context.newPage();
  page.on("console", (message) => troubles.push(message.text()));
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("request", (request) => request.url() !== `file://${file}` && troubles.push(request.url()));
  await page.goto(`file://${file}`);
  await page.waitForSelector(".entry");
  return { page, troubles };
}

const titles = (page: Page) => page.locator(".entry .title").allTextContents();
const ground = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
/** How many points of the timeline are not of its ground. */
const inked = (page: Page) =>
  page.evaluate(() => {
    const canvas = document.querySelector("canvas")!;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let n = 3; n < data.length; n += 4) if (data[n]! > 0) count++;
    return count;
  });

test("the page shows turns, deliveries with their proof, criteria, decisions and commands, and is looked at", async () => {
  expect(await w.ok<string>(`replay job --format html --output ${file}`)).toContain(file);
  const { page, troubles } = await open();
  const all = await titles(page);
  for (const part of [
    "Turn of w completed",
    "Turn of m open",
    "To w by tmux: delivered, proof seen",
    "Criterion #1 proposed -> satisfied",
    "Decided to nudge: ask for tests",
    "Command nudge_worker succeeded",
  ]) {
    expect(all.some((title) => title.startsWith(part))).toBe(true);
  }
  expect(await inked(page)).toBeGreaterThan(1000);
  mkdirSync(join(w.dir, "shots"));
  for (const dark of [false, true]) {
    await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
    expect((await page.screenshot({ path: join(w.dir, "shots", `${dark}.png`) })).length).toBeGreaterThan(10_000);
  }
  expect(await page.title()).toContain("job");
  expect(troubles).toEqual([]);
});

test("what others wrote is text, and secrets are masked unless asked for", async () => {
  const secret = `ghp_${"aB3".repeat(12)}`;
  addEvent(w.store(), {
    type: "acceptance_criterion_added",
    taskId,
    payload: { criterion_id: 2, criterion: `token ${secret}`, status: "proposed" },
  });
  await w.ok(`replay job --format html --output ${file}`);
  const source = readFileSync(file, "utf8");
  expect(source).not.toContain("<img");
  expect(source).not.toContain(secret);
  const { page, troubles } = await open();
  expect(await page.title()).not.toBe("owned");
  expect(await page.locator("img").count()).toBe(0);
  expect((await titles(page)).some((title) => title.includes("</script><img"))).toBe(true);
  expect(troubles).toEqual([]);
  expect((await w.run("replay job --format html --include-secrets")).stdout).toContain(secret);
});

describe("working with it", () => {
  beforeEach(() => w.ok(`replay job --format html --output ${file}`));

  test("a click shows the details and what belongs together; the related entry can be followed", async () => {
    const { page } = await open();
    await page.locator(".entry", { hasText: "To w by tmux" }).click();
    expect(await page.locator(".details h2").textContent()).toContain("proof seen");
    await page.locator(".details .link", { hasText: "Command nudge_worker" }).click();
    expect(await page.locator(".details h2").textContent()).toBe("Command nudge_worker succeeded");
    expect(await page.locator(".details pre").textContent()).toContain('"command_id": "c"');
  });

  test("search and kinds narrow the list, in any case and by every word", async () => {
    const { page } = await open();
    await page.locator("input[type=search]").fill("NUDGE tests");
    expect(await titles(page)).toEqual(["Decided to nudge: ask for tests"]);
    await page.locator("input[type=search]").fill("");
    const before = (await titles(page)).length;
    await page.locator(".kind-switch", { hasText: "turn" }).click();
    expect((await titles(page)).length).toBe(before - 2);
    expect(await page.locator(".counter").textContent()).toBe(`${before - 2} of ${before} entries`);
  });

  test("the timeline zooms by wheel, buttons and keys, and finds what is clicked", async () => {
    const { page, troubles } = await open();
    const canvas = page.locator("canvas");
    const picture = () => canvas.evaluate((element) => (element as HTMLCanvasElement).toDataURL());
    const fit = await picture();
    const changed = async (act: () => Promise<unknown>, from: string) => {
      await act();
      await page.waitForFunction((old) => document.querySelector("canvas")!.toDataURL() !== old, from);
      return picture();
    };
    await canvas.hover({ position: { x: 600, y: 60 } });
    let now = await changed(() => page.mouse.wheel(0, -400), fit);
    now = await changed(() => page.locator("button[title='Zoom in']").click(), now);
    await canvas.focus();
    now = await changed(() => page.keyboard.press("ArrowRight"), now);
    await page.keyboard.press("0");
    await page.waitForFunction((old) => document.querySelector("canvas")!.toDataURL() === old, fit);
    await canvas.click({ position: { x: 400, y: 32 } });
    expect(await page.locator(".details h2").textContent()).toContain("Turn of w");
    expect(troubles).toEqual([]);
  });

  test("light and dark follow the system until one is chosen", async () => {
    const { page } = await open({ dark: true });
    const dark = await ground(page);
    await page.locator("button", { hasText: "Theme" }).click();
    expect(await ground(page)).toBe("rgb(255, 255, 255)");
    expect(dark).not.toBe("rgb(255, 255, 255)");
  });

  test("printed, every entry is there, light, without tools; narrow, nothing overflows", async () => {
    const { page } = await open({ dark: true, width: 420 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(420);
    const count = (await titles(page)).length;
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    expect(await page.locator(".printed .entry").count()).toBe(count);
    expect(await ground(page)).toBe("rgb(255, 255, 255)");
    expect(await page.locator(".tools").isVisible()).toBe(false);
  });

  test("the same state gives the same page", async () => {
    const first = readFileSync(file);
    await w.ok(`replay job --format html --output ${file}`);
    expect(readFileSync(file).equals(first)).toBe(true);
  });
});
