/** `transcript-capture`: keeps what is new on the terminals of a task's worker and manager. */
import { choice, flag, integer, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { ROLES, type Role } from "../../core/sessions/session.ts";
import { TRANSCRIPT_MODES } from "../../core/observe/transcript-delta.ts";
import { captureTranscript, shownTranscript, type TranscriptCapture, type TranscriptOptions } from "../../flow/observe/transcript.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import type { TaskScene } from "../../flow/scene.ts";

type Outcome = TranscriptCapture | { readonly role: Role; readonly error: string };

/** With several roles a failing one is reported beside the others. */
async function captureAll(scene: TaskScene, roles: readonly Role[], options: TranscriptOptions): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const role of roles) {
    try {
      outcomes.push(await captureTranscript(scene, role, options));
    } catch (error) {
      if (roles.length === 1 || !(error instanceof Failure)) throw error;
      outcomes.push({ role, error: error.message });
    }
  }
  return outcomes;
}

function line(outcome: Outcome): string {
  if ("error" in outcome) return `${outcome.role}: ${outcome.error}`;
  const segment = outcome.transcript_segment;
  const kept = segment ? `${segment.segment_kind} ${segment.id}, ${segment.line_count} lines` : "nothing new";
  return `${outcome.role}: capture ${outcome.capture.id}, ${kept}`;
}

export default verb(
  {
    about:
      "Captures the terminals of a task's worker and manager and keeps, as segments, only what was not on the " +
      "screen before. A terminal that is not the one on record is refused. An ended binding still works.",
    examples: [
      ["transcript-capture login-fix", "both terminals"],
      ["transcript-capture login-fix --role worker --mode snapshot --json", "the worker's whole screen, described"],
    ],
    positionals: { task: word("a task, by name or id") },
    flags: {
      role: choice("whose terminal", ["all", ...ROLES], { default: "all" }),
      mode: choice("what to keep: nothing but sizes, the last new lines, the whole screen, or all that is new", TRANSCRIPT_MODES, {
        default: "segment",
      }),
      lines: integer("lines of history above the screen", { default: 200, value: "N" }),
      requireSegment: flag("fail unless every role gave something new; captures already made stay"),
      json: flag("print JSON"),
      includeContent: flag("with --json: print the screens themselves"),
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    const task = needTask(store, args.task);
    const roles: readonly Role[] = args.role === "all" ? ROLES : [args.role];
    const outcomes = await captureAll({ cx, store, task }, roles, { mode: args.mode, lines: args.lines, source: "transcript_capture" });
    const empty = outcomes.filter(
      (outcome) => "error" in outcome || !outcome.transcript_segment || outcome.transcript_segment.line_count === 0,
    );
    if (args.requireSegment && empty.length > 0)
      throw new Failure(`no transcript segment of ${empty.map(({ role }) => role).join(" and ")}: ${empty.map(line).join("; ")}`);
    if (!args.json) return outcomes.forEach((outcome) => cx.out(line(outcome)));
    const captures = outcomes.map((outcome) => ("error" in outcome ? outcome : shownTranscript(outcome, args.includeContent)));
    cx.json({ task: args.task, role: args.role, mode: args.mode, captures });
  },
);
