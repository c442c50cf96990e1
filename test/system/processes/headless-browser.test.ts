/** Pictures of pages by the installed Chromium, and what is said when there is none. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import { findBrowser, screenshot } from "../../../src/system/processes/headless-browser.ts";

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "shot-"))));
afterEach(() => rmSync(dir, { recursive: true }));

test("the picture has the size and the colours of the page", async () => {
  const page = join(dir, "a page.html");
  writeFileSync(
    page,
    `<!doctype html><body style="margin:0;background:rgb(1,2,3)"><div style="width:2px;height:1px;background:rgb(218,226,236)">`,
  );
  const shot = await screenshot(process.env, page, { width: 3, height: 2 });
  expect(shot.backend).toMatch(/Chrome\/\d+/);
  const { width, height, data } = PNG.sync.read(Buffer.from(shot.png));
  expect({ width, height }).toEqual({ width: 3, height: 2 });
  expect([...data.slice(0, 12)]).toEqual([218, 226, 236, 255, 218, 226, 236, 255, 1, 2, 3, 255]);
});

test("without a browser that is said, with what would help", async () => {
  expect(findBrowser({ PATH: dir })).toBeNull();
  await expect(screenshot({ PATH: dir }, "x.html", { width: 1, height: 1 })).rejects.toThrow("no Chromium or Chrome");
  expect(() => findBrowser({ PATH: dir, CHROME_PATH: join(dir, "gone") })).toThrow("CHROME_PATH");
});

test("CHROME_PATH comes first, and one that is no browser is refused", async () => {
  const fake = join(dir, "fake");
  writeFileSync(fake, "#!/bin/sh\nexit 3\n");
  chmodSync(fake, 0o755);
  expect(findBrowser({ ...process.env, CHROME_PATH: fake })).toBe(fake);
  await expect(screenshot({ ...process.env, CHROME_PATH: fake }, "x.html", { width: 1, height: 1 })).rejects.toThrow("ended before");
});
