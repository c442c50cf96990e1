/**
 * A client of tmux in control mode (tmux(1), CONTROL MODE): it is told when a pane of a session has been written to, and asks for its
 * screen over the same line, so that neither takes a process. It is read-only and has no size, so nothing that anybody sees changes.
 */
import type { Env } from "../processes/environment.ts";
import { startProgram } from "../processes/run.ts";
import { sessionTarget } from "./tmux.ts";

/** What stands on a pane. */
export interface PaneScreen {
  /** With its escape sequences. */
  readonly text: string;
  readonly mode: string | null;
  /** The program in it has ended, and tmux kept the pane. */
  readonly dead: boolean;
}

export interface ControlLine {
  /** Null when there is no such pane, or the line is gone. */
  screen(paneId: string): Promise<PaneScreen | null>;
  /** Ends the client; the session goes on. */
  close(): void;
}

interface ControlEvents {
  /** The pane was written to, or went into another mode. */
  touched(paneId: string): void;
  /** Windows or sessions came, went or were renamed: a pane may be somewhere else. */
  changed(): void;
  /** The line is gone, with the session or the server, or it could not be had. Not called after `close`. */
  ended(): void;
}

interface Question {
  /** Ends the answer. */
  readonly mark: string;
  readonly lines: string[];
  tell(screen: PaneScreen | null): void;
}

const BEGINS = /^%begin (\d+ \d+ 1)$/;
const TOUCHES = /^%(?:output|extended-output|pane-mode-changed) (%\d+)/;
/** A title (Codex lets its own blink while it waits for somebody), and what frames a drawing without being one, as octal escapes. */
const UNSEEN = /^%output %\d+ (?:\\033\][0-2];[^\\]*(?:\\007|\\033\\134)|\\033\[\?2026[hl]|\\033\[0?m)+$/;
const CHANGES = /^%(?:sessions-changed|session-renamed|session-changed|window-add|window-close|unlinked-window-|layout-change)/;
const GONE_MS = 1000;

/** Attaches to the session of exactly this name. A tmux before 3.2 cannot, and ends at once. @throws ProgramFailure without tmux */
export function controlLine(env: Env, session: string, events: ControlEvents): ControlLine {
  const argv = ["tmux", "-u", "-C", "attach-session", "-f", "read-only,ignore-size", "-t", sessionTarget(session)];
  const program = startProgram(argv, { env, stdin: "pipe", stdout: "pipe" });
  const input = program.child.stdin as import("bun").FileSink;
  const asked: Question[] = [];
  let open = true;

  const notice = (text: string): void => {
    if (UNSEEN.test(text)) return;
    const touched = TOUCHES.exec(text);
    if (touched !== null) events.touched(touched[1]!);
    else if (CHANGES.test(text)) events.changed();
  };

  const line = (text: string): void => {
    const [question] = asked;
    if (question === undefined) return notice(text);
    if (text !== question.mark) return void question.lines.push(text);
    asked.shift();
    const { screen, others } = answerIn(question);
    question.tell(screen);
    others.forEach(notice);
  };

  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of program.child.stdout as unknown as AsyncIterable<Uint8Array>) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const text of lines) line(text);
    }
  };

  const over = (): void => {
    for (const question of asked.splice(0)) question.tell(null);
    if (!open) return;
    open = false;
    events.ended();
  };
  void read().then(over, over);

  const ask = (words: string): void => {
    try {
      input.write(words);
      void Promise.resolve(input.flush()).catch(() => {});
    } catch {
      // It has ended: what it printed last comes to its end, and that tells.
    }
  };

  return {
    screen: (paneId) =>
      new Promise((resolve) => {
        if (!open) return resolve(null);
        // The screen may hold any line, also one that looks like the protocol's: the answer ends with what nobody else knows.
        const mark = `screen ${crypto.randomUUID()}`;
        asked.push({ mark, lines: [], tell: resolve });
        const facts = `${mark} #{pane_dead} #{?pane_in_mode,#{pane_mode},-}`;
        ask(`capture-pane -p -e -t ${paneId}\ndisplay-message -p -t ${paneId} '${facts}'\ndisplay-message -p '${mark}'\n`);
      }),
    close() {
      if (!open) return;
      open = false;
      void program.end(GONE_MS, "SIGHUP");
      over();
    },
  };
}

/** What was asked, from all that came until then, and the lines that were no part of the screen. */
function answerIn({ lines, mark }: Question): { readonly screen: PaneScreen | null; readonly others: readonly string[] } {
  const first = lines.findIndex((text) => BEGINS.test(text));
  const number = BEGINS.exec(lines[first] ?? "")?.[1];
  const [end, refused] = [`%end ${number}`, `%error ${number}`];
  const last = lines.findLastIndex((text) => text === end || text === refused);
  const facts = lines.findLast((text) => text.startsWith(`${mark} `))?.slice(mark.length + 1);
  const [dead, mode] = facts?.split(" ") ?? [];
  const others = [...lines.slice(0, Math.max(0, first)), ...lines.slice(last + 1)];
  if (last === -1 || lines[last] === refused || mode === undefined) return { screen: null, others };
  const text = `${lines.slice(first + 1, last).join("\n")}\n`;
  return { screen: { text, mode: mode === "-" ? null : mode, dead: dead === "1" }, others };
}
