/** Long work tells how far it is on a terminal, and nowhere else. */
import { expect, test } from "bun:test";
import { makeContext } from "../../src/context.ts";
import { Progress } from "../../src/flow/audit/progress.ts";

/** What is written to stderr by 10,000 ticks of a millisecond each. */
function written(tty: boolean, env: Record<string, string> = {}): string {
  let [text, now] = ["", 0];
  const cx = makeContext({
    env,
    cwd: "/",
    argv0: "conveyor",
    tty: { in: false, out: false, err: tty },
    write: (_, more) => {
      text += more;
    },
    readStdin: () => new Uint8Array(),
    clock: () => now,
    uuid: () => "",
  });
  const progress = new Progress(cx);
  for (; now < 10_000; now++) progress.tick(() => `at ${now}`);
  progress.end();
  return text;
}

test("a terminal sees one line rewritten now and then, and taken away at the end", () => {
  const text = written(true);
  expect(text).toStartWith("\r\u001b[Kat ");
  expect(text).toEndWith("\r\u001b[K");
  expect(text).not.toContain("\n");
  expect(text.split("at ").length - 1).toBeLessThan(100);
});

test("a pipe and a terminal without colours see nothing", () => {
  expect([written(false), written(true, { NO_COLOR: "1" }), written(true, { TERM: "dumb" })]).toEqual(["", "", ""]);
});

test("a step is said at once, and only to a terminal", () => {
  for (const tty of [true, false]) {
    const texts: string[] = [];
    const cx = makeContext({
      env: {},
      cwd: "/",
      argv0: "conveyor",
      tty: { in: false, out: false, err: tty },
      write: (_, text) => void texts.push(text),
      readStdin: () => new Uint8Array(),
      clock: () => 0,
      uuid: () => "",
    });
    const progress = new Progress(cx);
    progress.step("one");
    progress.step("two");
    progress.end();
    expect(texts).toEqual(tty ? ["\r\u001b[Kone", "\r\u001b[Ktwo", "\r\u001b[K"] : []);
  }
});
