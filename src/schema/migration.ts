/** What the steps of a migration are given besides the database. */
export interface Migration {
  /** The version that the file says it has; 0 for one from before versions were written. */
  readonly from: number;
  now(): string;
  newId(prefix: string): string;
}
