/**
 * Startup of the compiled program beside an empty one: `bench/startup.ts [--runs N] [--check]`.
 * --check fails when `--help` takes more than twice, or `tasks --json` more than three times, what the empty program takes.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { programOf } from "./program.ts";

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { runs: { type: "string", default: "60" }, check: { type: "boolean" } },
});
const runs = Number(values.runs);
const base = mkdtempSync(join(tmpdir(), "conveyor-bench-"));
const empty = join(base, "empty");
const [conveyor] = programOf([]) as [string];

interface Subject {
  name: string;
  argv: string[];
  /** How many times the empty program's time it may take. */
  limit: number;
  times: number[];
}
const subjects: Subject[] = [
  { name: "empty program", argv: [empty], limit: 1, times: [] },
  { name: "conveyor --version", argv: [conveyor, "--version"], limit: 2, times: [] },
  { name: "conveyor --help", argv: [conveyor, "--help"], limit: 2, times: [] },
  { name: "conveyor tasks --help", argv: [conveyor, "tasks", "--help"], limit: 2, times: [] },
  { name: "conveyor tasks --json", argv: [conveyor, "tasks", "--json"], limit: 3, times: [] },
];
const quantile = (times: number[], part: number): number => times.toSorted((a, b) => a - b)[Math.floor(times.length * part)]!;

try {
  writeFileSync(join(base, "empty.ts"), 'console.log("");\n');
  const made = await Bun.build({
    entrypoints: [join(base, "empty.ts")],
    target: "bun",
    minify: true,
    bytecode: true,
    format: "esm",
    compile: { outfile: empty, autoloadDotenv: false, autoloadBunfig: false },
  });
  if (!made.success) throw new Error(made.logs.map(String).join("\n"));
  mkdirSync(join(base, "work"));
  const env = { PATH: process.env.PATH!, HOME: base, NO_COLOR: "1" };
  // Side by side, in turns: a busy moment of the machine falls on all alike. The first rounds fill the caches.
  for (let round = -3; round < runs; round++) {
    for (const subject of subjects) {
      const start = performance.now();
      const done = Bun.spawnSync(subject.argv, { cwd: join(base, "work"), env, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
      if (done.exitCode !== 0) throw new Error(`${subject.name} ended with ${done.exitCode}`);
      if (round >= 0) subject.times.push(performance.now() - start);
    }
  }
} finally {
  rmSync(base, { recursive: true, force: true });
}

// The quick runs are compared: they are the ones that nothing else on the machine got in the way of.
const quick = (times: number[]): number => quantile(times, 0.1);
const unit = quick(subjects[0]!.times);
for (const { name, times, limit } of subjects) {
  const ratio = quick(times) / unit;
  console.log(
    `${name.padEnd(24)} ${quick(times).toFixed(1).padStart(6)} ms (median ${quantile(times, 0.5).toFixed(1)})  ${ratio.toFixed(2)}x${ratio > limit ? `  over ${limit}x` : ""}`,
  );
  if (values.check && ratio > limit) process.exitCode = 1;
}
