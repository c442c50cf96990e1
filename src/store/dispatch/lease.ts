/** A lease: whoever works on something holds it for a while, so that another can take over when they die. */
import type { Holder } from "../../core/dispatch/holder.ts";
import { toIso } from "../../core/time.ts";
import type { Store } from "../store.ts";

/** Who works, and for how long what they claim is theirs. */
export interface Claimant {
  readonly dispatcherId: string;
  readonly leaseSeconds: number;
  /** The process itself; what it claims is free as soon as it is known to be gone. Absent or null: only time tells. */
  readonly holder?: Holder | null;
}

/** The end of a lease that begins now. */
export const leaseEnd = (store: Store, { leaseSeconds }: Claimant): string => toIso(Date.parse(store.now()) + leaseSeconds * 1000);
