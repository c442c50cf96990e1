/** Isolation for a program that is not trusted: a read-only machine without network, with what it must not see hidden. */
import { readFileSync, statSync } from "node:fs";
import { type Env, runChild, which } from "./child.ts";
import { isFolder, realPath } from "./folders.ts";
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

export interface Sandbox {
  readonly report: SandboxReport;
  /** The words that run a command inside; null when there is no isolation, and nothing may be run. */
  readonly wrap: ((command: readonly string[]) => string[]) | null;
}

const HELP = "install bubblewrap (apt-get install bubblewrap), or allow unprivileged user namespaces";

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** Sockets in the file system that somebody listens on: no network namespace keeps a program from them. */
function listeningSockets(): string[] {
  try {
    const paths = readFileSync("/proc/net/unix", "utf8").split("\n").slice(1).map((line) => line.split(" ").slice(7).join(" ").trim());
    return [...new Set(paths.filter((path) => path.startsWith("/")))].filter((path) => statSync(path, { throwIfNoEntry: false })?.isSocket() === true);
  } catch {
    return [];
  }
}

/** Paths as the mounts need them: real, existing, each once, nothing below something hidden already. */
export function hiddenPaths(paths: readonly string[]): string[] {
  const real = [...new Set(paths.filter(isThere).map(realPath))].sort((a, b) => a.length - b.length);
  return real.filter((path, i) => !real.slice(0, i).some((above) => path.startsWith(`${above}/`)));
}

const bubblewrapArgv = (bwrap: string, work: string, hidden: readonly string[]): string[] => [
  bwrap,
  ...["--unshare-all", "--cap-drop", "ALL", "--die-with-parent", "--new-session", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"],
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
  readonly argv: string[];
}

function candidates(env: Env, work: string, hidden: readonly string[]): Candidate[] {
  if (process.platform === "darwin") {
    const path = which("sandbox-exec", env) ?? "/usr/bin/sandbox-exec";
    return isThere(path) ? [{ engine: "sandbox-exec", argv: [path, "-p", seatbeltProfile(work, hidden)] }] : [];
  }
  const masked = hiddenPaths([...hidden, ...listeningSockets()]);
  const bwrap = which("bwrap", env);
  const unshare = which("unshare", env);
  const setpriv = which("setpriv", env);
  return [
    ...(bwrap ? [{ engine: "bubblewrap" as const, argv: bubblewrapArgv(bwrap, work, masked) }] : []),
    ...(unshare ? [{ engine: "user-namespace" as const, argv: namespaceArgv({ unshare, sh: "/bin/sh", before: setpriv ? [setpriv, "--pdeathsig", "KILL", "--"] : [] }, work, masked) }] : []),
  ];
}

/** A sandbox that runs nothing, because this failed. */
export const noSandbox = (error: string): Sandbox => ({ report: { engine: null, enabled: false, profile: null, denied_path_count: 0, setup_error: error }, wrap: null });

/**
 * The first kind of isolation that works here, tried with these very paths; without any, one that refuses and says how to get one.
 * @param options.work the one folder in which the program may write; @param options.hidden files and folders it must not see
 */
export async function sandbox(env: Env, options: { work: string; hidden: readonly string[] }): Promise<Sandbox> {
  const work = realPath(options.work);
  const hidden = hiddenPaths(options.hidden);
  const around = hidden.find((path) => work === path || work.startsWith(`${path}/`));
  if (around !== undefined) return noSandbox(`the temporary folder ${work} lies in ${around}, which must be hidden; set TMPDIR to another place`);
  const troubles: string[] = [];
  for (const { engine, argv } of candidates(env, work, hidden)) {
    const tried = await runChild([...argv, "/bin/sh", "-c", ":"], { env: { PATH: env.PATH }, cwd: work, timeoutMs: 10_000 });
    if (tried.code === 0) {
      const report: SandboxReport = { engine, enabled: true, profile: PROFILES[engine], denied_path_count: hidden.length };
      return { report, wrap: (command) => [...argv, ...command] };
    }
    troubles.push(`${engine}: ${tried.timedOut ? "no answer" : tried.stderr.trim().slice(-300) || `ended with ${tried.code ?? "a signal"}`}`);
  }
  return noSandbox(troubles.length > 0 ? `no isolation works here (${troubles.join("; ")}); ${HELP}` : `no isolation is installed; ${HELP}`);
}
