/** The folders in which the oldest releases kept their workers. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { CompatFolder } from "../core/compat/compat.ts";
import { Failure } from "../core/failure.ts";
import { readPlainText } from "./files/text-file.ts";

const absent = new Set(["ENOENT", "ENOTDIR"]);

/** Gives null when there is no such file or folder. Throws a Failure naming it when it cannot be read. */
const unlessAbsent = <T>(path: string, read: () => T): T | null => {
  try {
    return read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (absent.has(code ?? "")) return null;
    throw new Failure(`${path} cannot be read: ${message}`, { cause: error });
  }
};

/** Every folder below `root` that holds a config.json and has no dot in front, by name; only that named `worker` when given. */
export function compatFolders(root: string, worker?: string): CompatFolder[] {
  const names = unlessAbsent(root, () => readdirSync(root)) ?? [];
  return names
    .filter((name) => !name.startsWith(".") && (worker === undefined || name === worker))
    .sort()
    .flatMap((name) => {
      const path = join(root, name);
      const text = (file: string) => unlessAbsent(join(path, file), () => readPlainText(join(path, file)));
      const config = text("config.json");
      if (config === null) return [];
      return {
        name,
        path,
        config,
        status: text("status.json"),
        transcript: text("transcript.txt"),
        captureMeta: text("capture-meta.json"),
        events: text("events.jsonl"),
      };
    });
}
