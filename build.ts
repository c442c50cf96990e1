/**
 * Compiles the program: `bun build.ts` makes dist/conveyor and dist/workerctl for this machine.
 * `scripts/release.ts` uses the same `compile` for every target.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

export const root = import.meta.dir;

/** One platform that a release carries. `runtime` is the npm package below `@oven/` that holds its Bun. */
export interface Target {
  name: string;
  runtime: string;
  os: "linux" | "darwin";
  cpu: "x64" | "arm64";
  libc: "glibc" | "musl" | null;
}

export const targets: readonly Target[] = [
  { name: "linux-x64", runtime: "bun-linux-x64", os: "linux", cpu: "x64", libc: "glibc" },
  { name: "linux-x64-musl", runtime: "bun-linux-x64-musl", os: "linux", cpu: "x64", libc: "musl" },
  { name: "linux-arm64", runtime: "bun-linux-aarch64", os: "linux", cpu: "arm64", libc: "glibc" },
  { name: "linux-arm64-musl", runtime: "bun-linux-aarch64-musl", os: "linux", cpu: "arm64", libc: "musl" },
  { name: "darwin-x64", runtime: "bun-darwin-x64", os: "darwin", cpu: "x64", libc: null },
  { name: "darwin-arm64", runtime: "bun-darwin-aarch64", os: "darwin", cpu: "arm64", libc: null },
];

/** Bun, as package.json pins it: the compiler and the runtime inside the binary are this version and no other. */
export const bunVersion: string = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies.bun;

/**
 * Compiles src/main.ts into `outfile`, for this machine or for `target` with the Bun at `executablePath`.
 * Gives the paths of all files that went into it. The bytes depend on the sources and the file's name alone.
 * @throws with the bundler's own messages
 */
export async function compile(outfile: string, target?: Target, executablePath?: string): Promise<string[]> {
  process.chdir(root); // assets keep their path relative to the working directory
  const result = await Bun.build({
    entrypoints: ["./src/main.ts"],
    target: "bun",
    format: "esm",
    splitting: true,
    minify: true,
    bytecode: true,
    metafile: true,
    compile: {
      outfile,
      assets: ["./skills"],
      // Workers run in folders that nobody vouches for: nothing there may reach into this program.
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
      // Also keeps BUN_OPTIONS=--preload=… from loading a file that is not part of the binary.
      execArgv: ["--disallow-code-generation-from-strings=strict"],
      ...(target && { target: `bun-${target.name}` as Bun.Build.CompileTarget }),
      ...(executablePath && { executablePath }),
    },
    throw: false,
  });
  if (!result.success) throw new Error(result.logs.map(String).join("\n"));
  return Object.keys(result.metafile!.inputs);
}

/** Gives `path` its second name beside it: the program goes by the word it was called with. */
export function linkAlias(path: string): void {
  const alias = join(dirname(path), "workerctl");
  rmSync(alias, { force: true });
  symlinkSync("conveyor", alias);
}

if (import.meta.main) {
  if (Bun.version !== bunVersion)
    throw new Error(`build.ts needs Bun ${bunVersion} and runs on ${Bun.version}: start it with \`npm run build\``);
  // Compiled under its own name beside the old one, then renamed: a running dist/conveyor keeps its file.
  const started = performance.now();
  const fresh = join(root, "dist", "fresh", "conveyor");
  mkdirSync(dirname(fresh), { recursive: true });
  await compile(fresh);
  const outfile = join(root, "dist", "conveyor");
  renameSync(fresh, outfile);
  rmSync(dirname(fresh), { recursive: true });
  linkAlias(outfile);
  console.log(`dist/conveyor: ${(statSync(outfile).size / 2 ** 20).toFixed(1)} MiB in ${Math.round(performance.now() - started)} ms`);
}
