/** What a pass reports: one item for each thing it did. */

export type Item = Readonly<Record<string, unknown>>;
