/** Being told when a process of somebody else ends. */
import { processDescriptor } from "./libc.ts";
import { alive } from "./processes.ts";

export interface EndWatch {
  close(): void;
}

/** Where the system tells nobody of the end of a process that is not its child. */
const LOOK_MS = 2000;

/** Calls `ended` once, when the process ends, soon also when it has ended already. It keeps this process from ending. */
export function watchEnd(pid: number, ended: () => void): EndWatch {
  let open = true;
  let stop = (): void => {};
  const end = (): void => {
    if (!open) return;
    open = false;
    stop();
    ended();
  };
  const look = (): void => {
    const timer = setInterval(() => {
      if (!alive(pid)) end();
    }, LOOK_MS);
    stop = () => clearInterval(timer);
  };
  const fd = processDescriptor(pid);
  if (fd === null) {
    if (alive(pid)) look();
    else queueMicrotask(end);
  } else void hear(fd, end).then((close) => (close === null ? open && look() : open ? (stop = close) : close()));
  return {
    close() {
      open = false;
      stop();
    },
  };
}

/**
 * Waits for the descriptor among those that the runtime waits for. It takes it for a connection: when the process has ended it tries to
 * read, is refused, and says that the connection is closed (Bun 1.4.5). Null: it does not take it; then it is closed.
 */
async function hear(fd: number, ended: () => void): Promise<(() => void) | null> {
  try {
    // Its types tell of names and paths only.
    const options = { fd, socket: { data() {}, error() {}, close: ended } } as unknown as Bun.UnixSocketOptions;
    const socket = await Bun.connect(options);
    return () => void socket.terminate();
  } catch {
    return null;
  }
}
