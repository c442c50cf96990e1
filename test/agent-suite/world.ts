/** What the suite of what every agent must do needs of a world with a real agent in it. */
import type { Agent } from "../../src/core/agent/agent.ts";
import type { TurnErrorKind } from "../../src/core/agent/failed-turn.ts";
import type { AgentFact } from "../../src/core/agent/record.ts";
import type { Screen } from "../../src/core/agent/screen.ts";
import type { LaunchWish } from "../../src/flow/sessions/way-of-launch.ts";
import { capturePane, listPanes } from "../../src/system/terminal/panes.ts";
import { tmuxResult } from "../../src/system/terminal/tmux.ts";
import { until, type World } from "../harness.ts";

/** A model on loopback that answers with ok, waits at `hold NAME` until it is released, runs `run CMD`, and asks before it runs `ask CMD`. */
export interface HeldModel {
  isHolding(name: string): boolean;
  release(name: string): void;
}

/** How something comes to a session of a world. */
export interface Ways {
  /** A message, while nothing is in its way. */
  readonly message: string;
  /** A message, while a draft stands in the composer; null: not at all. */
  readonly pastDraft: string | null;
  /** A command of the agent's own. */
  readonly command: string;
}

export interface AgentWorld extends World {
  readonly agent: Agent;
  /** How its sessions are started. */
  readonly launch: LaunchWish;
  /** Why not by protocol, as it is told of them; null where that was wished, or is so. */
  readonly launchWhy: string | null;
  readonly ways: Ways;
  /** In which words is told that what is said while it asks something waits; null: it is refused, and never arrives. */
  readonly waitsInWords: string | null;
  /** What of the screen is the question: an agent may draw other things around it. */
  readonly question: RegExp;
  /** The command that says no to what `w1` asks. */
  readonly decline: string;
  /** A session that nobody gave a task has the agent's words for standing by as its first; false: it has none. */
  readonly standsBy: boolean;
  readonly model: HeldModel;
  /** A folder that the agent trusts. */
  readonly project: string;
  /** The facts of every transcript below the agent's home, by session id. */
  rollouts(): Map<string, AgentFact[]>;
  /** What the user said in a session, in order. */
  userTexts(sessionId: string): string[];
  /** Waits until no turn of the session is open. */
  idle(sessionId: string): Promise<void>;
  /** The flags of start-worker by which the agent asks before it runs a command. */
  readonly asking: readonly string[];
  /**
   * What the model fails with at `fail NAME`, by NAME: `limit` (a spent limit), a status, `context` (the conversation is too long), `cut` (it
   * breaks off). The last one is tried last: an agent may ask something after it, and then takes no message any more.
   */
  readonly failures: Readonly<Record<string, TurnErrorKind>>;
  /** From the next start on, the model fails so, at once and for good; once more: the limit is full again at another time. @param resetsAt second of the epoch at which a limit is full again */
  failFrom(resetsAt: number): void;
  /** What the record of a session holds once it was compacted. */
  readonly compacted: RegExp;
}

/** The terminal of a session that conveyor started under this name. */
export class Terminal {
  private readonly name: string;
  constructor(
    private readonly world: AgentWorld,
    session: string,
  ) {
    this.name = `${world.agent.tmuxPrefix}${session}`;
  }

  async screen(): Promise<Screen> {
    const pane = (await listPanes(this.world.env)).find(({ session }) => session === this.name);
    return this.world.agent.screen.read(await capturePane(this.world.env, this.name, 0, true), pane?.mode ?? null);
  }

  text = (): Promise<string> => capturePane(this.world.env, this.name, 0);
  keys = (...words: string[]) => tmuxResult(this.world.env, ["send-keys", "-t", `=${this.name}:`, ...words]);
  /** Leaves tmux's own mode, and gives whether it was in one. */
  leaveMode = async (): Promise<boolean> => {
    const pane = (await listPanes(this.world.env)).find(({ session }) => session === this.name);
    await tmuxResult(this.world.env, ["send-keys", "-t", `=${this.name}:`, "-X", "cancel"]);
    return pane?.mode != null;
  };
  mode = () => tmuxResult(this.world.env, ["copy-mode", "-t", `=${this.name}:`]);
  page = (page: Screen["page"]) => until(`the page ${page} in ${this.name}`, async () => (await this.screen()).page === page, 30);
  ended = () =>
    until("the end of its terminal", async () => (await tmuxResult(this.world.env, ["has-session", "-t", `=${this.name}`])).code !== 0);

  /** Types without submitting. */
  async draft(words: string): Promise<void> {
    await this.keys("-l", "--", words);
    await until("the draft", async () => (await this.screen()).composer?.text === words);
  }
}
