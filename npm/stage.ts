/**
 * Lays out the npm packages, ready to be packed: `bun npm/stage.ts FOLDER [--here]`. The binaries come from dist/bin;
 * with --here only this machine's package is made, from dist/conveyor.
 */
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { root, type Target, targets } from "../build.ts";
import { inspect } from "../scripts/executable.ts";
import { clientFiles } from "./client.ts";
import { targetManifest, wrapperManifest } from "./record.ts";

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

const README = `# agent-conveyor

One agent session (Codex or Claude Code) supervises another: observed, spoken to with proof, held to evidence, recorded in one SQLite file.

    npm install --global agent-conveyor
    conveyor demo

The program is one binary; this package starts the one for your machine (\`CONVEYOR_BINARY\` names another).
As a library: \`import { run } from "agent-conveyor"\`, then \`await run("tasks", { active: true })\`.
`;

/** Writes the wrapper package into `folder`. */
export async function stageWrapper(folder: string): Promise<void> {
  const { types, commands } = await clientFiles();
  cpSync(join(root, "npm", "wrapper"), folder, { recursive: true });
  for (const name of ["conveyor", "workerctl"]) chmodSync(join(folder, "bin", `${name}.mjs`), 0o755);
  writeFileSync(join(folder, "index.d.ts"), types);
  writeFileSync(join(folder, "commands.json"), commands);
  writeFileSync(join(folder, "README.md"), README);
  writeFileSync(join(folder, "package.json"), json(wrapperManifest(process.env.CONVEYOR_PUBLISH)));
  cpSync(join(root, "docs", "conveyor.1"), join(folder, "conveyor.1"));
  cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
}

/** Writes the package of one target into `folder`, with the binary at `binary`. */
export function stageTarget(folder: string, target: Target, binary: string, licences?: string): void {
  mkdirSync(join(folder, "bin"), { recursive: true });
  cpSync(binary, join(folder, "bin", "conveyor"));
  chmodSync(join(folder, "bin", "conveyor"), 0o755);
  writeFileSync(join(folder, "package.json"), json(targetManifest(target, process.env.CONVEYOR_PUBLISH)));
  writeFileSync(
    join(folder, "README.md"),
    `# The conveyor binary for ${target.name}\n\nInstall [agent-conveyor](https://www.npmjs.com/package/agent-conveyor) instead: it takes the one for your machine.\n`,
  );
  cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  if (licences !== undefined) cpSync(licences, join(folder, "THIRD-PARTY-LICENSES"));
}

/** The target that a compiled file was made for. */
export function targetOf(binary: string): Target {
  const { os, cpu, libc } = inspect(readFileSync(binary));
  return targets.find((target) => target.os === os && target.cpu === cpu && target.libc === libc)!;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2),
    allowPositionals: true,
    options: { here: { type: "boolean" } },
  });
  const out = resolve(positionals[0] ?? join(root, "dist", "npm"));
  rmSync(out, { recursive: true, force: true });
  await stageWrapper(join(out, "agent-conveyor"));
  const bin = join(root, "dist", "bin");
  const local = join(root, "dist", "conveyor");
  if (values.here) stageTarget(join(out, targetOf(local).name), targetOf(local), local);
  else
    for (const target of targets)
      stageTarget(join(out, target.name), target, join(bin, target.name, "conveyor"), join(bin, "THIRD-PARTY-LICENSES"));
  console.log(`${out}: packages staged${process.env.CONVEYOR_PUBLISH ? " for publishing" : ", private: npm will not publish them"}`);
}
