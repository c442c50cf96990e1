/**
 * git that writes, in a repository in which somebody else works too. No program is run that the repository, its trees or the caller's
 * surroundings name: no hook, filter, merge or difference program, monitor, editor, signer, helper or transport. There are two ways in:
 * names and objects are asked of the repository itself, with the few settings that could start something shut out; whatever looks at
 * files is done by a repository of our own beside it, which has the other's objects and neither its configuration nor its attributes.
 */
import { copyFileSync, lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { withScratch } from "../files/scratch.ts";
import { type Env, which } from "../processes/environment.ts";
import { type Ran, runProgram, type StartOptions, startProgram, troubleOf } from "../processes/run.ts";
import { type GitPlace, needUnbent } from "./place.ts";
import { cleanEnv } from "./safe-git.ts";

interface CallOptions {
  /** A text, or bytes where names may be no UTF-8. */
  readonly stdin?: string | Uint8Array<ArrayBuffer>;
  /** `latin1`: one character for each byte, for names of files. */
  readonly encoding?: "utf-8" | "latin1";
}

interface FileOptions extends CallOptions {
  /** Which index: `own`, an empty one that goes with the call of {@link withGit}, or the absolute path of another. */
  readonly index?: string;
  /** Another working tree than that of the place. */
  readonly tree?: string;
}

export interface OwnGit {
  readonly place: GitPlace;
  readonly format: "sha1" | "sha256";
  /** What is written goes into the repository's own objects. */
  readonly keeps: boolean;
  /** The index of the place's working tree, which is somebody else's: `files(words, {index: git.treeIndex})`. */
  readonly treeIndex: string;
  /** A fresh folder that goes when {@link withGit} comes back. */
  readonly scratch: string;
  /**
   * Names, commits and objects, in the repository itself: rev-parse, update-ref, for-each-ref, rev-list, symbolic-ref, worktree, …;
   * never what looks at files of a tree.
   * @throws Failure when the place is bent, see {@link needUnbent}
   */
  refs(words: readonly string[], options?: CallOptions): Promise<Ran>;
  /**
   * The same for a command that is spoken to line by line, and answers each with one: `update-ref --stdin`, which holds the lock of a
   * branch between two of them. When `use` comes back its input ends, and with that what it has not been told to do is not done.
   * @throws Failure when the place is bent, or it gives no answer
   */
  converse<T>(words: readonly string[], use: (say: (line: string) => Promise<string>) => Promise<T>): Promise<T>;
  /**
   * Files and objects, by a repository of our own: update-index, read-tree, write-tree, checkout-index, merge-tree, commit-tree, diff-tree,
   * ls-files, check-ignore, …. It knows no names but those of objects: say commits by their id. A commit made here is conveyor's own;
   * `refs(["commit-tree", …])` makes one of the user's.
   * @throws Failure when the place is bent
   */
  files(words: readonly string[], options?: FileOptions): Promise<Ran>;
}

export interface GitChoice {
  /**
   * `exact`: files are taken and written byte by byte, whatever attributes and settings say. `usual`: line ends and encodings as the tree's
   * `.gitattributes` and the settings of user and repository say, so that what is committed is what the user's own git would have; programs
   * that filter are not run in either, so their files come and go as they are.
   */
  readonly bytes: "exact" | "usual";
  /** `scratch`: what is written to objects goes when {@link withGit} comes back. Else it goes into the repository. */
  readonly objects?: "scratch";
  /** Longer than any single call should take; 5 minutes unless named. */
  readonly timeoutMs?: number;
  /** The hooks of the repository run too, where the user asked for that. */
  readonly hooks?: boolean;
}

/** What could start a program, or send something away, in what is asked of the repository itself; over every configuration. */
const SHUT = [
  "core.fsmonitor=false",
  "core.sshCommand=false",
  "core.askPass=false",
  "core.editor=false",
  "core.pager=cat",
  "core.gitProxy=",
  "core.alternateRefsCommand=",
  "credential.helper=",
  "commit.gpgSign=false",
  "tag.gpgSign=false",
  "gpg.program=false",
  "log.showSignature=false",
  "sequence.editor=false",
  "core.fsync=all",
  "gc.auto=0",
  "maintenance.auto=false",
  "submodule.recurse=false",
  "worktree.useRelativePaths=false",
  "advice.detachedHead=false",
];

const NO_HOOKS = "core.hooksPath=/dev/null";

const flags = (settings: readonly string[]): string[] => ["--no-pager", ...settings.flatMap((setting) => ["-c", setting])];

/** Nothing of the caller's git leaks in, but which settings are theirs; and nothing is asked of a person. */
const ownEnv = (env: Env): Record<string, string> => ({
  ...cleanEnv(env),
  ...(env.GIT_CONFIG_GLOBAL === undefined ? {} : { GIT_CONFIG_GLOBAL: env.GIT_CONFIG_GLOBAL }),
  GIT_EDITOR: "false",
  GIT_SEQUENCE_EDITOR: "false",
});

/** Of the settings what changes bytes, and neither names nor starts a program. */
const OF_BYTES = "^core\\.(autocrlf|eol|safecrlf|checkroundtripencoding)$";

/** Attributes of ours win over all others: nothing is filtered, and for `exact` nothing changed at all. */
const ATTRIBUTES = { usual: "* -filter\n", exact: "* -text -eol -crlf -ident -working-tree-encoding -filter\n" };

const LIMIT_MS = 300_000;
const MOST_BYTES = 512 << 20;

/**
 * Opens git on one place, as long as `use` takes.
 * @throws Failure when git is missing, the place is bent, or git cannot read the repository
 */
export async function withGit<T>(env: Env, place: GitPlace, choice: GitChoice, use: (git: OwnGit) => Promise<T>): Promise<T> {
  const path = which("git", env);
  if (path === null) throw new Failure("git is not on PATH", { hint: "install git" });
  const { timeoutMs = LIMIT_MS } = choice;
  const clean = ownEnv(env);
  const run = (words: readonly string[], settings: Record<string, string>, cwd: string, options: CallOptions): Promise<Ran> => {
    needUnbent(place);
    return runProgram([path, ...words], {
      env: { ...clean, ...settings },
      cwd,
      timeoutMs,
      graceMs: 1000,
      mostBytes: MOST_BYTES,
      ...options,
    });
  };
  const shut = flags(choice.hooks ? SHUT : [...SHUT, NO_HOOKS]);
  const named = { GIT_DIR: place.gitdir, ...(place.path === null ? {} : { GIT_WORK_TREE: place.path }) };
  const refs: OwnGit["refs"] = (words, options = {}) => run([...shut, ...words], named, place.path ?? place.common, options);
  const format = (await needDone(refs(["rev-parse", "--show-object-format"]), "the repository cannot be read")).trim();
  if (format !== "sha1" && format !== "sha256") throw new Failure(`git names its objects in a way that is not known here: ${format}`);
  return withScratch("conveyor-git-", async (scratch) => {
    const own = join(scratch, "git");
    await makeRepository(own, format, choice, refs);
    // A clone that is cut off in its history says where in a file of its own.
    const shallow = join(place.common, "shallow");
    if (lstatSync(shallow, { throwIfNoEntry: false })?.isFile()) copyFileSync(shallow, join(own, "shallow"));
    const objects = join(place.common, "objects");
    const where: Record<string, string> =
      choice.objects === "scratch"
        ? { GIT_OBJECT_DIRECTORY: join(own, "objects"), GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted(objects) }
        : { GIT_OBJECT_DIRECTORY: objects };
    const files: OwnGit["files"] = (words, { index = join(own, "index"), tree = place.path ?? scratch, ...options } = {}) =>
      run(
        ["--no-pager", ...words],
        { GIT_DIR: own, GIT_WORK_TREE: tree, GIT_INDEX_FILE: index, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", ...where },
        tree,
        options,
      );
    const converse: OwnGit["converse"] = (words, speak) => {
      needUnbent(place);
      return conversation(
        [path, ...shut, ...words],
        { env: { ...clean, ...named }, cwd: place.path ?? place.common, stdin: "pipe", stdout: "pipe", stderr: "pipe" },
        speak,
      );
    };
    return use({
      place,
      format,
      keeps: choice.objects !== "scratch",
      treeIndex: join(place.gitdir, "index"),
      scratch,
      refs,
      converse,
      files,
    });
  });
}

/** So long an answer is waited for: a branch may be locked by somebody, which git itself waits for, but not long. */
const ANSWER_MS = 60_000;

async function conversation<T>(
  argv: readonly string[],
  options: StartOptions,
  use: (say: (line: string) => Promise<string>) => Promise<T>,
): Promise<T> {
  const program = startProgram(argv, options);
  const { stdin, stdout, stderr } = program.child;
  const input = stdin as Bun.FileSink;
  const answers = (stdout as ReadableStream<Uint8Array>).getReader();
  const trouble = new Response(stderr as ReadableStream<Uint8Array>).text();
  const text = new TextDecoder();
  let heard = "";
  const say = async (line: string): Promise<string> => {
    try {
      input.write(`${line}\n`);
      await input.flush();
    } catch {
      // That it has ended shows in what it answers.
    }
    const late = setTimeout(() => void program.end(0), ANSWER_MS);
    try {
      while (!heard.includes("\n")) {
        const { value, done } = await answers.read();
        if (done) throw new Failure((await trouble).trim().slice(-500) || "git ended without an answer");
        heard += text.decode(value, { stream: true });
      }
    } finally {
      clearTimeout(late);
    }
    const end = heard.indexOf("\n");
    const answer = heard.slice(0, end);
    heard = heard.slice(end + 1);
    return answer;
  };
  try {
    return await use(say);
  } finally {
    await Promise.resolve(input.end()).catch(() => {});
    const late = setTimeout(() => void program.end(), ANSWER_MS);
    await program.exited;
    clearTimeout(late);
    await trouble;
  }
}

/** As git reads a list of folders from its surroundings: a colon would divide two. */
const quoted = (path: string): string => `"${path.replace(/[\\"]/g, (sign) => `\\${sign}`)}"`;

async function makeRepository(own: string, format: string, { bytes }: GitChoice, refs: OwnGit["refs"]): Promise<void> {
  for (const name of ["", "objects", "refs", "info"]) mkdirSync(join(own, name));
  writeFileSync(join(own, "HEAD"), "ref: refs/heads/none\n");
  writeFileSync(join(own, "info", "attributes"), ATTRIBUTES[bytes]);
  const kept: string[] = [];
  if (bytes === "usual") {
    const { stdout } = await refs(["config", "--null", "--get-regexp", OF_BYTES]);
    for (const [, name, value] of stdout.matchAll(/core\.(\w+)\n([\w, -]*)\0/g)) kept.push(`\t${name} = ${value}\n`);
  }
  // The user's own list, and not one that the repository names. Without it git takes that in the usual place.
  const ignored = (await refs(["config", "--global", "--includes", "--path", "--get", "core.excludesFile"])).stdout.replace(/\n$/, "");
  if (ignored !== "") kept.push(`\texcludesFile = ${JSON.stringify(ignored)}\n`);
  const mac = process.platform === "darwin";
  writeFileSync(
    join(own, "config"),
    `[user]\n\tname = conveyor\n\temail = conveyor@localhost\n\tuseConfigOnly = true\n` +
      `[core]\n\trepositoryformatversion = ${format === "sha256" ? 1 : 0}\n\tbare = false\n\tfilemode = true\n\tsymlinks = true\n` +
      // Names that are dangerous elsewhere may well stand here, and must be kept too.
      `\tignorecase = ${mac}\n\tprecomposeunicode = false\n\tprotectNTFS = false\n\tprotectHFS = ${mac}\n` +
      // What is removed afterwards must be on the disk before.
      `\tfsync = all\n\tfsyncMethod = batch\n${kept.join("")}[fastimport]\n\tunpackLimit = 1\n` +
      (format === "sha256" ? "[extensions]\n\tobjectformat = sha256\n" : ""),
  );
}

/** The full id of the commit that a name stands for; null: it stands for none. */
export const commitOf = async (git: Pick<OwnGit, "refs">, name: string): Promise<string | null> =>
  (await git.refs(["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`])).stdout.trim() || null;

/** What it printed. @throws Failure that begins with `trouble` when it did not end well */
export async function needDone(ran: Promise<Ran>, trouble: string): Promise<string> {
  const done = await ran;
  if (done.code === 0) return done.stdout;
  throw new Failure(`${trouble}: ${troubleOf(done)}`);
}
