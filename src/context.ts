/** What a command is given: streams, environment, clock, ids, and the database, opened on first use. */
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Failure } from "./core/failure.ts";
import { compactJson, prettyJson } from "./core/json.ts";
import { harmless, harmlessJson } from "./core/plain-text.ts";
import { toIso } from "./core/time.ts";
import type { Store } from "./store/store.ts";

type Program = "conveyor" | "workerctl";
type Env = Readonly<Record<string, string | undefined>>;

/** Nobody reads the output any more (`| head`): what would be printed is not wanted, which is no error, but it was not read either. */
export class ReaderGone extends Error {
  constructor() {
    super("nobody reads the output any more");
    this.name = "ReaderGone";
  }
}

/** The outside of a context: a real process, or a test's private world. */
export interface Outside {
  readonly env: Env;
  readonly cwd: string;
  /** The word the program was invoked by. */
  readonly argv0: string;
  readonly tty: { readonly in: boolean; readonly out: boolean; readonly err: boolean };
  /** Writes as is, to the end, before it returns. @throws ReaderGone when nobody reads the data any more */
  write(stream: "out" | "err", text: string): void;
  /** Standard input to its end, but no more than `most` bytes. */
  readStdin(most: number): Uint8Array;
  /** Milliseconds since the epoch. */
  clock(): number;
  uuid(): string;
  /** This process is here for one command, and does nothing else. */
  readonly alone?: true;
}

export interface Context {
  readonly outside: Outside;
  /** The name to show in messages and suggested commands. */
  readonly program: Program;
  readonly env: Env;
  readonly cwd: string;
  /**
   * Folder of the state: database, artifacts, compatibility workers. Not created by asking.
   * @throws Failure when it was found, not named, and what lies there is not to be believed
   */
  readonly stateRoot: string;
  /** Told of the database that the caller named (`--path`): what lies beside it is believed, too, wherever it came from. */
  meant(path: string): void;
  /** Prints data and a line break on stdout, without what a terminal would obey. */
  out(text: string): void;
  /** Prints data as it is on stdout. */
  raw(text: string): void;
  /** Prints one JSON document on stdout. */
  json(value: unknown): void;
  /** Prints one JSON document as a single line on stdout. */
  jsonLine(value: unknown): void;
  /** Prints a line of talk on stderr, without what a terminal would obey. */
  err(text: string): void;
  /** Whether talk on stderr may use colours and rewrite lines. */
  readonly fancy: boolean;
  now(): string;
  nowMs(): number;
  newId(prefix: string): string;
  /** `~` expanded, made absolute below the working directory. */
  path(text: string): string;
  /**
   * All of standard input as text.
   * @param options.exact refuse what is not UTF-8 instead of putting a replacement for it
   * @throws Failure when stdin is a terminal, cannot be read or holds more than `limitBytes`
   */
  stdin(options?: { limitBytes?: number; exact?: boolean }): string;
  /** The database at `path` (a `--path` flag) or of the state root, opened and migrated on first use. */
  store(path?: string): Store;
  /** Absolute path of the database that `store(path)` would open. */
  storePath(path?: string): string;
  /** The refusal that stands for an error of the open database (locked, full, damaged, …), or undefined when it is none. */
  databaseFailure(error: unknown): Failure | undefined;
  /** The refusal that stands for any other error when the open database holds what no program of ours wrote, or undefined. */
  recordsFailure(): Failure | undefined;
  close(): void;
}

/** Required where it is used, so that help and usage errors load nothing of the machine. */
const places = () => require("./system/records-place.ts") as typeof import("./system/records-place.ts");

const STDIN_LIMIT = 8 << 20;

/** The name shown: CONVEYOR_CLI_PROG when it is one of ours, else the last part of the invoked word (`contract/cli.md`). */
export function programName(env: Env, argv0: string): Program {
  const wanted = env.CONVEYOR_CLI_PROG;
  if (wanted === "conveyor" || wanted === "workerctl") return wanted;
  return argv0.split("/").at(-1) === "workerctl" ? "workerctl" : "conveyor";
}

function readBytes(outside: Outside, most: number, hint: string): Uint8Array {
  try {
    return outside.readStdin(most);
  } catch (error) {
    throw new Failure(`standard input cannot be read: ${(error as Error).message}`, { hint });
  }
}

export function makeContext(outside: Outside): Context {
  const { env, cwd } = outside;
  const stores = new Map<string, Store>();
  const path = (text: string): string => {
    const home = env.HOME || homedir();
    return resolve(cwd, text === "~" ? home : text.startsWith("~/") ? join(home, text.slice(2)) : text);
  };
  const named = env.WORKERCTL_STATE_ROOT ? path(env.WORKERCTL_STATE_ROOT) : null;
  let found: string | undefined;
  const place = (): string => named ?? (found ??= places().recordsFor(cwd));
  let meant: string | null = null;
  let believed = named !== null;
  /** The same, for who will read or write there. What is found by itself may have been laid there by somebody else; what is named was meant. */
  const stateRoot = (): string => {
    const root = place();
    if (believed || (meant !== null && dirname(meant) === root)) return root;
    const { DATABASE, mistrust, RECORDS } = places();
    const why = mistrust(root);
    if (why !== null)
      throw new Failure(`the records in ${root} are not used: ${why}`, {
        hint: `name the file with --path ${join(root, DATABASE)} to use it all the same, or another folder with WORKERCTL_STATE_ROOT`,
      });
    if (meant === null && root !== join(cwd, RECORDS)) outside.write("err", `${harmless(`note: the records are those in ${root}`)}\n`);
    believed = true;
    return root;
  };
  const clock = { now: () => toIso(outside.clock()), newId: (prefix: string) => `${prefix}-${outside.uuid()}` };
  const storePath = (given?: string): string => (given === undefined ? join(place(), places().DATABASE) : path(given));
  return {
    outside,
    program: programName(env, outside.argv0),
    env,
    cwd,
    get stateRoot() {
      return stateRoot();
    },
    meant: (given) => void (meant = path(given)),
    out: (text) => outside.write("out", `${harmless(text)}\n`),
    raw: (text) => outside.write("out", text),
    json: (value) => outside.write("out", `${harmlessJson(prettyJson(value))}\n`),
    jsonLine: (value) => outside.write("out", `${harmlessJson(compactJson(value))}\n`),
    err: (text) => outside.write("err", `${harmless(text)}\n`),
    get fancy() {
      return !env.NO_COLOR && env.TERM !== "dumb" && outside.tty.err;
    },
    now: clock.now,
    nowMs: outside.clock,
    newId: clock.newId,
    path,
    stdin({ limitBytes = STDIN_LIMIT, exact = false } = {}) {
      const hint = "pipe the text in, for instance: … --from-stdin < file.json";
      if (outside.tty.in) throw new Failure("standard input is a terminal, but this reads a document from it", { hint });
      const bytes = readBytes(outside, limitBytes + 1, hint);
      if (bytes.length > limitBytes)
        throw new Failure(`standard input holds more than ${limitBytes} bytes`, {
          hint: "keep long texts in a file and hand in where it is",
        });
      try {
        return new TextDecoder("utf-8", { fatal: exact }).decode(bytes);
      } catch {
        throw new Failure("standard input is not UTF-8 text", { hint: "iconv -t UTF-8 converts a text from the encoding of the shell" });
      }
    },
    store(given) {
      const file = storePath(given);
      const open = stores.get(file);
      if (open) return open;
      // Required here, so that help and usage errors load no database.
      const { openStore } = require("./store/open.ts") as typeof import("./store/open.ts");
      if (given !== undefined) {
        const store = openStore(file, clock);
        stores.set(file, store);
        return store;
      }
      const root = stateRoot();
      const { hideFromGit, isOurs } = places();
      const ours = isOurs(root);
      const store = openStore(file, clock);
      if (ours) hideFromGit(root);
      stores.set(file, store);
      return store;
    },
    storePath,
    databaseFailure(error) {
      const [file] = stores.keys();
      if (file === undefined) return undefined;
      const { sqliteFailure } = require("./store/sqlite-failure.ts") as typeof import("./store/sqlite-failure.ts");
      return sqliteFailure(error, file);
    },
    recordsFailure() {
      const [store] = stores.values();
      if (store === undefined) return undefined;
      const { wrongTypeFailure } = require("./store/value-types.ts") as typeof import("./store/value-types.ts");
      return wrongTypeFailure(store);
    },
    close() {
      if (stores.size === 0) return;
      const { closeStore } = require("./store/open.ts") as typeof import("./store/open.ts");
      stores.values().forEach(closeStore);
      stores.clear();
    },
  };
}
