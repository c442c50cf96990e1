/**
 * A wait that may take hours: when nothing has happened for a while the whole process sleeps until something does. While the runtime itself
 * waits for events its collector and its sockets wake it every second (Bun 1.4.5: 0.18 % of a processor where nothing happens).
 */
import { readdirSync, readlinkSync } from "node:fs";
import type { Bell } from "../files/bell.ts";
import { pollCall } from "./libc.ts";

/** What `poll(2)` looks for, and how wide an entry of its list is: descriptor, wanted, found. */
const POLLIN = 1;
const ENTRY_BYTES = 8;

/** What has happened may make more happen soon. */
const AWAKE_MS = 1000;
/** What nobody tells is looked at this often. */
const LOOK_MS = 5000;
const LONGEST_MS = 60_000;

/** The descriptors in which the runtime waits: who waits for these hears of all that it would hear of. */
function waitedDescriptors(): number[] {
  if (process.platform !== "linux") return [];
  const isWaited = (fd: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === "anon_inode:[eventpoll]";
    } catch {
      // The one that the list was read by is closed again.
      return false;
    }
  };
  try {
    return readdirSync("/proc/self/fd").filter(isWaited).map(Number);
  } catch {
    return [];
  }
}

/** A sleep of the whole process, of so many milliseconds at most; true: something happened. Null where there is none. */
function sleepOf(): ((ms: number) => boolean) | null {
  const descriptors = waitedDescriptors();
  const poll = descriptors.length === 0 ? null : pollCall();
  if (poll === null) return null;
  const list = Buffer.alloc(descriptors.length * ENTRY_BYTES);
  for (const [index, fd] of descriptors.entries()) {
    list.writeInt32LE(fd, index * ENTRY_BYTES);
    list.writeInt16LE(POLLIN, index * ENTRY_BYTES + 4);
  }
  // A signal is something that happened, too.
  return (ms) => poll(list, BigInt(descriptors.length), Math.ceil(ms)) !== 0;
}

/** Only for a process that does nothing else: a timer of it may be late by as long as nothing has happened, by a minute at most. */
export class LongRest {
  private stirred = performance.now();
  private readonly sleep = sleepOf();

  /** @param look whether something has happened that nobody tells of, asked every five seconds */
  constructor(
    private readonly bell: Bell,
    private readonly look: () => boolean,
  ) {}

  /** Waits for a ring, at most `ms`; true when the bell was rung. What comes from outside is never late. */
  async wait(ms: number): Promise<boolean> {
    const until = performance.now() + ms;
    for (;;) {
      const now = performance.now();
      const calm = now - this.stirred;
      const rung = await this.bell.wait(this.sleep === null ? until - now : Math.min(until - now, AWAKE_MS - calm));
      if (rung) this.stirred = performance.now();
      if (rung || performance.now() >= until) return rung;
      if (this.sleep === null || calm < AWAKE_MS) continue;
      if (this.sleepTill(this.sleep, Math.min(until, now + Math.min(calm, LONGEST_MS)))) this.stirred = performance.now();
      // What has come is taken up, and what is due.
      await new Promise<void>((taken) => void setImmediate(taken));
    }
  }

  private sleepTill(sleep: (ms: number) => boolean, end: number): boolean {
    for (let now = performance.now(); now < end; now = performance.now())
      if (sleep(Math.min(end - now, LOOK_MS)) || this.look()) return true;
    return false;
  }
}
