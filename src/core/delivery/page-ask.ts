/** A page that asks, as something that is on record and can be answered. */
import type { OpenStep } from "../agent/agent.ts";
import type { AgentAsk } from "../agent/protocol.ts";
import { CUT, type Dialog } from "../agent/screen.ts";

/** Whose page it is, and in which turn. */
interface Asker {
  readonly threadId: string;
  readonly turnId: string | null;
  readonly cwd: string;
  /** The steps that have not ended, oldest first. */
  readonly steps: readonly OpenStep[];
}

/** What is asked: it stays the same while the page is drawn, whose choices may come and go until then, and while they are gone through. */
const questionIn = ({ kind, question, subject }: Dialog): string => JSON.stringify([kind, question, subject]);

/** All that a page shows, with the choice that is marked. */
export const pageWords = (dialog: Dialog): string => JSON.stringify([questionIn(dialog), dialog.choices, dialog.chosen]);

/**
 * The lines of a screen on which the page that was read from it says what it asks, and about what: while they stand there it is that page.
 * @param lines without escape sequences
 */
export function linesThatAsk({ question, subject }: Dialog, lines: readonly string[]): string[] {
  const bare = (text: string): string => text.replace(/\s+/g, "");
  const said = [question, (subject ?? "").replace(CUT, "")].map(bare);
  return lines.filter((line) => {
    const words = bare(line.replace(/^[\s│]+/, ""));
    return words !== "" && said.some((all) => all.includes(words));
  });
}

/** The step that the page is about: the only one, or the one with these words; null when that cannot be told. */
function stepOf({ subject }: Dialog, steps: readonly OpenStep[]): OpenStep | null {
  const same = steps.filter((step) => step.subject === subject);
  const [only, ...more] = steps.length === 1 ? steps : same;
  return only === undefined || more.length > 0 ? null : only;
}

/**
 * What it is about, whole as the record has it where the page has no room for it, or for its end alone: all of it is what is allowed.
 */
function wholeOf({ subject, kind }: Dialog, step: OpenStep | null): string | null {
  if (subject === null) return kind === "command" ? (step?.subject ?? null) : null;
  if (step?.subject == null || !subject.startsWith(CUT)) return subject;
  const [end, whole] = [subject.slice(CUT.length), step.subject].map((text) => text.replace(/\s+/g, ""));
  return end !== "" && whole!.endsWith(end!) ? step.subject : subject;
}

/** Null for a page that asks about the program itself, and not about its work: that is for whoever sits there. */
export function askOfPage(dialog: Dialog, { threadId, turnId, cwd, steps }: Asker, digest: (text: string) => string): AgentAsk | null {
  const { kind, question, choices, answers, takesText } = dialog;
  if (kind === "other" || answers.length === 0) return null;
  const step = stepOf(dialog, steps);
  return {
    requestId: `page ${digest(questionIn(dialog)).slice(0, 16)}`,
    threadId,
    turnId,
    itemId: kind === "held" ? null : (step?.id ?? null),
    kind,
    question,
    command: wholeOf(dialog, step),
    cwd,
    reason: null,
    choices: answers.map(({ word }, at) => ({ word, label: choices[at]! })),
    takesText,
    raw: {},
  };
}
