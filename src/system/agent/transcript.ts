/** What stands at the beginning of a transcript: its first line, whose session it is, the first words to it. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { Failure } from "../../core/failure.ts";
import type { Agent, TranscriptHead } from "../../core/agent/agent.ts";
import { factsOf } from "../../core/agent/facts.ts";
import { isPacked, unpacked } from "../files/packed.ts";
import { openRollout } from "../files/rollout-reader.ts";

const CHUNK = 64 * 1024;
/** A first line holds the whole instructions of a session; longer than this is no rollout. */
const LONGEST = 16 << 20;
/** The instructions in front of the first user text are long; beyond this there is none. */
const HEAD = 4 << 20;

/** The first line of a file, without reading more of it than needed. Null when there is no such file. */
export function firstLine(path: string): string | null {
  if (isPacked(path)) {
    const whole = unpacked(path);
    if (whole === null) return null;
    const end = whole.indexOf(10);
    return whole.toString("utf8", 0, end === -1 ? whole.length : end);
  }
  let fd: number;
  try {
    if (!statSync(path).isFile()) return null;
    fd = openSync(path, "r");
  } catch {
    return null;
  }
  try {
    const chunks: Buffer[] = [];
    for (let at = 0; at < LONGEST;) {
      const chunk = Buffer.alloc(CHUNK);
      const read = readSync(fd, chunk, 0, CHUNK, at);
      if (read === 0) break;
      const end = chunk.subarray(0, read).indexOf(10);
      chunks.push(chunk.subarray(0, end === -1 ? read : end));
      if (end !== -1) break;
      at += read;
    }
    return Buffer.concat(chunks).toString("utf8");
  } finally {
    closeSync(fd);
  }
}

/** @throws Failure naming the path when it is missing or is no transcript of this agent */
export function transcriptHead(agent: Agent, path: string): TranscriptHead {
  const { name } = agent.transcript;
  const line = firstLine(path);
  if (line === null)
    throw new Failure(`no ${name} file at ${path}`, {
      hint: `type something in the ${agent.label} session first; its ${name} appears at the first turn`,
    });
  const head = agent.transcript.head(line);
  if (typeof head === "string") throw new Failure(`${path} is not a ${agent.label} ${name}: ${head}`);
  return head;
}

/** The same; null for a transcript that is just being created and has no whole first line yet. */
export function transcriptHeadSoFar(agent: Agent, path: string): TranscriptHead | null {
  const line = firstLine(path);
  const head = line === null ? null : agent.transcript.head(line);
  return head === null || typeof head === "string" ? null : head;
}

/** The first user text of a transcript, or null while there is none. */
export function firstPrompt(agent: Agent, path: string): string | null {
  const file = openRollout(path);
  if (file === null) return null;
  const memory = agent.transcript.remember([]);
  try {
    for (let from = 0; from < HEAD;) {
      const { lines, next, more } = file.read(from);
      for (const { text } of lines) {
        const said = text === null ? undefined : factsOf(agent, text, memory).find((fact) => fact.kind === "user");
        if (said !== undefined) return said.text;
      }
      if (!more || next === from) return null;
      from = next;
    }
    return null;
  } finally {
    file.close();
  }
}
