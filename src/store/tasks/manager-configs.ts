/** `manager_configs`: how a task is to be supervised, one row per task. */
import { compactJson, parseStored } from "../../core/json.ts";
import {
  type ConfigChange,
  type EpilogueStep,
  type ManagerConfig,
  mergeConfig,
  type NudgeMode,
  type SupervisionMode,
  sameSettings,
} from "../../core/tasks/manager-config.ts";
import { normalisePermissions } from "../../core/tasks/permissions.ts";
import { addEvent } from "../record/events.ts";
import { type Store, tx } from "../store.ts";
import { addTelemetry } from "../record/telemetry.ts";

/** A row as it stands in the table. */
export interface ConfigRow {
  readonly task_id: string;
  readonly supervision_mode: SupervisionMode;
  readonly objective: string | null;
  readonly guidelines_json: string;
  readonly acceptance_criteria_json: string;
  readonly reference_paths_json: string;
  readonly permissions_json: string;
  readonly tools_json: string;
  readonly epilogues_json: string;
  readonly nudge_on_completion: NudgeMode;
  readonly require_acks: number;
  readonly revision: number;
  readonly created_at: string;
  readonly updated_at: string;
}

const texts = <T extends string = string>(json: string): T[] => {
  const list = parseStored<unknown>(json, []);
  return Array.isArray(list) ? list.filter((item): item is T => typeof item === "string") : [];
};

export const configRow = (store: Store, taskId: string): ConfigRow | null =>
  store.db.query<ConfigRow, [string]>("select * from manager_configs where task_id = ?").get(taskId);

/**
 * What was saved was for something that was cut off: the configuration is as it was before, unless somebody changed it since.
 * @param before null: there was none @param saved what was saved then
 */
export function takeBackConfig(store: Store, before: ConfigRow | null, saved: ManagerConfig): void {
  tx(store, () => {
    const { task_id: taskId, revision } = saved;
    const gone = store.db.query("delete from manager_configs where task_id = ? and revision = ?").run(taskId, revision);
    if (gone.changes === 0) return;
    if (before !== null) {
      const columns = Object.keys(before);
      store.db
        .query(`insert into manager_configs (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`)
        .run(...(Object.values(before) as (string | number | null)[]));
    }
    addEvent(store, {
      type: "manager_config_taken_back",
      taskId,
      payload: { revision, back_to_revision: before?.revision ?? null },
    });
  });
}

/** The task's configuration, or null when none was made. Permissions of older rows come out in today's form. */
export function findConfig(store: Store, taskId: string): ManagerConfig | null {
  const row = configRow(store, taskId);
  if (!row) return null;
  return {
    task_id: row.task_id,
    supervision_mode: row.supervision_mode,
    objective: row.objective,
    guidelines: texts(row.guidelines_json),
    acceptance_criteria: texts(row.acceptance_criteria_json),
    reference_paths: texts(row.reference_paths_json),
    permissions: normalisePermissions(parseStored<unknown>(row.permissions_json, {})),
    tools: texts(row.tools_json),
    epilogues: texts<EpilogueStep>(row.epilogues_json),
    nudge_on_completion: row.nudge_on_completion,
    require_acks: row.require_acks === 1,
    revision: row.revision,
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}

interface SavedConfig {
  readonly config: ManagerConfig;
  /** A row was made or something in it differs now. */
  readonly changed: boolean;
  /** Permissions that were not understood. */
  readonly warnings: readonly string[];
}

/**
 * Merges a change into the task's configuration, or makes one of the defaults and the change. The revision grows by one, and event and
 * telemetry are written, when anything differs; otherwise nothing is touched.
 * @param options.source who asked, when it was not `manager-config` (`pair`): a key of the event
 */
export function saveConfig(store: Store, taskId: string, change: ConfigChange, options: { source?: string } = {}): SavedConfig {
  return tx(store, () => {
    const old = findConfig(store, taskId);
    const { settings, warnings } = mergeConfig(old, change);
    if (old && sameSettings(old, settings)) return { config: old, changed: false, warnings };
    const now = store.now();
    store.db
      .query(
        `insert into manager_configs (task_id, supervision_mode, objective, guidelines_json, acceptance_criteria_json, reference_paths_json, permissions_json,
           tools_json, epilogues_json, nudge_on_completion, require_acks, revision, created_at, updated_at)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)
         on conflict (task_id) do update set supervision_mode = excluded.supervision_mode, objective = excluded.objective, guidelines_json
           = excluded.guidelines_json,
           acceptance_criteria_json = excluded.acceptance_criteria_json, reference_paths_json = excluded.reference_paths_json,
           permissions_json = excluded.permissions_json, tools_json = excluded.tools_json, epilogues_json = excluded.epilogues_json,
           nudge_on_completion = excluded.nudge_on_completion, require_acks = excluded.require_acks, revision = revision + 1, updated_at =
             excluded.updated_at`,
      )
      .run(
        taskId,
        settings.supervision_mode,
        settings.objective,
        compactJson(settings.guidelines),
        compactJson(settings.acceptance_criteria),
        compactJson(settings.reference_paths),
        compactJson(settings.permissions),
        compactJson(settings.tools),
        compactJson(settings.epilogues),
        settings.nudge_on_completion,
        settings.require_acks ? 1 : 0,
        now,
        now,
      );
    const config = findConfig(store, taskId)!;
    const facts = {
      acceptance_count: change.acceptance?.length ?? 0,
      guideline_count: change.guidelines?.length ?? 0,
      reference_count: change.references?.length ?? 0,
      tool_count: config.tools.length,
      epilogue_count: config.epilogues.length,
      nudge_on_completion: config.nudge_on_completion,
      require_acks: config.require_acks,
      supervision_mode: config.supervision_mode,
      permission_warnings: warnings,
      ...(options.source === undefined ? {} : { source: options.source }),
    };
    addEvent(store, { type: "manager_config_recorded", taskId, payload: facts });
    addTelemetry(store, {
      type: "manager_config_recorded",
      taskId,
      summary: `manager configuration revision ${config.revision}`,
      attributes: { ...facts, revision: config.revision },
    });
    return { config, changed: true, warnings };
  });
}
