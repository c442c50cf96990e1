/**
 * Calls into the system's C library. It is named by its place: Bun also tries a bare name in the working directory, and in a worker's
 * folder anybody may have put a file of that name.
 */
import { dlopen, ptr } from "bun:ffi";
import { readFileSync } from "node:fs";

const MAC_LIBRARY = "/usr/lib/libSystem.B.dylib";

/** The place of the C library in the text of /proc/self/maps: the one that this program runs with. Null when it shows none. */
export const libraryIn = (maps: string): string | null =>
  /\s(\/\S*\/(?:libc\.so\.6|libc-\d[\d.]*\.so|libc\.musl-\S+|ld-musl-\S+))$/m.exec(maps)?.[1] ?? null;

function libraryPath(): string | null {
  if (process.platform === "darwin") return MAC_LIBRARY;
  try {
    return libraryIn(readFileSync("/proc/self/maps", "latin1"));
  } catch {
    return null;
  }
}

/** The library's functions, or null where they cannot be had. Loaded at the first call. */
function loadOnce<T>(load: (path: string) => T): () => T | null {
  let loaded: T | null | undefined;
  return () => {
    if (loaded !== undefined) return loaded;
    const path = libraryPath();
    try {
      loaded = path === null ? null : load(path);
    } catch {
      loaded = null;
    }
    return loaded;
  };
}

/** `flock(2)`: 0 when it was done. */
export const flockCall = loadOnce((path) => dlopen(path, { flock: { args: ["i32", "i32"], returns: "i32" } }).symbols.flock);

/** `poll(2)`: how many of the list have something; 0: the time was up; less: a signal came. */
export const pollCall = loadOnce((path) => dlopen(path, { poll: { args: ["ptr", "u64", "i32"], returns: "i32" } }).symbols.poll);

const pidPathCall = loadOnce(
  (path) => dlopen(path, { proc_pidpath: { args: ["i32", "ptr", "u32"], returns: "i32" } }).symbols.proc_pidpath,
);
/** PROC_PIDPATHINFO_MAXSIZE: more is refused. */
const PID_PATH_BYTES = 4096;

/** Path of the file that a process runs, as the kernel of macOS knows it; null when it is gone, and on other systems. */
export function macProgramOf(pid: number): string | null {
  const call = process.platform === "darwin" ? pidPathCall() : null;
  if (call === null) return null;
  const path = Buffer.alloc(PID_PATH_BYTES);
  const length = call(pid, ptr(path), PID_PATH_BYTES);
  return length > 0 ? path.toString("utf8", 0, length) : null;
}

const syscallOf = loadOnce((path) => dlopen(path, { syscall: { args: ["i64", "i32", "u32"], returns: "i64" } }).symbols.syscall);
/** The number of pidfd_open, the same on every architecture (Linux 5.3). */
const PIDFD_OPEN = 434n;

/** A descriptor that becomes readable when the process ends; null where the system gives none, and of a process that is not there. */
export function processDescriptor(pid: number): number | null {
  const call = process.platform === "linux" ? syscallOf() : null;
  const fd = call === null ? -1 : Number(call(PIDFD_OPEN, pid, 0));
  return fd < 0 ? null : fd;
}
