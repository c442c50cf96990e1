/** Terminals of tests: tmux sessions that show a given text. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { until, type World } from "./harness.ts";

/** Runs tmux on the world's own server and gives what it prints. */
export function tmux(w: World, ...args: string[]): string {
  const done = Bun.spawnSync(["tmux", "-u", ...args], { env: w.env, stdout: "pipe", stderr: "pipe" });
  if (done.exitCode !== 0) throw new Error(`tmux ${args[0]}: ${done.stderr.toString()}`);
  return done.stdout.toString();
}

export const screenOf = (w: World, session: string): string => tmux(w, "capture-pane", "-p", "-t", `=${session}:`);

/** Starts a session that shows `text` and then echoes what is typed; gives its pane. The text must not be blank. */
export async function showing(w: World, session: string, text: string, size = { width: 120, height: 40 }): Promise<string> {
  const file = await w.file(`screens/${session}.txt`, text);
  tmux(w, "new-session", "-d", "-s", session, "-x", String(size.width), "-y", String(size.height), "sh", "-c", `cat '${file}'; exec cat`);
  const last = text.trimEnd().split("\n").at(-1)!.trim();
  await until(`screen of ${session}`, () => screenOf(w, session).includes(last));
  return tmux(w, "list-panes", "-t", `=${session}:`, "-F", "#{pane_id}").trim();
}

/** Starts the session `pane`, which shows nothing and writes what is typed into it to a file, whose path this gives. */
export async function writingPane(w: World): Promise<string> {
  const file = join(w.dir, "typed");
  tmux(w, "new-session", "-d", "-s", "pane", "-x", "200", "-y", "50", `stty -echo; exec cat > ${file}`);
  await until("the pane", () => existsSync(file));
  return file;
}

/** Types a line and waits until it shows. */
export async function typed(w: World, session: string, text: string): Promise<void> {
  tmux(w, "send-keys", "-t", `=${session}:`, "-l", "--", text);
  await until(`${text} on ${session}`, () => screenOf(w, session).includes(text));
}
