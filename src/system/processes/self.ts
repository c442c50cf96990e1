/** How this very program is started again, compiled or from source. */
import { dirname, join } from "node:path";

/** Whether this is the compiled binary, whose files lie inside it. */
export const compiled = import.meta.dir.startsWith("/$bunfs");

/** The words in front of a command: the binary, or bun and the main module. */
export const selfArgv = (): string[] => (compiled ? [process.execPath] : [process.execPath, join(import.meta.dir, "..", "..", "main.ts")]);

/** Folder that holds the installed program, or null when it runs from source. */
export const selfFolder = (): string | null => (compiled ? dirname(process.execPath) : null);

/** Folder of the tool itself: of the binary, or of its sources. */
export const programRoot = (): string => selfFolder() ?? join(import.meta.dir, "..", "..", "..");
