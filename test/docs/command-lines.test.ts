import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { declarations } from "../../scripts/declarations.ts";
import { parse } from "../../src/args/parse.ts";
import { findVerb, isGroup } from "../../src/verbs.ts";
import { commandLines, simpleCommands } from "./command-lines.ts";

const root = resolve(import.meta.dir, "..", "..");
const pages = [
  "README.md",
  ...["docs", "skills"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((path) => join(folder, path)),
  ),
]
  .filter((path) => path.endsWith(".md"))
  .sort();

/** What is wrong with the words of a line, or null. */
async function wrong(words: readonly string[]): Promise<string | null> {
  if (words[0]!.startsWith("--"))
    return words.length === 1 && ["--help", "--version"].includes(words[0]!) ? null : "no such flag of the program";
  const group = isGroup(words[0]!);
  const name = words.slice(0, group ? 2 : 1).join(" ");
  const entry = findVerb(name);
  if (!entry?.load) return group && words.length === 2 && words[1] === "--help" ? null : `no such command: ${name}`;
  try {
    parse(
      (await entry.load()).default.spec,
      words.slice(group ? 2 : 1).map((word) => (word === "PID" ? "1" : word)),
    );
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("every command line in the pages is one that the program understands", () => {
  test.each(pages)("%s", async (page) => {
    const problems = await Promise.all(
      commandLines(readFileSync(join(root, page), "utf8")).map(async ({ line, text, words }) => {
        // A command named alone in prose is a mention.
        const problem = findVerb(words.join(" ")) ? null : await wrong(words);
        return problem && `${page}:${line}: ${text}: ${problem}`;
      }),
    );
    expect(problems.filter(Boolean)).toEqual([]);
  });

  test("and so is every example of a declaration", async () => {
    const problems = await Promise.all(
      (await declarations()).flatMap(({ name, spec }) =>
        (spec.examples ?? []).map(async ([line]) => {
          const problem = await wrong(simpleCommands(line)[0]!);
          return problem && `${name}: ${line}: ${problem}`;
        }),
      ),
    );
    expect(problems.filter(Boolean)).toEqual([]);
  });
});

test("command lines are found in blocks and prose, with quotes, pipes and substitutions", () => {
  const page = [
    "Say `conveyor tasks --json`, or `conveyor COMMAND --help`, or nothing.",
    "",
    "```sh",
    "# conveyor not --this",
    "printf '%s' '{\"a\": 1}' | conveyor worker-ack t --from-stdin > out",
    'eval "$(conveyor completion bash)"; X=1 dist/workerctl bind --task "a b" \\',
    "  --worker w",
    "```",
    "```json",
    "conveyor no --such",
    "```",
  ].join("\n");
  expect(commandLines(page).map(({ words }) => words)).toEqual([
    ["tasks", "--json"],
    ["worker-ack", "t", "--from-stdin"],
    ["completion", "bash"],
    ["bind", "--task", "a b", "--worker", "w"],
  ]);
});
