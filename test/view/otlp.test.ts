/** Telemetry as OpenTelemetry's collectors take it: field by field, by the protocol's JSON rules. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { addTelemetry } from "../../src/store/record/telemetry.ts";
import { World } from "../harness.ts";

let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => w.close());

test("an event becomes a log record with its time, severity, name, body and typed attributes", async () => {
  const { id: taskId } = await w.ok("tasks --create job --goal g");
  addTelemetry(w.store(), {
    type: "ingest_failed",
    summary: "could not read",
    severity: "error",
    taskId,
    correlation: { session: "w1", missing: null },
    attributes: { count: 3, share: 0.5, ok: false, list: [1, "a"], inner: { k: "v" }, big: 2 ** 60 },
  });
  const document = await w.ok("telemetry --format otlp-json");
  const [{ resource, scopeLogs }] = document.resourceLogs;
  expect(resource.attributes[0]).toEqual({ key: "service.name", value: { stringValue: "conveyor" } });
  const [record] = scopeLogs[0].logRecords;
  expect(record).toMatchObject({
    severityNumber: 17,
    severityText: "ERROR",
    eventName: "ingest_failed",
    body: { stringValue: "could not read" },
  });
  expect(record.timeUnixNano).toMatch(/^\d{13}000000$/);
  expect(Object.fromEntries(record.attributes.map(({ key, value }: { key: string; value: unknown }) => [key, value]))).toMatchObject({
    "conveyor.task.id": { stringValue: taskId },
    "conveyor.correlation.session": { stringValue: "w1" },
    "conveyor.count": { intValue: "3" },
    "conveyor.share": { doubleValue: 0.5 },
    "conveyor.ok": { boolValue: false },
    "conveyor.list": { arrayValue: { values: [{ intValue: "1" }, { stringValue: "a" }] } },
    "conveyor.inner": { kvlistValue: { values: [{ key: "k", value: { stringValue: "v" } }] } },
    "conveyor.big": { doubleValue: 2 ** 60 },
  });
  expect(record.attributes.map(({ key }: { key: string }) => key)).not.toContain("conveyor.correlation.missing");
});

test("no events make an empty document, and the form goes with the listing only", async () => {
  expect((await w.ok("telemetry --format otlp-json")).resourceLogs[0].scopeLogs[0].logRecords).toEqual([]);
  for (const line of ["telemetry metrics --format otlp-json", "telemetry --summary --format otlp-json", "telemetry --format csv"])
    expect((await w.run(line)).exit).toBe(2);
});
