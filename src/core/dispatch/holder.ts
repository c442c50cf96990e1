/** The process that holds a claim, as the record of claims names it. */
export interface Holder {
  /** Where its pid means something: a boot of a host, and the host. */
  readonly world: string;
  readonly pid: number;
  /** When it was started: a pid alone is given to somebody else one day. */
  readonly born: string;
}
