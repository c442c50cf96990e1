/** Every way in which a person comes to another conversation in a real Codex's pane: a text goes to the thread it is for, or nowhere. */
import { afterAll, describe, expect, test } from "bun:test";
import { writtenThreads } from "../../../src/system/codex/lock.ts";
import { listPanes } from "../../../src/system/terminal/panes.ts";
import { newSession } from "../../../src/system/terminal/sessions.ts";
import { CodexSuiteWorld, OldestCodexWorld } from "../../agent-suite/codex-world.ts";
import { Hands } from "../../codex-hands.ts";
import { until } from "../../harness.ts";
import { LONG } from "../../long.ts";

const VERSIONS = [
  ["the pinned Codex", CodexSuiteWorld],
  ["the oldest Codex", OldestCodexWorld],
] as const;
// Pages of a person's own hand take their time: the oldest version is gone through in the long run.
for (const [version, Kind] of LONG === null ? VERSIONS.slice(0, 1) : VERSIONS)
  describe(version, () => {
    const world = new Kind("tmux");
    afterAll(() => world.close());

    const start = async (name: string, ...task: string[]): Promise<{ thread: string; hands: Hands }> => {
      const words = ["start-worker", "--name", name, "--cwd", world.project, "--timeout-seconds", "40"];
      const thread = (await world.ok([...words, ...task.flatMap((each) => ["--task", each])])).codex_session_id;
      await world.idle(thread);
      const hands = new Hands(world, `codex-${name}`);
      await hands.rest();
      return { thread, hands };
    };
    const threadOf = (words: string) =>
      until(
        `the thread of ${words}`,
        () => [...world.rollouts()].find(([, facts]) => facts.some((fact) => fact.kind === "user" && fact.text === words))?.[0],
        60,
      );
    /** Nudges, and tells where the words went: they stand in the thread `thread`, by this way, or nowhere. */
    async function reaches(name: string, thread: string, words: string): Promise<"tmux" | "codex_queue" | "nowhere"> {
      const sent = await world.run(["session-nudge", name, words]);
      const said = [...world.rollouts().keys()].filter((each) => world.userTexts(each).includes(words));
      const shown = await new Hands(world, `codex-${name}`).text();
      if (sent.exit !== 0) {
        expect(said).toEqual([]);
        expect(shown).not.toContain(words);
        return "nowhere";
      }
      expect(sent.json()).toMatchObject({ proof: "seen" });
      expect(said).toEqual([thread]);
      return sent.json().transport;
    }

    test("/fork: the fork gets nothing that is for the thread it came from", async () => {
      const { thread, hands } = await start("forked");
      await hands.say("/fork");
      await hands.shows("enter select");
      await hands.enter();
      await until("the lock of the fork", () => [...writtenThreads(world.codexHome).keys()].some((each) => each !== thread));
      await reaches("forked", thread, "while the fork begins");
      await hands.rest();
      await hands.say("said to the fork");
      const fork = await threadOf("said to the fork");
      expect(fork).not.toBe(thread);
      await world.idle(fork);
      expect(await reaches("forked", thread, "for the first one")).not.toBe("tmux");
    }, 180_000);

    const whenLong = test.if(LONG !== null);
    whenLong(
      "/resume: a thread that is taken up in the pane of another gets nothing that is for that one",
      async () => {
        const other = await start("ended", "a thread to come back to");
        await world.ok(["stop", "ended"]);
        await until("its end", () => !writtenThreads(world.codexHome).has(other.thread));
        const { thread, hands } = await start("resumed");
        await hands.say("/resume");
        await hands.shows("Type to search");
        await hands.keys("-l", "--", "come back");
        await until("what fits", async () => !(await hands.text()).includes("standby as a supervised worker"));
        await hands.enter();
        await until("its lock", () => writtenThreads(world.codexHome).has(other.thread));
        expect(await reaches("resumed", thread, "while it is taken up")).not.toBe("tmux");
        await hands.rest();
        expect(await reaches("resumed", thread, "for the one before")).not.toBe("tmux");
        await hands.say("said to the other");
        expect(await threadOf("said to the other")).toBe(other.thread);
      },
      180_000,
    );

    test("a second Codex below the first, run by its tool, in front and in the background: each text goes to its own", async () => {
      const { thread, hands } = await start("outer");
      // The shell of a tool is a login shell, which has a PATH of its own.
      const exec = (words: string) => `PATH='${world.env.PATH}' codex exec --skip-git-repo-check '${words}' </dev/null >/dev/null 2>&1`;
      await world.ok(["session-nudge", "outer", `run ${exec("hold in-front")}`]);
      const inner = await threadOf("hold in-front");
      await until("its model", () => world.model.isHolding("in-front"));
      const sent = reaches("outer", thread, "for the outer one");
      await until("the sending", () => world.rows("select 1 from deliveries where side_effect_started = 1").length > 1);
      world.model.release("in-front");
      expect(await sent).not.toBe("nowhere");
      await world.idle(thread);
      await hands.rest();
      // Out of the tool's group before the tool ends, which ends the group.
      const away = `setsid sh -c "touch away; ${exec("hold behind")}" & until [ -e away ]; do sleep 0.1; done`;
      await world.ok(["session-nudge", "outer", `run ${away}`]);
      const behind = await threadOf("hold behind");
      await world.idle(thread);
      await hands.rest();
      expect(new Set([thread, inner, behind]).size).toBe(3);
      expect(await reaches("outer", thread, "for the outer one again")).toBe("tmux");
      world.model.release("behind");
    }, 180_000);

    test("clients of one shared server: a pane that goes over to the conversation of another gets nothing that is for its first", async () => {
      const open = async (name: string, words: string): Promise<{ thread: string; hands: Hands }> => {
        await newSession(world.env, { name: `codex-${name}`, cwd: world.project, argv: ["codex", words] });
        const thread = await threadOf(words);
        await world.idle(thread);
        const { pid } = (await listPanes(world.env)).find((pane) => pane.session === `codex-${name}`)!;
        await world.ok([
          "register-worker",
          "--name",
          name,
          "--pid",
          String(pid),
          "--codex-session",
          thread,
          "--tmux-session",
          `codex-${name}`,
        ]);
        const hands = new Hands(world, `codex-${name}`);
        await hands.rest();
        return { thread, hands };
      };
      const one = await open("one", "the first of two");
      expect(await reaches("one", one.thread, "while it is alone")).toBe("tmux");
      await world.idle(one.thread);
      const two = await open("two", "the second of two");
      expect(await reaches("one", one.thread, "for one")).toBe("codex_queue");
      expect(await reaches("two", two.thread, "for two")).toBe("codex_queue");
      // No key reaches it like this; what helps is a server of its own.
      const refused = await world.run("session-interrupt one");
      expect([refused.exit, refused.stdout]).toEqual([1, ""]);
      expect(refused.stderr).toContain("serves 2 conversations");
      expect(refused.stderr).toContain(
        `take it up by itself: codex --no-daemon resume ${one.thread}, then: conveyor register-worker --name one`,
      );
      await world.idle(one.thread);
      await one.hands.rest();
      await one.hands.say("/resume");
      await one.hands.shows("Type to search");
      await one.hands.keys("-l", "--", "second of");
      await until("what fits", async () => !(await one.hands.text()).includes("first of two"));
      await one.hands.enter();
      await one.hands.shows("for two");
      await one.hands.rest();
      expect(await reaches("one", one.thread, "still for one")).not.toBe("tmux");
      expect((await world.run("session-interrupt one --key x")).stderr).toContain("no key was pressed");
    }, 180_000);

    whenLong(
      "resumed by hand in the pane in which it ended: nothing until it is on record again, then its pane",
      async () => {
        await newSession(world.env, { name: "codex-again", cwd: world.project, argv: ["sh"] });
        const hands = new Hands(world, "codex-again");
        const run = async (words: string) => {
          await hands.keys("-l", "--", words);
          await hands.keys("Enter");
        };
        await run("codex --no-daemon 'begun by hand'");
        const thread = await threadOf("begun by hand");
        await world.idle(thread);
        const pidOf = () => writtenThreads(world.codexHome).get(thread);
        await world.ok(["register-worker", "--name", "again", "--pid", String(pidOf()), "--tmux-session", "codex-again"]);
        await hands.rest();
        await hands.say("/quit");
        await until("its end", () => !writtenThreads(world.codexHome).has(thread));
        await until("the shell", async () => /[$#] *$/.test((await hands.text()).trimEnd()));
        await run(`codex --no-daemon resume ${thread}`);
        await until("its lock again", () => typeof pidOf() === "number");
        await hands.rest();
        const refused = await world.run(["session-nudge", "again", "too early"]);
        expect(refused.exit).toBe(1);
        const hint = /conveyor (register-worker .*)/.exec(refused.stderr)?.[1] ?? "";
        expect(await hands.text()).not.toContain("too early");
        await world.ok(hint);
        expect(await reaches("again", thread, "back again")).toBe("tmux");
      },
      180_000,
    );
  });
