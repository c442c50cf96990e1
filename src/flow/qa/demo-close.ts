/** Ends everything the demonstration started, and looks whether anything is left. */
import type { DemoFolder } from "../../system/demo-folder.ts";
import { demoProcesses } from "../../system/demo-folder.ts";
import { endProcesses, seenProcess } from "../../system/processes/end-processes.ts";
import { listPanes } from "../../system/terminal/panes.ts";
import { tmuxResult } from "../../system/terminal/tmux.ts";

/** Gives in words what still runs after all was asked, and then told, to end; nothing when all is well. */
export async function closeDemo(folder: DemoFolder, pids: readonly number[]): Promise<string[]> {
  const see = async () => Promise.all([...new Set([...pids, ...(await demoProcesses(folder))])].map((pid) => seenProcess(pid, folder.env)));
  const seen = await see();
  // The whole server is the demonstration's own.
  await tmuxResult(folder.env, ["kill-server"]);
  const left = await endProcesses(seen, folder.env, { atOnce: true });
  // Whoever was just starting a session may have done so after the server was ended.
  await tmuxResult(folder.env, ["kill-server"]);
  const late = await endProcesses(await see(), folder.env, { atOnce: true });
  const still = new Set([...left, ...late].map(({ pid }) => pid));
  return [...[...still].map((pid) => `process ${pid}`), ...(await listPanes(folder.env)).map((pane) => `tmux session ${pane.session}`)];
}
