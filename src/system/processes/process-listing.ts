/** What `ps` and `lsof` print, read by field: the words of macOS, where processes are not shown as files. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
}

/** `ps -axo pid=,ppid=`: lines of another form are passed over. */
export const listedProcesses = (text: string): Process[] =>
  text.split("\n").flatMap((line) => {
    const found = /^\s*(\d+)\s+(\d+)\s*$/.exec(line);
    return found ? [{ pid: Number(found[1]), parent: Number(found[2]) }] : [];
  });

/** `ps -o lstart=` under LC_ALL=C and TZ=UTC (`Sun Nov  2 14:14:15 2026`), in milliseconds since the epoch; null when it is no time. */
export function listedStart(text: string): number | null {
  const at = Date.parse(`${text.trim().replace(/\s+/g, " ")} UTC`);
  return Number.isNaN(at) ? null : at;
}

/**
 * The paths in `lsof -Fn` output: the lines that begin with `n` and name a file. What is not ASCII is written as `\xNN` in some locales.
 */
export const listedFiles = (text: string): string[] =>
  text.split("\n").flatMap((line) => (line.startsWith("n/") ? [unescaped(line.slice(1))] : []));

/** The processes in `lsof -Fp` output. */
export const listedHolders = (text: string): number[] =>
  text.split("\n").flatMap((line) => (/^p\d+$/.test(line) ? [Number(line.slice(1))] : []));

const unescaped = (path: string): string =>
  path.replace(/(?:\\x[0-9a-f]{2})+/g, (run) => Buffer.from(run.replaceAll("\\x", ""), "hex").toString("utf8"));
