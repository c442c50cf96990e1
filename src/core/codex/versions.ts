/** The releases of Codex that the tests know, and what a release is known to do by its number. */
import { type VersionRange, versionNumbers } from "../agent/version.ts";

/** From the oldest to the newest release that the tests have run with. */
export const testedVersions: VersionRange = { from: "0.169.0", to: "0.171.0" };

/** From 0.150 on its help tells what it can do, and its rollout appears at the first turn. */
export function isModern(version: string | null): boolean {
  const [major, minor] = versionNumbers(version);
  return major > 0 || minor >= 150;
}
