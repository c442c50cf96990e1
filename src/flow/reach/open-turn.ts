/** Whether a turn is open in a rollout right now, told from its end backwards. */
import type { Agent, TranscriptMemory } from "../../core/agent/agent.ts";
import type { LiveSession } from "../../core/agent/machine.ts";
import { factsOf } from "../../core/agent/facts.ts";
import { turnSign, type TurnSign } from "../../core/sessions/worker-state.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { transcriptHeadSoFar } from "../../system/agent/transcript.ts";
import { openRollout } from "../../system/files/rollout-reader.ts";

const FIRST_LOOK = 256 << 10;
/** A turn writes no more than this between two signs, unless somebody feeds it images. */
const FARTHEST = 64 << 20;

/** The newest sign of a turn; null when there is none, or no rollout. A session that its agent lists at rest runs none. */
export function newestTurn(agent: Agent, path: string | null): TurnSign | null {
  const written = newestWritten(agent, path);
  return written === "open" && listedAt(agent, path!)?.status === "idle" ? "aborted" : written;
}

/** What the agent itself lists of the session that this file is written for; null when it lists none, or not this one. */
export function listedAt(agent: Agent, path: string): LiveSession | null {
  const { list } = machineOf(agent);
  const home = list === null ? null : agent.transcript.homeOf(path);
  if (home === null || list === null) return null;
  const id = transcriptHeadSoFar(agent, path)?.id;
  return list.sessions(home).find((each) => each.id === id) ?? null;
}

function newestWritten(agent: Agent, path: string | null): TurnSign | null {
  const file = path === null ? null : openRollout(path);
  if (file === null) return null;
  try {
    for (let back = FIRST_LOOK; ; back *= 4) {
      const start = Math.max(0, file.size - back);
      let newest: TurnSign | null = null;
      const memory = agent.transcript.remember([]);
      for (let from = start, more = true; more;) {
        const piece = file.read(from);
        for (const { text } of piece.lines) newest = signOf(agent, text, memory) ?? newest;
        more = piece.more && piece.lines.length > 0;
        from = piece.next;
      }
      if (newest !== null || start === 0 || back >= FARTHEST) return newest;
    }
  } finally {
    file.close();
  }
}

/** What was said last, when the agent has answered nothing to it yet; null when it has, or the end of the file does not tell. */
export function unanswered(agent: Agent, path: string): string | null {
  const file = openRollout(path);
  if (file === null) return null;
  const memory = agent.transcript.remember([]);
  let said: string | null = null;
  try {
    for (let from = Math.max(0, file.size - FIRST_LOOK), more = true; more;) {
      const piece = file.read(from);
      for (const fact of piece.lines.flatMap(({ text }) => (text === null ? [] : factsOf(agent, text, memory)))) {
        if (fact.kind === "user") said = fact.text;
        if (fact.kind === "agent" || fact.kind === "turn_completed") said = null;
      }
      more = piece.more && piece.lines.length > 0;
      from = piece.next;
    }
    return said;
  } finally {
    file.close();
  }
}

/** How far the rollout is written; 0 when there is none. */
export function writtenTo(path: string | null): number {
  const file = path === null ? null : openRollout(path);
  file?.close();
  return file?.size ?? 0;
}

/** Whether a turn has ended in what was written after `offset`. */
export function turnEndedAfter(agent: Agent, path: string | null, offset: number): boolean {
  const file = path === null ? null : openRollout(path);
  if (file === null) return false;
  const memory = agent.transcript.remember([]);
  try {
    for (let from = offset; ;) {
      const piece = file.read(from);
      if (piece.lines.some(({ text }) => ["completed", "failed", "aborted"].includes(signOf(agent, text, memory) ?? ""))) return true;
      if (!piece.more || piece.lines.length === 0) return false;
      from = piece.next;
    }
  } finally {
    file.close();
  }
}

/** The first line of a piece may be the end of a longer one: that is no record and says nothing. */
function signOf(agent: Agent, text: string | null, memory: TranscriptMemory): TurnSign | null {
  const records = text === null ? null : agent.transcript.translate(text, memory);
  return records?.map(turnSign).findLast((sign) => sign !== null) ?? null;
}
