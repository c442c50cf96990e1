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
  "context.ts": ["store"],
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
