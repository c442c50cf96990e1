/** Named pages on captures of the real client, plain and styled, and on older wordings. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { agents } from "../../../src/core/agent/agents.ts";
import { readScreen } from "../../../src/core/codex/screen.ts";
import { standsInComposer } from "../../../src/core/delivery/delivery.ts";
import { FIXTURES } from "../../harness.ts";

const folder = join(import.meta.dir, "../../fixtures/codex-0.169.0/screens");
const capture = (name: string) => readFileSync(join(folder, name), "utf8");
const page = (name: string) => readScreen(capture(name)).page;

test("every capture of the real client is the page it was taken of", () => {
  const pages = Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, page(name)]),
  );
  expect(pages).toEqual({
    "approval-declined.txt": "idle",
    "approval-prompt.ansi": "command_approval",
    "approval-prompt.txt": "command_approval",
    "draft-idle.ansi": "draft",
    "draft-while-working.ansi": "draft",
    "help-open.ansi": "idle",
    "history-search.ansi": "search",
    "idle-after-first-turn.txt": "idle",
    "idle.ansi": "idle",
    "interrupted.txt": "idle",
    "mention-open.ansi": "draft",
    "model-choice.ansi": "choice",
    "queued-while-working.ansi": "queued_input",
    "queued-while-working.txt": "queued_input",
    "ready-empty.txt": "idle",
    "shell-mode.ansi": "draft",
    "slash-text.ansi": "draft",
    "startup-1s.txt": "idle",
    "startup-3s.txt": "idle",
    "text-in-composer-not-submitted.txt": "draft",
    "transcript-browsed.ansi": "transcript",
    "trust-prompt.ansi": "folder_trust",
    "trust-prompt.txt": "folder_trust",
    "working.ansi": "working",
    "working.txt": "working",
  });
});

test("a dialog gives its question, its choices and what Enter would take", () => {
  expect(readScreen(capture("approval-prompt.ansi")).dialog).toEqual({
    question: "Would you like to run the following command?",
    choices: [
      "Yes, proceed (y)",
      "Yes, and don't ask again for commands that start with `touch /home/dev/approved` (p)",
      "No, and tell Codex what to do differently (esc)",
    ],
    chosen: 0,
    kind: "command",
    subject: "touch /home/dev/approved",
    takesText: false,
    answers: [
      { number: 1, word: "yes", keys: null },
      { number: 2, word: expect.stringMatching(/^Yes, and don't ask again/), keys: null },
      { number: 3, word: "no", keys: null },
    ],
  });
  expect(readScreen(capture("trust-prompt.txt")).dialog).toMatchObject({
    choices: ["Trust and continue", "Back to Agent Command Center"],
    chosen: 0,
  });
});

test("what would be run is read where it stands in one line, and nothing else below it: what is wrapped or cut is not whole", () => {
  const shown = (...rows: string[]) =>
    readScreen(
      [
        "  Would you like to run the following command?",
        "",
        ...rows,
        "",
        "› 1. Yes, proceed (y)",
        "  2. No (esc)",
        "",
        "  Press enter to confirm",
        "",
      ].join("\n"),
    ).dialog?.subject;
  expect(shown("  $ ls")).toBe("ls");
  expect([shown("  $ ls", "", "    rm -rf /"), shown("  $ ls", "    wrapped"), shown("  $ ls", "  [… 3 lines] ctrl + a view all")]).toEqual(
    [null, null, null],
  );
});

test("yes is said only to a trust page that is seen to take it: with its yes chosen, or without any choices and shown whole", () => {
  const accepted = (screen: string, mode: string | null = null) => readScreen(screen, mode).accept;
  for (const name of ["trust-prompt.ansi", "trust-prompt.txt"]) {
    expect(accepted(capture(name))).toEqual(["Enter"]);
    expect(accepted(capture(name), "copy-mode")).toBeNull();
  }
  const other = capture("trust-prompt.txt")
    .replace("› 1.", "  1.")
    .replace(/^ {2}2\./m, "› 2.");
  expect(readScreen(other)).toMatchObject({ page: "folder_trust", dialog: { chosen: 1 }, accept: null });
  for (const name of ["approval-prompt.ansi", "model-choice.ansi", "idle.ansi", "working.ansi"]) expect(accepted(capture(name))).toBeNull();
  // A screen so small that the choices are not in sight.
  const cut = "\u001b[1m  Folder access\u001b[0m\n  /srv/x\n  Trust this folder?\n";
  expect(readScreen(cut)).toMatchObject({ page: "folder_trust", asks: true, dialog: null, accept: null });
  const oldest = "Do you trust the contents of this directory?\n";
  expect(accepted(oldest + "\n".repeat(10))).toEqual(["Enter"]);
  // Filled to its last row it may hold choices below; and numbers that are no list of ours answer something else.
  expect(readScreen("x\n".repeat(10) + oldest)).toMatchObject({ page: "folder_trust", dialog: null, accept: null });
  expect(accepted(`${oldest}  1. Yes, continue\n  2. No, quit\n${"\n".repeat(10)}`)).toBeNull();
});

test("the composer is read whole: drafts, wrapped lines, blank lines, shell mode", () => {
  expect(readScreen(capture("idle.ansi")).composer).toEqual({ empty: true, text: "", shell: false });
  expect(readScreen(capture("draft-while-working.ansi"))).toMatchObject({
    composer: { empty: false, text: "draft while working", shell: false },
    working: true,
    queued: ["queued one"],
  });
  expect(readScreen(capture("shell-mode.ansi")).composer).toEqual({ empty: false, text: "ls", shell: true });
  const bold = "\u001b[1m›\u001b[0m ";
  expect(readScreen(`${bold}one\n  two\n\n  four\n\n  gpt-5.4 default · /x\n  ? for shortcuts\n`).composer).toEqual({
    empty: false,
    text: "one\ntwo\n\nfour",
    shell: false,
  });
  // Typed words that equal the hint are no hint: only the hint is dim.
  expect(readScreen(`${bold}Ask Codex to do anything\n\n  gpt\n`).page).toBe("draft");
  expect(readScreen(`${bold}\u001b[2mAny other hint of another version\u001b[0m\n\n  gpt\n`).page).toBe("idle");
  // A list typed by a person looks like choices, but nothing is marked and no key is named.
  expect(readScreen(`${bold}1. first\n  2. second\n\n  gpt-5.4 default · /x\n`).page).toBe("draft");
});

test("pages of other versions, and pages no rule knows", () => {
  const dialog = (...head: string[]) =>
    [...head, "", "› 1. Yes, continue", "  2. No, quit", "", "  Press enter to continue", ""].join("\n");
  expect(
    readScreen(dialog("> You are in /home/dev", "", "  Do you trust the contents of this directory? Working with untrusted contents")).page,
  ).toBe("folder_trust");
  expect(readScreen("Do you trust the contents of this directory?\n")).toMatchObject({ page: "folder_trust", asks: true, dialog: null });
  expect(readScreen(dialog("  ✨ Update available! 0.130.0 -> 0.131.0")).page).toBe("update_offer");
  expect(readScreen(dialog("  Approaching rate limits", "  Switch to gpt-5.1-codex-mini for lower credit usage?")).page).toBe("rate_limit");
  expect(readScreen(dialog("  Background server has incompatible feature settings")).page).toBe("server_features");
  expect(readScreen(dialog("  Something new?")).page).toBe("choice");
  expect(readScreen("\n\n\n").page).toBe("blank");
  expect(readScreen("$ ls\nfile\n$ ").page).toBe("unknown");
});

test("an answered dialog above the composer is history, and a mode of tmux is in front of everything", () => {
  const screen = `${capture("trust-prompt.txt").trimEnd()}\n\n› Ask Codex to do anything\n\n  gpt-5.4 default · /home/dev/project\n`;
  expect(readScreen(screen).page).toBe("idle");
  expect(readScreen(capture("draft-idle.ansi"), "copy-mode")).toMatchObject({
    page: "copy_mode",
    composer: { text: "draft while working" },
  });
});

test("a composer that is higher than its place holds our text, and not the arrow that says so", () => {
  const text = `${"word ".repeat(60)}end`;
  const rows = text.match(/.{1,40}(?: |$)/g)!.map((row) => row.trimEnd());
  // As 0.171 draws it: the marker bold, the arrow dim at the right edge, the footer below a blank row.
  const shown = [
    `\u001b[1m›\u001b[0m ${rows[2]!.padEnd(60)}\u001b[2m↑\u001b[0m`,
    ...rows.slice(3).map((row) => `  ${row}`),
    "",
    "  \u001b[2m? for shortcuts · x\u001b[0m",
  ];
  const { page: name, composer } = readScreen(shown.join("\n"));
  expect(name).toBe("draft");
  expect(composer!.text).not.toContain("↑");
  expect(standsInComposer(agents.codex, composer!, text)).toBe(true);
  expect(standsInComposer(agents.codex, composer!, `${text} more`)).toBe(true);
  expect(standsInComposer(agents.codex, composer!, text.replace("end", "other"))).toBe(false);
});

test("an answer that reads like the line of a turn that runs is none", () => {
  // As 0.171 drew them: the answer `**esc** (5s • esc to interrupt)`, and the line of a turn.
  const rest =
    "\n\n\u001b[1m›\u001b[0m \u001b[2mAsk Codex to do anything\u001b[0m\n\n  gpt-5.4 default · /x\n  \u001b[1m?\u001b[0m for shortcuts";
  const answer = "\u001b[2m• \u001b[0;1mesc\u001b[0m (5s • esc to interrupt)";
  const turn = "\u001b[2m•\u001b[0m Working \u001b[2m(5s • \u001b[0;1mesc\u001b[0m\u001b[2m to interrupt)\u001b[0m";
  expect(readScreen(answer + rest)).toMatchObject({ page: "idle", working: false });
  expect(readScreen(turn + rest)).toMatchObject({ page: "working", working: true });
});

test("a text that an interrupt has put back as a shell command is ours", () => {
  const put = { empty: false, text: "touch never-16", shell: true };
  expect(standsInComposer(agents.codex, put, "!touch never-16")).toBe(true);
  expect(standsInComposer(agents.codex, put, "touch never-16")).toBe(false);
  expect(standsInComposer(agents.codex, { ...put, shell: false }, "!touch never-16")).toBe(false);
  expect(agents.codex.keys.clear("!touch never-16").at(-1)).toBe("BSpace");
});

test("every capture of 0.171 is the page it was taken of, whatever its footer names", () => {
  const newer = join(FIXTURES, "codex-0.171.0/screens");
  const seen = Object.fromEntries(
    readdirSync(newer)
      .sort()
      .map((name) => [name, readScreen(readFileSync(join(newer, name), "utf8")).page]),
  );
  expect(seen).toEqual({
    "approval-accepted.ansi": "idle",
    "approval-accepted.txt": "idle",
    "approval-declined.ansi": "idle",
    "approval-declined.txt": "idle",
    "approval-prompt.ansi": "command_approval",
    "approval-prompt.txt": "command_approval",
    "background-terminal-running.ansi": "idle",
    "background-terminal-running.txt": "idle",
    "compacted.ansi": "idle",
    "compacted.txt": "idle",
    "composer-before-trust.ansi": "starting",
    "draft-while-working.ansi": "draft",
    "draft-while-working.txt": "draft",
    "error-e400-end.ansi": "idle",
    "error-e400-end.txt": "idle",
    "error-e429-plain-end.ansi": "idle",
    "error-e429-plain-end.txt": "idle",
    "error-e500-end.ansi": "idle",
    "error-e500-end.txt": "idle",
    "error-ecut-end.ansi": "idle",
    "error-ecut-end.txt": "idle",
    "error-efailed-end.ansi": "idle",
    "error-efailed-end.txt": "idle",
    "error-usage-limit-dismissed.ansi": "idle",
    "error-usage-limit-dismissed.txt": "idle",
    "error-usage-limit.ansi": "rate_limit",
    "error-usage-limit.txt": "rate_limit",
    "fork.ansi": "choice",
    "fork.txt": "choice",
    "idle-after-command.ansi": "idle",
    "idle-after-command.txt": "idle",
    "idle-after-first-turn.ansi": "idle",
    "idle-after-first-turn.txt": "idle",
    "interrupted-by-ctrl-c.ansi": "draft",
    "interrupted-by-ctrl-c.txt": "draft",
    "interrupted.ansi": "idle",
    "interrupted.txt": "idle",
    "large-paste-collapsed.ansi": "draft",
    "large-paste-collapsed.txt": "draft",
    "new-question.ansi": "choice",
    "new-question.txt": "choice",
    "new-thread.ansi": "idle",
    "new-thread.txt": "idle",
    "plan-mode-idle.ansi": "idle",
    "plan-mode-idle.txt": "idle",
    "plan-proposed.ansi": "choice",
    "plan-proposed.txt": "choice",
    "ps.ansi": "idle",
    "ps.txt": "idle",
    "queued-while-thinking.ansi": "queued_input",
    "queued-while-thinking.txt": "queued_input",
    "queued-while-working.ansi": "queued_input",
    "queued-while-working.txt": "queued_input",
    "quit-by-ctrl-c.ansi": "unknown",
    "quit-by-ctrl-c.txt": "unknown",
    "quit.ansi": "unknown",
    "quit.txt": "unknown",
    "ready-empty.ansi": "idle",
    "ready-empty.txt": "idle",
    "request-user-input-answered.ansi": "idle",
    "request-user-input-answered.txt": "idle",
    "request-user-input.ansi": "choice",
    "request-user-input.txt": "choice",
    "resume-picker.ansi": "overlay",
    "resume-picker.txt": "overlay",
    "startup-1s.ansi": "starting",
    "startup-1s.txt": "starting",
    "startup-3s.ansi": "idle",
    "startup-3s.txt": "idle",
    "status.ansi": "idle",
    "status.txt": "idle",
    "subagent-running.ansi": "idle",
    "subagent-running.txt": "idle",
    "text-in-composer-not-submitted.ansi": "draft",
    "text-in-composer-not-submitted.txt": "draft",
    "title-with-return-in-footer.ansi": "idle",
    "title-with-return-in-footer.txt": "idle",
    "trust-prompt.ansi": "folder_trust",
    "trust-prompt.txt": "folder_trust",
    "update-offer.ansi": "update_offer",
    "update-offer.txt": "update_offer",
    "working.ansi": "working",
    "working.txt": "working",
  });
});
