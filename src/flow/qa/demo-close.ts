/** Ends everything the demonstration started, and looks whether anything is left. */
import type { DemoFolder } from "../../system/demo-folder.ts";
import { demoProcesses } from "../../system/demo-folder.ts";
import { alive } from "../../system/processes/processes.ts";
import { listPanes } from "../../system/terminal/panes.ts";
import { tmuxResult } from "../../system/terminal/tmux.ts";

const PATIENCE_MS = 5000;

/** Gives in words what still runs after all was asked, and then told, to end; nothing when all is well. */
export async function closeDemo(folder: DemoFolder, pids: readonly number[]): Promise<string[]> {
  for (const pid of pids) signal(pid, "SIGTERM");
  await tmuxResult(folder.env, ["kill-server"]);
  const left = await afterPatience(folder, pids);
  for (const pid of left) signal(pid, "SIGKILL");
  // Whoever was just starting a session may have done so after the server was ended.
  await tmuxResult(folder.env, ["kill-server"]);
  return [...left.map((pid) => `process ${pid}`), ...(await listPanes(folder.env)).map((pane) => `tmux session ${pane.session}`)];
}

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself, which is what was wanted.
  }
}

async function afterPatience(folder: DemoFolder, pids: readonly number[]): Promise<number[]> {
  for (const end = performance.now() + PATIENCE_MS; ; await Bun.sleep(50)) {
    const left = new Set([...(await demoProcesses(folder)), ...pids.filter(alive)]);
    if (left.size === 0 || performance.now() > end) return [...left];
  }
}
