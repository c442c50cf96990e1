/** What a program prints, read as it comes, and no longer waited for than it is worth. */

/** Waits for the promise, but not longer than this; whether it came. */
export async function within(ms: number, awaited: Promise<unknown>): Promise<boolean> {
  let timer: Timer | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  try {
    return await Promise.race([awaited.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a stream gave so far. */
export class Collected {
  private readonly decoder: TextDecoder;
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  private bytes = 0;
  text = "";
  lastAt = 0;
  open = true;
  readonly done: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array>, encoding: "utf-8" | "latin1", most: number, flooded: () => void) {
    this.decoder = new TextDecoder(encoding);
    this.reader = stream.getReader();
    this.done = this.read(most, flooded)
      .catch(() => {})
      .then(() => void (this.open = false));
  }

  private async read(most: number, flooded: () => void): Promise<void> {
    for (;;) {
      const { done, value } = await this.reader.read();
      if (done) break;
      this.lastAt = performance.now();
      this.bytes += value.length;
      this.text += this.decoder.decode(value, { stream: true });
      if (this.bytes > most) return flooded();
    }
    this.text += this.decoder.decode();
  }

  /** Reads no further. */
  stop(): void {
    if (this.open) void this.reader.cancel().catch(() => {});
  }
}

/** What has been quiet for so long has nothing left in its pipe. */
const QUIET_MS = 100;
const SETTLE_MS = 1000;

/** After the program's end: what is still in its pipes is read, but their end is not waited for, which a grandchild may hold open. */
export async function settle(streams: readonly Collected[]): Promise<void> {
  const exitAt = performance.now();
  for (;;) {
    const open = streams.filter((each) => each.open);
    if (open.length === 0 || (await within(QUIET_MS, Promise.all(open.map((each) => each.done))))) break;
    const now = performance.now();
    if (now - exitAt > SETTLE_MS || open.every((each) => now - each.lastAt >= QUIET_MS)) break;
  }
  for (const each of streams) each.stop();
}
