/** Questions on a terminal, one after another; drawn on stderr, so that stdout keeps to the result. */
import { WriteStream } from "node:tty";
import { confirm, isCancel, multiselect, select, text } from "@clack/prompts";

/** A question as the terminal shows it. */
interface TerminalQuestion {
  readonly kind: "choice" | "text" | "list" | "choice_list" | "boolean";
  readonly question: string;
  readonly choices?: readonly string[];
  readonly default: string | readonly string[] | boolean | null;
}

const listText = (value: TerminalQuestion["default"]): string =>
  Array.isArray(value) ? value.join(", ") : typeof value === "string" ? value : "";

function ask(prompt: TerminalQuestion, output: WriteStream): Promise<unknown> {
  const common = { message: prompt.question, output };
  const options = (prompt.choices ?? []).map((value) => ({ value, label: value }));
  switch (prompt.kind) {
    case "boolean":
      return confirm({ ...common, initialValue: prompt.default === true });
    case "choice":
      return select({ ...common, options, initialValue: listText(prompt.default) });
    case "choice_list":
      return multiselect({ ...common, options, initialValues: Array.isArray(prompt.default) ? [...prompt.default] : [], required: false });
    default:
      return text({
        ...common,
        message: prompt.kind === "list" ? `${prompt.question} (separated by commas)` : prompt.question,
        placeholder: listText(prompt.default),
        defaultValue: "",
      });
  }
}

/**
 * Asks all questions in their order and gives the raw answers: text, one or several choices, or yes and no; an empty text keeps the
 * default. Null when the person cancelled.
 */
export async function askOnTerminal(prompts: readonly TerminalQuestion[]): Promise<(string | readonly string[] | boolean)[] | null> {
  const output = new WriteStream(2);
  const answers: (string | readonly string[] | boolean)[] = [];
  for (const prompt of prompts) {
    const answer = await ask(prompt, output);
    if (isCancel(answer)) return null;
    answers.push(answer as string | readonly string[] | boolean);
  }
  return answers;
}
