/** Isolation for a program that is not trusted: a read-only machine without network, with what it must not see hidden. */
import { readFileSync, statSync } from "node:fs";
import { type Env, which } from "./environment.ts";
import { type Ran, type RunOptions, runProgram, troubleOf } from "./run.ts";
import { isFolder, realPath } from "../files/folders.ts";
import { namespaceArgv } from "./namespace-sandbox.ts";

export type Engine = "bubblewrap" | "user-namespace" | "sandbox-exec";

/** What is told and recorded of a sandbox; it must be true. */
export interface SandboxReport {
  readonly engine: Engine | null;
  readonly enabled: boolean;
  readonly profile: string | null;
  readonly denied_path_count: number;
  readonly setup_error?: string;
}

const HELP = "install bubblewrap (apt-get install bubblewrap), or allow unprivileged user namespaces";

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    // Gone, or in a folder that we may not enter: then nothing that we start may either.
    return false;
  }
}

/** Sockets in the file system that somebody listens on: no network namespace keeps a program from them. */
function listeningSockets(): string[] {
  const paths = readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .slice(1)
    .map((line) => line.split(" ").slice(7).join(" ").trim());
  return [...new Set(paths.filter((path) => path.startsWith("/")))].filter(isSocket);
}

/** Paths as the mounts need them: real, existing, each once, nothing below something hidden already. */
export function hiddenPaths(paths: readonly string[]): string[] {
  const real = [...new Set(paths.filter(isThere).map(realPath))].sort((a, b) => a.length - b.length);
  return real.filter((path, i) => !real.slice(0, i).some((above) => path.startsWith(`${above}/`)));
}

const bubblewrapArgv = (bwrap: string, work: string, hidden: readonly string[]): string[] => [
  bwrap,
  ...[
    "--unshare-all",
    "--cap-drop",
    "ALL",
    "--die-with-parent",
    "--new-session",
    "--ro-bind",
    "/",
    "/",
    "--dev",
    "/dev",
    "--proc",
    "/proc",
  ],
  ...hidden.flatMap((path) => (isFolder(path) ? ["--tmpfs", path, "--remount-ro", path] : ["--ro-bind", "/dev/null", path])),
  ...["--bind", work, work, "--chdir", work, "--"],
];

const quoted = (path: string): string => `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** The profile for sandbox-exec: the last rule that fits wins. */
export const seatbeltProfile = (work: string, hidden: readonly string[]): string =>
  [
    "(version 1)",
    "(allow default)",
    "(deny network*)",
    "(deny file-write*)",
    `(allow file-write* (subpath ${quoted(work)}) (literal "/dev/null") (literal "/dev/zero") (literal "/dev/dtracehelper"))`,
    ...hidden.map((path) => `(deny file* (subpath ${quoted(path)}))`),
    // Other processes are neither read nor signalled, and nobody outside is asked to start something.
    "(deny process-info*)",
    "(allow process-info* (target same-sandbox))",
    "(deny signal)",
    "(allow signal (target same-sandbox))",
    "(deny appleevent-send)",
    "(deny lsopen)",
  ].join("\n");

const PROFILES: Readonly<Record<Engine, string>> = {
  bubblewrap: "read-only, no network, own processes, hidden paths",
  "user-namespace": "read-only, no network, own processes, hidden paths",
  "sandbox-exec": "read-only, no network, hidden paths",
};

interface Candidate {
  readonly engine: Engine;
  /** The words in front of a command, for the machine as it is at this moment. */
  argv(): string[];
}

function candidates(env: Env, work: string, hidden: readonly string[]): Candidate[] {
  if (process.platform === "darwin") {
    const path = which("sandbox-exec", env) ?? "/usr/bin/sandbox-exec";
    return isThere(path) ? [{ engine: "sandbox-exec", argv: () => [path, "-p", seatbeltProfile(work, hidden)] }] : [];
  }
  const masked = () => hiddenPaths([...hidden, ...listeningSockets()]);
  const bwrap = which("bwrap", env);
  const unshare = which("unshare", env);
  const setpriv = which("setpriv", env);
  const before = setpriv ? [setpriv, "--pdeathsig", "KILL", "--"] : [];
  return [
    ...(bwrap ? [{ engine: "bubblewrap" as const, argv: () => bubblewrapArgv(bwrap, work, masked()) }] : []),
    ...(unshare
      ? [{ engine: "user-namespace" as const, argv: () => namespaceArgv({ unshare, sh: "/bin/sh", before }, work, masked()) }]
      : []),
  ];
}

/** Says on descriptor 3 that the sandbox stands, and becomes the command. */
const INSIDE = ["/bin/sh", "-c", 'echo ready >&3; exec 3>&-; exec "$@"', "sandbox"];
/** A socket that vanishes while it is being covered makes the set-up fail: a matter of bad luck. */
const TRIES = 3;

export interface Sandboxed {
  readonly report: SandboxReport;
  /** null: there was no isolation, and nothing was run. */
  readonly result: Ran | null;
}

/** What is told when nothing can be run, because this is missing. */
export const noSandbox = (error: string): Sandboxed => ({
  report: { engine: null, enabled: false, profile: null, denied_path_count: 0, setup_error: error },
  result: null,
});

/**
 * Runs a command in the first kind of isolation that works here; without any, it runs nothing and says how to get one.
 * @param place.work the one folder in which the program may write, and its working directory; @param place.hidden files and folders it must
 * not see
 */
export async function runSandboxed(
  env: Env,
  place: { work: string; hidden: readonly string[] },
  command: readonly string[],
  limits: Pick<RunOptions, "env" | "stdin" | "timeoutMs" | "mostBytes">,
): Promise<Sandboxed> {
  const work = realPath(place.work);
  const hidden = hiddenPaths(place.hidden);
  const around = hidden.find((path) => work === path || work.startsWith(`${path}/`));
  if (around !== undefined)
    return noSandbox(`the temporary folder ${work} lies in ${around}, which must be hidden; set TMPDIR to another place`);
  const troubles: string[] = [];
  for (const { engine, argv } of candidates(env, work, hidden)) {
    for (let tries = TRIES; tries > 0; tries--) {
      // What is not trusted is not asked to end: it is ended, and with us.
      const how = { ...limits, cwd: work, channel: true, graceMs: 0, endsWithUs: true };
      const result = await runProgram([...argv(), ...INSIDE, ...command], how);
      if (result.notice.startsWith("ready"))
        return { report: { engine, enabled: true, profile: PROFILES[engine], denied_path_count: hidden.length }, result };
      if (tries > 1 && !result.timedOut && !result.flooded && !result.missing) continue;
      troubles.push(`${engine}: ${troubleOf(result)}`);
      break;
    }
  }
  return noSandbox(
    troubles.length > 0 ? `no isolation works here (${troubles.join("; ")}); ${HELP}` : `no isolation is installed; ${HELP}`,
  );
}
