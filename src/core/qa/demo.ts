/** How a demonstration went: its steps, and where its records lie. */
export interface DemoStep {
  readonly name: string;
  readonly who: string;
  readonly ms: number;
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
  /** Where the records lie; null when they were removed. */
  readonly folder: string | null;
  readonly database: string | null;
  readonly rollouts: readonly string[];
}
