/** What a person does by hand in a Codex pane, each step awaited on the screen: a key that comes too early is lost. */
import { readScreen } from "../src/core/codex/screen.ts";
import type { Screen } from "../src/core/agent/screen.ts";
import { loadBuffer } from "../src/system/terminal/keys.ts";
import { capturePane } from "../src/system/terminal/panes.ts";
import { tmuxResult } from "../src/system/terminal/tmux.ts";
import { until, type World } from "./harness.ts";

export class Hands {
  private readonly target: string;
  constructor(
    private readonly world: World,
    readonly session: string,
  ) {
    this.target = `=${session}:`;
  }

  /** Named keys, or with `-l --` literal ones. */
  keys = (...words: string[]) => tmuxResult(this.world.env, ["send-keys", "-t", this.target, ...words]);

  enter = () => this.keys("-l", "--", "\r");

  text = (): Promise<string> => capturePane(this.world.env, this.session, 0);

  async screen(): Promise<Screen> {
    return readScreen(await capturePane(this.world.env, this.session, 0, true));
  }

  /** Waits for words on the screen. */
  shows = (words: string) => until(`${JSON.stringify(words)} in ${this.session}`, async () => (await this.text()).includes(words));

  /** Waits for an empty composer of a client that is up, with no turn running. */
  rest = () =>
    until(`an idle composer in ${this.session}`, async () => {
      const { page } = await this.screen();
      return page === "idle";
    });

  /** Pastes a text and waits until the composer holds its beginning. */
  async draft(text: string): Promise<void> {
    await loadBuffer(this.world.env, `hands-${this.session}`, text);
    await tmuxResult(this.world.env, ["paste-buffer", "-p", "-d", "-b", `hands-${this.session}`, "-t", this.target]);
    await until(`the draft in ${this.session}`, () => this.holds(text));
  }

  /** Types a text, or a command of Codex's own, into an empty composer; Enter again only while it still stands there. */
  async say(text: string): Promise<void> {
    await this.draft(text);
    await until(`the going out of ${JSON.stringify(text)}`, async () => {
      if (!(await this.holds(text))) return true;
      await this.enter();
      await until("its effect", async () => !(await this.holds(text)), 2).catch(() => null);
      return false;
    });
  }

  /** Leaves the conversation for a new one, in the same folder, and waits until that one takes text. */
  async newConversation(): Promise<void> {
    await this.rest();
    await this.say("/new");
    await this.shows("enter select");
    await this.enter();
    await until("the answer to where", async () => !(await this.text()).includes("enter select"));
    await this.rest();
  }

  /** Goes back by one turn; its words stand in the composer then. */
  async rewind(): Promise<void> {
    await this.rest();
    // A key that comes while the last turn is still being drawn is lost: it is pressed until it shows.
    await until("the list of turns", async () => {
      if ((await this.text()).includes("Browsing transcript")) return true;
      await this.keys("Escape");
      await until("what it does", async () => /esc again|Browsing transcript/.test(await this.text()), 1).catch(() => null);
      return false;
    });
    await this.enter();
    await until("the words of that turn again", async () => {
      const text = await this.text();
      return text.includes("reverted to this point") && !text.includes("Ask Codex");
    });
  }

  private async holds(text: string): Promise<boolean> {
    const first = text.trim().split("\n")[0]!.slice(0, 40);
    return (await this.screen()).composer?.text.startsWith(first) === true;
  }
}
