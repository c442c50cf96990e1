/** Who writes a Codex thread: the exclusive lock on its file in `thread-writer-locks`, read without taking it where the system lets us. */
import { closeSync, existsSync, openSync, readFileSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Writer } from "../../core/agent/machine.ts";
import { flockCall } from "../processes/libc.ts";

export const lockFolder = (codexHome: string): string => join(codexHome, "thread-writer-locks");
/** A thread id becomes part of a path: only what Codex itself makes is looked up. */
const isThreadId = (id: string): boolean => /^[0-9A-Za-z-]{8,64}$/.test(id);

/**
 * The lock of one thread; null when it cannot be told (no Codex of this home has ever made lock files). A Codex that ends in good order
 * takes its lock file away with it.
 */
export function writerLock(codexHome: string, threadId: string): Writer | null {
  if (!isThreadId(threadId)) return null;
  const lock = lockOf(join(lockFolder(codexHome), `${threadId}.lock`), process.platform === "linux" ? procLocks() : null);
  return lock ?? (existsSync(lockFolder(codexHome)) ? { held: false, pid: null } : null);
}

/** Every thread of this Codex home that is being written now, with its writer; empty when there are no lock files. */
export function writtenThreads(codexHome: string): Map<string, number | null> {
  const locks = process.platform === "linux" ? procLocks() : null;
  const written = new Map<string, number | null>();
  for (const name of lockNames(codexHome)) {
    const lock = lockOf(join(lockFolder(codexHome), `${name}.lock`), locks);
    if (lock?.held) written.set(name, lock.pid);
  }
  return written;
}

function lockNames(codexHome: string): string[] {
  try {
    return readdirSync(lockFolder(codexHome)).flatMap((file) =>
      file.endsWith(".lock") && !file.startsWith(".") ? [file.slice(0, -5)] : [],
    );
  } catch {
    return [];
  }
}

interface ProcLock {
  readonly pid: number;
  /** `major:minor`, hexadecimal. */
  readonly device: string;
}

/** Exclusive flocks of the machine by inode, from /proc/locks; null when that cannot be read. */
function procLocks(): Map<string, ProcLock[]> | null {
  let text: string;
  try {
    text = readFileSync("/proc/locks", "latin1");
  } catch {
    return null;
  }
  const locks = new Map<string, ProcLock[]>();
  for (const [, pid, device, inode] of text.matchAll(/^\d+: FLOCK\s+\S+\s+WRITE\s+(-?\d+)\s+([0-9a-f]+:[0-9a-f]+):(\d+) /gm)) {
    const same = locks.get(inode!) ?? [];
    same.push({ pid: Number(pid), device: device! });
    locks.set(inode!, same);
  }
  return locks;
}

function lockOf(path: string, locks: Map<string, ProcLock[]> | null): Writer | null {
  let file: { dev: bigint; ino: bigint };
  try {
    file = statSync(path, { bigint: true });
  } catch {
    return null;
  }
  if (locks === null) return askedLock(path);
  const same = locks.get(String(file.ino)) ?? [];
  if (same.length === 0) return hidesLocks() ? askedLock(path) : { held: false, pid: null };
  const device = deviceText(file.dev);
  const exact = same.find((lock) => lock.device === device);
  // Layered file systems show another device in /proc/locks than in stat: then the lock itself is asked.
  return exact === undefined ? askedLock(path) : { held: true, pid: exact.pid > 0 ? exact.pid : null };
}

/** The number of the first process namespace, a constant of the kernel. */
const FIRST_NAMESPACE = "pid:[4026531836]";
let hidden: boolean | undefined;
/** In any other namespace (a container, the sandbox of an agent) /proc/locks leaves out what processes outside of it hold. */
function hidesLocks(): boolean {
  if (hidden !== undefined) return hidden;
  try {
    hidden = readlinkSync("/proc/self/ns/pid") !== FIRST_NAMESPACE;
  } catch {
    hidden = true;
  }
  return hidden;
}

/** As the kernel prints it in /proc/locks. */
function deviceText(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  return `${major.toString(16).padStart(2, "0")}:${minor.toString(16).padStart(2, "0")}`;
}

const LOCK_SH = 1;
const LOCK_NB = 4;
const LOCK_UN = 8;

/** Asks for the shared lock without waiting and lets go at once: refused means that a writer holds it. */
export function askedLock(path: string): Writer | null {
  const flock = flockCall();
  if (flock === null) return null;
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return null;
  }
  try {
    const got = flock(fd, LOCK_SH | LOCK_NB) === 0;
    if (got) flock(fd, LOCK_UN);
    return { held: !got, pid: null };
  } finally {
    closeSync(fd);
  }
}
