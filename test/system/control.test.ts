/** A line to tmux in control mode: it tells of what is drawn, and gives the screen whatever stands on it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type ControlLine, controlLine } from "../../src/system/terminal/control.ts";
import { until, World } from "../harness.ts";
import { screenOf, tmux } from "../panes.ts";

const w = new World();
let line: ControlLine;
let pane: string;
const touched: string[] = [];
let [changed, ended] = [0, 0];

/** Has the pane print this, and waits until what comes last shows. */
async function print(text: string, last: string): Promise<void> {
  await w.file("next", text);
  tmux(w, "send-keys", "-t", "=one:", "Enter");
  await until(last, () => screenOf(w, "one").includes(last));
}

beforeAll(async () => {
  const loop = await w.file("loop.sh", `stty -echo\nwhile read -r _; do cat ${w.dir}/next; done\n`);
  tmux(w, "new-session", "-d", "-s", "one", "-x", "100", "-y", "30", "sh", loop);
  pane = tmux(w, "list-panes", "-t", "=one:", "-F", "#{pane_id}").trim();
  line = controlLine(w.env, "one", { touched: (id) => touched.push(id), changed: () => changed++, ended: () => ended++ });
  await until("its first answer", () => line.screen(pane));
  await print("begun\n", "begun");
});
afterAll(() => {
  line.close();
  w.close();
});

test("what is drawn is told, and the screen is given as it stands", async () => {
  touched.length = 0;
  await print("\x1b[31mred\x1b[0m\n", "red");
  await until("word of it", () => touched.includes(pane));
  const screen = (await line.screen(pane))!;
  expect([screen.mode, screen.dead]).toEqual([null, false]);
  expect(screen.text).toContain("\x1b[31mred");
  expect(screen.text.trimEnd()).toBe(tmux(w, "capture-pane", "-p", "-e", "-t", pane).trimEnd());
});

test("a title that blinks is not", async () => {
  touched.length = 0;
  for (const title of ["[ ! ] Ä", "[ . ] Ä"]) {
    await w.file("next", `\x1b]0;${title}\x07\x1b[?2026h\x1b[0m\x1b[?2026l`);
    tmux(w, "send-keys", "-t", "=one:", "Enter");
    await until(title, () => tmux(w, "display-message", "-p", "-t", pane, "#{pane_title}").trim() === title);
  }
  // All that was told by now has come when a later answer has.
  await line.screen(pane);
  expect(touched).toEqual([]);
});

test("a screen full of the protocol's own lines is a screen, and tells nothing", async () => {
  const hostile = [
    "%begin 1 2 1",
    "%end 1 2 1",
    "%exit",
    `%output ${pane} x`,
    "%sessions-changed",
    "%error 1 2 1",
    "%end 1796061357 9 1",
    "last one",
  ];
  await print(`${hostile.join("\n")}\n`, "last one");
  await until("word of it", () => touched.includes(pane));
  await line.screen(pane);
  [touched.length, changed] = [0, 0];
  const screens = await Promise.all([line.screen(pane), line.screen("%4711"), line.screen(pane)]);
  expect(screens[1]).toBeNull();
  for (const screen of [screens[0]!, screens[2]!])
    for (const each of hostile) expect(screen.text.replace(/\x1b\[[\d;]*m/g, "").split("\n")).toContain(each);
  expect([touched, changed, ended]).toEqual([[], 0, 0]);
});

test("copy mode is told, and that the session is over", async () => {
  tmux(w, "copy-mode", "-t", pane);
  await until("the mode", async () => (await line.screen(pane))?.mode === "copy-mode");
  tmux(w, "kill-session", "-t", "=one");
  await until("its end", () => ended === 1);
  expect(await line.screen(pane)).toBeNull();
});
