/** The strict parser: every rule of the command line contract about words and values. */
import { describe, expect, test } from "bun:test";
import { parse, ParseError } from "../../src/args/parse.ts";
import { choice, choiceWord, flag, integer, json, number, rest, type Spec, text, word } from "../../src/args/spec.ts";

const SPEC = {
  about: "x",
  positionals: { task: word("t"), extra: word("e", { optional: true }) },
  flags: {
    json: flag("j"),
    limit: integer("l", { default: 10 }),
    ratio: number("r"),
    state: choice("s", ["open", "closed"]),
    label: text("m", { repeat: true }),
    goal: text("g"),
    filled: text("f", { filled: true }),
    data: json("d"),
    noInitialPrompt: flag("n", { alias: ["no-send-contract"] }),
  },
} satisfies Spec;

const read = (argv: string[], spec: Spec = SPEC) => {
  const parsed = parse(spec, argv);
  if (parsed.help) throw new Error("help");
  return parsed.values;
};
const wrong = (argv: string[], spec: Spec = SPEC): string => {
  try {
    parse(spec, argv);
  } catch (error) {
    if (error instanceof ParseError) return error.message;
    throw error;
  }
  throw new Error(`accepted: ${argv.join(" ")}`);
};

describe("words", () => {
  test("flags and positionals mix in any order; = and a separate word are the same", () => {
    expect(read(["--json", "t", "--limit", "3", "e"])).toMatchObject({ json: true, limit: 3, task: "t", extra: "e" });
    expect(read(["t", "--goal=a=b", "--limit=4"])).toMatchObject({ goal: "a=b", limit: 4, json: false });
  });
  test("with = the value may be anything", () => {
    expect(read(["t", "--goal=--json"]).goal).toBe("--json");
    expect(read(["t", "--goal="]).goal).toBe("");
    expect(read(["t", "--goal", ""]).goal).toBe("");
  });
  test("one dash is a value, two dashes are not, unless there is white space", () => {
    expect(read(["t", "--goal", "-1"]).goal).toBe("-1");
    expect(read(["t", "--goal", "-x"]).goal).toBe("-x");
    expect(read(["t", "--goal", "--not a flag"]).goal).toBe("--not a flag");
    expect(wrong(["t", "--goal", "--json"])).toBe("--goal needs a value; one that begins with -- is written --goal=VALUE");
    expect(wrong(["t", "--goal"])).toContain("--goal");
    expect(wrong(["t", "--goal", "--"])).toContain("--goal");
  });
  test("a text with white space is a word, whatever it begins with", () => {
    expect(read(["-t dashed help=1", "--json is what I want", "--limit", "4"])).toMatchObject({
      task: "-t dashed help=1",
      extra: "--json is what I want",
      limit: 4,
      json: false,
    });
    expect(wrong(["t", "--goals=a b"])).toContain("unknown flag --goals");
    expect(wrong(["t", "-x"])).toContain("unknown flag -x");
    expect(wrong(["t", "e", "- f"])).toContain('unexpected word "- f"');
  });
  test("-- ends flags", () => {
    expect(read(["--json", "--", "-odd"]).task).toBe("-odd");
    expect(wrong(["--", "-odd", "x", "--json"])).toContain("--json");
  });
  test("the last of a flag wins, repeatable ones collect, switches may repeat", () => {
    expect(read(["t", "--goal", "a", "--goal", "b", "--json", "--json", "--label", "1", "--label", "2"])).toMatchObject({
      goal: "b",
      json: true,
      label: ["1", "2"],
    });
  });
  test("aliases write the same destination", () => {
    expect(read(["t", "--no-send-contract"]).noInitialPrompt).toBe(true);
  });
  test("what is not declared is refused, with a likely spelling", () => {
    expect(wrong(["t", "--jsno"])).toBe("unknown flag --jsno. Did you mean --json?");
    expect(wrong(["t", "--zzzzzz=1"])).toBe("unknown flag --zzzzzz");
    expect(wrong(["t", "-x"])).toContain("-x");
    expect(wrong(["t", "e", "surplus"])).toContain('"surplus"');
    expect(wrong(["--lim", "3", "t"])).toContain("--limit");
    expect(wrong([])).toContain("task is missing");
    expect(wrong(["t", "--json=yes"])).toContain("--json");
  });
  test("help wins over what is missing and over what follows", () => {
    expect(parse(SPEC, ["--help"])).toEqual({ help: true });
    expect(parse(SPEC, ["-h", "a", "b", "c", "d"])).toEqual({ help: true });
    expect(parse(SPEC, ["t", "--goal", "--help"])).toEqual({ help: true });
    expect(() => parse(SPEC, ["--nope", "--help"])).toThrow("--nope");
    expect(read(["--", "--help"]).task).toBe("--help");
  });
});

describe("values", () => {
  test("integers are digits with an optional sign, never negative unless allowed", () => {
    expect(read(["t", "--limit", "+7"]).limit).toBe(7);
    for (const bad of ["1.5", "1x", "1e3", "", " ", "0x10", "99999999999999999999"])
      expect(wrong(["t", "--limit", bad])).toContain("--limit");
    expect(wrong(["t", "--limit", "-1"])).toContain("at least 0");
    expect(read(["t", "--n", "-5"], { about: "", positionals: { task: word("t") }, flags: { n: integer("n", { min: -10 }) } }).n).toBe(-5);
  });
  test("numbers are finite decimals", () => {
    expect(read(["t", "--ratio", "0.5"]).ratio).toBe(0.5);
    expect(read(["t", "--ratio", ".5"]).ratio).toBe(0.5);
    for (const bad of ["nan", "Infinity", "1e400", "1,5", ""]) expect(wrong(["t", "--ratio", bad])).toContain("--ratio");
  });
  test("choices are exact and listed when missed", () => {
    expect(read(["t", "--state", "open"]).state).toBe("open");
    expect(wrong(["t", "--state", "Open"])).toContain("open, closed");
    expect(wrong(["t", "--state", "opne"])).toContain("Did you mean open?");
  });
  test("JSON flags take objects only", () => {
    expect(read(["t", "--data", '{"a":1}']).data).toEqual({ a: 1 });
    for (const bad of ["[1]", "null", "1", "{", ""]) expect(wrong(["t", "--data", bad])).toContain("--data");
  });
  test("filled texts refuse blanks", () => {
    expect(wrong(["t", "--filled", " "])).toContain("--filled must not be empty");
  });
});

describe("groups and the rest", () => {
  const exclusive: Spec = {
    about: "",
    flags: { list: flag("l"), show: text("s"), createRun: text("c") },
    exclusive: [{ of: ["list", "show", "createRun"], required: true }],
  };
  test("exclusive flags", () => {
    expect(wrong(["--list", "--show", "x"], exclusive)).toContain("--list and --show exclude each other");
    expect(wrong([], exclusive)).toContain("--create-run");
    expect(read(["--show", "x"], exclusive)).toMatchObject({ list: false, show: "x" });
  });
  test("a flag of kind rest takes all words after it", () => {
    const spec: Spec = {
      about: "",
      positionals: { task: word("t") },
      flags: { json: flag("j"), reviewerCommand: rest("r", { required: true }) },
    };
    expect(read(["t", "--json", "--reviewer-command", "x", "--json", "--", "-h"], spec)).toMatchObject({
      json: true,
      reviewerCommand: ["x", "--json", "--", "-h"],
    });
    expect(wrong(["t", "--reviewer-command"], spec)).toContain("--reviewer-command");
  });
  test("a last positional of kind rest takes what follows --", () => {
    const spec: Spec = { about: "", positionals: { task: word("t"), command: rest("c", { required: true }) }, flags: { json: flag("j") } };
    expect(read(["t", "--json", "--", "npm", "test", "--json"], spec)).toMatchObject({ json: true, command: ["npm", "test", "--json"] });
    expect(wrong(["t"], spec)).toContain("command is missing");
  });
  test("pass-through commands keep unknown flags with their values, in order", () => {
    const spec: Spec = { about: "", positionals: { session: word("s") }, flags: { cwd: text("c") }, passUnknown: true };
    expect(read(["s", "--cwd", "/x", "--model", "gpt", "-c", "a=b", "more"], spec)).toMatchObject({
      session: "s",
      cwd: "/x",
      unknown: ["--model", "gpt", "-c", "a=b", "more"],
    });
    expect(read(["--model", "gpt", "s"], spec)).toMatchObject({ session: "s", unknown: ["--model", "gpt"] });
    expect(read(["s", "--", "--cwd", "y", "--help"], spec)).toMatchObject({ session: "s", unknown: ["--cwd", "y", "--help"] });
    expect(read(["s", "--model=a b"], spec).unknown).toEqual(["--model=a b"]);
  });
  test("a choice as positional has its default", () => {
    const spec: Spec = { about: "", positionals: { view: choiceWord("v", ["a", "b"], { default: "a" }) } };
    expect(read([], spec).view).toBe("a");
    expect(wrong(["c"], spec)).toContain('"c"');
  });
});
