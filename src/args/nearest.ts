/** The likely spelling of a mistyped word. */

/** Damerau-Levenshtein distance (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      next.push(best);
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}

/** The candidate closest to `typed`: a clear prefix, or at most a third of the letters wrong. Null when none is close. */
export function nearest(typed: string, candidates: Iterable<string>): string | null {
  let found: string | null = null;
  let least = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const candidate of candidates) {
    const score = candidate.startsWith(typed) && typed.length > 2 ? 0.5 : distance(typed, candidate);
    if (score < least) {
      least = score;
      found = candidate;
    }
  }
  return found;
}
