/** A dashboard served for one test, and a client that behaves like its page, or unlike it. */
import { type Dashboard, serveDashboard } from "../../src/dashboard/server.ts";
import type { World } from "../harness.ts";

export interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Without the cookie. */
  readonly stranger?: boolean;
}

export class Site {
  readonly problems: string[] = [];

  private constructor(
    readonly dashboard: Dashboard,
    readonly cookie: string,
    /** The path below which everything lies, with slashes at both ends. */
    readonly base: string,
  ) {}

  static async open(w: World, options: { task?: string } = {}): Promise<Site> {
    const problems: string[] = [];
    const dashboard = await serveDashboard(w.context(), w.context(), {
      host: "127.0.0.1",
      port: 0,
      task: options.task,
      path: undefined,
      problem: (message) => void problems.push(message),
      lost: (failure) => void problems.push(failure.message),
    });
    const entered = await fetch(dashboard.url);
    const cookie = entered.headers.get("set-cookie")!;
    const site = new Site(dashboard, cookie.split(";")[0]!, /Path=([^;]+)/.exec(cookie)![1]!);
    site.problems.push(...problems);
    return site;
  }

  /** Address of the page. */
  get home(): string {
    return `${this.origin}${this.base}`;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.dashboard.port}`;
  }

  /** A request below the base, with the cookie and nothing else that the page would add; `//…` is taken from the root. */
  ask(path: string, { method = "GET", headers = {}, body, stranger = false }: Ask = {}): Promise<Response> {
    return fetch(path.startsWith("//") ? `${this.origin}${path.slice(1)}` : `${this.home}${path.slice(1)}`, {
      method,
      headers: { ...(stranger ? {} : { cookie: this.cookie }), ...headers },
      redirect: "manual",
      ...(body === undefined ? {} : { body }),
    });
  }

  /** An action, asked as the page asks it; `headers` undefined leaves one out. */
  async act(
    name: string,
    input: unknown,
    headers: Record<string, string | undefined> = {},
  ): Promise<{ status: number; body: any; text: string }> {
    const all = { origin: this.origin, "x-conveyor": "1", "content-type": "application/json", ...headers };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<string, string>;
    const response = await this.ask(`/api/do/${name}`, {
      method: "POST",
      headers: given,
      body: typeof input === "string" ? input : JSON.stringify(input),
    });
    const text = await response.text();
    return { status: response.status, text, body: response.headers.get("content-type") === "application/json" ? JSON.parse(text) : null };
  }

  /** Events of a view: each call of `next` waits for one. */
  async live(view: string, lastId?: string): Promise<{ next(): Promise<{ id: string; data: any }>; close(): Promise<void> }> {
    const abort = new AbortController();
    const response = await fetch(`${this.home}api/live?view=${encodeURIComponent(view)}`, {
      headers: { cookie: this.cookie, ...(lastId === undefined ? {} : { "last-event-id": lastId }) },
      signal: abort.signal,
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let held = "";
    return {
      async next() {
        for (;;) {
          const end = held.indexOf("\n\n");
          if (end >= 0) {
            const event = held.slice(0, end);
            held = held.slice(end + 2);
            const id = /^id: (.*)$/m.exec(event)?.[1];
            if (id !== undefined) return { id, data: JSON.parse(/^data: (.*)$/m.exec(event)![1]!) };
            continue;
          }
          const { value, done } = await reader.read();
          if (done) throw new Error("the stream has ended");
          held += value;
        }
      },
      async close() {
        abort.abort();
        await reader.cancel().catch(() => {});
      },
    };
  }

  close(): Promise<void> {
    return this.dashboard.close();
  }
}
