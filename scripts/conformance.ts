/**
 * The conformance cases as a ratchet: `bun scripts/conformance.ts FOLDER [--update] [--bin PATH] [--shards N]`.
 * test/conformance.txt names the cases that pass; one of them failing fails the run. Names are only ever added, by --update.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

interface Result {
  area: string;
  name: string;
  failures: { step: number; what: string }[];
}

const root = join(import.meta.dir, "..");
const list = join(root, "test", "conformance.txt");
const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    update: { type: "boolean" },
    bin: { type: "string", default: join(root, "dist", "conveyor") },
    shards: { type: "string", default: "2" },
  },
});
const folder = positionals[0];
if (folder === undefined) {
  console.error("usage: bun scripts/conformance.ts FOLDER [--update] [--bin PATH] [--shards N]");
  process.exit(2);
}

/** Runs the cases of one shard (or those whose name contains a text) and gives what became of each. */
async function run(...selection: string[]): Promise<Result[]> {
  const runner = Bun.spawn([process.execPath, join(resolve(folder!), "run.ts"), "--bin", values.bin, "--json", ...selection], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await new Response(runner.stdout).text();
  await runner.exited;
  return JSON.parse(text) as Result[];
}

const nameOf = (result: Result): string => `${result.area}/${result.name}`;
const shards = Number(values.shards);
const results = (await Promise.all(Array.from({ length: shards }, (_, i) => run("--shard", `${i + 1}/${shards}`)))).flat();
const known = new Set(readFileSync(list, "utf8").split("\n").filter(Boolean));

// A machine under load can be late for a pane or a process: a known case gets one more try, alone, and that is said.
const broken: Result[] = [];
for (const result of results.filter((r) => r.failures.length > 0 && known.has(nameOf(r)))) {
  const again = (await run("--only", nameOf(result))).find((r) => nameOf(r) === nameOf(result))!;
  if (again.failures.length === 0) console.log(`second try: ${nameOf(result)} (first: ${result.failures[0]!.what})`);
  else broken.push(again);
}
for (const { failures, ...result } of broken) {
  console.log(`FAIL ${result.area}/${result.name}`);
  for (const { step, what } of failures.slice(0, 3)) console.log(`     step ${step}: ${what}`);
}

const passing = results.filter((r) => r.failures.length === 0).map(nameOf);
const fresh = passing.filter((name) => !known.has(name)).sort();
const seen = new Set(results.map(nameOf));
for (const name of known) if (!seen.has(name)) console.log(`no such case any more: ${name}`);
if (fresh.length > 0 && values.update)
  writeFileSync(
    list,
    [...known, ...fresh]
      .sort()
      .map((name) => `${name}\n`)
      .join(""),
  );
if (fresh.length > 0)
  console.log(
    `${fresh.length} ${values.update ? "added" : "could be added (--update)"}: ${fresh.slice(0, 8).join(" ")}${fresh.length > 8 ? " …" : ""}`,
  );
const open = results.filter((r) => r.failures.length > 0 && !known.has(nameOf(r))).length;
if (open > 0) console.log(`not yet promised and not passing: ${open}`);
console.log(
  `conformance: ${[...known].filter((name) => seen.has(name)).length - broken.length + fresh.length} passed, ${broken.length} failed`,
);
process.exit(broken.length > 0 ? 1 : 0);
