/** tmux on a private server: exact names, hostile text, modes, environments, and what is said when tmux is not there. */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deleteBuffer, leaveMode, loadBuffer, pasteAndSubmit, press, sendReturn, submit } from "../../src/system/terminal/keys.ts";
import { capturePane, captureScreens, killPane, listPanes } from "../../src/system/terminal/panes.ts";
import { hasSession, newSession } from "../../src/system/terminal/sessions.ts";
import { isPaneId, tmuxResult } from "../../src/system/terminal/tmux.ts";
import { until } from "../harness.ts";
import { tmuxServer } from "../tmux-server.ts";

const server = tmuxServer({
  npm_lifecycle_event: "test",
  NPM_TOKEN_X: "secret",
  "npm_config_//host/:_x": "odd",
  BUN_OPTIONS: "--smol",
  KEPT: "yes",
});
const { env } = server;
afterAll(() => server.close());

const paneOf = async (name: string) => (await listPanes(env)).find((pane) => pane.session === name)!;
const screen = async (name: string) => (await capturePane(env, name, 0)).trimEnd();

describe("sessions", () => {
  test("no server at all: nothing is there, and nothing is an error", async () => {
    expect(await listPanes(env)).toEqual([]);
    expect(await hasSession(env, "w1")).toBe(false);
    expect((await killPane(env, { paneId: "%0", pid: 1 })).code).not.toBe(0);
  });

  test("names are exact: a longer name is somebody else", async () => {
    const long = await newSession(env, { name: "codex-w10", cwd: "/", argv: ["cat"] });
    expect(isPaneId(long.paneId)).toBe(true);
    expect(long.pid).toBeGreaterThan(0);
    expect(await hasSession(env, "codex-w10")).toBe(true);
    expect(await hasSession(env, "codex-w1")).toBe(false);
    expect(await hasSession(env, long.paneId)).toBe(true);
    expect(await hasSession(env, "%999")).toBe(false);
    await killPane(env, { ...long, pid: 1 });
    expect(await hasSession(env, "codex-w10")).toBe(true);
    await expect(sendReturn(env, "codex-w1")).rejects.toThrow("send-keys failed");
    await expect(capturePane(env, "codex-w*", 0)).rejects.toThrow("capture-pane failed");
  });

  test("a folder or session whose name is a format of tmux is that folder, and no shell runs what stands in it", async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), "cvt-")));
    for (const [index, name] of ["#(touch ran)", "##(touch ran)", "a#{pid}b", "#[bold]x", "##[x", "#", "##", "#S"].entries()) {
      const cwd = join(root, name);
      mkdirSync(cwd);
      const { paneId } = await newSession(env, { name: `format-${index}`, cwd, argv: ["sh", "-c", "pwd; exec cat"], width: 200 });
      await until(`the folder ${name}`, async () => (await screen(paneId)) === cwd);
    }
    const session = `#(touch ${join(root, "ran")})`;
    await newSession(env, { name: session, cwd: root, argv: ["cat"] });
    expect(await hasSession(env, session)).toBe(true);
    expect(readdirSync(root, { recursive: true })).not.toContain("ran");
    rmSync(root, { recursive: true });
  });

  test("panes come in one call, with names that hold spaces", async () => {
    const { paneId, pid } = await newSession(env, { name: "two words", cwd: "/tmp", argv: ["cat"], width: 90, height: 20 });
    const pane = (await listPanes(env)).find((each) => each.paneId === paneId);
    expect(pane).toMatchObject({ session: "two words", pid, dead: false, mode: null, width: 90, height: 20, current: true, attached: 0 });
    await killPane(env, { paneId, pid });
    expect(await hasSession(env, "two words")).toBe(false);
  });

  test("arguments reach the program as they are, without a shell", async () => {
    const odd = ["a b", "$HOME", "`id`", 'it\'s "quoted"', "--dash", "do it; now;", ";", "\\;", ""];
    await newSession(env, { name: "argv", cwd: "/", argv: ["sh", "-c", 'printf "[%s]" "$@"; exec cat', "sh", ...odd] });
    await until("the arguments", async () => (await screen("argv")).includes("[]"));
    expect(await screen("argv")).toBe(odd.map((each) => `[${each}]`).join(""));
  });

  test("what npm and bun leave in an environment is gone in front of the program", async () => {
    await tmuxResult(env, ["set-environment", "-g", "npm_package_name", "left-by-the-first-client"]);
    await newSession(env, {
      name: "env",
      cwd: "/",
      argv: ["sh", "-c", "env | grep -iE '^(npm_|bun_|kept|given)'; exec cat"],
      environment: { GIVEN: "by the launch" },
    });
    await until("its environment", async () => (await screen("env")).includes("KEPT=yes"));
    expect((await screen("env")).split("\n").sort()).toEqual(["GIVEN=by the launch", "KEPT=yes"]);
  });
});

describe("options of the user that end what nobody looks at", () => {
  /** A server with this line in its configuration, which tmux reads when it starts. */
  async function configured(line: string, act: (env: Record<string, string>) => Promise<void>): Promise<void> {
    const other = tmuxServer();
    try {
      writeFileSync(join(other.env.HOME!, ".tmux.conf"), `${line}\n`);
      await act(other.env);
    } finally {
      other.close();
    }
  }

  for (const line of ["set -g destroy-unattached on", "set -g detach-on-destroy off", "set -g remain-on-exit on", "set -s exit-empty on"]) {
    test(`a session begun under "${line}" stays, and other sessions keep that setting`, () =>
      configured(line, async (env) => {
        const first = await newSession(env, { name: "first", cwd: "/", argv: ["cat"] });
        const second = await newSession(env, { name: "second", cwd: "/", argv: ["cat"], keepDead: true });
        expect((await listPanes(env)).map(({ paneId }) => paneId).sort()).toEqual([first.paneId, second.paneId]);
        const [, , option = "", value = ""] = line.split(" ");
        expect((await tmuxResult(env, ["show-options", line.startsWith("set -s") ? "-sv" : "-gv", option])).stdout.trim()).toBe(value);
        await killPane(env, first);
        expect(await hasSession(env, "first")).toBe(false);
      }));
  }

  test("a server that ends when nobody looks at it is named as the reason", () =>
    configured("set -s exit-unattached on", async (env) => {
      await expect(newSession(env, { name: "w", cwd: "/", argv: ["cat"] })).rejects.toThrow("its option exit-unattached");
    }));
});

describe("speaking", () => {
  test("hostile text is pasted letter by letter, and a carriage return submits it", async () => {
    await newSession(env, { name: "say", cwd: "/", argv: ["cat"] });
    const text = "-x --y $(id) `id` 'q' \"q\" ; # › ✓ %1";
    await loadBuffer(env, "cv-test", text);
    expect(await pasteAndSubmit(env, ["cv-test"], { pane: await paneOf("say"), cursor: false })).toBe(true);
    await until("the echo", async () => (await screen("say")).split(text).length === 3);
    expect((await deleteBuffer(env, "cv-test")).code).not.toBe(0);
  });

  test("keys reach only the program that was seen, with nothing in front and the cursor where it was", async () => {
    await newSession(env, { name: "still", cwd: "/", argv: ["cat"] });
    const pane = await until("the cursor", async () => (await paneOf("still")).cursorShown && paneOf("still"));
    expect(await press(env, { pane: { ...pane, pid: 1 }, cursor: false }, "x")).toBe(false);
    expect(await submit(env, { pane: { ...pane, cursorX: 5 }, cursor: true })).toBe(false);
    await tmuxResult(env, ["copy-mode", "-t", pane.paneId]);
    expect(await press(env, { pane, cursor: false }, "x")).toBe(false);
    await leaveMode(env, pane.paneId);
    await loadBuffer(env, "cv-kept", "never");
    await tmuxResult(env, ["send-keys", "-t", pane.paneId, "-l", "--", "draft"]);
    await until("the draft", async () => (await screen("still")).includes("draft"));
    expect(await pasteAndSubmit(env, ["cv-kept"], { pane, cursor: true })).toBe(false);
    expect((await deleteBuffer(env, "cv-kept")).code).toBe(0);
    for (const key of ["'", "$", ";", "C-u"]) expect(await press(env, { pane, cursor: false }, key)).toBe(true);
    expect(await submit(env, { pane, cursor: false })).toBe(true);
    expect(await press(env, { pane: { ...pane, paneId: "%999" }, cursor: false }, "x")).toBe(false);
    expect((await tmuxResult(env, ["show-options", "-w", "-t", pane.paneId])).stdout).not.toContain("@conveyor");
    expect((await screen("still")).trim()).not.toContain("x");
  });

  test("a mode is seen and left", async () => {
    const { paneId } = await newSession(env, { name: "mode", cwd: "/", argv: ["cat"] });
    const mode = async () => (await listPanes(env)).find((pane) => pane.paneId === paneId)?.mode;
    await leaveMode(env, paneId);
    await tmuxResult(env, ["copy-mode", "-t", paneId]);
    expect(await mode()).toBe("copy-mode");
    await leaveMode(env, paneId);
    expect(await mode()).toBeNull();
    await tmuxResult(env, ["choose-tree", "-t", paneId]);
    expect(await mode()).toBe("tree-mode");
    await leaveMode(env, paneId);
    expect(await mode()).toBeNull();
  });

  test("a styled capture keeps the escape sequences", async () => {
    await newSession(env, { name: "styled", cwd: "/", argv: ["sh", "-c", "printf 'a\\033[2mdim\\033[0m'; exec cat"] });
    await until("the text", async () => (await screen("styled")).includes("adim"));
    expect(await capturePane(env, "styled", 0, true)).toContain("\u001b[2mdim");
  });
});

describe("trouble", () => {
  const fakeTmux = (script: string) => {
    const dir = mkdtempSync(join(env.TMUX_TMPDIR!, "bin-"));
    writeFileSync(join(dir, "tmux"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(dir, "tmux"), 0o755);
    return { ...env, PATH: `${dir}:/usr/bin:/bin` };
  };

  test("tmux that is absent, denied or hanging is said so", async () => {
    await expect(listPanes({ ...env, PATH: "/nowhere" })).rejects.toThrow("tmux is not on PATH");
    await expect(hasSession(fakeTmux("echo 'error connecting (Operation not permitted)' >&2; exit 1"), "w")).rejects.toThrow(
      "the system denied tmux access",
    );
    await expect(tmuxResult(fakeTmux("sleep 30"), ["list-sessions"], { timeoutMs: 200 })).rejects.toThrow("gave no answer in time");
  });

  test("a TMUX inherited from a dead server does not hide the living one", async () => {
    expect(await hasSession({ ...env, TMUX: `${env.TMUX_TMPDIR}/gone,123,0` }, "codex-w10")).toBe(true);
  });
});

test("several screens come in one call, each under its pane, with their colours; one that is gone is left out", async () => {
  const shown = (text: string) => ["sh", "-c", 'printf %b "$1"; exec cat', "sh", text];
  const first = await newSession(env, { name: "screen-1", cwd: "/", argv: shown("\\033[31mred; and more\\033[0m\\n") });
  const second = await newSession(env, { name: "screen-2", cwd: "/", argv: shown("--- plain\\n") });
  const seen = await until("both are drawn", async () => {
    const screens = await captureScreens(env, [first.paneId, second.paneId]);
    return [...screens.values()].every((text) => text.trim() !== "") && screens.size === 2 ? screens : null;
  });
  expect(seen.get(first.paneId)).toStartWith("\u001b[31mred; and more");
  expect(seen.get(second.paneId)!.trimEnd()).toBe("--- plain");
  expect([...(await captureScreens(env, [second.paneId, "%9999"])).keys()]).toContain(second.paneId);
  expect(await captureScreens(env, [])).toEqual(new Map());
});
