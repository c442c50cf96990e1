/** Usage lines and help pages, made from the declarations. */
import { type Arg, type Args, flagName, type Spec } from "./spec.ts";

const WIDTH = 100;

const valueName = (key: string, arg: Arg<unknown>): string =>
  arg.choices && arg.choices.join("|").length <= 48
    ? arg.choices.join("|")
    : (arg.value ??
      (arg.kind === "integer" || arg.kind === "number"
        ? "N"
        : arg.kind === "json"
          ? "JSON"
          : flagName(key).split("-").at(-1)!.toUpperCase()));

function flagForm(key: string, arg: Arg<unknown>): string {
  const name = `--${flagName(key)}`;
  if (arg.kind === "flag") return name;
  if (arg.kind === "rest") return `${name} ${arg.value}…`;
  return `${name} ${valueName(key, arg)}`;
}

const positionalForm = (name: string, arg: Arg<unknown>): string => {
  const form = arg.kind === "rest" ? `${name.toUpperCase()}…` : name.toUpperCase();
  return arg.required ? form : `[${form}]`;
};

/** Words of any kind come behind all flags. */
const isBehind = ({ kind, names }: Arg<unknown>): boolean => kind === "rest" && !names;

function wrap(first: string, parts: readonly string[]): string {
  const indent = " ".repeat(Math.min(first.length + 1, 28));
  const lines = [first];
  for (const part of parts) {
    const last = lines.at(-1)!;
    if (last.length + 1 + part.length > WIDTH && last.trim() !== "") lines.push(indent + part);
    else lines[lines.length - 1] = `${last} ${part}`;
  }
  return lines.join("\n");
}

/** `usage: conveyor tasks [--json] …`, wrapped. */
export function usage(program: string, name: string, spec: Spec): string {
  const flags: Args = spec.flags ?? {};
  const grouped = new Set((spec.exclusive ?? []).flatMap((group) => group.of));
  const parts = Object.entries(spec.positionals ?? {})
    .filter(([, arg]) => !isBehind(arg))
    .map(([key, arg]) => positionalForm(key, arg));
  const shown = new Set<string>();
  for (const { of, required } of spec.exclusive ?? []) {
    // One that excludes the flags of several groups stands in the first: three times over it reads as three flags.
    const own = required ? of : of.filter((key) => !shown.has(key));
    for (const key of own) shown.add(key);
    const forms = own.map((key, i) => flagForm(key, flags[key]!) + (i < own.length - 1 ? " |" : required ? ")" : "]"));
    if (forms.length === 0) continue;
    parts.push((required ? "(" : "[") + forms[0], ...forms.slice(1));
  }
  for (const [key, arg] of Object.entries(flags)) {
    if (grouped.has(key)) continue;
    const form = flagForm(key, arg);
    parts.push(`${arg.required ? form : `[${form}]`}${arg.repeat ? "…" : ""}`);
  }
  for (const [key, arg] of Object.entries(spec.positionals ?? {})) if (isBehind(arg)) parts.push(`-- ${positionalForm(key, arg)}`);
  if (spec.passUnknown) parts.push("[FLAGS OF THE AGENT…]");
  return wrap(`usage: ${program} ${name}`, parts);
}

/** Breaks a text at blanks so that no line is longer than `width`. */
function fold(text: string, width: number): string[] {
  if (text.length <= width && !text.includes("\n")) return [text];
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
}

const INDENT = " ".repeat(32);

/** One entry of a list: what it is called, and beside or below it what it means. */
function row(left: string, right: string): string {
  const folded = fold(right, WIDTH - 32).join(`\n${INDENT}`);
  return left.length < 28 ? `  ${left.padEnd(28)}  ${folded}` : `  ${left}\n${INDENT}${folded}`;
}

const table = (rows: readonly (readonly [string, string])[]): string[] => rows.map(([left, right]) => row(left, right));

function notes(arg: Arg<unknown>): string {
  const facts: string[] = [];
  if (arg.choices && arg.choices.join("|").length > 48) facts.push(`one of ${arg.choices.join(", ")}`);
  if (arg.required) facts.push("required");
  if (arg.repeat) facts.push("repeatable");
  if (arg.default !== undefined && arg.default !== "" && !(Array.isArray(arg.default) && arg.default.length === 0))
    facts.push(`default ${String(arg.default)}`);
  return facts.length ? `${arg.about} (${facts.join("; ")})` : arg.about;
}

/** Rows [form, explanation] of the positionals and flags, for help pages and the reference. */
export function argumentRows(spec: Spec): { positionals: [string, string][]; flags: [string, string][] } {
  return {
    positionals: Object.entries(spec.positionals ?? {}).map(([name, arg]) => [
      name.toUpperCase(),
      arg.choices
        ? `${arg.about} (${arg.choices.join(", ")}${arg.default === undefined ? "" : `; default ${String(arg.default)}`})`
        : notes({ ...arg, required: false }),
    ]),
    flags: Object.entries(spec.flags ?? {}).map(([key, arg]) => [
      [flagForm(key, arg), ...(arg.alias ?? []).map((name) => `--${name}`)].join(", "),
      notes(arg),
    ]),
  };
}

/** The help page of one command. */
export function commandHelp(program: string, name: string, spec: Spec): string {
  const { positionals, flags } = argumentRows(spec);
  const lines = [usage(program, name, spec), "", ...fold(spec.about, WIDTH)];
  if (positionals.length) lines.push("", "Arguments:", ...table(positionals));
  lines.push("", "Flags:", ...table([...flags, ["-h, --help", "show this page"]]));
  if (spec.examples?.length) lines.push("", "Examples:", ...spec.examples.flatMap(([line, why]) => [`  # ${why}`, `  ${program} ${line}`]));
  return lines.join("\n");
}

export interface Listed {
  readonly name: string;
  readonly group: string;
  readonly summary: string;
}

/** The page that lists commands, those of a group side by side; `about` is the text below the usage. */
export function listHelp(program: string, tail: string, about: string, commands: readonly Listed[], footer: readonly string[]): string {
  const lines = [`usage: ${program} ${tail}`, "", ...fold(about, WIDTH)];
  let heading = "";
  for (const { name, group, summary } of commands) {
    if (group !== heading) lines.push("", `${group}:`);
    heading = group;
    lines.push(row(name, summary));
  }
  return [...lines, "", ...footer].join("\n");
}
