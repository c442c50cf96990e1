/** `task_acknowledgements`: how worker and manager said they understood the task. */
import type { AckAudit } from "../../core/tasks/finish.ts";
import { compactJson, type JsonObject, parseStored } from "../../core/json.ts";
import { ROLES, type Role } from "../../core/sessions/session.ts";
import { openBinding } from "../sessions/bindings.ts";
import { addEvent } from "../record/events.ts";
import { findConfig } from "./manager-configs.ts";
import { type Store, tx } from "../store.ts";

export interface Ack {
  readonly id: number;
  readonly task_id: string;
  readonly role: Role;
  readonly binding_id: string | null;
  readonly payload: JsonObject;
  /** Counts per task and role. */
  readonly revision: number;
  /** Revision of the configuration when it was given, null without one. */
  readonly manager_config_revision: number | null;
  readonly correlation_id: string | null;
  readonly created_at: string;
}

type Row = Omit<Ack, "payload"> & { readonly payload_json: string };

/** The newest acknowledgement of this role, or null. */
export function latestAck(store: Store, taskId: string, role: Role): Ack | null {
  const row = store.db
    .query<Row, [string, string]>(
      "select * from task_acknowledgements where task_id = ? and role = ? order by revision desc, id desc limit 1",
    )
    .get(taskId, role);
  if (!row) return null;
  const { payload_json, ...rest } = row;
  return { ...rest, payload: parseStored<JsonObject>(payload_json, {}) };
}

/** Stores one more acknowledgement with its event; what it says stays out of the event. */
export function addAck(
  store: Store,
  taskId: string,
  role: Role,
  input: { payload: Record<string, unknown>; correlationId?: string | undefined },
): Ack {
  return tx(store, () => {
    const binding = openBinding(store, taskId)?.id ?? null;
    const correlation = input.correlationId ?? null;
    store.db
      .query(
        `insert into task_acknowledgements (task_id, binding_id, role, payload_json, revision, manager_config_revision, created_at, correlation_id)
         values (?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        taskId,
        binding,
        role,
        compactJson(input.payload),
        (latestAck(store, taskId, role)?.revision ?? 0) + 1,
        findConfig(store, taskId)?.revision ?? null,
        store.now(),
        correlation,
      );
    const ack = latestAck(store, taskId, role)!;
    addEvent(store, {
      type: `${role}_ack_recorded`,
      actor: role,
      taskId,
      correlationId: correlation,
      payload: { ack_id: ack.id, binding_id: binding, payload_keys: Object.keys(input.payload).sort(), role },
    });
    return ack;
  });
}

/** Whether both roles have acknowledged, and whether that was the present configuration. */
export function auditAcks(store: Store, taskId: string, required: boolean): AckAudit {
  const [worker, manager] = ROLES.map((role) => latestAck(store, taskId, role)) as [Ack | null, Ack | null];
  const current = findConfig(store, taskId)?.revision ?? null;
  const of = (role: Role) => (role === "worker" ? worker : manager);
  const missing = ROLES.filter((role) => of(role) === null);
  const stale = ROLES.filter((role) => of(role) !== null && of(role)!.manager_config_revision !== current);
  return {
    ok: missing.length === 0,
    missing,
    stale,
    worker_ack_id: worker?.id ?? null,
    manager_ack_id: manager?.id ?? null,
    require_acks: required,
  };
}
