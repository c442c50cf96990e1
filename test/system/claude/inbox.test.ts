/** The inbox of a Claude Code session, against a socket that takes what the real one takes. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import type { JsonObject } from "../../../src/core/json.ts";
import { addToInbox } from "../../../src/system/claude/inbox.ts";
import { startTicks } from "../../../src/system/processes/processes.ts";
import { until, World } from "../../harness.ts";

const SESSION = "0f9d2c1e-5a40-4f7b-9c55-1d2e3f4a5b6c";
let w: World;
let server: Server;
let taken: JsonObject[];

beforeEach(async () => {
  w = new World();
  taken = [];
  // It takes a line, and closes at once.
  server = createServer({ allowHalfOpen: true }, (connection) => {
    let line = "";
    connection.setEncoding("utf8").on("data", (some) => void (line += String(some)));
    connection.on("end", () => {
      taken.push(JSON.parse(line) as JsonObject);
      connection.end();
    });
  });
  const inbox = join(w.dir, "inbox.sock");
  await new Promise<void>((resolve) => void server.listen(inbox, resolve));
  listed({ messagingSocketPath: inbox });
});
afterEach(() => {
  server.close();
  w.close();
});

const home = () => join(w.dir, "claude");
const place = () => ({ home: home(), env: w.env });

/** This very process is the session. */
function listed(more: JsonObject): void {
  mkdirSync(join(home(), "sessions"), { recursive: true });
  const { pid } = process;
  const entry = { pid, sessionId: SESSION, procStart: startTicks(pid), kind: "interactive", cwd: w.work, status: "idle", ...more };
  writeFileSync(join(home(), "sessions", `${pid}.json`), JSON.stringify(entry));
}

test("a message is written whole under our id, whatever its length", async () => {
  for (const text of ["carry on", "é".repeat(400_000)]) {
    const id = crypto.randomUUID();
    expect(await addToInbox(place(), SESSION, text, id)).toEqual({ value: id });
    const line = await until("the message", () => taken.find(({ msg_id }) => msg_id === id));
    expect(line).toMatchObject({ msgV: 1, type: "user", message: { role: "user", content: text } });
  }
});

test("each comes from a sender of its own: the same words said again are not taken for the first", async () => {
  for (const id of ["one", "two"]) await addToInbox(place(), SESSION, "carry on", id);
  await until("both", () => taken.length === 2);
  expect(taken.map(({ from }) => from)).toEqual(["conveyor:one", "conveyor:two"]);
});

test("what is known to have gone nowhere is a refusal in words", async () => {
  const refused = async (session = SESSION) => addToInbox(place(), session, "carry on", "one");
  expect(await refused("11111111-1111-4111-8111-111111111111")).toEqual({
    error: "the session is not in the list that Claude Code keeps of those that live",
  });
  listed({ messagingSocketPath: join(w.dir, "nobody.sock") });
  expect(await refused()).toEqual({ error: expect.stringContaining("its inbox is not there: ") });
  listed({});
  expect(await refused()).toEqual({ error: "the session takes no messages from other sessions" });
  expect(taken).toEqual([]);
});
