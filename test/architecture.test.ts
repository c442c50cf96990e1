/**
 * Holds the plan of the house: layers and the subjects in them, the direction of imports, circles, the table of commands, sizes, and what is
 * slow or unsafe to use.
 */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize, relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "..");
const SRC = join(ROOT, "src");

/** Which layers a layer may import from, besides itself; a file directly below src is a layer of its own. */
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
  system: ["fflate", "@clack/prompts"],
  flow: ["consola/core"],
  dashboard: ["valibot", "preact", "preact/hooks", "@xterm/xterm", "@xterm/addon-fit"],
};

/**
 * The subjects of each layer, lowest first: a folder imports from those before it and never from those behind it. What belongs to no subject,
 * or to one of fewer than three files, lies flat in the layer.
 */
const SUBJECTS: Record<string, readonly string[]> = {
  core: ["agent", "compat", "delivery", "claude", "codex", "sessions", "attention", "dispatch", "audit", "observe", "tasks", "loops", "qa"],
  store: ["record", "reports", "dispatch", "sessions", "compat", "observe", "tasks", "loops", "attention", "audit", "dashboard"],
  system: ["files", "processes", "git", "terminal", "claude", "codex", "agent"],
  view: ["dispatch", "audit"],
  flow: [
    "reach",
    "worktrees",
    "loops",
    "landing",
    "observe",
    "delivery",
    "attention",
    "dispatch",
    "tasks",
    "crew",
    "sessions",
    "audit",
    "compat",
    "qa",
    "reports",
  ],
  commands: ["sessions", "observe", "delivery", "attention", "dispatch", "tasks", "loops", "audit", "reports", "qa", "compat", "worktrees"],
  dashboard: ["actions", "page"],
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
/** The subject of a file; null for one that lies flat in its layer. */
const subjectOf = (path: string) => (path.split("/").length === 3 && !AGENT_LISTS.has(path) ? path.split("/")[1]! : null);
/** They name every agent's folder, which names the port: above both, whatever folder they lie in. */
const AGENT_LISTS = new Set(["core/agent/agents.ts", "system/agent/agents.ts"]);
const linesOf = (source: string) => source.trimEnd().split("\n").length;
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

const others = ["bench", "npm", "scripts", "test"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    // The agents that the tests run lie there with their packages.
    .filter((path) => /\.(tsx?|mjs)$/.test(path) && !path.includes("node_modules"))
    .map((path) => join(ROOT, folder, path)),
);
/** Circles among the imports, each as a list that ends where it begins; `node` says what counts as one place. */
function circlesOf(node: (path: string) => string): string[] {
  const edges = new Map<string, Set<string>>();
  for (const each of local) {
    if (each.dynamic || target(each).startsWith("..")) continue;
    const [from, to] = [node(each.from), node(target(each))];
    if (from !== to) edges.set(from, (edges.get(from) ?? new Set()).add(to));
  }
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (place: string, trail: readonly string[]): void => {
    if (trail.includes(place)) circles.push([...trail.slice(trail.indexOf(place)), place].join(" → "));
    else if (!done.has(place)) {
      for (const next of edges.get(place) ?? []) visit(next, [...trail, place]);
      done.add(place);
    }
  };
  for (const place of edges.keys()) visit(place, []);
  return circles;
}

describe("layers and subjects", () => {
  test("src has only known layers, in them only known subjects, and nothing deeper", () => {
    expect(files.length).toBeGreaterThan(400);
    expect(files.filter((path) => path.split("/").length > 3)).toEqual([]);
    expect([...new Set(files.map(roomOf))].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
    expect(files.filter((path) => subjectOf(path) !== null && !SUBJECTS[roomOf(path)]?.includes(subjectOf(path)!))).toEqual([]);
  });

  test("a subject has a folder once it has three files, and no file repeats its folder's name", () => {
    const folders = Map.groupBy(
      files.filter((path) => subjectOf(path) !== null),
      (path) => dirname(path),
    );
    expect([...folders].filter(([, inside]) => inside.length < 3).map(([folder]) => folder)).toEqual([]);
    // A command is named as it is typed, and a loop's evidence is typed with its group.
    const repeated = files.filter((path) => roomOf(path) !== "commands" && basename(path).startsWith(`${subjectOf(path)}-`));
    expect(repeated).toEqual([]);
  });

  test("tests lie where what they test lies", () => {
    const tests = readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".test.ts"));
    expect(tests.length).toBeGreaterThan(100);
    const layers = tests.filter((path) => roomOf(path) in SUBJECTS && subjectOf(path) !== null);
    expect(layers.filter((path) => !SUBJECTS[roomOf(path)]!.includes(subjectOf(path)!))).toEqual([]);
    expect(tests.filter((path) => path.split("/").length > 3)).toEqual([]);
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

  test("subjects of a layer keep their order", () => {
    const wrong = local.filter((each) => {
      const [room, from, to] = [roomOf(each.from), subjectOf(each.from), subjectOf(target(each))];
      if (from === null || to === null || from === to || roomOf(target(each)) !== room) return false;
      return SUBJECTS[room]!.indexOf(to) > SUBJECTS[room]!.indexOf(from);
    });
    expect(wrong.map((each) => `${each.from} → ${each.specifier}`)).toEqual([]);
  });

  test("nothing goes in circles: no file, not even by its types, and no subject", () => {
    expect(circlesOf((path) => path)).toEqual([]);
    expect(circlesOf((path) => (subjectOf(path) === null ? path : dirname(path)))).toEqual([]);
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

  test("every command file stands in the table, and back", () => {
    const loaded = new Set(imports.filter((each) => each.from === "verbs.ts" && each.dynamic).map(target));
    const present = new Set(files.filter((path) => roomOf(path) === "commands"));
    expect([...loaded].sort()).toEqual([...present].sort());
  });

  test("help lists a command under the subject whose folder it is in", () => {
    // A heading stands alone on a line of the table; the commands below it load from one folder, or lie flat.
    const headings = [...sourceOf("verbs.ts").matchAll(/^  (?:"([^"]+)"|(\w+)): \{\n([\s\S]*?)^  \},$/gm)];
    expect(headings.length).toBeGreaterThan(8);
    const wrong = headings.flatMap(([, quoted, plain, body]) => {
      const folders = [...new Set([...body!.matchAll(/"\.\/commands\/(?:(\w+)\/)?[\w-]+\.ts"/g)].map((found) => found[1] ?? null))];
      const heading = quoted ?? plain!;
      const fits = folders.every((folder) => folder === null || folder === heading.toLowerCase());
      return fits ? [] : [`${heading}: ${folders.join(", ")}`];
    });
    expect(wrong).toEqual([]);
  });
});

describe("what a module gives away", () => {
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

  test("commands that run long talk in one way, which no other command loads", () => {
    expect(imports.filter(({ specifier }) => specifier.startsWith("consola")).map(({ from }) => from)).toEqual(["flow/talk.ts"]);
    const speakers = local.filter((each) => target(each) === "flow/talk.ts").map(({ from }) => from);
    expect(speakers.sort()).toEqual([
      "commands/qa/demo.ts",
      "commands/worktrees/land.ts",
      "dashboard/run.ts",
      "flow/dispatch/run-dispatch.ts",
    ]);
    const theirs = /^(dashboard\/|commands\/(dashboard|dispatch\/dispatch|qa\/demo)\.ts|flow\/qa\/demo|flow\/dispatch\/)/;
    // A note of the commands that put something into the queue.
    const others = ["flow/dispatch/enqueue.ts"];
    expect(files.filter((path) => theirs.test(path) && /\bcx\.err\(|"err"/.test(bare(sourceOf(path))))).toEqual(others);
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
      "system/processes/joined.ts": "what a pane runs beside its parent: in its terminal and group, which a runner's own group must not be",
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

  test("files and folders keep to their size", () => {
    expect(files.filter((path) => linesOf(sourceOf(path)) > (roomOf(path) === "commands" ? 150 : 300))).toEqual([]);
    const folders = Map.groupBy(
      readdirSync(SRC, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
      (entry) => relative(SRC, entry.parentPath),
    );
    expect([...folders].filter(([, inside]) => inside.length > 25).map(([folder, inside]) => `${folder}: ${inside.length}`)).toEqual([]);
    const tests = others.filter((path) => path.startsWith(join(ROOT, "test")));
    expect(tests.filter((path) => linesOf(readFileSync(path, "utf8")) > 500)).toEqual([]);
  });

  test("lines keep to 140 columns but for what cannot be broken", () => {
    const texts = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((path) => /\.(tsx?|sql|css)$/.test(path));
    const long = texts.flatMap((path) =>
      readFileSync(join(SRC, path), "utf8")
        .split("\n")
        .filter((line) => line.length > 140)
        .map((line) => `${path}: ${line.trim().slice(0, 60)}`),
    );
    expect(long.length).toBeLessThanOrEqual(100);
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
    { word: /CLAUDE_CODE_|CLAUDE_CONFIG_DIR|crossSessionInbound|cc-socks|queued_command|turn_duration/, known: {} },
    { word: /CODEX_HOME/, known: { "commands/install-skills.ts": "where the skills of Codex go" } },
    { word: /@openai\/codex/, known: {} },
    {
      word: /^["'`]codex-(?:\$|["'`])/,
      known: { "flow/loops/disposable-binding.ts": "the id of a session that runs nothing" },
    },
    {
      word: /--sandbox|--ask-for-approval/,
      known: { "core/agent/start-prompt.ts": OWN, "flow/sessions/start-session.ts": OWN },
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
