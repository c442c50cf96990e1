#!/usr/bin/env node
/**
 * Runs the pinned Bun with the words given: `node scripts/bun.mjs build.ts`.
 * npm 11 leaves the install script of the package `bun` unrun, so `node_modules/.bin/bun` may be a placeholder; the
 * platform package beside it (`@oven/bun-<platform>`) carries the real binary. `BUN_BINARY` names another one.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const modules = join(dirname(dirname(fileURLToPath(import.meta.url))), "node_modules");
const arch = process.arch === "arm64" ? "aarch64" : process.arch;

/** The binaries that may fit this machine, the likeliest first; one for another libc simply does not run. */
function candidates() {
  if (process.env.BUN_BINARY) return [process.env.BUN_BINARY];
  const scope = join(modules, "@oven");
  const prefix = `bun-${process.platform}-${arch}`;
  const packages = existsSync(scope)
    ? readdirSync(scope)
        .filter((name) => name.startsWith(prefix))
        .sort()
    : [];
  return [join(modules, "bun", "bin", "bun.exe"), ...packages.map((name) => join(scope, name, "bin", "bun"))];
}

const runs = (file) => existsSync(file) && /^\d+\.\d+\.\d+/.test(spawnSync(file, ["--version"], { encoding: "utf8" }).stdout ?? "");

const bun = candidates().find(runs);
if (bun === undefined) {
  const wanted = process.env.BUN_BINARY ?? `@oven/bun-${process.platform}-${arch}`;
  console.error(
    `scripts/bun.mjs: no Bun that runs here was found (${wanted}); run \`npm install\` in this folder without --omit=optional, or set BUN_BINARY to a Bun binary.`,
  );
  process.exit(1);
}

const child = spawn(bun, process.argv.slice(2), { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`scripts/bun.mjs: ${bun} could not be started: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal ?? "SIGTERM"] ?? 15)));
