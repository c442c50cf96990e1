/** Help, usage, likely spellings and completion come from the declarations: all of them are looked at. */
import { describe, expect, test } from "bun:test";
import { declarations } from "../../scripts/declarations.ts";
import { candidates, completionScript, SHELLS } from "../../src/args/complete.ts";
import { commandHelp, usage } from "../../src/args/help.ts";
import { nearest } from "../../src/args/nearest.ts";
import { parse } from "../../src/args/parse.ts";
import { choice, flag, flagName, type Spec, text, word } from "../../src/args/spec.ts";
import { listed } from "../../src/verbs.ts";
import { World, words } from "../harness.ts";

const loaded = (await declarations()).map(({ name, spec }) => [name, spec] as const);

describe("every command", () => {
  test("shows all its flags, positionals and choices, and begins with its usage", () => {
    for (const [name, spec] of loaded) {
      const page = commandHelp("conveyor", name, spec);
      expect(page.startsWith(`usage: conveyor ${name}`)).toBe(true);
      for (const [key, arg] of Object.entries(spec.flags ?? {})) {
        for (const form of [flagName(key), ...(arg.alias ?? [])]) expect(page).toContain(`--${form}`);
        for (const each of arg.choices ?? []) expect(page).toContain(each);
      }
      for (const positional of Object.keys(spec.positionals ?? {})) expect(page).toContain(positional.toUpperCase());
      // Examples stay whole, so that they can be copied.
      expect(
        page
          .split("\nExamples:")[0]!
          .split("\n")
          .filter((line) => line.length > 130),
      ).toEqual([]);
    }
  });

  test("has examples that its own declaration accepts", () => {
    for (const [name, spec] of loaded) {
      expect([name, spec.examples?.length ?? 0]).not.toEqual([name, 0]);
      for (const [line] of spec.examples ?? []) {
        const argv = words(line);
        const own = name.split(" ");
        const canonical = argv.slice(0, own.length).join(" ");
        expect([canonical, loaded.some(([other, same]) => other === canonical && same === spec)]).toEqual([canonical, true]);
        expect(() => parse(spec, argv.slice(own.length))).not.toThrow();
      }
    }
  });

  test("takes --json, unless what it prints is a script or its flags are the agent's", () => {
    const without = loaded.filter(([, spec]) => spec.flags?.json === undefined).map(([name]) => name);
    expect(without.sort()).toEqual(["completion", "start"]);
  });

  test("has a one-line summary on the top page", () => {
    for (const { name, summary } of listed()) {
      expect([name, summary.length > 8 && summary.length < 90 && !summary.includes("\n")]).toEqual([name, true]);
    }
  });
});

const SPEC: Spec = {
  about: "Does it.",
  positionals: { shell: word("which"), note: word("n", { optional: true }) },
  flags: {
    state: choice("s", ["open", "closed"], { required: true }),
    label: text("l", { repeat: true }),
    list: flag("a"),
    show: text("b"),
  },
  exclusive: [{ of: ["list", "show"], required: true }],
};

test("usage shows what is required, repeatable and exclusive", () => {
  expect(usage("workerctl", "x", SPEC).replace(/\s+/g, " ")).toBe(
    "usage: workerctl x SHELL [NOTE] (--list | --show SHOW) --state open|closed [--label LABEL]…",
  );
  // What excludes several flags is one flag.
  const { positionals: _, exclusive: __, ...rest } = SPEC;
  const twice = { ...rest, exclusive: [{ of: ["list", "show"] }, { of: ["label", "list"] }] };
  expect(usage("conveyor", "x", twice)).toBe("usage: conveyor x [--list | --show SHOW] [--label LABEL] --state open|closed");
});

test("likely spellings are close ones only", () => {
  expect(nearest("tsaks", ["tasks", "bind"])).toBe("tasks");
  expect(nearest("discovre", ["discover", "dispatch"])).toBe("discover");
  expect(nearest("xyz", ["tasks", "bind"])).toBeNull();
});

describe("completion", () => {
  test("completes flags, values of choices, and nothing after a free value", () => {
    expect(candidates(SPEC, ["--s"])).toEqual(["--show", "--state"]);
    expect(candidates(SPEC, ["--state", ""])).toEqual(["closed", "open"]);
    expect(candidates(SPEC, ["--show", "o"])).toEqual([]);
  });

  test("the scripts name both programs", () => {
    for (const shell of SHELLS) expect(completionScript(shell)).toMatch(/conveyor[\s\S]*workerctl/);
  });

  test("bash really completes with it", async () => {
    const w = new World();
    try {
      const script = await w.file(
        "c.bash",
        `${completionScript("bash")}\nCOMP_WORDS=("$@")\nCOMP_CWORD=$(($# - 1))\n_conveyor\nprintf '%s\\n' "\${COMPREPLY[@]}"\n`,
      );
      const program = await w.file("bin/conveyor", `#!/bin/sh\nexec "${process.execPath}" "${import.meta.dir}/../../src/main.ts" "$@"\n`);
      Bun.spawnSync(["chmod", "+x", program]);
      const ask = (...typed: string[]) =>
        Bun.spawnSync(["bash", script, program, ...typed], { env: w.env })
          .stdout.toString()
          .trim()
          .split("\n");
      expect(ask("regis")).toEqual(["register-manager", "register-worker"]);
      expect(ask("completion", "")).toEqual(["bash", "fish", "zsh"]);
      expect(ask("sessions", "--role", "w")).toEqual(["worker"]);
    } finally {
      w.close();
    }
  });
});
