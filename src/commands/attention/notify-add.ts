/** `notify add`: a rule by which a person is told of what needs them. */
import { nearest } from "../../args/nearest.ts";
import { flag, number, rest, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { KINDS } from "../../core/attention/item.ts";
import { kindsOf, type Way, wayText } from "../../core/attention/notify.ts";
import { Failure, UsageError } from "../../core/failure.ts";
import { needPerson, recordsHere } from "../../flow/reach/asker.ts";
import { addRule } from "../../system/notify-rules.ts";
import { isExecutable } from "../../system/files/folders.ts";
import { which } from "../../system/processes/environment.ts";

export default verb(
  {
    about:
      "Adds a rule by which you are told of what needs a person, as `attention` lists it: your terminals ring, your desktop shows it, " +
      "or a program of yours is run with it as JSON on its standard input (id, kind, weight, task, session, text, since, actions, host), " +
      "none of it in its arguments, ours taken out of its environment, for at most ten seconds. Each thing is told once, by whichever " +
      "`dispatch --watch` or dashboard sees it first. The rules are yours, for all records: they stand in ~/.config/conveyor (or below " +
      "XDG_CONFIG_HOME), and never in a project; no agent makes one or takes one away.",
    examples: [
      ["notify add --desktop", "whatever presses now, on the desktop"],
      [
        "notify add --on question,limit --after 60 --repeat 900 --bell",
        "a question that stands for a minute, and every quarter of an hour",
      ],
      ["notify add -- ~/bin/to-my-phone --quiet", "a program of yours"],
    ],
    positionals: { program: rest("the program and its arguments, after --", { value: "PROGRAM" }) },
    flags: {
      on: text(`kinds with commas between, of ${KINDS.join(", ")}; else all that press now`, { value: "KINDS", filled: true }),
      after: number("only what has lasted so long", { default: 0, value: "SECONDS" }),
      repeat: number("tell it again, as long as it lasts", { min: 1, value: "SECONDS" }),
      bell: flag("ring your terminals: that of the watch, and those that show a session of tmux"),
      desktop: flag("show it on the desktop, by notify-send or osascript"),
      json: flag("print JSON"),
    },
    exclusive: [{ of: ["bell", "desktop"] }],
  },
  async (args, cx: Context) => {
    const asked = Number(args.bell) + Number(args.desktop) + Number(args.program.length > 0);
    if (asked !== 1) throw new UsageError("one of --bell, --desktop and -- PROGRAM is needed");
    const kinds = args.on === undefined ? { kinds: null } : kindsOf(args.on);
    if ("unknown" in kinds) {
      const guess = nearest(kinds.unknown, KINDS);
      const meant = guess === null ? `; it takes ${KINDS.join(", ")}` : `. Did you mean ${guess}?`;
      throw new UsageError(`--on knows no kind ${JSON.stringify(kinds.unknown)}${meant}`);
    }
    if (kinds.kinds?.length === 0) throw new UsageError(`--on names no kind; it takes ${KINDS.join(", ")}`);
    await needPerson(cx, recordsHere(cx), "makes a rule of notify", `${cx.program} notify add`);
    const rule = {
      id: cx.newId("notify").slice(0, "notify-".length + 8),
      on: kinds.kinds,
      after_seconds: args.after,
      repeat_seconds: args.repeat ?? null,
      added_at: cx.now(),
      how: wayOf(cx, args),
    };
    const file = addRule(cx.env, rule);
    if (args.json) return cx.json({ ...rule, file });
    cx.out(`${rule.id}: ${wayText(rule.how)}, for ${rule.on === null ? "what presses now" : rule.on.join(", ")}`);
    cx.err(`It is told while a Dispatch or a dashboard runs. Try it: ${cx.program} notify test ${rule.id}`);
  },
);

function wayOf(cx: Context, { bell, program: [program, ...words] }: { bell: boolean; program: readonly string[] }): Way {
  if (program === undefined) return { way: bell ? "bell" : "desktop" };
  const path = program.includes("/") ? cx.path(program) : which(program, cx.env);
  if (path === null) throw new Failure(`${program} is not on PATH`, { hint: "name the program by its path" });
  if (!isExecutable(path)) throw new Failure(`${path} is no program that can be run`, { hint: `chmod u+x ${path}, if it is one` });
  return { way: "program", argv: [path, ...words] };
}
