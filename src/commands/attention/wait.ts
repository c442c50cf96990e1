/** `wait`: sleeps until something is so, or has happened, of sessions and tasks. */
import { nearest } from "../../args/nearest.ts";
import { flag, number, pathFlag, rest, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { MEANINGS, type Reason, REASONS } from "../../core/attention/reason.ts";
import { UsageError } from "../../core/failure.ts";
import { quoteCommand } from "../../core/shell.ts";
import { waitFor } from "../../flow/attention/wait.ts";
import { recordsWords } from "../../flow/reach/next-command.ts";
import { onStop } from "../../system/processes/this-process.ts";
import { waitText } from "../../view/wait.ts";

const TIMED_OUT = 3;
const INTERRUPTED = 130;
/** Who waits for longer is told at a terminal that this is what happens. */
const LONG_MS = 2000;

const isReason = (word: string): word is Reason => (REASONS as readonly string[]).includes(word);

/** @throws UsageError for a word that is no reason, with the likely one */
function reasonsIn(given: readonly string[]): Reason[] {
  const words = given.flatMap((each) => each.split(",")).map((word) => word.trim());
  const wrong = words.find((word) => !isReason(word));
  if (wrong !== undefined) {
    const guess = nearest(wrong, REASONS);
    const meant = guess === null ? `: it takes ${REASONS.join(", ")}` : `. Did you mean ${guess}?`;
    throw new UsageError(`--until has an unknown reason ${JSON.stringify(wrong)}${meant}`);
  }
  return [...new Set(words.filter(isReason))];
}

export default verb(
  {
    about:
      "Sleeps until one of the reasons is so, and says which; what is so already is told at once. It is woken by what happens and looks " +
      "at nothing by the clock, so waiting costs nothing; no Dispatch need run.\n" +
      "TARGET is a session, a task, or crew:MANAGER for all that a manager has; without one, every open binding counts. Of a task, idle " +
      "is its worker's, message is what waits for its manager, and question, limit, failed, crashed and gone are of either side.\n" +
      `REASON is one of these:\n${REASONS.map((reason) => `- ${reason}: ${MEANINGS[reason]}`).join("\n")}\n\n` +
      "Every answer has a cursor: with --since it, only what happened after that answer counts, so that a loop misses nothing and sees " +
      "nothing twice, over restarts of everything. An agent's tools cut off long calls, Claude Code's at 120 s and Codex's at their own " +
      "limit: give --timeout 90, and call again with the cursor; a call that was cut off is made again with the cursor it had.\n" +
      "Exit: 0 something was reached, 1 refused, 3 the time was up, 130 interrupted.",
    examples: [
      ["wait login-fix --until idle,question,failed,crashed,gone,limit --timeout 90", "the worker rests, or needs somebody"],
      ["wait login-fix --until idle,message --timeout 90 --since CURSOR", "what came after the last answer"],
      ["wait w1 w2 w3 --all --until idle", "all three have ended their turn"],
      ["wait crew:lead --until question,limit,stalled,done --json", "whatever stops one of a manager's tasks"],
    ],
    positionals: { target: rest("sessions, tasks, crew:MANAGER", { value: "TARGET", names: true }) },
    flags: {
      any: flag("until one of the targets has reached a reason (the default)"),
      all: flag("until each of the targets has reached one"),
      until: text("what to wait for: one reason or several", {
        required: true,
        repeat: true,
        filled: true,
        value: "REASON[,REASON…]",
        suggest: REASONS,
      }),
      timeout: number("longest wait; without it, as long as it takes", { value: "SECONDS" }),
      since: text("only what happened after the answer with this cursor", { value: "CURSOR", filled: true }),
      json: flag("print JSON (the default when the output is no terminal)"),
      path: pathFlag,
    },
    exclusive: [{ of: ["any", "all"] }],
  },
  async (args, cx: Context) => {
    const reasons = reasonsIn(args.until);
    const store = cx.store(args.path);
    const more = [
      ...(args.all ? ["--all"] : []),
      ...["--until", reasons.join(",")],
      ...(args.timeout === undefined ? [] : ["--timeout", String(args.timeout)]),
      ...recordsWords(cx, store),
    ];
    const asked = quoteCommand([...args.target, ...more]);
    let stopped = false;
    let wake = (): void => {};
    const release = onStop(() => {
      stopped = true;
      wake();
    });
    const stop = {
      get asked() {
        return stopped;
      },
      listen: (listener: () => void) => (wake = listener),
    };
    const long = setTimeout(() => {
      if (cx.outside.tty.err) cx.err(`waiting: ${asked}; Ctrl-C ends it`);
    }, LONG_MS);
    try {
      const options = {
        targets: args.target,
        reasons,
        all: args.all,
        timeoutSeconds: args.timeout ?? null,
        since: args.since,
        alone: cx.outside.alone === true,
      };
      const done = await waitFor({ cx, store }, options, stop, (message) => cx.err(`${cx.program} wait: ${message}`));
      if (done === null) return INTERRUPTED;
      if (cx.outside.tty.out && !args.json) cx.out(waitText(cx.program, asked, done));
      else cx.json(done);
      return done.timed_out ? TIMED_OUT : 0;
    } finally {
      clearTimeout(long);
      release();
    }
  },
);
