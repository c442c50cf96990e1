/** Versions of agents, compared by their numbers. */

/** Both ends belong to it. */
export interface VersionRange {
  readonly from: string;
  readonly to: string;
}

/** Major, minor and patch number of a text like `codex-cli 0.169.0`; zero where there is none. */
export function versionNumbers(version: string | null): readonly [number, number, number] {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(version ?? "");
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0), Number(match?.[3] ?? 0)];
}

function compare(one: string, other: string): number {
  const [left, right] = [versionNumbers(one), versionNumbers(other)];
  for (const [index, number] of left.entries()) if (number !== right[index]) return number - right[index]!;
  return 0;
}

/** Where a version lies beside a range that is known; null: the version is not known. */
export function placeInRange(version: string | null, range: VersionRange): "older" | "inside" | "newer" | null {
  if (version === null) return null;
  if (compare(version, range.from) < 0) return "older";
  return compare(version, range.to) > 0 ? "newer" : "inside";
}

/** What is to be said against a version, in a sentence; null when the tests know it. `null` is one that was not told. */
export function versionDoubt(version: string | null, range: VersionRange): string | null {
  const known = `${range.from} to ${range.to}`;
  if (version === null) return `it does not say its version; the tests know ${known}`;
  const place = placeInRange(version, range);
  return place === "inside" ? null : `${version} is ${place} than any version that the tests know (${known})`;
}
