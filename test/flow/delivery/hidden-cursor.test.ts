/** Typing into an agent that hides the terminal's cursor and draws one of its own. It is made up, since Codex shows the terminal's. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Agent } from "../../../src/core/agent/agent.ts";
import { agents } from "../../../src/core/agent/agents.ts";
import { Journal } from "../../../src/flow/delivery/journal.ts";
import { deliverByTmux } from "../../../src/flow/delivery/tmux.ts";
import { reach, recipientOf } from "../../../src/flow/reach/recipient.ts";
import { needSession } from "../../../src/store/sessions/sessions.ts";
import { listPanes } from "../../../src/system/terminal/panes.ts";
import { FIXTURES, until, World } from "../../harness.ts";
import { screenOf, showing, tmux } from "../../panes.ts";
import { lonelyWorker } from "../../rollout.ts";

let w: World;
beforeEach(() => {
  w = new World();
  w.realTime = true;
});
afterEach(() => w.close());

const drawing: Agent = { ...agents.codex, screen: { ...agents.codex.screen, cursorShown: false } };

test("an empty composer is enough there, wherever the cursor is", async () => {
  await lonelyWorker(w);
  const idle = readFileSync(join(FIXTURES, "codex-0.169.0/screens/idle-after-first-turn.txt"), "utf8").trimEnd();
  const paneId = await showing(w, "shown", `\u001b[?25l${idle}`);
  const pane = (await until("the hidden cursor", async () =>
    (await listPanes(w.env)).find((each) => each.paneId === paneId && !each.cursorShown),
  ))!;
  const pid = tmux(w, "list-panes", "-t", "=shown:", "-F", "#{pane_pid}").trim();
  const cx = w.context();
  const store = cx.store();
  const recipient = { ...recipientOf(needSession(store, "w1")), agent: drawing, tmuxSession: "shown", paneId, pid: Number(pid) };
  const journal = new Journal(cx, store, { recipient, text: "into it", origin: "test" });
  const sent = await deliverByTmux(cx, journal, pane, drawing, await reach(cx, recipient));
  expect(sent).toMatchObject({ state: "delivered", transport: "tmux", proof: "unavailable" });
  await until("the text", () => screenOf(w, "shown").includes("into it"));
});
