/** Every command, flag, choice and default of 0.1.0 is still there: scripts written for it keep working. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { flagNames } from "../../src/args/parse.ts";
import type { Spec } from "../../src/args/spec.ts";
import { findVerb, isGroup } from "../../src/verbs.ts";
import { FIXTURES } from "../harness.ts";

interface OldArgument {
  readonly name: string;
  readonly kind: "positional" | "value" | "repeatable" | "boolean";
  readonly type?: "integer" | "number";
  readonly default?: unknown;
  readonly choices?: string[];
  readonly required?: boolean;
  readonly nargs?: "optional" | "remainder";
}
interface OldCommand {
  readonly command: string;
  readonly alias_of?: string;
  readonly arguments?: OldArgument[];
  readonly mutually_exclusive?: { required: boolean; members: string[] }[];
}

/** Defaults that are documented differently (contract pages) or come from the surroundings. */
const OTHERWISE: Record<string, unknown> = {
  "dashboard --workerctl-path": undefined,
  "db-doctor --manager-stale-seconds": 600,
  "idle-check --status-stale-seconds": 120,
  "idle-check --terminal-stale-seconds": 120,
  // The key is what interrupts the agent in the pane.
  "interrupt --key": undefined,
  "session-interrupt --key": undefined,
  // 100, but a summary without an explicit limit counts everything.
  "telemetry --limit": undefined,
};

/** Words that were required, and in whose place a flag may now stand. */
const INSTEAD: Record<string, string> = { "cycle task": "--manager" };

const commands: OldCommand[] = await Bun.file(join(FIXTURES, "cli-0.1.0.json")).json();
const specOf = async (name: string): Promise<Spec> => (await findVerb(name)!.load!()).default.spec;

test("all commands exist", () => {
  const missing = commands.filter(({ command }) => !findVerb(command)).map(({ command }) => command);
  expect(missing).toEqual([]);
});

for (const old of commands.filter(({ command, arguments: list }) => list && !isGroup(command))) {
  test(old.command, async () => {
    const spec = await specOf(old.command);
    const names = flagNames(spec.flags);
    const wrong: string[] = [];
    const differs = (what: string, want: unknown, got: unknown) => {
      if (!Bun.deepEquals(want, got)) wrong.push(`${what}: ${JSON.stringify(want)} was, ${JSON.stringify(got)} is`);
    };
    for (const argument of old.arguments!) {
      const label = `${old.command} ${argument.name}`;
      const now =
        argument.kind === "positional"
          ? (spec.positionals?.[argument.name] ?? spec.positionals?.[argument.name.replaceAll("_", "-")])
          : names.get(argument.name.slice(2))?.arg;
      if (argument.kind === "positional") {
        const at = old.arguments!.filter((each) => each.kind === "positional").indexOf(argument);
        const positional = Object.values(spec.positionals ?? {})[at];
        if (!positional) wrong.push(`${label}: missing`);
        else differs(`${label} required`, argument.nargs !== "optional" && !(label in INSTEAD), positional.required === true);
        continue;
      }
      if (!now) {
        wrong.push(`${label}: missing`);
        continue;
      }
      differs(`${label} is a switch`, argument.kind === "boolean", now.kind === "flag");
      differs(`${label} repeats`, argument.kind === "repeatable", now.repeat === true);
      differs(`${label} required`, argument.required === true, now.required === true);
      if (argument.type) differs(`${label} type`, argument.type, now.kind);
      if (argument.choices)
        for (const choice of argument.choices) if (!now.choices?.includes(choice)) wrong.push(`${label}: choice ${choice} is missing`);
      if (argument.kind === "value") {
        const before = label in OTHERWISE ? OTHERWISE[label] : argument.default === "$CWD" ? undefined : (argument.default ?? undefined);
        differs(`${label} default`, before, now.default);
      }
    }
    for (const group of old.mutually_exclusive ?? []) {
      const members = group.members.map((member) => member.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()));
      const now = spec.exclusive?.find((each) => members.every((member) => each.of.includes(member)));
      if (!now) wrong.push(`${members.join("|")}: no longer exclusive`);
      else differs(`${members.join("|")} required`, group.required, now.required === true);
    }
    expect(wrong).toEqual([]);
  });
}
