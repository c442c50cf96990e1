/** Holds the plan of the house: rooms, the direction of imports, cycles, the table of commands, and what is slow or unsafe to use. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, normalize, relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "..");
const SRC = join(ROOT, "src");

/** Which rooms a room may import from, besides itself; a file directly below src is a room of its own. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  "main.ts": ["run.ts", "context.ts"],
  "run.ts": ["verbs.ts", "version.ts", "args", "context.ts", "core"],
  "verbs.ts": ["args"],
  "version.ts": [],
  "context.ts": ["store", "system", "view", "core"],
  args: [],
  core: [],
  schema: [],
  store: ["core", "schema"],
  system: ["core"],
  view: ["core"],
  flow: ["context.ts", "args", "core", "store", "system", "view", "version.ts"],
  commands: ["flow", "context.ts", "args", "core", "store", "system", "view", "version.ts"],
  dashboard: ["flow", "context.ts", "core", "store", "system", "view", "version.ts"],
};
/** Rooms that are only loaded when they are needed. */
const MAY_LOAD: Record<string, readonly string[]> = {
  "context.ts": ["store", "system"],
  store: ["schema"],
  "verbs.ts": ["commands"],
  commands: ["dashboard", "flow"],
  flow: ["flow", "system"],
  dashboard: ["dashboard"],
};
/** Packages by room; everything else of npm stays outside. `bun:` and `node:` are judged below. */
const PACKAGES: Record<string, readonly string[]> = {
  "run.ts": ["citty"],
  args: ["citty"],
  core: ["valibot"],
  flow: ["fflate", "consola/utils"],
  system: ["pngjs", "pixelmatch", "fflate", "@clack/prompts"],
  dashboard: ["valibot", "preact", "preact/hooks", "@xterm/xterm", "@xterm/addon-fit"],
};

interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly dynamic: boolean;
  readonly typeOnly: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((path) => /\.tsx?$/.test(path) && !path.endsWith(".d.ts"));
const sourceOf = (path: string) => readFileSync(join(SRC, path), "utf8");
const roomOf = (path: string) => path.split("/")[0]!;
/** Comments may name anything. */
const bare = (source: string) => source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");

const imports: Import[] = files.flatMap((from) => {
  const source = bare(sourceOf(from));
  const statics = [...source.matchAll(/^(?:import|export)\s+(type\s)?[^;"'`]*?from\s+"([^"]+)"/gm)].map((m) => ({
    from,
    specifier: m[2]!,
    dynamic: false,
    typeOnly: m[1] !== undefined,
  }));
  const plain = [...source.matchAll(/^import\s+"([^"]+)"/gm)].map((m) => ({ from, specifier: m[1]!, dynamic: false, typeOnly: false }));
  const dynamics = [...source.matchAll(/\b(?:import|require)\("([^"]+)"\)/g)].map((m) => ({
    from,
    specifier: m[1]!,
    dynamic: true,
    typeOnly: false,
  }));
  return [...statics, ...plain, ...dynamics];
});
const local = imports.filter((each) => each.specifier.startsWith("."));
const target = (each: Import) => relative(SRC, normalize(join(SRC, each.from, "..", each.specifier)));

describe("the rooms", () => {
  test("src has only known rooms and no folder below them", () => {
    expect(files.length).toBeGreaterThan(30);
    expect(files.filter((path) => path.split("/").length > 3)).toEqual([]);
    expect([...new Set(files.map(roomOf))].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
  });

  test("every import goes along an arrow", () => {
    const wrong = local.filter((each) => {
      const [room, to] = [roomOf(each.from), target(each)];
      if (to.startsWith("..")) return !(each.from === "version.ts" && to === "../package.json");
      if (roomOf(to) === room && room !== "commands") return false;
      return each.dynamic ? !MAY_LOAD[room]?.includes(roomOf(to)) : !MAY_IMPORT[room]!.includes(roomOf(to));
    });
    expect(wrong.map((each) => `${each.from} → ${each.specifier}`)).toEqual([]);
  });

  test("packages stay in the rooms that need them", () => {
    const wrong = imports.filter(({ from, specifier }) => {
      if (specifier.startsWith(".")) return false;
      const room = roomOf(from);
      if (specifier.startsWith("node:") || specifier.startsWith("bun:") || specifier === "bun") {
        if (room === "core") return true;
        return specifier === "bun:sqlite" && room !== "store" && room !== "schema";
      }
      return !PACKAGES[room]?.includes(specifier);
    });
    expect(wrong.map((each) => `${each.from} → ${each.specifier}`)).toEqual([]);
  });

  test("nothing goes in circles", async () => {
    const built = await Bun.build({ entrypoints: [join(SRC, "main.ts")], target: "bun", metafile: true, splitting: true });
    const inputs = built.metafile!.inputs;
    const edges = new Map(
      Object.entries(inputs).map(([path, input]) => [
        path,
        input.imports.filter((each) => each.kind !== "dynamic-import").map((each) => each.path),
      ]),
    );
    expect([...edges.keys()].filter((path) => path.startsWith("src/commands/")).length).toBeGreaterThan(5);
    const done = new Set<string>();
    const circle = (path: string, trail: readonly string[]): readonly string[] | null => {
      if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
      if (done.has(path)) return null;
      for (const next of edges.get(path) ?? []) {
        const found = circle(next, [...trail, path]);
        if (found) return found;
      }
      done.add(path);
      return null;
    };
    for (const path of edges.keys()) if (path.startsWith("src/")) expect(circle(path, [])).toBeNull();
  });

  test("every command file stands in the table, and back", () => {
    const loaded = new Set(imports.filter((each) => each.from === "verbs.ts" && each.dynamic).map((each) => basename(each.specifier)));
    const present = new Set(files.filter((path) => roomOf(path) === "commands").map((path) => basename(path)));
    expect([...loaded].sort()).toEqual([...present].sort());
  });
});

describe("what a module gives away", () => {
  const others = ["bench", "npm", "scripts", "test"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => /\.(tsx?|mjs)$/.test(path))
      .map((path) => join(ROOT, folder, path)),
  );
  const places = new Map<string, string[]>();
  for (const path of [...files.map((each) => join(SRC, each)), ...others]) {
    for (const word of new Set(bare(readFileSync(path, "utf8")).match(/\w+/g))) {
      const known = places.get(word);
      if (known) known.push(path);
      else places.set(word, [path]);
    }
  }
  const given = files.flatMap((path) => {
    const source = bare(sourceOf(path));
    return [...source.matchAll(/^export (?:async )?(?:const|let|function\*?|class) (\w+)/gm)].map((found) => ({
      path,
      name: found[1]!,
      inside: source.split(new RegExp(`\\b${found[1]}\\b`)).length > 2,
    }));
  });
  const users = (path: string, name: string) =>
    places
      .get(name)!
      .filter((place) => place !== join(SRC, path))
      .map((place) => relative(ROOT, place));

  test("is named somewhere else", () => {
    expect(given.length).toBeGreaterThan(500);
    expect(given.filter(({ path, name }) => users(path, name).length === 0).map(({ path, name }) => `${path}: ${name}`)).toEqual([]);
  });

  test("is not there for tests alone", () => {
    expect(
      given
        .filter(({ path, name, inside }) => !inside && users(path, name).every((user) => user.startsWith("test/")))
        .map(({ path, name }) => `${path}: ${name}`),
    ).toEqual([]);
  });
});

describe("the rules of the house", () => {
  const where = (pattern: RegExp, rooms: (room: string) => boolean) =>
    files.filter((path) => rooms(roomOf(path)) && pattern.test(bare(sourceOf(path))));

  test("SQL only in store and schema", () => {
    const sql =
      /\b(select\b[\s\S]{1,200}\bfrom\b\s+\w+\s+(where|order|limit)|insert\s+(or\s+\w+\s+)?into\s+\w+|update\s+\w+\s+set\s|delete\s+from\s+\w+|create\s+table|pragma\s+\w+)/i;
    expect(where(sql, (room) => room !== "store" && room !== "schema")).toEqual([]);
  });

  test("nothing that makes every start slow", () => {
    expect(where(/process\.std(out|err)\b|from "consola"/, () => true)).toEqual([]);
  });

  test("no clock, machine or Bun in core, view and args", () => {
    expect(
      where(
        /\bBun\.|\bDate\.now\(|new Date\(\)|Math\.random\(|\bprocess\./,
        (room) => room === "core" || room === "view" || room === "args",
      ),
    ).toEqual([]);
  });

  test("in system, files know of no other folder, and processes of files alone", () => {
    const below: Record<string, readonly string[]> = { files: [], processes: ["files"] };
    const wrong = local.filter((each) => {
      const [room, folder] = each.from.split("/");
      const [to, other] = target(each).split("/");
      const known = room === "system" && to === "system" ? below[folder!] : undefined;
      return known !== undefined && other !== folder && !known.includes(other!);
    });
    expect(wrong.map((each) => `${each.from} → ${each.specifier}`)).toEqual([]);
  });

  test("programs are started in one place", () => {
    const others: Record<string, string> = {
      "system/files/page-bundle.ts": "runs while the program is compiled, as Bun itself, and never in it",
    };
    expect(
      where(/\bBun\.(spawn|spawnSync|\$)|child_process|import \{[^}]*\b(spawn|spawnSync|\$)\b[^}]*\} from "bun"/, () => true).sort(),
    ).toEqual(["system/processes/run.ts", ...Object.keys(others)].sort());
  });

  test("nothing through a shell", () => {
    expect(where(/from "bun"[\s\S]*\$`|shell:\s*true|\["(?:sh|bash)",\s*"-c"/, (room) => room !== "system")).toEqual([]);
  });

  test("a module begins with a sentence that says what it is", () => {
    expect(files.filter((path) => !/^(#!.*\n)?\/\*\*/.test(sourceOf(path)))).toEqual([]);
  });

  test("no default exports but a command's verb", () => {
    expect(where(/^export default /m, (room) => room !== "commands")).toEqual([]);
  });

  test("files keep to their size", () => {
    const lines = (path: string) => sourceOf(path).split("\n").length;
    expect(
      files.filter((path) => lines(path) > (roomOf(path) === "commands" ? 150 : 300)).map((path) => `${path}: ${lines(path)}`),
    ).toEqual([]);
  });
});

describe("the agent port", () => {
  /** The folder or, while it has few files, the flat files of an agent, in any layer. */
  const ofAgent = (path: string) => /(^|\/)(codex|claude)\//.test(path) || /^store\/(codex|claude)-index\.ts$/.test(path);
  /** One entry for each agent stands in these, the three halves of the port. */
  const HALVES = ["core/agent/agents.ts", "system/agent/agents.ts", "store/agent-index.ts"];

  test("only the lists of agents import from an agent's folder", () => {
    const wrong = local.filter((each) => ofAgent(target(each)) && !ofAgent(each.from) && !HALVES.includes(each.from));
    expect(wrong.map((each) => `${each.from} → ${each.specifier}`)).toEqual([]);
    expect(local.some((each) => ofAgent(target(each)) && HALVES.includes(each.from))).toBe(true);
  });

  const STORED = "the stored form of records, into which every agent's are translated";
  const OWN = "a flag of this program, which keeps Codex's word for it";
  const DISPOSABLE = "a file in the stored form, made for a session that only polls";
  const PAGE = "a word that a person reads";
  /** What only an agent's own files may say in a string, and where it stands nevertheless, with the reason. */
  const WORDS: readonly { readonly word: RegExp; readonly known: Readonly<Record<string, string>> }[] = [
    {
      word: /esc to interrupt|ask codex|trust this folder|do you trust|openai codex|pasted ?content|press enter to|would you like to/i,
      known: { "commands/observe/classify.ts": "an example of a screen" },
    },
    {
      word: /\bEscape\b|\bC-u\b/,
      known: {
        "core/delivery/key-name.ts": "an example of a key as tmux names it",
        "commands/delivery/interrupt.ts": PAGE,
        "commands/delivery/session-interrupt.ts": PAGE,
        "dashboard/page/xterm.ts": "a key of the browser",
      },
    },
    {
      word: /CODEX_THREAD_ID|--no-daemon|--no-alt-screen|--cd\b|model_reasoning_effort|app-server|codex resume|thread-writer-locks/,
      known: {},
    },
    { word: /CODEX_HOME/, known: { "commands/install-skills.ts": "where the skills of Codex go" } },
    { word: /@openai\/codex/, known: {} },
    {
      word: /--sandbox|--ask-for-approval/,
      known: { "core/agent/start-prompt.ts": OWN },
    },
    { word: /\/compact\b|\/clear\b/, known: { "flow/tasks/compact.ts": PAGE, "commands/tasks/request-worker-compact.ts": PAGE } },
    { word: /rollout-\$|^["'`]\/?sessions\/|state_[$\d]/, known: { "flow/loops/disposable-binding.ts": DISPOSABLE } },
    {
      word: /\b(task_started|task_complete|turn_aborted|user_message|agent_message|token_count|event_msg|session_meta|UserMessage|AgentMessage)\b/,
      known: {
        "schema/extensions.ts": STORED,
        "store/observe/codex-events.ts": STORED,
        "store/observe/turn-error.ts": STORED,
        "store/observe/turns.ts": STORED,
        "store/observe/unknown-records.ts": STORED,
        "store/dispatch/completions.ts": STORED,
        "store/dashboard/timeline.ts": STORED,
        "store/dashboard/tokens.ts": STORED,
        "dashboard/page/timeline.tsx": STORED,
        "core/agent/record.ts": STORED,
        "core/sessions/worker-state.ts": STORED,
        "commands/observe/tail.ts": STORED,
        "core/loops/disposable-binding.ts": DISPOSABLE,
      },
    },
  ];
  const strings = (source: string) => bare(source).match(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g) ?? [];

  test("no other file says an agent's words, but where the reason is known", () => {
    const said = files
      .filter((path) => !ofAgent(path))
      .flatMap((path) => {
        const texts = strings(sourceOf(path)).filter((text) => !/^["']\.{1,2}\//.test(text));
        return WORDS.flatMap(({ word, known }, index) =>
          known[path] === undefined && texts.some((text) => word.test(text))
            ? [`${path}: ${texts.find((text) => word.test(text))!.slice(0, 70)} (${index})`]
            : [],
        );
      });
    expect(said).toEqual([]);
  });

  test("every reason is still needed", () => {
    const stale = WORDS.flatMap(({ word, known }) =>
      Object.keys(known).filter((path) => !files.includes(path) || !strings(sourceOf(path)).some((text) => word.test(text))),
    );
    expect(stale).toEqual([]);
  });
});
