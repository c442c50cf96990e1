import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { generated } from "../../scripts/docs.ts";

test("docs/commands.md and docs/conveyor.1 are what the declarations say (npm run docs writes them)", async () => {
  for (const [path, text] of Object.entries(await generated()))
    expect(readFileSync(path, "utf8") === text ? "up to date" : `${path} is out of date`).toBe("up to date");
});
