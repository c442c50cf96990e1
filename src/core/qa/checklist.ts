/** What a checklist for an operator holds. */

export interface QaMarker {
  readonly correlation_id: string;
  readonly purpose: string;
}

export interface QaPlan {
  readonly scenario: string;
  /** What to tell the manager at the beginning. */
  readonly starter_prompt?: string;
  readonly authority_boundaries?: readonly string[];
  readonly steps: readonly string[];
  readonly expected_observations: readonly string[];
  readonly acceptance_criteria?: readonly string[];
  readonly trigger_tasks?: readonly { readonly name: string; readonly trigger: string; readonly acceptance: string }[];
  /** Correlation ids to use, so that the records of a drill can be found. */
  readonly correlation_markers?: readonly QaMarker[];
  /** To be filled in while the drill runs. */
  readonly evidence_template?: Readonly<Record<string, unknown>>;
}
