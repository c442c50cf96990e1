/** Searching telemetry in a file where a word is common: the same finds, whichever way they are looked for. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { listTelemetry, type Stretch, type TelemetryFilter } from "../../src/store/reports/telemetry-list.ts";
import { World } from "../harness.ts";

let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => w.close());

const EVENTS = 6000;

/** Events of two tasks, each with the word `common`, some with a rarer one; every seventh a day before its neighbours. */
function fill(): void {
  const { db } = w.store();
  db.run(
    "insert into tasks (id, name, goal, state, created_at, updated_at) values ('t0', 't0', 'g', 'managed', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'), ('t1', 't1', 'g', 'managed', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')",
  );
  db.run(`with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < ${EVENTS})
    insert into telemetry_events select 'e' || i, null, 't' || (i % 50 = 0), strftime('%Y-%m-%dT%H:%M:%fZ', 1767225600 + i - 86400 * (i % 7 = 0), 'unixepoch'),
      'workerctl', 'type_' || (i % 3), case i % 10 when 0 then 'error' else 'info' end, 'common thing ' || (i % 100), '{}', '{}' from n`);
  db.run(
    "insert into telemetry_events_fts (event_id, task_id, run_id, actor, event_type, summary, attributes) select id, task_id, run_id, actor, event_type, summary, attributes_json from telemetry_events order by rowid",
  );
}

const searches: [TelemetryFilter, Stretch][] = [
  [{ search: "common" }, { limit: 20 }],
  [{ search: "COMMON thing" }, { limit: 20, newest: true }],
  [{ search: "common", taskId: "t1" }, { limit: 50 }],
  [{ search: "common 5", severity: "info" }, { limit: 7 }],
  [
    { search: "common", severity: "error", eventType: "type_1" },
    { limit: 30, newest: true },
  ],
  [{ search: "common" }, { limit: 2500 }],
  [{ search: "type_1" }, { limit: 3 }],
];

const found = () => searches.map(([filter, stretch]) => [...listTelemetry(w.store(), filter, stretch)].map(({ id }) => id));

/** What fits, read off the tables by hand. */
const expected = () =>
  searches.map(([{ search = "", taskId = null, severity = null, eventType = null }, { limit = -1, newest }]) =>
    w
      .rows<{ id: string; summary: string; event_type: string }>(
        `select id, summary, event_type from telemetry_events where ('${taskId}' in ('null', task_id)) and ('${severity}' in ('null', severity)) and ('${eventType}' in ('null', event_type))
         order by julianday(timestamp) ${newest ? "desc" : "asc"}, rowid ${newest ? "desc" : "asc"}`,
      )
      .filter(
        ({ summary, event_type }) =>
          event_type === search ||
          search
            .toLowerCase()
            .split(" ")
            .every((word) => summary.split(" ").includes(word)),
      )
      .slice(0, limit)
      .map(({ id }) => id),
  );

test("a common word is found in the order of time, with all filters", () => {
  fill();
  expect(found()).toEqual(expected());
});

test("also when the search table does not lie beside the events", () => {
  fill();
  const { db } = w.store();
  db.run("delete from telemetry_events_fts");
  db.run(
    "insert into telemetry_events_fts (event_id, summary, attributes) select id, summary, attributes_json from telemetry_events order by rowid desc",
  );
  expect(found()).toEqual(expected());
});
