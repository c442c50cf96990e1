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

/** What has been quiet for so many looks, so far apart, has nothing left in its pipe. */
const QUIET_MS = 100;
const QUIET_LOOKS = 3;
const SETTLE_MS = 1000;

/**
 * After the program's end: what is still in its pipes is read, but their end is not waited for, which a grandchild may hold open. Looks are
 * counted, not only time: on a busy machine a timer comes before data that has been there all along.
 */
export async function settle(streams: readonly Collected[]): Promise<void> {
  const exitAt = performance.now();
  for (let quiet = 0; quiet < QUIET_LOOKS;) {
    const open = streams.filter((each) => each.open);
    const before = open.map((each) => each.lastAt);
    if (open.length === 0 || (await within(QUIET_MS, Promise.all(open.map((each) => each.done))))) break;
    quiet = open.some((each, index) => each.lastAt !== before[index]) ? 0 : quiet + 1;
    // Somebody goes on writing into them.
    if (quiet === 0 && performance.now() - exitAt > SETTLE_MS) break;
  }
  for (const each of streams) each.stop();
}
