/** Showing a page in the browser that a person uses. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Env, which } from "./environment.ts";
import { startAndLeave } from "./run.ts";

/** Within this time an opener that cannot open a page has said so. */
const FAILS_WITHIN_MS = 5000;

const openers = (env: Env): string[] => [
  ...(env.BROWSER ? [env.BROWSER] : []),
  ...(process.platform === "darwin" ? ["open"] : ["xdg-open", "wslview", "x-www-browser"]),
];

/**
 * Opens `url`, which may hold a secret: the opener is given a private file that leads there, since everybody can read the arguments of a
 * process.
 * @returns what takes the file away again, or null when nothing here opens pages
 */
export async function openInBrowser(env: Env, url: string): Promise<(() => void) | null> {
  const opener = openers(env).find((name) => which(name, env) !== null);
  if (opener === undefined || (process.platform !== "darwin" && !env.DISPLAY && !env.WAYLAND_DISPLAY && !env.BROWSER)) return null;
  const folder = mkdtempSync(join(tmpdir(), "conveyor-open-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const file = join(folder, "dashboard.html");
  const address = url.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  writeFileSync(
    file,
    '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; ' +
      `url=${address}"><title>Conveyor</title>\n`,
    { mode: 0o600 },
  );
  // Some openers stay as long as the browser does, and are left to it.
  const ended = await startAndLeave([opener, file], env, FAILS_WITHIN_MS).catch(() => -1);
  if (ended === 0 || ended === null) return remove;
  remove();
  return null;
}
