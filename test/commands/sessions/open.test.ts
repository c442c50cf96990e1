/** Opening terminal windows: what would be started where, what is started, and that it is recorded once. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { attachWords, windowFor } from "../../../src/system/terminal/terminal.ts";
import { until, World } from "../../harness.ts";
import { showing } from "../../panes.ts";
import { boundPair, lonelyWorker } from "../../rollout.ts";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.close());

/** A terminal program that writes down how it was called. */
async function emulator(name: string, exit = 0): Promise<string> {
  const path = await w.file(
    `bin/${name}`,
    `#!/bin/sh\nprintf '%s\\n' "$0" "$@" "TMUX=$TMUX" > '${w.dir}/called.tmp'\nmv '${w.dir}/called.tmp' '${w.dir}/called'\nexit ${exit}\n`,
  );
  chmodSync(path, 0o755);
  return join(w.dir, "bin");
}

const called = () =>
  until("the terminal program was called", async () => {
    const file = Bun.file(join(w.dir, "called"));
    return (await file.exists()) ? await file.text() : "";
  });
const old1 = () =>
  w.file("state/old1/config.json", JSON.stringify({ name: "old1", cwd: w.work, identity_token: "t", tmux_session: "codex-old1" }));
const eventTypes = async () =>
  (await w.run("events old1")).stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).type);

test("macOS: Ghostty by its application, Terminal by AppleScript with the name quoted twice", () => {
  expect(windowFor({}, "ghostty", "it's", "darwin").command).toEqual([
    "open",
    "-na",
    "Ghostty.app",
    "--args",
    "-e",
    "tmux",
    "attach",
    "-t",
    "it's",
  ]);
  const script = windowFor({}, "terminal", `a "b" \\c`, "darwin").command[2];
  expect(script).toBe(`tell application "Terminal" to do script "tmux attach -t 'a \\"b\\" '\\\\\\\\'c'"`);
});

test("the usual server is not named, also where its folder is reached by a link", () => {
  const socket = join(w.dir, "real", `tmux-${process.getuid!()}`, "default");
  mkdirSync(dirname(socket), { recursive: true });
  writeFileSync(socket, "");
  symlinkSync(join(w.dir, "real"), join(w.dir, "link"));
  expect(attachWords({ TMUX: `${socket},1,0`, TMUX_TMPDIR: join(w.dir, "link") }, "s")).toEqual(["tmux", "attach", "-t", "s"]);
  expect(attachWords({ TMUX: `${socket},1,0` }, "s")).toEqual(["tmux", "-S", socket, "attach", "-t", "s"]);
});

test("Linux: $TERMINAL first, then what is installed, each with its own way to be told a command", async () => {
  const PATH = await emulator("gnome-terminal");
  const env = { PATH, DISPLAY: ":0" };
  expect(windowFor(env, "auto", "s", "linux")).toEqual({
    terminal: "terminal",
    command: ["gnome-terminal", "--", "tmux", "attach", "-t", "s"],
    unavailable: null,
  });
  await emulator("kitty");
  expect(windowFor({ ...env, TERMINAL: "kitty --single-instance" }, "auto", "s", "linux").command).toEqual([
    "kitty",
    "--single-instance",
    "--",
    "tmux",
    "attach",
    "-t",
    "s",
  ]);
  await emulator("ghostty");
  expect(windowFor(env, "auto", "s", "linux")).toMatchObject({
    terminal: "ghostty",
    command: ["ghostty", "-e", "tmux", "attach", "-t", "s"],
  });
  expect(windowFor({ ...env, DISPLAY: "" }, "auto", "s", "linux").unavailable).toContain("display");
  expect(windowFor({ PATH: "/nowhere", DISPLAY: ":0" }, "terminal", "s", "linux")).toMatchObject({
    command: ["tmux", "attach", "-t", "s"],
    unavailable: expect.stringContaining("PATH"),
  });
});

test.if(process.platform === "linux")("a window is opened outside of tmux and logged; a second one needs --force", async () => {
  await old1();
  await showing(w, "codex-old1", "hi\n");
  const env = { PATH: `${await emulator("xterm")}:${process.env.PATH}`, DISPLAY: ":0", TERMINAL: "xterm", TMUX: "/nowhere,1,2" };
  expect(await w.ok("open old1", { env })).toEqual({
    attach_command: "tmux attach -t codex-old1",
    dry_run: false,
    force: false,
    name: "old1",
    terminal: "terminal",
    tmux_session: "codex-old1",
  });
  expect(await called()).toBe(`${w.dir}/bin/xterm\n-e\ntmux\nattach\n-t\ncodex-old1\nTMUX=\n`);
  expect(await eventTypes()).toEqual(["open_attempt", "open"]);
  const again = await w.run("open old1", { env });
  expect(again.exit).toBe(1);
  expect(again.stderr).toContain("tmux attach -t codex-old1");
  expect((await w.run("open old1 --force", { env })).exit).toBe(0);
});

test.if(process.platform === "linux")("without a display, or when the program fails, it tells how to attach", async () => {
  await old1();
  await showing(w, "codex-old1", "hi\n");
  const path = `${await emulator("xterm", 3)}:${process.env.PATH}`;
  const blind = await w.run("open old1", { env: { DISPLAY: "", WAYLAND_DISPLAY: "" } });
  expect([blind.exit, blind.stderr.includes("tmux attach -t codex-old1")]).toEqual([1, true]);
  const broken = await w.run("open old1 --force", { env: { PATH: path, DISPLAY: ":0", TERMINAL: "xterm" } });
  expect([broken.exit, broken.stderr.includes("tmux attach -t codex-old1")]).toEqual([1, true]);
  expect(await eventTypes()).toEqual(["open_attempt", "open_attempt"]);
});

test("registered sessions and both sides of a task", async () => {
  await boundPair(w, { extra: ["--tmux-session", "tm"] });
  expect((await w.run("open-worker t1 --dry-run")).stderr).toContain("tm");
  await showing(w, "tm", "hi\n");
  expect(await w.ok("open w1 --dry-run")).toMatchObject({ name: "w1", tmux_session: "tm" });
  expect(await w.ok("open-worker t1 --dry-run")).toMatchObject({ task: "t1", worker: "w1", attach_command: "tmux attach -t tm" });
  expect((await w.run("open-manager t1 --dry-run")).stderr).toContain("m1");
  await lonelyWorker(w);
  expect((await w.run("open w1 --dry-run")).exit).toBe(1);
});
