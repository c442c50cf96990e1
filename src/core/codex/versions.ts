/** The releases of Codex that the tests know, and what a release is known to do by its number. */
import { type VersionRange, versionNumbers } from "../agent/version.ts";

/** The tests run the first and the last of these, both included. */
export const testedVersions = { from: "0.169.0", to: "0.171.0" } as const satisfies VersionRange;

/** From 0.150 on its help tells what it can do, and its rollout appears at the first turn. */
export function isModern(version: string | null): boolean {
  const [major, minor] = versionNumbers(version);
  return major > 0 || minor >= 150;
}
