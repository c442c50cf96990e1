/** The files of the page: few enough bytes, nothing from elsewhere, the same every time. */
import { expect, test } from "bun:test";
import { assetOf, shell } from "../../src/dashboard/assets.ts";
import { bundledPage } from "../../src/system/files/page-bundle.ts";

test("the first load, terminals included, stays under 300 KB compressed; without them under 60", () => {
  const sizes = Object.keys(bundledPage("dashboard/page/page.tsx")).map((name) => [name, assetOf(name)!.gzip.length] as const);
  const first = sizes.filter(([name]) => /^page\.(js|css)$/.test(name)).reduce((sum, [, size]) => sum + size, 0);
  expect(sizes.length).toBeGreaterThan(2);
  expect(first).toBeLessThan(60_000);
  expect(sizes.reduce((sum, [, size]) => sum + size, 0)).toBeLessThan(300_000);
});

test("nothing is fetched from elsewhere, and no script stands in the page", () => {
  const html = shell("abc");
  expect(html.match(/<script\b[^>]*>/g)).toEqual([`<script type="module" src="assets/page.js" nonce="abc">`]);
  expect(html).not.toMatch(/https?:|\son\w+=/);
  const css = new TextDecoder().decode(assetOf("page.css")!.plain);
  expect(css).not.toMatch(/url\(\s*["']?(https?:|\/\/)/);
  expect(css).not.toContain("@import");
});

test("bundling twice gives the same bytes", () => {
  expect(bundledPage("dashboard/page/page.tsx")).toEqual(bundledPage("dashboard/page/page.tsx"));
});
