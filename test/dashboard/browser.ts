/** Chromium for tests of the page: one process for a file, a context of its own for each test, pictures kept in dist/screens. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const ROOT = resolve(import.meta.dir, "..", "..");
/** Pictures of the last run, for people to look at. */
export const SCREENS = join(ROOT, "dist", "screens");
const AXE = readFileSync(join(ROOT, "node_modules", "axe-core", "axe.min.js"), "utf8");

const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts the installed Chromium (CHROME_PATH, else the usual places). @param more further arguments for it */
export async function startBrowser(...more: string[]): Promise<Browser> {
  const executablePath = [process.env.CHROME_PATH, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
    (path) => path && existsSync(path),
  );
  if (!executablePath) throw new Error("no Chromium is installed: scripts/setup-ci installs it");
  // It leaves files behind when it is ended; they go with a folder of its own.
  const scratch = mkdtempSync(join(tmpdir(), "conveyor-chromium-"));
  const browser = await chromium.launch({ executablePath, args: [...QUIET, ...more], env: { ...process.env, TMPDIR: scratch } });
  browser.on("disconnected", () => rmSync(scratch, { recursive: true, force: true }));
  return browser;
}

export interface Tab {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page complained of: errors, and refusals of its own policy. */
  readonly complaints: string[];
}

/** A fresh browser profile with one page at `url`. */
export async function openTab(
  browser: Browser,
  url: string,
  options: { dark?: boolean; width?: number; height?: number } = {},
): Promise<Tab> {
  const context = await browser.newContext({
    colorScheme: options.dark ? "dark" : "light",
    viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || /Content Security Policy|Trusted Type/.test(message.text())) complaints.push(message.text());
  });
  await page.goto(url);
  return { page, context, complaints };
}

/** Closes every profile with its pages. */
export const closeTabs = async (browser: Browser | undefined): Promise<void> =>
  void (await Promise.all(browser?.contexts().map((context) => context.close()) ?? []));

/** Violations that axe finds, as readable lines. */
export async function violations(page: Page): Promise<string[]> {
  // Through the debugger, which no policy of the page keeps out; once for each document.
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(AXE);
  const found = await page.evaluate(
    `axe.run({ resultTypes: ["violations"] }).then((r) => r.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html.slice(0, 160) + " " + (n.any[0]?.message ?? "")).join(" | ")))`,
  );
  return found as string[];
}

/** Keeps a picture of the whole page. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENS, { recursive: true });
  await page.screenshot({ path: join(SCREENS, `${name}.png`), fullPage: true });
}
