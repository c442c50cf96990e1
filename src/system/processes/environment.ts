/** The environment that programs are started with, and where on its PATH they lie. */

/** The environment as commands are given it; undefined members are absent. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Names that must never reach a child: what npm leaves behind steers Node programs, what Bun reads steers this very binary. */
const isForeignName = (name: string): boolean =>
  /^(npm|NPM)_/.test(name) || name === "PNPM_SCRIPT_SRC_DIR" || name === "BUN_OPTIONS" || name === "BUN_BE_BUN";

/** Those of `names` that a launched agent must not see, each once. */
export const foreignNames = (names: Iterable<string>): string[] => [...new Set(names)].filter(isForeignName).sort();

/** A copy of `env` without undefined members and without the names of {@link foreignNames}. */
export function childEnv(env: Env): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined && !isForeignName(name)) result[name] = value;
  return result;
}

/** Absolute path of `program` on the PATH of `env`, or null. */
export const which = (program: string, env: Env): string | null => Bun.which(program, { PATH: env.PATH ?? "" });
