/** Telemetry in the JSON form of OpenTelemetry's protocol, for collectors that people already run. */
import { SecretMask } from "../core/secrets.ts";
import type { TelemetryEvent } from "../core/telemetry.ts";
import { instant } from "../core/time.ts";

/** Severity numbers of the protocol. */
const SEVERITY: Readonly<Record<TelemetryEvent["severity"], number>> = { debug: 5, info: 9, warning: 13, error: 17 };

type OtlpValue =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string }
  | { doubleValue: number }
  | { arrayValue: { values: OtlpValue[] } }
  | { kvlistValue: { values: OtlpAttribute[] } };
interface OtlpAttribute {
  key: string;
  value: OtlpValue;
}

function value(of: unknown): OtlpValue {
  if (typeof of === "boolean") return { boolValue: of };
  if (typeof of === "number") return Number.isSafeInteger(of) ? { intValue: String(of) } : { doubleValue: of };
  if (Array.isArray(of)) return { arrayValue: { values: of.map(value) } };
  if (of !== null && typeof of === "object") return { kvlistValue: { values: attributes(of as Record<string, unknown>) } };
  return { stringValue: of === null || of === undefined ? "" : String(of) };
}

/** The members of an object that have a value. */
const attributes = (of: Readonly<Record<string, unknown>>): OtlpAttribute[] =>
  Object.entries(of)
    .filter(([, member]) => member !== null && member !== undefined)
    .map(([key, member]) => ({ key, value: value(member) }));

/** Nanoseconds as text, since they are larger than a number can say. */
const nanos = (timestamp: string): string => `${BigInt(instant(timestamp) ?? 0) * 1_000_000n}`;

const prefixed = (prefix: string, of: unknown): Record<string, unknown> =>
  of !== null && typeof of === "object" ? Object.fromEntries(Object.entries(of).map(([key, member]) => [`${prefix}.${key}`, member])) : {};

/** An event as a log record. */
const logRecord = (event: TelemetryEvent) => ({
  timeUnixNano: nanos(event.timestamp),
  observedTimeUnixNano: nanos(event.timestamp),
  severityNumber: SEVERITY[event.severity],
  severityText: event.severity.toUpperCase(),
  eventName: event.event_type,
  body: { stringValue: event.summary },
  attributes: attributes({
    "conveyor.event.id": event.id,
    "conveyor.actor": event.actor,
    "conveyor.task.id": event.task_id,
    "conveyor.run.id": event.run_id,
    ...prefixed("conveyor.correlation", event.correlation),
    ...prefixed("conveyor", event.attributes),
  }),
});

/** All of them, one by one, with secrets masked: they go to other machines. */
export function* logRecords(events: Iterable<TelemetryEvent>): Generator<ReturnType<typeof logRecord>> {
  const mask = new SecretMask();
  for (const event of events) yield logRecord(mask.value(event) as TelemetryEvent);
}

/** The request that a collector takes at `/v1/logs`; `records` may be a stream. */
export const logsDocument = (records: unknown, version: string) => ({
  resourceLogs: [
    {
      resource: { attributes: attributes({ "service.name": "conveyor", "service.version": version }) },
      scopeLogs: [{ scope: { name: "conveyor.telemetry", version }, logRecords: records }],
    },
  ],
});
