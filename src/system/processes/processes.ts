/** What can be seen of running processes: alive, started when, children, executable, open files. Never guesses: unknown is null. */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { instant, toIso } from "../../core/time.ts";
import { type Env, which } from "./environment.ts";
import { runProgram } from "./run.ts";
import { macProgramOf } from "./libc.ts";
import { listedFiles, listedHolders, listedProcesses, listedStart, type Process } from "./process-listing.ts";

const linux = process.platform === "linux";
/** The program that tells of open files; macOS keeps it in a folder that a shortened PATH leaves out. */
export const lsofPath = (env: Env): string => which("lsof", env) ?? "/usr/sbin/lsof";

/** Whether this process, and what it starts, is the system's own user, for whom some programs do less. */
export const runsAsRoot = (): boolean => process.getuid?.() === 0;

/** Whether a process of this pid runs; one that we may not signal counts, one that has ended and whose parent has not looked does not. */
export function alive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return !linux || stat(pid)?.[0] !== "Z";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The fields of /proc/<pid>/stat after the name, which may itself hold spaces and parentheses; null when it is gone. */
function stat(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

/** Every process of the machine with its parent; null when the system would not say. */
export async function listProcesses(env: Env): Promise<Process[] | null> {
  if (linux) {
    const pids = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
    return pids.flatMap((pid) => {
      const fields = stat(pid);
      return fields === null ? [] : { pid, parent: Number(fields[1]) };
    });
  }
  const result = await runProgram(["ps", "-axo", "pid=,ppid="], { env });
  return result.code === 0 ? listedProcesses(result.stdout) : null;
}

/** The other living processes of the group that we lead; null when we lead none, or they cannot be listed. */
export async function groupMates(env: Env): Promise<number[] | null> {
  if (linux) {
    if (Number(stat(process.pid)?.[2]) !== process.pid) return null;
    const all = (await listProcesses(env)) ?? [];
    return all.flatMap(({ pid }) => {
      const [state, , group] = stat(pid) ?? [];
      return pid !== process.pid && Number(group) === process.pid && state !== "Z" && state !== "X" ? pid : [];
    });
  }
  // The second column is the group here, and reads as the parent does there.
  const result = await runProgram(["ps", "-axo", "pid=,pgid="], { env });
  if (result.code !== 0) return null;
  const listed = listedProcesses(result.stdout);
  if (!listed.some(({ pid, parent }) => pid === process.pid && parent === pid)) return null;
  return listed.flatMap(({ pid, parent }) => (pid !== process.pid && parent === process.pid ? pid : []));
}

let bootMs: number | undefined;
/** When the machine was started, and how many stat ticks are a second: both constant while it runs. */
function linuxBoot(): number {
  bootMs ??= Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "latin1"))?.[1] ?? Number.NaN) * 1000;
  return bootMs;
}

/** When the process was started, in milliseconds since the epoch (to the second); null when it is gone or not told. */
export async function startedAt(pid: number, env: Env): Promise<number | null> {
  if (linux) {
    const ticks = Number(stat(pid)?.[19] ?? Number.NaN);
    const at = linuxBoot() + ticks * 10;
    return Number.isNaN(at) ? null : at;
  }
  // In UTC: the same local time comes twice in the night when the clocks go back.
  const result = await runProgram(["ps", "-o", "lstart=", "-p", String(pid)], { env: { ...env, LC_ALL: "C", TZ: "UTC" } });
  return result.code === 0 ? listedStart(result.stdout) : null;
}

/** Older records hold the start as a time, which Linux reckons from the clock of the wall at every look. */
const START_TOLERANCE_MS = 2000;

/** The ticks between the machine's boot and the start of the process, as Linux tells them; null elsewhere and when it is gone. */
export const startTicks = (pid: number): string | null => (linux ? (stat(pid)?.[19] ?? null) : null);

/**
 * When the process was started, in a form that no step of the clock moves and that two processes of one pid do not share: on Linux the boot
 * and the ticks since it (/proc/<pid>/stat), elsewhere the time that the system noted. Null when it is gone or not told.
 */
export async function startOf(pid: number, env: Env): Promise<string | null> {
  if (linux) {
    const ticks = startTicks(pid);
    return ticks === null ? null : `boot ${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ticks ${ticks}`;
  }
  const at = await startedAt(pid, env);
  return at === null ? null : toIso(at);
}

/** Whether the process of this pid is the one whose {@link startOf} was `recorded`; null when it is not told. Also takes a time alone. */
export async function isSameStart(pid: number, recorded: string, env: Env): Promise<boolean | null> {
  const time = instant(recorded);
  if (time === null) {
    const now = await startOf(pid, env);
    return now === null ? null : now === recorded;
  }
  const now = await startedAt(pid, env);
  return now === null ? null : Math.abs(now - time) <= START_TOLERANCE_MS;
}

/** Path of the program file that the process runs (for a script: its interpreter); null when it is gone or not told. */
export async function executableOf(pid: number, env: Env): Promise<string | null> {
  if (linux) {
    try {
      // An executable that was replaced by an update while it runs.
      return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, "");
    } catch {
      return null;
    }
  }
  // ps only knows what the process calls itself, and is for systems that tell nothing better.
  return macProgramOf(pid) ?? askedPs("comm=", pid, env);
}

/** The words the process was started with, its program first; null when it is gone or not told. */
export async function commandLineOf(pid: number, env: Env): Promise<string[] | null> {
  if (linux) {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
    } catch {
      return null;
    }
  }
  return (await askedPs("args=", pid, env))?.split(/\s+/) ?? null;
}

/**
 * One column of one process. -ww: without it ps cuts what is longer than a line of a terminal, and takes 79 characters for one where there
 * is none.
 */
async function askedPs(column: string, pid: number, env: Env): Promise<string | null> {
  const result = await runProgram(["ps", "-ww", "-o", column, "-p", String(pid)], { env });
  return result.code === 0 && result.stdout.trim() !== "" ? result.stdout.trim() : null;
}

/** The folder the process works in; null when it is gone or not told. */
export async function folderOf(pid: number, env: Env): Promise<string | null> {
  if (linux) {
    try {
      return readlinkSync(`/proc/${pid}/cwd`);
    } catch {
      return null;
    }
  }
  const result = await runProgram([lsofPath(env), "-w", "-n", "-P", "-a", "-p", String(pid), "-d", "cwd", "-Fn"], { env, timeoutMs: 4000 });
  return listedFiles(result.stdout)[0] ?? null;
}

/** Paths of the files the process holds open; null when the system would not say, which is not the same as none. */
export async function openFiles(pid: number, env: Env): Promise<string[] | null> {
  if (linux) return linuxOpenFiles(pid);
  const result = await runProgram([lsofPath(env), "-w", "-n", "-P", "-p", String(pid), "-Fn"], { env, timeoutMs: 4000 });
  // lsof exits 1 when one of many questions had no answer, and still prints the others.
  if (result.missing || result.timedOut || (result.code !== 0 && result.stdout === "")) return null;
  return listedFiles(result.stdout);
}

/** Processes that hold the file open; null when the system would not say. Slow: for where nothing better tells. */
export async function holdersOf(path: string, env: Env): Promise<number[] | null> {
  const result = await runProgram([lsofPath(env), "-w", "-n", "-P", "-Fp", "--", path], { env, timeoutMs: 10_000 });
  return result.missing || result.timedOut || result.stdout === "" ? null : listedHolders(result.stdout);
}

function linuxOpenFiles(pid: number): string[] | null {
  let descriptors: string[];
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return null;
  }
  return descriptors.flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/${pid}/fd/${descriptor}`);
      return path.startsWith("/") ? [path] : [];
    } catch {
      return [];
    }
  });
}

/** One variable of the environment the process was started with; null when it has none or it may not be read. */
export function environmentOf(pid: number, name: string): string | null {
  if (!linux) return null;
  try {
    const entry = readFileSync(`/proc/${pid}/environ`, "utf8")
      .split("\0")
      .find((each) => each.startsWith(`${name}=`));
    return entry === undefined ? null : entry.slice(name.length + 1);
  } catch {
    return null;
  }
}
