/** Which words are those of a pane's own process. */
import { expect, test } from "bun:test";
import { placeIn } from "../../../src/flow/sessions/served-place.ts";

test("words of ours name the place, those of the tmux server that began with them do not", () => {
  const folder = "/s/artifacts/served/w1-x";
  expect(placeIn(["/usr/bin/conveyor", "codex-pane", folder])?.folder).toBe(folder);
  expect(placeIn(["/usr/bin/bun", "/src/main.ts", "codex-pane", folder])?.folder).toBe(folder);
  const server = ["tmux", "-u", "new-session", "-d", "-s", "codex-w1", "/usr/bin/conveyor", "codex-pane", folder];
  expect(placeIn(server)).toBeNull();
  expect(placeIn(["/usr/bin/codex", "--no-daemon"])).toBeNull();
  expect(placeIn(null)).toBeNull();
});
