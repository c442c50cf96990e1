/** Pictures of pages, taken by an installed Chromium or Chrome without a window, spoken to in its debugging protocol. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { Failure } from "../../core/failure.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import { type Env, which } from "./environment.ts";
import { runsAsRoot } from "./processes.ts";
import { startProgram } from "./run.ts";
import { withScratch } from "../files/scratch.ts";

const NAMES = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "chrome",
  "microsoft-edge",
  "microsoft-edge-stable",
  "msedge",
];
const APPS = ["Google Chrome", "Chromium", "Microsoft Edge"];
const START_MS = 30_000;
const PAGE_MS = 20_000;

/**
 * The browser to use: CHROME_PATH, else the usual names on PATH, else the usual places of macOS. Null when there is none.
 * @throws Failure when CHROME_PATH names nothing
 */
export function findBrowser(env: Env): string | null {
  if (env.CHROME_PATH) {
    const path = env.CHROME_PATH.includes("/") ? env.CHROME_PATH : which(env.CHROME_PATH, env);
    if (path === null || !existsSync(path)) throw new Failure(`CHROME_PATH names ${env.CHROME_PATH}, and there is no such program`);
    return path;
  }
  for (const name of NAMES) {
    const path = which(name, env);
    if (path !== null) return path;
  }
  if (process.platform !== "darwin") return null;
  return APPS.map((app) => `/Applications/${app}.app/Contents/MacOS/${app}`).find((path) => existsSync(path)) ?? null;
}

export interface Viewport {
  readonly width: number;
  readonly height: number;
}

export interface Shot {
  /** The browser as it names itself, for instance `HeadlessChrome/150.0.7871.100`. */
  readonly backend: string;
  readonly png: Uint8Array;
}

/**
 * Takes a picture of a local page in a viewport of exactly this size.
 * @throws Failure when no browser is installed, or it does not start or answer
 */
export async function screenshot(env: Env, htmlPath: string, viewport: Viewport): Promise<Shot> {
  const browser = findBrowser(env);
  if (browser === null)
    throw new Failure("no Chromium or Chrome was found on PATH or in the usual places", {
      hint: "install one, or name it: CHROME_PATH=/path/to/chrome",
    });
  return withScratch("conveyor-browser-", async (profile) => {
    const flags = [
      "--headless=new",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-extensions",
      "--disable-background-networking",
      "--no-first-run",
      "--no-default-browser-check",
      "--hide-scrollbars",
      "--force-color-profile=srgb",
    ];
    // Chromium refuses to sandbox a page that root opens; the page is our own.
    if (runsAsRoot()) flags.push("--no-sandbox");
    const program = startProgram([browser, ...flags, "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"], {
      // Killed at the end, it cannot tidy up after itself: whatever it makes goes with its folder.
      env: { ...env, HOME: profile, TMPDIR: profile },
      stderr: "pipe",
    });
    try {
      const address = await within(
        START_MS,
        debuggingAddress(program.child.stderr as ReadableStream<Uint8Array>),
        `${basename(browser)} did not start`,
      );
      if (address === null)
        throw new Failure(`${basename(browser)} ended before it could be spoken to`, {
          hint: "try another browser: CHROME_PATH=/path/to/chrome",
        });
      return await within(PAGE_MS, capture(address, pathToFileURL(htmlPath).href, viewport), `${basename(browser)} did not show the page`);
    } finally {
      await program.end(0);
    }
  });
}

async function within<T>(ms: number, work: Promise<T>, what: string): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Failure(`${what} within ${ms / 1000} s`)), ms)));
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Where the browser listens, which it says on stderr; null when it ends before. */
async function debuggingAddress(stderr: ReadableStream<Uint8Array>): Promise<string | null> {
  const decoder = new TextDecoder();
  let said = "";
  for await (const part of stderr) {
    said += decoder.decode(part, { stream: true });
    const found = /DevTools listening on (ws:\/\/\S+)/.exec(said);
    if (found) return found[1]!;
  }
  return null;
}

/** One conversation in the debugging protocol. */
class Conversation {
  private serial = 0;
  private readonly waiting = new Map<number, { resolve: (result: JsonObject) => void; reject: (error: Error) => void }>();
  private readonly listeners: { method: string; heard: () => void }[] = [];

  private constructor(private readonly socket: WebSocket) {
    socket.addEventListener("message", ({ data }) => this.hear(JSON.parse(String(data))));
    socket.addEventListener("close", () => {
      for (const { reject } of this.waiting.values()) reject(new Failure("the browser ended the conversation"));
    });
  }

  static open(address: string): Promise<Conversation> {
    const socket = new WebSocket(address);
    return new Promise((resolve, reject) => {
      socket.addEventListener("open", () => resolve(new Conversation(socket)));
      socket.addEventListener("error", () => reject(new Failure("the browser could not be spoken to")));
    });
  }

  private hear(message: unknown): void {
    if (!isObject(message)) return;
    for (const { method, heard } of this.listeners) if (method === message.method) heard();
    const asked = typeof message.id === "number" ? this.waiting.get(message.id) : undefined;
    if (!asked) return;
    this.waiting.delete(message.id as number);
    if (isObject(message.error)) asked.reject(new Failure(`the browser refused: ${String(message.error.message)}`));
    else asked.resolve(isObject(message.result) ? message.result : {});
  }

  ask(method: string, params: JsonObject = {}, sessionId?: string): Promise<JsonObject> {
    const id = ++this.serial;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    });
  }

  next(method: string): Promise<void> {
    return new Promise((heard) => this.listeners.push({ method, heard }));
  }

  close(): void {
    this.socket.close();
  }
}

async function capture(address: string, url: string, { width, height }: Viewport): Promise<Shot> {
  const browser = await Conversation.open(address);
  try {
    const { product } = await browser.ask("Browser.getVersion");
    const { targetId } = await browser.ask("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.ask("Target.attachToTarget", { targetId: targetId!, flatten: true });
    const page = (method: string, params?: JsonObject) => browser.ask(method, params, String(sessionId));
    await page("Page.enable");
    await page("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    const loaded = browser.next("Page.loadEventFired");
    await page("Page.navigate", { url });
    await loaded;
    const { data } = await page("Page.captureScreenshot", { format: "png", clip: { x: 0, y: 0, width, height, scale: 1 } });
    return { backend: String(product), png: Buffer.from(String(data), "base64") };
  } finally {
    browser.close();
  }
}
