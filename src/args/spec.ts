/** How a command is declared: its words and flags, from which parser, help, completion and argument types all come. */
import type { CommandDef } from "citty";

type Kind = "text" | "integer" | "number" | "choice" | "flag" | "json" | "rest";

/** One flag or positional. `T` is the type of its value once parsed. */
export interface Arg<T> {
  readonly kind: Kind;
  readonly about: string;
  readonly required?: boolean;
  readonly repeat?: boolean;
  readonly default?: unknown;
  readonly choices?: readonly string[];
  /** What completion offers for a text; anything else is taken too, and refused by the command if it must. */
  readonly suggest?: readonly string[];
  /** Smallest number allowed; 0 unless said otherwise, since counts, limits, ports and seconds are never negative. */
  readonly min?: number;
  readonly max?: number;
  /** Refuses the empty text and blanks. */
  readonly filled?: boolean;
  /** Further names, without dashes. */
  readonly alias?: readonly string[];
  /** Further words that stand before the flags. */
  readonly names?: boolean;
  /** What the value is called in usage lines, for instance `FILE`. */
  readonly value?: string;
  readonly type?: T;
}

interface Options<T> {
  readonly required?: boolean;
  readonly repeat?: boolean;
  readonly default?: T;
  readonly min?: number;
  readonly max?: number;
  readonly filled?: boolean;
  readonly alias?: readonly string[];
  readonly value?: string;
  readonly suggest?: readonly string[];
}

type Value<T, O> = O extends { repeat: true } ? T[] : O extends { required: true } ? T : O extends { default: unknown } ? T : T | undefined;

const arg = (kind: Kind, about: string, options: object | undefined) => ({ kind, about, ...options }) as Arg<never>;

/** Any text, also the empty one unless `filled`. */
export const text = <const O extends Options<string> = object>(about: string, options?: O): Arg<Value<string, O>> =>
  arg("text", about, options);
/** Decimal digits with an optional sign, at least `min` (0). */
export const integer = <const O extends Options<number> = object>(about: string, options?: O): Arg<Value<number, O>> =>
  arg("integer", about, options);
/** A finite decimal number, at least `min` (0). */
export const number = <const O extends Options<number> = object>(about: string, options?: O): Arg<Value<number, O>> =>
  arg("number", about, options);
/** One of the given words, exactly. */
export const choice = <const C extends string, const O extends Options<C> = object>(
  about: string,
  choices: readonly C[],
  options?: O,
): Arg<Value<C, O>> => arg("choice", about, { ...options, choices });
/** A JSON object, parsed. */
export const json = <const O extends Options<Record<string, unknown>> = object>(
  about: string,
  options?: O,
): Arg<Value<Record<string, unknown>, O>> => arg("json", about, options);
/** A switch: present or not. */
export const flag = (about: string, options?: { alias?: readonly string[] }): Arg<boolean> => arg("flag", about, options);
/**
 * As a flag: all words after it, dashes included. As the last positional: all further words (after `--` also dashed ones).
 * `names`: the words are names, and stand before the flags in the usage line.
 */
export const rest = (about: string, options?: { required?: boolean; value?: string; names?: boolean }): Arg<string[]> =>
  arg("rest", about, { value: "ARG", ...options });

/** `--path`, the same on every command that opens a database. */
export const pathFlag = text("database file instead of the one below the state root", { value: "FILE", filled: true });

/** `--json` of a command that prints JSON anyway: scripts may always say it. */
export const jsonFlag = flag("print JSON (the default)");

/** A positional word; required unless `optional` or with a default. */
export const word = <const O extends { optional?: boolean; default?: string; value?: string } = object>(
  about: string,
  options?: O,
): Arg<O extends { optional: true } ? string | undefined : string> =>
  arg("text", about, { required: !options?.optional && options?.default === undefined, ...options });
/** A positional that must be one of the given words. */
export const choiceWord = <const C extends string, const O extends { optional?: boolean; default?: C; value?: string } = object>(
  about: string,
  choices: readonly C[],
  options?: O,
): Arg<O extends { optional: true } ? C | undefined : C> =>
  arg("choice", about, { required: !options?.optional && options?.default === undefined, ...options, choices });

export type Args = Readonly<Record<string, Arg<unknown>>>;

/** At most one of `of` (keys of flags) may be given; `required`: exactly one. */
interface Exclusive {
  readonly of: readonly string[];
  readonly required?: boolean;
}

export interface Spec<P extends Args = Args, F extends Args = Args> {
  /** What the command does, a few sentences for its help page. */
  readonly about: string;
  /** Command lines without the program's name, each with a short reason: `["tasks --json", "all tasks for a script"]`. */
  readonly examples?: readonly (readonly [line: string, why: string])[];
  /** Keys are the names shown. */
  readonly positionals?: P;
  /** Keys in camelCase: `codexSession` is `--codex-session`. */
  readonly flags?: F;
  readonly exclusive?: readonly Exclusive[];
  /** Unknown flags and surplus words are collected in `args.unknown` instead of refused (`start`). */
  readonly passUnknown?: boolean;
}

type Values<A> = { [K in keyof A]: A[K] extends Arg<infer T> ? T : never };
type ArgsOf<S> = (S extends { positionals: infer P } ? Values<P> : object) &
  (S extends { flags: infer F } ? Values<F> : object) & { unknown: string[] };

/** A declared command: citty's definition plus our own spec. `run` may give an exit code; nothing means 0. */
export interface Verb extends CommandDef {
  readonly spec: Spec;
}

interface Call<C> {
  readonly args: unknown;
  readonly cx: C;
}

/** Declares a command. `run` gets the typed arguments and the context, and gives an exit code or nothing. */
export function verb<const S extends Spec, C>(spec: S, run: (args: ArgsOf<S>, cx: C) => number | void | Promise<number | void>): Verb {
  return {
    spec,
    meta: { description: spec.about },
    run: ({ data }) => run((data as Call<C>).args as ArgsOf<S>, (data as Call<C>).cx),
  };
}

/** `codexSession` → `codex-session`. */
export const flagName = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
