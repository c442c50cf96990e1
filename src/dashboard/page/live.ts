/** The page's end of the event stream: keeps the parts of one view, comes back by itself, and rests while nobody looks. */
import { useEffect, useState } from "preact/hooks";
import type { LiveMessage } from "../live.ts";

/** `lost`: trying again; `over`: this dashboard has ended or does not know this browser any more. */
export type Connection = "connecting" | "live" | "lost" | "over" | "none";

export interface LiveState<P> {
  readonly parts: Partial<P> & Record<string, unknown>;
  readonly connection: Connection;
}

/** How long a hidden page stays connected: browsers allow few connections to one server, and hidden tabs need none. */
const REST_AFTER_MS = 20_000;
const TRY_AGAIN_MS = 1500;

class LiveView {
  private parts: Record<string, unknown> = {};
  private connection: Connection = "connecting";
  private lastId = "";
  private source: EventSource | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly view: string,
    private readonly changed: (state: LiveState<unknown>) => void,
    private readonly stays: boolean,
  ) {
    document.addEventListener("visibilitychange", this.shown);
    this.open();
  }

  close(): void {
    document.removeEventListener("visibilitychange", this.shown);
    this.stop();
  }

  private readonly shown = (): void => {
    clearTimeout(this.timer);
    if (document.hidden && !this.stays) this.timer = setTimeout(() => this.stop(), REST_AFTER_MS);
    else if (!this.source && this.connection !== "over") this.open();
  };

  private stop(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = undefined;
  }

  private open(): void {
    this.stop();
    const source = new EventSource(`api/live?view=${encodeURIComponent(this.view)}&since=${this.lastId}`);
    this.source = source;
    source.onopen = () => this.tell("live");
    source.onmessage = ({ data, lastEventId }: MessageEvent<string>) => {
      this.lastId = lastEventId;
      const message = JSON.parse(data) as LiveMessage;
      this.parts = { ...(message.whole ? {} : this.parts), ...message.set };
      for (const name of message.drop) delete this.parts[name];
      this.tell("live");
    };
    source.onerror = () => {
      this.tell("lost");
      // The browser tries again by itself only while the answers are event streams.
      if (source.readyState === EventSource.CLOSED) this.timer = setTimeout(() => void this.askWhy(), TRY_AGAIN_MS);
    };
  }

  private async askWhy(): Promise<void> {
    const status = await fetch("api/find?task=").then(
      (response) => response.status,
      () => 0,
    );
    if (status === 401) return this.tell("over");
    if (status === 404 && this.lastId === "") return this.tell("none");
    if (!document.hidden || this.stays) this.open();
  }

  private tell(connection: Connection): void {
    this.connection = connection;
    this.changed({ parts: this.parts, connection });
  }
}

/** The parts of a view, kept up to date as long as the component is there. @param options.stay also while the page is hidden */
export function useLive<P>(view: string, options: { stay: boolean } = { stay: false }): LiveState<P> {
  const [state, setState] = useState<LiveState<P> & { view: string }>({ parts: {}, connection: "connecting", view });
  useEffect(() => {
    const live = new LiveView(view, (next) => setState({ ...(next as LiveState<P>), view }), options.stay);
    return () => live.close();
  }, [view, options.stay]);
  return state.view === view ? state : { parts: {}, connection: "connecting" };
}
