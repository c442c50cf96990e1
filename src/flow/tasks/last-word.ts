/** The last message to a worker before its terminal is ended, and a moment for it to be read. */
import { DEFAULT_AGENT } from "../../core/sessions/session.ts";
import type { Context } from "../../context.ts";
import { agents } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import { plainWords } from "../../core/delivery/same-text.ts";
import { capturePane } from "../../system/terminal/panes.ts";
import { inferSession } from "../observe/cycle.ts";
import { type Delivered, deliver } from "../delivery/deliver.ts";
import { ingest } from "../observe/ingest.ts";
import { RolloutGrowth } from "../delivery/proof.ts";
import { type Recipient, recipientOf } from "../reach/recipient.ts";
import type { Target } from "./task-party.ts";
import type { Scene, TaskScene } from "../scene.ts";

/** How long a worker may take to answer before it is stopped all the same. */
const ANSWER_MS = 10_000;
/** How long a terminal may take to show what was typed. */
const SHOW_MS = 2000;

const recipient = ({ party, pane }: Target): Recipient =>
  party.session
    ? recipientOf(party.session)
    : {
        name: party.name,
        agent: agents[DEFAULT_AGENT],
        sessionId: null,
        role: null,
        cwd: "",
        tmuxSession: party.tmuxSession,
        paneId: pane?.paneId ?? party.paneId,
        pid: null,
        since: null,
        threadId: null,
        rolloutPath: null,
        gone: null,
        socket: null,
      };

/** Until the turn that the message began has ended, or the time is over. */
async function untilAnswered({ cx, store }: Scene, { party }: Target): Promise<void> {
  const { session } = party;
  if (!session?.codex_session_path) return;
  const growth = new RolloutGrowth(session.codex_session_path, session.codex_session_id);
  const deadline = performance.now() + ANSWER_MS;
  try {
    for (let rest = ANSWER_MS; rest > 0; rest = deadline - performance.now()) {
      ingest(cx, store, session);
      if (inferSession(cx, store, session).state !== "busy") return;
      await growth.wait(rest);
    }
  } finally {
    growth.close();
  }
}

/** Until the terminal shows the end of the message, or the time is over. */
async function untilShown(cx: Context, { pane }: Target, text: string): Promise<void> {
  const wanted = plainWords(text).slice(-40);
  const deadline = performance.now() + SHOW_MS;
  while (performance.now() < deadline && !plainWords(await capturePane(cx.env, pane!.paneId, 0)).includes(wanted)) await Bun.sleep(50);
}

/**
 * Says it and gives the worker a moment.
 * @throws Failure when it certainly did not arrive: the worker is not stopped unheard then
 */
export async function sayLastWord(
  scene: TaskScene,
  target: Target,
  text: string,
  about: { origin: string; commandId: string },
): Promise<Delivered> {
  const { cx, store, task } = scene;
  const said = await deliver(cx, store, { recipient: recipient(target), text, taskId: task.id, ...about });
  if (!said.started && said.state !== "delivered") {
    throw new Failure(`the message to worker ${JSON.stringify(target.party.name)} was not delivered: ${said.error}`, {
      hint: said.hint ?? "leave --message out to stop it without a word",
    });
  }
  if (said.proof === "seen") await untilAnswered(scene, target);
  else await untilShown(cx, target, text);
  return said;
}
