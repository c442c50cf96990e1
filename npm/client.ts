/** What the client of the wrapper package gets from the declarations: its types, and the facts it needs to build command lines. */
import { type Declared, declarations } from "../scripts/declarations.ts";
import type { Arg } from "../src/args/spec.ts";

function typeOf(arg: Arg<unknown>): string {
  const one = {
    text: "string",
    integer: "number",
    number: "number",
    flag: "boolean",
    json: "Record<string, unknown>",
    rest: "readonly string[]",
    choice: arg.choices?.map((choice) => JSON.stringify(choice)).join(" | ") ?? "string",
  }[arg.kind];
  return arg.repeat ? `${one} | readonly (${one})[]` : one;
}

const member = (key: string, arg: Arg<unknown>): string =>
  `    /** ${arg.about.replaceAll("*/", "* /")}${arg.default === undefined || arg.default === "" ? "" : ` (default ${String(arg.default)})`} */\n    ${/^\w+$/.test(key) ? key : JSON.stringify(key)}${arg.required ? "" : "?"}: ${typeOf(arg)};`;

const block = ({ name, summary, spec }: Declared): string => {
  const members = Object.entries({ ...spec.positionals, ...spec.flags }).map(([key, arg]) => member(key, arg));
  return `  /** ${summary} */\n  ${JSON.stringify(name)}: {\n${members.join("\n")}\n  };`;
};

const HEAD = `/** Typed client of the conveyor command line. Generated from the declarations of the commands. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The arguments of each command: positionals by their names, flags in camelCase. */
export interface Commands {
`;

const TAIL = `}

export type Command = keyof Commands;

export interface Options {
  cwd?: string;
  /** The whole environment of the program; process.env unless given. */
  env?: Record<string, string | undefined>;
  /** What the program reads on standard input. */
  stdin?: string;
  signal?: AbortSignal;
  /** Milliseconds until the program is ended. */
  timeout?: number;
}

/** A command that did not exit with 0: 1 refused or failed, 2 wrong usage. */
export class ConveyorError extends Error {
  readonly command: Command;
  readonly exitCode: number;
  readonly stderr: string;
  /** What the command printed all the same, as the doctors do. */
  readonly report: Json | undefined;
}

type Given<C extends Command> = {} extends Commands[C] ? [values?: Commands[C], options?: Options] : [values: Commands[C], options?: Options];

/** Runs one command and gives what it printed: parsed when it is one JSON document, else as text. */
export function run<C extends Command>(command: C, ...given: Given<C>): Promise<Json>;
`;

/** The texts of index.d.ts and commands.json. */
export async function clientFiles(): Promise<{ types: string; commands: string }> {
  const all = await declarations();
  const facts = all.map(({ name, spec }) => {
    const last = Object.entries(spec.flags ?? {}).find(([, arg]) => arg.kind === "rest")?.[0];
    return [name, { positionals: Object.keys(spec.positionals ?? {}), json: "json" in (spec.flags ?? {}), ...(last && { last }) }];
  });
  return { types: HEAD + all.map(block).join("\n") + "\n" + TAIL, commands: `${JSON.stringify(Object.fromEntries(facts))}\n` };
}
