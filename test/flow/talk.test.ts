/** The talk of commands that run long: which words go where, for whom, all of them and at once. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { talkOf } from "../../src/flow/talk.ts";
import { World } from "../harness.ts";
import { boundPair, event } from "../rollout.ts";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.close());

function voice(terminal: boolean) {
  const said: { stream: string; text: string }[] = [];
  const cx = w.context({}, (stream, text) => void said.push({ stream, text }));
  const outside = { ...cx.outside, tty: { in: false, out: false, err: terminal } };
  return { said, talk: talkOf({ ...cx, outside }, "conveyor dispatch") };
}

test("lines as they stand, warnings with their speaker, and what goes on with its time, all on stderr", () => {
  const { said, talk } = voice(true);
  talk.info("watching as d");
  talk.log("Ctrl-C ends it.");
  talk.warn("pass 1 failed: disk on fire");
  expect(said).toEqual([
    { stream: "err", text: "03:04:05 watching as d\n" },
    { stream: "err", text: "Ctrl-C ends it.\n" },
    { stream: "err", text: "conveyor dispatch: pass 1 failed: disk on fire\n" },
  ]);
});

test("where no terminal is watched, what goes on is not told, and the rest is", () => {
  const { said, talk } = voice(false);
  talk.info("watching as d");
  talk.log("a line");
  talk.warn("a problem");
  expect(said.map(({ text }) => text)).toEqual(["a line\n", "conveyor dispatch: a problem\n"]);
});

test("the same words twenty times are twenty lines, each before the call is over", () => {
  const { said, talk } = voice(true);
  for (let n = 1; n <= 20; n++) {
    talk.warn("the same");
    expect(said).toHaveLength(n);
  }
});

test("nothing that a terminal would obey comes through, nor a word that was for somebody else", () => {
  const { said, talk } = voice(true);
  const loose: { warn(...words: unknown[]): void } = talk;
  loose.warn("red \u001b[31mtext\u0007", "the rollout of w1");
  expect(said).toHaveLength(1);
  expect(said[0]!.text).toStartWith("conveyor dispatch: red ");
  expect(said[0]!.text).not.toMatch(/\u001b|\u0007|rollout/);
});

test("one pass of Dispatch tells of a rollout that cannot be read in one line, and of nothing else", async () => {
  w.realTime = true;
  const { worker } = await boundPair(w);
  worker.append(event({ type: "task_started" }));
  await w.ok("ingest w1");
  await Bun.write(worker.path, "");
  const { exit, stderr } = await w.run("dispatch --once --ingest");
  expect(exit).toBe(0);
  expect(stderr).toBe(
    'conveyor dispatch: the rollout of session "w1" has shrunk: 283 bytes were read, 0 are there; it was rotated or cut off\n',
  );
});
