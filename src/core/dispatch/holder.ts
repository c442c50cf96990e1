/** The process that holds a claim, as the record of claims names it. */
export interface Holder {
  /** Where its pid means something: a boot of a host, and the host. */
  readonly world: string;
  readonly pid: number;
  /** When it was started: a pid alone is given to somebody else one day. */
  readonly born: string;
}

/** A holder as rows keep it: in three columns, all of them or none. */
export interface HolderColumns {
  readonly world: string | null;
  readonly pid: number | null;
  readonly born: string | null;
}

/** Who holds it by its row; null: nobody, or the system did not tell. */
export const heldBy = ({ world, pid, born }: HolderColumns): Holder | null =>
  world === null || pid === null || born === null ? null : { world, pid, born };

/** The values of these columns, in their order. */
export const holderColumns = (holder: Holder | null): [world: string | null, pid: number | null, born: string | null] => [
  holder?.world ?? null,
  holder?.pid ?? null,
  holder?.born ?? null,
];
