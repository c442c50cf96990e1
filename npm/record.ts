/** The one record that every package.json of the npm packages is made from. */
import { version } from "../package.json";
import { type Target, targets } from "../build.ts";

const shared = {
  version,
  license: "MIT",
  engines: { node: ">=20" },
  preferUnplugged: true,
};

export const WRAPPER = "agent-conveyor";
export const packageOf = (target: Target): string => `@agent-conveyor/${target.name}`;

/**
 * npm refuses to publish a package that is private, as folder and as tarball alike: that is the guard against publishing by
 * accident. A release is staged with CONVEYOR_PUBLISH set to the very version that is meant.
 */
const guard = (publish: string | undefined) => {
  if (publish !== undefined && publish !== version) throw new Error(`CONVEYOR_PUBLISH is ${publish}, but this is version ${version}`);
  return publish === undefined ? { private: true } : { publishConfig: { access: "public", provenance: true } };
};

/** package.json of the wrapper, which starts the binary of the platform's package. */
export const wrapperManifest = (publish?: string): object => ({
  name: WRAPPER,
  description:
    "One agent session (Codex or Claude Code) supervises another: observed, spoken to with proof, held to evidence, recorded in one SQLite file.",
  ...shared,
  ...guard(publish),
  type: "module",
  bin: { conveyor: "bin/conveyor.mjs", workerctl: "bin/workerctl.mjs" },
  man: ["conveyor.1"],
  exports: { ".": { types: "./index.d.ts", default: "./index.mjs" }, "./package.json": "./package.json" },
  files: ["bin", "binary.mjs", "index.mjs", "index.d.ts", "commands.json", "conveyor.1"],
  optionalDependencies: Object.fromEntries(targets.map((target) => [packageOf(target), version])),
});

/** package.json of the package that holds one target's binary. */
export const targetManifest = (target: Target, publish?: string): object => ({
  name: packageOf(target),
  description: `The conveyor binary for ${target.name}; installed by ${WRAPPER}.`,
  ...shared,
  ...guard(publish),
  os: [target.os],
  cpu: [target.cpu],
  ...(target.libc && { libc: [target.libc] }),
  files: ["bin", "THIRD-PARTY-LICENSES"],
});
