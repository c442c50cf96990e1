/** Which versions of Codex this program was tried with. */

/** The tests run the first and the last of these, both included. */
export const testedVersions = { from: "0.169.0", to: "0.171.0" } as const;

const numbers = (version: string): number[] => version.split("-")[0]!.split(".").map(Number);

/** Below zero: `one` is the older of the two. */
function compare(one: string, other: string): number {
  const [a, b] = [numbers(one), numbers(other)];
  for (let at = 0; at < 3; at += 1) if ((a[at] ?? 0) !== (b[at] ?? 0)) return (a[at] ?? 0) - (b[at] ?? 0);
  return 0;
}

/** What is to be said against a version, in a sentence; null when the tests know it. `null` is one that was not told. */
export function versionDoubt(version: string | null): string | null {
  const range = `${testedVersions.from} to ${testedVersions.to}`;
  if (version === null) return `it does not say its version; the tests know ${range}`;
  if (compare(version, testedVersions.from) < 0) return `${version} is older than any version that the tests know (${range})`;
  return compare(version, testedVersions.to) > 0 ? `${version} is newer than any version that the tests know (${range})` : null;
}
