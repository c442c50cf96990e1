/** The Bun of each target, taken from its npm package at the pinned version and held to the lock file's checksum. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bunVersion, root, type Target } from "../build.ts";

const cache = join(root, "node_modules", ".cache", "runtimes", bunVersion);

/** `sha512-…` of the package as package-lock.json records it. */
function integrityOf(name: string): string {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version: string; integrity?: string }>;
  };
  const entry = lock.packages[`node_modules/${name}`];
  if (!entry?.integrity || entry.version !== bunVersion) throw new Error(`package-lock.json does not pin ${name} at ${bunVersion}`);
  return entry.integrity;
}

function command(words: string[], cwd: string): void {
  const done = Bun.spawnSync(words, { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  if (done.exitCode !== 0) throw new Error(`${words.join(" ")} ended with ${done.exitCode}: ${done.stderr.toString().trim()}`);
}

/**
 * Path of the target's Bun, fetched with npm once and kept below node_modules/.cache.
 * @throws when npm cannot fetch it or the package is not the one that package-lock.json names
 */
export function runtime(target: Target): string {
  const name = `@oven/${target.runtime}`;
  const integrity = integrityOf(name);
  const home = join(cache, target.runtime);
  const binary = join(home, "package", "bin", "bun");
  if (existsSync(binary)) return binary;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "fetch-"));
  try {
    command(["npm", "pack", `${name}@${bunVersion}`, "--silent", "--pack-destination", work], root);
    const tarball = join(work, readdirSync(work)[0]!);
    const seen = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
    if (seen !== integrity)
      throw new Error(`${name}@${bunVersion} is not the package that package-lock.json names: ${seen} instead of ${integrity}`);
    command(["tar", "-xzf", tarball], work);
    rmSync(tarball);
    rmSync(home, { recursive: true, force: true });
    renameSync(work, home);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return binary;
}
