/** The picture of the demonstration: shown by README, small, and safe wherever it is shown. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { linesOf, picture } from "../../scripts/demo-picture.ts";
import { demoLine } from "../../src/view/demo.ts";

const root = resolve(import.meta.dir, "..", "..");
const svg = readFileSync(join(root, "docs", "demo.svg"), "utf8");

test("README shows it", () => {
  expect(readFileSync(join(root, "README.md"), "utf8")).toMatch(/!\[[^\]]{20,}\]\(docs\/demo\.svg\)/);
});

test("it is small, says what it shows, and holds no script and nothing from elsewhere", () => {
  expect(svg.length).toBeLessThan(60_000);
  expect(svg).toContain("<title");
  expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
    /<script|<foreignObject|<image|<use|\bon\w+=|href|url\(|@import|https?:/i,
  );
});

test("it is drawn from what a watched run prints; what others wrote stays text", () => {
  const printed = [
    demoLine("demo", "✓ a private world", 12),
    demoLine("worker", "runs: printf '%s' '{ \"a\": 1 }' | x", 900),
    demoLine("worker", "runs: a < b && c", 1000),
    demoLine("manager", "says: <b>", 1100),
  ];
  const drawn = picture(linesOf(printed.join("\n")), { seconds: 2, codex: "codex-cli 1" });
  expect([...drawn.matchAll(/class="(?:step|run|say)">([^<]*)</g)].map(([, text]) => text)).toEqual([
    "✓ a private world",
    "$ a &lt; b &amp;&amp; c",
    "“&lt;b&gt;”",
  ]);
  expect(drawn).toContain("Done in 2 s with codex-cli 1.");
});
