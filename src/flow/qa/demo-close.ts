/** Ends everything the demonstration started, and looks whether anything is left. */
import type { Context } from "../../context.ts";
import type { DemoFolder } from "../../system/demo-folder.ts";
import { demoProcesses } from "../../system/demo-folder.ts";
import { fileExists } from "../../system/files/whole-file.ts";
import { endProcesses, type SeenProcess, seenProcess, stillRunning } from "../../system/processes/end-processes.ts";
import { listPanes } from "../../system/terminal/panes.ts";
import { tmuxResult } from "../../system/terminal/tmux.ts";
import { dispatchers } from "../reach/dispatchers.ts";
import { PATIENCE_MS } from "../dispatch/send.ts";

const SAY_AFTER_MS = 1000;

/**
 * Gives in words what still runs after all was asked, and then told, to end; nothing when all is well.
 * @param pids what is known to have been started; @param say told when it takes longer
 */
export async function closeDemo(cx: Context, folder: DemoFolder, pids: readonly number[], say: (what: string) => void): Promise<string[]> {
  const see = (these: readonly number[]) => Promise.all([...new Set(these)].map((pid) => seenProcess(pid, folder.env)));
  const watches = await see(await watching(cx, folder));
  const seen = await see([...pids, ...(await demoProcesses(folder))]);
  const slow = setTimeout(() => say("Dispatch ends after the message at hand"), SAY_AFTER_MS);
  // First of all, while those it sends to are there: a message at hand comes to its end.
  const stuck = await endProcesses(stillRunning(watches, folder.env), { atOnce: true, graceMs: PATIENCE_MS });
  clearTimeout(slow);
  // The whole server is the demonstration's own.
  await tmuxResult(folder.env, ["kill-server"]);
  const left = await endProcesses(stillRunning(seen, folder.env), { atOnce: true });
  // Whoever was just starting a session may have done so after the server was ended.
  await tmuxResult(folder.env, ["kill-server"]);
  const late = await endProcesses(stillRunning(await see(await demoProcesses(folder)), folder.env), { atOnce: true });
  const still = new Set([...stuck, ...left, ...late].map(({ pid }: SeenProcess) => pid));
  return [...[...still].map((pid) => `process ${pid}`), ...(await listPanes(folder.env)).map((pane) => `tmux session ${pane.session}`)];
}

/** The Dispatch that its records name, also when it was started by a `pair` that was cut off. */
async function watching(cx: Context, folder: DemoFolder): Promise<number[]> {
  if (!fileExists(folder.database)) return [];
  try {
    return (await dispatchers(cx, cx.store(folder.database))).flatMap(({ alive, pid }) => (alive ? [pid] : []));
  } catch {
    // Records that cannot be read name nobody, and all must end all the same.
    return [];
  }
}
