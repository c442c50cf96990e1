/** A manager's configuration of one task: its fields, defaults, and how a change merges into what is stored. */
import { compactJson } from "../json.ts";
import { applyOverrides, grant, noPermissions, type Permissions } from "./permissions.ts";

export const SUPERVISION_MODES = ["light", "guided", "strict"] as const;
export type SupervisionMode = (typeof SUPERVISION_MODES)[number];
export const NUDGE_MODES = ["off", "ask-operator", "auto-review", "auto-proceed"] as const;
export type NudgeMode = (typeof NUDGE_MODES)[number];
export const EPILOGUE_STEPS = ["run-tools", "draft-pr", "subagent-review", "record-handoff"] as const;
export type EpilogueStep = (typeof EPILOGUE_STEPS)[number];

/** What can be configured. */
export interface ConfigSettings {
  readonly supervision_mode: SupervisionMode;
  readonly objective: string | null;
  readonly guidelines: readonly string[];
  readonly acceptance_criteria: readonly string[];
  readonly reference_paths: readonly string[];
  readonly permissions: Permissions;
  readonly tools: readonly string[];
  readonly epilogues: readonly EpilogueStep[];
  readonly nudge_on_completion: NudgeMode;
  readonly require_acks: boolean;
}

/** A row of `manager_configs`, its JSON columns read. */
export interface ManagerConfig extends ConfigSettings {
  readonly task_id: string;
  readonly revision: number;
  readonly created_at: string;
  readonly updated_at: string;
}

export const CLEARABLE = ["objective", "guidelines", "acceptance", "references", "tools", "epilogues", "permissions"] as const;
type Clearable = (typeof CLEARABLE)[number];

/** What a call asks to change; what is absent stays as stored. */
export interface ConfigChange {
  /** Emptied first. */
  readonly clear?: readonly Clearable[];
  readonly mode?: SupervisionMode | undefined;
  readonly objective?: string | undefined;
  readonly guidelines?: readonly string[] | undefined;
  readonly acceptance?: readonly string[] | undefined;
  readonly references?: readonly string[] | undefined;
  readonly tools?: readonly string[] | undefined;
  readonly epilogues?: readonly EpilogueStep[] | undefined;
  readonly nudge?: NudgeMode | undefined;
  readonly requireAcks?: boolean | undefined;
  /** Permission names and aliases to grant. */
  readonly grants?: readonly string[];
  /** `--permissions-json`, applied after the grants. */
  readonly permissions?: Readonly<Record<string, unknown>>;
}

/** The flags by which a configuration is given, without prefix; lists are empty when absent. */
interface ConfigFlags {
  readonly mode?: SupervisionMode | undefined;
  readonly objective?: string | undefined;
  readonly guideline: readonly string[];
  readonly acceptance: readonly string[];
  readonly reference: readonly string[];
  readonly permit: readonly string[];
  readonly tool: readonly string[];
  readonly epilogue: readonly EpilogueStep[];
  readonly nudgeOnCompletion?: NudgeMode | undefined;
  readonly requireAcks: boolean;
  readonly allowPr: boolean;
  readonly allowMergeGreen: boolean;
  readonly allowWorkerCompactClear: boolean;
  readonly permissionsJson?: Readonly<Record<string, unknown>> | undefined;
}

const given = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

/** The change that these flags ask for; null when none of them was given. */
export function changeOfFlags(flags: ConfigFlags): ConfigChange | null {
  const grants = [
    ...(flags.allowPr ? ["allow_pr"] : []),
    ...(flags.allowMergeGreen ? ["allow_merge_green"] : []),
    ...(flags.allowWorkerCompactClear ? ["allow_worker_compact_clear"] : []),
    ...flags.permit,
  ];
  const change: Record<keyof Omit<ConfigChange, "clear">, unknown> = {
    mode: flags.mode,
    objective: flags.objective,
    guidelines: given(flags.guideline),
    acceptance: given(flags.acceptance),
    references: given(flags.reference),
    tools: given(flags.tool),
    epilogues: given(flags.epilogue),
    nudge: flags.nudgeOnCompletion,
    requireAcks: flags.requireAcks || undefined,
    grants: given(grants),
    permissions: flags.permissionsJson,
  };
  const named = Object.entries(change).filter(([, value]) => value !== undefined);
  return named.length === 0 ? null : (Object.fromEntries(named) as ConfigChange);
}

export const defaultSettings = (): ConfigSettings => ({
  supervision_mode: "guided",
  objective: null,
  guidelines: [],
  acceptance_criteria: [],
  reference_paths: [],
  permissions: noPermissions(),
  tools: [],
  epilogues: [],
  nudge_on_completion: "ask-operator",
  require_acks: false,
});

const distinct = <T extends string>(list: readonly T[]): T[] => [
  ...new Set(list.map((item) => item.trim() as T).filter((item) => item !== "")),
];

/** The settings after the change, and what in the given permissions was not understood. */
export function mergeConfig(stored: ConfigSettings | null, change: ConfigChange): { settings: ConfigSettings; warnings: string[] } {
  const empty = defaultSettings();
  const old = stored ?? empty;
  const cleared = (field: Clearable) => change.clear?.includes(field) === true;
  const kept = <T>(field: Clearable, value: T, none: T): T => (cleared(field) ? none : value);
  const granted = grant(kept("permissions", old.permissions, empty.permissions), change.grants ?? []);
  const { permissions, warnings } = applyOverrides(granted, change.permissions ?? {});
  return {
    settings: {
      supervision_mode: change.mode ?? old.supervision_mode,
      objective: change.objective ?? kept("objective", old.objective, null),
      guidelines: change.guidelines ?? kept("guidelines", old.guidelines, []),
      acceptance_criteria: change.acceptance ?? kept("acceptance", old.acceptance_criteria, []),
      reference_paths: change.references ?? kept("references", old.reference_paths, []),
      permissions,
      tools: change.tools ? distinct(change.tools) : kept("tools", old.tools, []),
      epilogues: change.epilogues ? distinct(change.epilogues) : kept("epilogues", old.epilogues, []),
      nudge_on_completion: change.nudge ?? old.nudge_on_completion,
      require_acks: change.requireAcks ?? old.require_acks,
    },
    warnings,
  };
}

/** Whether two settings would be stored alike. */
export const sameSettings = (a: ConfigSettings, b: ConfigSettings): boolean =>
  (Object.keys(defaultSettings()) as (keyof ConfigSettings)[]).every((key) => compactJson(a[key]) === compactJson(b[key]));
