/** The command reference and the manual page, as text, from the declarations. */
import { argumentRows, usage } from "../src/args/help.ts";
import type { Declared } from "./declarations.ts";

const groupsOf = (all: readonly Declared[]): [string, Declared[]][] =>
  [...new Set(all.map((each) => each.group))].map((group) => [group, all.filter((each) => each.group === group)]);
/** GitHub's anchor of a heading that is one code word. */
const anchor = (name: string): string => name.replaceAll(" ", "-");

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", " ");
const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``;

function section({ name, spec }: Declared): string {
  const { positionals, flags } = argumentRows(spec);
  const rows = [...positionals, ...flags].map(([form, about]) => `| ${form.split(", ").map(code).join(", ")} | ${cell(about)} |`);
  const examples = (spec.examples ?? []).flatMap(([line, why]) => [`# ${why}`, `conveyor ${line}`]);
  return [
    `### \`${name}\``,
    "",
    spec.about,
    "",
    "```",
    usage("conveyor", name, spec),
    "```",
    ...(rows.length > 0 ? ["", "| argument | meaning |", "|---|---|", ...rows] : []),
    ...(examples.length > 0 ? ["", "```sh", ...examples, "```"] : []),
  ].join("\n");
}

/** `docs/commands.md`. */
export function commandsPage(all: readonly Declared[]): string {
  const groups = groupsOf(all);
  const contents = groups.map(
    ([group, members]) => `- **${group}**: ${members.map(({ name }) => `[\`${name}\`](#${anchor(name)})`).join(", ")}`,
  );
  const body = groups.map(([group, members]) => `## ${group}\n\n${members.map(section).join("\n\n")}`);
  return `# Commands

Generated from the declarations of the commands (\`npm run docs\`); \`conveyor COMMAND --help\` shows the same.

Every command exits with 0 when it is done, 1 when it was refused or failed, and 2 when the words on the line were wrong. Data goes to
stdout, talk to stderr. JSON is one document with sorted keys. \`--flag value\` and \`--flag=value\` are the same, \`--\` ends flags, and every
command knows \`--help\`. \`workerctl\` is the same program.

${contents.join("\n")}

${body.join("\n\n")}
`;
}

/** Text for roff: backslashes, dashes and a line's first character are special to it, and it reads ASCII only. */
const roff = (text: string): string =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1")
    .replace(/[^\n -~]/gu, (char) => `\\[u${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`);

/** Rows of a Markdown table whose first cell is code, as [name, meaning]. */
const rowsOf = (markdown: string): [string, string][] =>
  [...markdown.matchAll(/^\| `([^`]+)`[^|]* \| (.+) \|$/gm)].map((match) => [match[1]!, match[2]!.replaceAll("`", "")]);

const entry = ([name, meaning]: readonly [string, string]): string => `.TP\n.B ${roff(name)}\n${roff(meaning)}`;

function manual({ name, spec }: Declared): string {
  const { positionals, flags } = argumentRows(spec);
  const synopsis = usage("conveyor", name, spec)
    .replace(/^usage: /, "")
    .replace(/\s+/g, " ");
  const examples = (spec.examples ?? []).map(([line, why]) => `.PP\n${roff(why)}:\n.PP\n.RS\n.nf\n${roff(`conveyor ${line}`)}\n.fi\n.RE`);
  return [`.SS ${roff(name)}`, `.B ${roff(synopsis)}`, ".PP", roff(spec.about), ...[...positionals, ...flags].map(entry), ...examples].join(
    "\n",
  );
}

/** `docs/conveyor.1`. @param configuration docs/configuration.md, whose tables name the environment */
export function manualPage(all: readonly Declared[], version: string, configuration: string): string {
  return `.\\" Generated from the declarations of the commands: npm run docs
.TH CONVEYOR 1 "" "conveyor ${version}" "User Commands"
.SH NAME
conveyor, workerctl \\- one agent session (Codex or Claude Code) supervises another
.SH SYNOPSIS
.B conveyor
.I COMMAND
.RI [ ARGUMENTS ]
.br
.B conveyor
.I COMMAND
.B \\-\\-help
.SH DESCRIPTION
Keeps the records of supervised agent work in one SQLite file, reads what the agents write, types to them, and never judges their work.
Data goes to stdout, talk to stderr.
.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
refused or failed
.TP
.B 2
the words on the line were wrong
.SH COMMANDS
${all.map(manual).join("\n")}
.SH ENVIRONMENT
${rowsOf(configuration)
  .filter(([name]) => /^[A-Z_]+$/.test(name))
  .map(entry)
  .join("\n")}
.SH FILES
.TP
.I .codex\\-workers/workerctl.db
The records, below the working directory unless WORKERCTL_STATE_ROOT says otherwise.
.SH SEE ALSO
.BR codex (1),
.BR claude (1),
.BR tmux (1)
`;
}
