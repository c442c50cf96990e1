/** Problems of a watch: told when they begin and when they come back, not at every try, whatever their words. */
import { expect, test } from "bun:test";
import { Troubles } from "../../src/flow/troubles.ts";

const world = () => {
  const said: string[] = [];
  const clock = { now: 0 };
  return {
    said,
    clock,
    troubles: new Troubles(
      (message) => void said.push(message),
      () => clock.now,
    ),
  };
};

test("one that lasts is told once, though its words differ each time, and again after ten minutes", () => {
  const { said, clock, troubles } = world();
  for (let n = 1; n <= 50; n++) troubles.tell("a pass", `pass ${n} failed`);
  expect(said).toEqual(["pass 1 failed"]);
  clock.now += 10 * 60_000;
  troubles.tell("a pass", "pass 51 failed");
  expect(said).toEqual(["pass 1 failed", "pass 51 failed"]);
});

test("one that comes back is told again, in the same words", () => {
  const { said, troubles } = world();
  troubles.tell("a", "broken");
  troubles.over("a");
  troubles.tell("a", "broken");
  expect(said).toEqual(["broken", "broken"]);
});

test("two at once are two", () => {
  const { said, troubles } = world();
  troubles.tell("a", "broken");
  troubles.tell("b", "broken");
  troubles.over("a");
  troubles.tell("b", "broken still");
  expect(said).toEqual(["broken", "broken"]);
});
