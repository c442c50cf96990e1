/** Finds the binary for this machine: CONVEYOR_BINARY, else that of the platform's package. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const names = Object.keys(JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")).optionalDependencies);

/** Whether this system's C library is musl: the running program knows, else the loaders that are installed tell. */
function musl() {
  if (process.report) process.report.excludeNetwork = true; // else it looks up every peer's name
  const header = process.report?.getReport()?.header;
  if (header && "glibcVersionRuntime" in header) return false;
  return ["x86_64", "aarch64"].some((cpu) => existsSync(`/lib/ld-musl-${cpu}.so.1`));
}

function pathIn(name) {
  try {
    return join(dirname(require.resolve(`${name}/package.json`)), "bin", "conveyor");
  } catch {
    return undefined;
  }
}

/** Path of the binary; throws an Error that says what is there, what is needed, why, and what to do. */
export function binary(env = process.env) {
  if (env.CONVEYOR_BINARY) return env.CONVEYOR_BINARY;
  const name = `@agent-conveyor/${process.platform}-${process.arch}${process.platform === "linux" && musl() ? "-musl" : ""}`;
  if (!names.includes(name))
    throw new Error(`there is no binary for ${process.platform} on ${process.arch}; build one from source and set CONVEYOR_BINARY to it`);
  const path = pathIn(name);
  if (path && existsSync(path)) return path;
  const there = names.filter(pathIn).join(", ") || "none of its kind";
  throw new Error(`this machine needs the package ${name}, and what is installed is ${there}.
It is usually missing because optional dependencies were left out (--omit=optional), or because node_modules or the lock
file came from another kind of machine. Install again here with npm install --include=optional, or set CONVEYOR_BINARY
to a conveyor binary.`);
}
