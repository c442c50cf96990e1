/** What stands in the first line of a rollout. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { Failure } from "../../core/failure.ts";
import { isPacked, unpacked } from "./packed.ts";
import { parseRolloutMeta, type RolloutMeta } from "../../core/codex/rollout-meta.ts";

const CHUNK = 64 * 1024;
/** A first line holds the whole instructions of a session; longer than this is no rollout. */
const LONGEST = 16 << 20;

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

/** @throws Failure naming the path when it is missing or does not begin with a session_meta record */
export function rolloutMeta(path: string): RolloutMeta {
  const line = firstLine(path);
  if (line === null)
    throw new Failure(`no rollout file at ${path}`, {
      hint: "type something in the Codex session first; its rollout appears at the first turn",
    });
  const meta = parseRolloutMeta(line);
  if (typeof meta === "string") throw new Failure(`${path} is not a Codex rollout: ${meta}`);
  return meta;
}
