/** Epilogue steps: what is to be done before a task is finished, and whether it was. */
import type { JsonObject } from "../json.ts";
import type { EpilogueStep } from "./manager-config.ts";

type EpilogueState = "pending" | "running" | "succeeded" | "failed" | "skipped";

/** A row of `epilogue_runs`, its JSON column read. */
export interface EpilogueRun {
  readonly id: number;
  readonly task_id: string;
  readonly step_name: string;
  readonly state: EpilogueState;
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly result: JsonObject | null;
  readonly error: string | null;
  readonly correlation_id: string | null;
}

interface StepStatus {
  readonly step_name: string;
  readonly state: EpilogueState;
  readonly ok: boolean;
  readonly latest_run: EpilogueRun | null;
}

export interface EpilogueStatus {
  readonly ok: boolean;
  readonly required_steps: readonly string[];
  readonly missing_or_incomplete: readonly string[];
  readonly steps: readonly StepStatus[];
}

/** How the configured steps stand: the newest run of each decides. `runs` in the order of their ids. */
export function epilogueStatus(configured: readonly EpilogueStep[], runs: readonly EpilogueRun[]): EpilogueStatus {
  const steps = configured.map((step_name): StepStatus => {
    const latest = runs.findLast((run) => run.step_name === step_name) ?? null;
    return { step_name, state: latest?.state ?? "pending", ok: latest?.state === "succeeded", latest_run: latest };
  });
  const missing = steps.filter((step) => !step.ok).map((step) => step.step_name);
  return { ok: missing.length === 0, required_steps: configured, missing_or_incomplete: missing, steps };
}
