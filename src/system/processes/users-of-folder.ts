/** Which living processes work in a folder: their own folder lies in it, or a file that they hold open. */
import { readdirSync, readlinkSync } from "node:fs";
import type { Env } from "./environment.ts";
import { lsofPath } from "./processes.ts";
import { runProgram } from "./run.ts";

/** @returns their pids, without this process; null: the system does not tell */
export async function usersOfFolder(folder: string, env: Env): Promise<number[] | null> {
  const inside = (path: string): boolean => path === folder || path.startsWith(`${folder}/`);
  if (process.platform === "linux") return usersOnLinux(inside);
  const done = await runProgram([lsofPath(env), "-w", "-n", "-P", "-F", "pn"], { env, timeoutMs: 30_000 });
  // It ends with 1 when one of many questions had no answer.
  if (done.missing || done.timedOut || done.flooded || done.stdout === "") return null;
  const found = new Set<number>();
  let pid = 0;
  for (const line of done.stdout.split("\n")) {
    if (line.startsWith("p")) pid = Number(line.slice(1));
    else if (line.startsWith("n") && inside(line.slice(1))) found.add(pid);
  }
  found.delete(process.pid);
  return [...found].sort((a, b) => a - b);
}

function usersOnLinux(inside: (path: string) => boolean): number[] | null {
  const target = (link: string): string => {
    try {
      return readlinkSync(link);
    } catch {
      // It has ended meanwhile, or is another user's.
      return "";
    }
  };
  const names = (place: string): string[] | null => {
    try {
      return readdirSync(place);
    } catch {
      return null;
    }
  };
  return (
    names("/proc")
      ?.filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter(
        (pid) =>
          inside(target(`/proc/${pid}/cwd`)) || (names(`/proc/${pid}/fd`) ?? []).some((fd) => inside(target(`/proc/${pid}/fd/${fd}`))),
      )
      .map(Number) ?? null
  );
}
