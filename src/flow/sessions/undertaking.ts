/** What a command begins and has not finished yet: asked to end before, it ends all of that again, and takes back what it has recorded. */
import { rmdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { INTERRUPTED } from "../../core/sessions/session.ts";
import { dropStart, endStart, findStart, leaveStart } from "../../store/sessions/unfinished-starts.ts";
import { type Store, tx } from "../../store/store.ts";
import { endProcesses, seenProcess, stillRunning } from "../../system/processes/end-processes.ts";
import { onStop } from "../../system/processes/this-process.ts";
import { paneOfStart } from "../../system/terminal/panes.ts";
import { endTerminal, lookAtTerminal } from "../reach/end-terminal.ts";

/** A terminal that is begun: noted before it exists, so that no moment lies between its start and our knowing of it. */
export interface BegunTerminal {
  readonly name: string;
  readonly tmuxSession: string;
  /** What its pane is marked with. */
  readonly mark: string;
  /** The command that ends it, when this process cannot. */
  readonly ending: string;
  /** Where it is, once that is known. */
  seen: { readonly paneId: string; readonly pid: number; readonly at: string } | null;
}

/** Thrown where the request to end is noticed; who undertook it makes the sentence of it. */
class Interrupted extends Failure {
  constructor() {
    super("it was interrupted");
  }
}

/** Puts the records right, inside the one transaction that does so for all. @param stays how many terminals could not be ended */
type TakeBack = (stays: number) => void;

export class Undertaking {
  private asked = false;
  private wake = (): void => {};
  private readonly terminals: BegunTerminal[] = [];
  private readonly files: string[] = [];
  private readonly beside: { readonly what: string; readonly pid: number }[] = [];
  private readonly takeBacks: TakeBack[] = [];
  private readonly cleanings: (() => Promise<string | null>)[] = [];
  private store: Store | null = null;

  constructor(private readonly cx: Context) {}

  /** Call it before each thing that could not be taken back unseen. @throws Interrupted once this process was asked to end */
  check(): void {
    if (this.asked) throw new Interrupted();
  }

  /** Waits; a request to end cuts it short. @throws Interrupted as {@link check} */
  async pause(ms: number): Promise<void> {
    this.check();
    await Promise.race([Bun.sleep(ms), new Promise<void>((resolve) => (this.wake = resolve))]);
    this.check();
  }

  /** Whether it was asked to end. */
  get interrupted(): boolean {
    return this.asked;
  }

  begins(terminal: Omit<BegunTerminal, "seen">): BegunTerminal {
    const begun = { ...terminal, seen: null };
    this.terminals.push(begun);
    return begun;
  }

  /** Its program has ended, and its terminal with it. */
  hasEnded(terminal: BegunTerminal): void {
    this.terminals.splice(this.terminals.indexOf(terminal), 1);
    if (this.store !== null) dropStart(this.store, terminal.mark);
  }

  /** A file that somebody it begins is to read and remove. */
  leavesFile(path: string): void {
    this.files.push(path);
  }

  /** A program that goes on by itself. @param what it is called */
  startsBeside(what: string, pid: number): void {
    this.beside.push({ what, pid });
  }

  /** The records in which its starts stand. */
  recordsIn(store: Store): void {
    this.store = store;
  }

  takesBack(store: Store, change: TakeBack): void {
    this.recordsIn(store);
    this.takeBacks.push(change);
  }

  /** What is done once all that it began has ended, when it was interrupted. @param clean gives what it leaves, in words */
  cleansUp(clean: () => Promise<string | null>): void {
    this.cleanings.push(clean);
  }

  /** The request to end. Says at once what is about to be ended: asked a second time, this process ends before it has done so. */
  stop(): void {
    this.asked = true;
    const begun = this.terminals.map(({ tmuxSession }) => `tmux session ${tmuxSession}`);
    const commands = this.terminals.map(({ ending }) => ending);
    if (begun.length > 0)
      this.cx.err(
        `${this.cx.program}: interrupted, ending ${list(begun)}; interrupted again it leaves that running, to be ended with ${list(commands)}`,
      );
    this.wake();
  }

  /** All is done: nothing of it is taken back any more. */
  finish(): void {
    this.forget(dropStart);
  }

  /** It failed, and says itself what is left: nobody is at that any more. */
  leave(): void {
    this.removeFiles();
    this.forget(leaveStart);
  }

  /** What was to be read has been, or nobody is there to read it. */
  private removeFiles(): void {
    for (const file of this.files) rmSync(file, { force: true });
  }

  /** Those of the files, once nothing runs that may still lay something there; whatever lies there stays. */
  private removeEmptyFolders(): void {
    for (const file of this.files) {
      try {
        rmdirSync(dirname(file));
      } catch {
        // It is not empty, or was never made.
      }
    }
  }

  private forget(how: (store: Store, mark: string) => void): void {
    const { store } = this;
    if (store === null || this.terminals.length === 0) return;
    tx(store, () => {
      for (const { mark } of this.terminals) how(store, mark);
    });
  }

  /** Ends everything, sees that it has ended, and takes back what is on record of it. Gives the sentence that says so. */
  async end(): Promise<Failure> {
    const { store } = this;
    this.removeFiles();
    const trouble: Failure[] = [];
    const gone = new Set<string>();
    const ended: string[] = [];
    for (const { what, pid } of this.beside) {
      const left = await endProcesses(stillRunning([await seenProcess(pid, this.cx.env)], this.cx.env), { atOnce: true });
      if (left.length === 0) ended.push(what);
      else trouble.push(new Failure(`${what} still runs`, { hint: `kill ${pid}` }));
    }
    for (const terminal of this.terminals) {
      try {
        if (await this.endOne(terminal)) ended.push(`tmux session ${terminal.tmuxSession}`);
        gone.add(terminal.name);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        trouble.push(new Failure(error.message, { hint: terminal.ending }));
      }
    }
    this.removeEmptyFolders();
    if (store !== null)
      tx(store, () => {
        for (const change of this.takeBacks.toReversed()) change(this.terminals.length - gone.size);
        for (const { name, mark } of this.terminals) {
          const start = findStart(store, name);
          if (start?.mark !== mark) continue;
          if (gone.has(name)) endStart(store, start, { killed: true, reason: INTERRUPTED });
          else leaveStart(store, mark);
        }
      });
    const left: string[] = [];
    if (trouble.length === 0) for (const clean of this.cleanings) left.push(...[await clean()].filter((each) => each !== null));
    const what = ended.length === 0 ? "nothing that it had begun runs" : `${list(ended)} ${ended.length === 1 ? "was" : "were"} ended`;
    return trouble.length === 0
      ? new Failure([`it was interrupted: ${what}`, ...left].join("; "))
      : new Failure(
          `it was interrupted, and not all that it had begun could be ended: ${trouble.map(({ message }) => message).join("; ")}`,
          {
            hint: trouble.map(({ hint }) => hint).join("; "),
          },
        );
  }

  /** @returns whether there was something of it */
  private async endOne({ name, tmuxSession, mark, seen }: BegunTerminal): Promise<boolean> {
    const { cx } = this;
    const pane = await paneOfStart(cx.env, mark);
    if (pane === null && seen === null) return false;
    // Without its pane, as after the end of the whole server, its process may still be there.
    const place = { name, tmuxSession, paneId: pane?.paneId ?? seen?.paneId ?? null, pid: seen?.pid ?? null, since: seen?.at ?? null };
    const terminal = await lookAtTerminal(cx, place);
    const mine = terminal.pane === null || pane === null || terminal.pane.paneId === pane.paneId;
    if (!mine) throw new Failure(`the terminal of ${JSON.stringify(name)} could not be told from another one`);
    await endTerminal(cx, terminal);
    return pane !== null || terminal.processes.length > 0;
  }
}

const list = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)!}`;

/** A request that came with the last result, or the last failure, is only heard after it; a timer may still belong to the same turn. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Runs `act`; on a request to end it ends what was begun, and so does a request that comes when all is done but the answer.
 * @throws Failure when it was interrupted, saying what was ended; else whatever `act` throws, and what that left may be gone on with
 */
export async function undertake<T>(cx: Context, act: (undertaking: Undertaking) => Promise<T>): Promise<T> {
  const undertaking = new Undertaking(cx);
  const release = onStop(() => undertaking.stop());
  try {
    const result = await act(undertaking);
    await nextTurn();
    undertaking.check();
    undertaking.finish();
    return result;
  } catch (error) {
    await nextTurn();
    if (undertaking.interrupted) throw await undertaking.end();
    try {
      undertaking.leave();
    } catch {
      // The records cannot be written, which `error` may well say: a holder that has ended means the same there.
    }
    throw error;
  } finally {
    release();
  }
}
