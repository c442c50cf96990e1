/** How a demonstration went: its steps, and where its records lie. */
import type { WayOfLaunch } from "../sessions/session.ts";

export interface DemoStep {
  readonly name: string;
  readonly who: string;
  readonly ms: number;
}

/** How the sessions of a demonstration were started. */
export interface DemoLaunch {
  readonly worker: WayOfLaunch | null;
  readonly manager: WayOfLaunch | null;
}

export interface DemoResult {
  readonly ok: boolean;
  /** Somebody ended it before it was over. */
  readonly interrupted: boolean;
  readonly steps: readonly DemoStep[];
  /** The step that did not happen, and what its pane shows. */
  readonly failed: { readonly step: string; readonly reason: string; readonly screen: string | null } | null;
  readonly seconds: number;
  readonly codex: string | null;
  /** null: they were not. */
  readonly launch: DemoLaunch | null;
  /** Where the records lie; null when they were removed. */
  readonly folder: string | null;
  readonly database: string | null;
  readonly rollouts: readonly string[];
}
