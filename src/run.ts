/** argv → exit code: finds the command, parses its words, runs it, and prints the one error there may be. */
import { candidates } from "./args/complete.ts";
import { commandHelp, listHelp, usage } from "./args/help.ts";
import { nearest } from "./args/nearest.ts";
import { ParseError, parse } from "./args/parse.ts";
import type { Verb } from "./args/spec.ts";
import { type Context, ReaderGone } from "./context.ts";
import { Failure, UsageError } from "./core/failure.ts";
import { quoteWord } from "./core/shell.ts";
import { actionsOf, type Entry, findVerb, isGroup, listed, verbNames } from "./verbs.ts";
import { VERSION } from "./version.ts";

/** A command that stands in a hint, its name in one word or two. */
const COMMAND_IN_HINT = /(?<![\w/'.-])((?:conveyor|workerctl) [a-z][a-z-]*(?: [a-z][a-z-]*)?)/;

const ABOUT =
  "One agent session supervises another: registered, bound to a task, observed, " +
  "spoken to with proof, held to evidence, recorded in one SQLite file.";

function topHelp(program: string): string {
  return listHelp(program, "COMMAND [ARGUMENTS]", ABOUT, listed(), [
    `\`${program} COMMAND --help\` explains one command. \`${program} --version\` prints the version.`,
    `To see the whole thing at work, without an account: ${program} demo`,
  ]);
}

function groupHelp(program: string, group: string): string {
  return listHelp(program, `${group} ACTION [ARGUMENTS]`, findVerb(group)!.summary, actionsOf(group), [
    `\`${program} ${group} ACTION --help\` explains one action.`,
  ]);
}

/** Finds the command that the first one or two words name, or says what is wrong with them. */
function resolve(argv: readonly string[], cx: Context): { name: string; entry: Entry; words: readonly string[] } | number {
  const { program } = cx;
  const [first, second] = argv;
  if (first === undefined || first === "--help" || first === "-h") {
    cx.out(topHelp(program));
    return 0;
  }
  if (first === "--version") {
    cx.out(VERSION);
    return 0;
  }
  if (first === "help") {
    const of = argv.slice(1).filter((word) => word !== "--help" && word !== "-h");
    return resolve(of.length === 0 || of[0] === "all" ? ["--help"] : [...of.filter((word) => word !== "help"), "--help"], cx);
  }
  if (isGroup(first)) {
    if (second === "--help" || second === "-h") {
      cx.out(groupHelp(program, first));
      return 0;
    }
    const name = `${first} ${second}`;
    const entry = findVerb(name);
    if (entry) return { name, entry, words: argv.slice(2) };
    const actions = actionsOf(first).map((action) => action.name);
    cx.err(`usage: ${program} ${first} {${actions.join("|")}} …`);
    const guess = second === undefined ? null : nearest(second, actions);
    cx.err(
      `${program} ${first}: ${second === undefined ? "an action is missing" : `unknown action ${JSON.stringify(second)}`}${guess ? `. Did you mean ${guess}?` : ""}`,
    );
    return 2;
  }
  const entry = first.includes(" ") ? undefined : findVerb(first);
  if (entry) return { name: first, entry, words: argv.slice(1) };
  const guess = nearest(first, [...verbNames(), "help"]);
  cx.err(`usage: ${program} COMMAND [ARGUMENTS]`);
  cx.err(
    `${program}: unknown ${first.startsWith("-") ? "flag" : "command"} ${JSON.stringify(first)}${guess ? `. Did you mean ${guess}?` : ""}`,
  );
  cx.err(`hint: ${program} --help lists all commands`);
  return 2;
}

/** Answers the completion scripts: what fits at the end of the words typed so far, one candidate a line. */
async function complete(words: readonly string[], cx: Context): Promise<number> {
  if (words[0] === "help" && words.length > 1) return complete(words.slice(1), cx);
  const group = isGroup(words[0] ?? "");
  const depth = group ? 2 : 1;
  if (words.length <= depth) {
    const names = words.length === 2 ? actionsOf(words[0]!).map((action) => action.name) : [...verbNames(), "help", "--help", "--version"];
    for (const name of names.filter((n) => n.startsWith(words.at(-1) ?? "")).sort()) cx.out(name);
    return 0;
  }
  const entry = findVerb(words.slice(0, depth).join(" "));
  if (entry?.load) for (const word of candidates((await entry.load()).default.spec, words.slice(depth))) cx.out(word);
  return 0;
}

/** Runs the program on these words and gives its exit code. Nothing escapes as an exception. */
export async function run(argv: readonly string[], cx: Context): Promise<number> {
  const { program } = cx;
  let at = "";
  let leaf: Verb | undefined;
  let path: unknown;
  try {
    if (argv[0] === "__complete") return await complete(argv.slice(1), cx);
    const found = resolve(argv, cx);
    if (typeof found === "number") return found;
    at = found.name;
    leaf = (await found.entry.load!()).default;
    const parsed = parse(leaf.spec, found.words);
    if (parsed.help) {
      cx.out(commandHelp(program, at, leaf.spec));
      return 0;
    }
    path = parsed.values.path;
    if (typeof path === "string") cx.meant(path);
    const { runCommand } = await import("citty");
    const { result } = await runCommand(leaf, { rawArgs: [], data: { args: parsed.values, cx } });
    return typeof result === "number" ? result : 0;
  } catch (error) {
    if (error instanceof ReaderGone) return 0;
    const refusal =
      error instanceof Failure && error.hint !== undefined && typeof path === "string"
        ? new Failure(error.message, { hint: await inSameFile(error.hint, cx.storePath(path)), exit: error.exit, similar: error.similar })
        : error;
    return report(refusal, cx, at, leaf);
  } finally {
    cx.close();
  }
}

/** The hint of a call that named a database: the commands in it name the same one, where they know the flag. */
async function inSameFile(hint: string, path: string): Promise<string> {
  const parts = hint.split(COMMAND_IN_HINT);
  for (const [index, words] of parts.entries()) {
    if (index % 2 === 0 || parts[index + 1]!.includes(" --path ")) continue;
    const [, first = "", second] = words.split(" ");
    const name = isGroup(first) ? `${first} ${second}` : first;
    const spec = (await findVerb(name)?.load?.())?.default.spec;
    if (spec?.flags !== undefined && "path" in spec.flags) parts[index] = words.replace(name, () => `${name} --path ${quoteWord(path)}`);
  }
  return parts.join("");
}

/** The one place where an error becomes text and an exit code. */
function report(error: unknown, cx: Context, name: string, leaf: Verb | undefined): number {
  const { program } = cx;
  if (error instanceof Failure) {
    const guess = error.similar && nearest(error.similar.typed, error.similar.names);
    cx.err(`${program}: ${error.message}${guess ? `. Did you mean ${guess}?` : ""}`);
    // Hints from below do not know by which name the program was called.
    if (error.hint) cx.err(`hint: ${error.hint.replace(/(?<![\w/'.-])conveyor(?= [a-z])/g, program)}`);
    return error.exit;
  }
  if ((error instanceof ParseError || error instanceof UsageError) && leaf) {
    cx.err(usage(program, name, leaf.spec));
    cx.err(`${program} ${name}: ${error.message}`);
    cx.err(`hint: ${program} ${name} --help`);
    return 2;
  }
  const { code, message: said } = error as { code?: unknown; message?: string };
  // Either JSON was nested beyond what can be written, or beyond what SQLite keeps as JSON.
  if (
    (error instanceof RangeError && said?.includes("call stack")) ||
    (code === "SQLITE_CONSTRAINT_CHECK" && said?.includes("json_valid"))
  ) {
    cx.err(`${program}: a JSON value is nested too deeply to be stored`);
    cx.err("hint: give it fewer levels, or keep it in a file and name that");
    return 1;
  }
  if (typeof code === "string" && code.startsWith("SQLITE_"))
    return report(
      cx.databaseFailure(error) ?? new Failure(`the database refused: ${said}`, { hint: `${program} db-doctor` }),
      cx,
      name,
      leaf,
    );
  if (typeof code === "string" && "syscall" in (error as object))
    return report(new Failure(`the system refused: ${said?.replace(/^E[A-Z]+: /, "")}`), cx, name, leaf);
  const records = cx.recordsFailure();
  if (records && !cx.env.CONVEYOR_DEBUG) return report(records, cx, name, leaf);
  cx.err(
    `${program}: internal error in ${name || "start-up"}: ${error instanceof Error ? error.message : String(error)} (version ${VERSION})`,
  );
  if (cx.env.CONVEYOR_DEBUG && error instanceof Error && error.stack) cx.err(error.stack);
  else cx.err("hint: CONVEYOR_DEBUG=1 shows where it happened; please report it");
  return 1;
}
