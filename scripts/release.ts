/**
 * Builds a release: `bun scripts/release.ts [--out FOLDER]` makes, below dist/bin, one binary per target, the licences of what
 * is in them, the bill of materials, install.sh, the manual page and SHA256SUMS. Two runs in different folders give the same bytes.
 */
import { createHash } from "node:crypto";
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compile, root, type Target, targets } from "../build.ts";
import { bill, licences, packagesOf, pageInputs } from "./bill.ts";
import { inspect } from "./executable.ts";
import { runtime } from "./runtime.ts";
import { signAdHoc } from "./sign.ts";

const SMALLEST = 60 << 20;
const LARGEST = 160 << 20;
const ASSETS = [
  "skills/manage-codex-workers/SKILL.md",
  "skills/manage-codex-workers/agents/openai.yaml",
  "skills/codex-review/SKILL.md",
  "skills/codex-review/scripts/codex-review",
];

const { values } = parseArgs({ args: process.argv.slice(2), options: { out: { type: "string", default: join(root, "dist", "bin") } } });
const out = resolve(values.out);

/** What can be held without running it. @throws naming what is wrong with the file */
function verify(bytes: Buffer, target: Target): string {
  const is = inspect(bytes);
  const problems = (["os", "cpu", "libc"] as const).filter((key) => is[key] !== target[key]).map((key) => `${key} is ${is[key]}`);
  if (target.os === "darwin" && !is.signature?.intact) problems.push("its signature does not fit its bytes");
  if (bytes.length < SMALLEST || bytes.length > LARGEST) problems.push(`it has ${bytes.length} bytes`);
  for (const asset of ASSETS) if (!bytes.includes(`/$bunfs/root/${asset}`)) problems.push(`${asset} is not embedded`);
  if (problems.length > 0) throw new Error(`the binary for ${target.name} is wrong: ${problems.join("; ")}`);
  return `${is.os} ${is.cpu}${is.libc ? ` ${is.libc}` : ""}, ${(bytes.length / 2 ** 20).toFixed(1)} MiB${is.signature ? `, ad-hoc signature over ${is.signature.pages} pages intact` : ""}`;
}

rmSync(out, { recursive: true, force: true });
const packages = new Set<string>(packagesOf(await pageInputs()));
for (const target of targets) {
  const file = join(out, target.name, "conveyor");
  mkdirSync(join(out, target.name), { recursive: true });
  for (const name of packagesOf(await compile(file, target, runtime(target)))) packages.add(name);
  if (target.os === "darwin") writeFileSync(file, signAdHoc(readFileSync(file), "conveyor"));
  chmodSync(file, 0o755);
  console.log(`${target.name}: ${verify(readFileSync(file), target)}`);
}

const sha256 = (name: string): string =>
  createHash("sha256")
    .update(readFileSync(join(out, name)))
    .digest("hex");
const hashed = (names: string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, sha256(name)]));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
const binaries = targets.map(({ name }) => `${name}/conveyor`);
writeFileSync(join(out, "conveyor.cdx.json"), bill(version, [...packages].sort(), hashed(binaries)));
writeFileSync(join(out, "THIRD-PARTY-LICENSES"), licences([...packages].sort()));
cpSync(join(root, "LICENSE"), join(out, "LICENSE"));
cpSync(join(root, "scripts", "install.sh"), join(out, "install.sh"));
cpSync(join(root, "docs", "conveyor.1"), join(out, "conveyor.1"));
const sums = hashed([...binaries, "conveyor.1", "conveyor.cdx.json", "THIRD-PARTY-LICENSES", "LICENSE", "install.sh"]);
writeFileSync(
  join(out, "SHA256SUMS"),
  Object.entries(sums)
    .map(([name, sum]) => `${sum}  ${name}\n`)
    .join(""),
);
console.log(`${out}: ${Object.keys(sums).length} files in SHA256SUMS`);
