/** What is left in a program's pipes when it has ended: read to its end, whichever of a timer and the data the loop comes to first. */
import { expect, test } from "bun:test";
import { Collected, settle } from "../../../src/system/processes/collected.ts";

/** A pipe that somebody else holds open, too. */
function pipe(): { stream: ReadableStream<Uint8Array>; write(text: string): void } {
  let open = true;
  let to: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => void (to = controller),
    cancel: () => void (open = false),
  });
  return { stream, write: (text) => void (open && to.enqueue(new TextEncoder().encode(text))) };
}

test("words that the loop comes to after the timer of a look are read all the same", async () => {
  const { stream, write } = pipe();
  const collected = new Collected(stream, "utf-8", 1000, () => {});
  const settled = settle([collected]);
  // Due right behind the timer of the first look, and the loop is held up until both are: the look is over before the words are there.
  setTimeout(() => write("whole"), 101);
  Bun.sleepSync(150);
  await settled;
  expect(collected.text).toBe("whole");
});

test("words at every look are read one after the other, and a pipe that is held open is not waited for", async () => {
  const { stream, write } = pipe();
  const collected = new Collected(stream, "utf-8", 1000, () => {});
  const settled = settle([collected]);
  for (const [index, word] of ["one ", "two ", "three"].entries()) setTimeout(() => write(word), 101 * (index + 1));
  await settled;
  expect(collected.text).toBe("one two three");
  write("later");
  await collected.done;
  expect(collected.text).toBe("one two three");
});
