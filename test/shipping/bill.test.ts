import { expect, test } from "bun:test";
import { bill, licences, packagesOf, pageInputs } from "../../scripts/bill.ts";

const packages = packagesOf([
  "src/main.ts",
  "node_modules/citty/dist/index.mjs",
  "../x/node_modules/@clack/core/dist/index.mjs",
  "node_modules/citty/dist/other.mjs",
  "node_modules/a/node_modules/valibot/i.js",
]);

test("the packages are those the bundler took files from, once each", () => {
  expect(packages).toEqual(["@clack/core", "citty", "valibot"]);
});

test("what the page in the browser is made of is known, too", async () => {
  expect(packagesOf(await pageInputs())).toEqual(expect.arrayContaining(["@xterm/xterm", "preact"]));
});

test("the bill names runtime, packages and binaries with their sums, and is the same every time", () => {
  const text = bill("1.2.3", packages, { "linux-x64/conveyor": "ab".repeat(32) });
  expect(bill("1.2.3", packages, { "linux-x64/conveyor": "ab".repeat(32) })).toBe(text);
  expect(bill("1.2.4", packages, {})).not.toContain(JSON.parse(text).serialNumber);
  const { bomFormat, specVersion, serialNumber, components, dependencies } = JSON.parse(text);
  expect({ bomFormat, specVersion }).toEqual({ bomFormat: "CycloneDX", specVersion: "1.6" });
  expect(serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(components.map((part: { name: string }) => part.name)).toEqual(["bun", ...packages, "linux-x64/conveyor"]);
  const refs = components.map((part: Record<string, string>) => part["bom-ref"]);
  expect(new Set(refs).size).toBe(refs.length);
  expect(dependencies).toEqual([{ ref: "pkg:npm/agent-conveyor@1.2.3", dependsOn: refs }]);
  for (const { type, purl, hashes } of components)
    if (type === "library") expect([purl.startsWith("pkg:npm/"), hashes[0].content.length]).toEqual([true, 128]);
});

test("the licences hold what Bun links and the text of each package", () => {
  const text = licences(packages);
  for (const part of ["JavaScriptCore", "LGPL", "citty", "valibot", "Permission is hereby granted"]) expect(text).toContain(part);
});
