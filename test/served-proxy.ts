/** A stretch of wire between us and the server of a session: what a race needs is done while our answer is on it, unheard by us. */
import { realpathSync } from "node:fs";
import { join } from "node:path";
import type { World } from "./harness.ts";

export class ServedProxy {
  /** Done once, while our next such message is on its way, null: an answer; until that has come through nothing reaches who sent it. */
  meanwhile: { readonly of: string | null; readonly act: () => Promise<void> } | null = null;
  private readonly server;
  private readonly restore: () => void;

  /** From now on everybody comes to the server of this session through here. */
  constructor(world: World, session: string) {
    const named = "session_id = (select id from sessions where name = ?)";
    const [row] = world.rows<{ socket: string }>(`select socket from session_sockets where ${named}`, session);
    const upstream = `ws+unix://${realpathSync(row!.socket)}`;
    const socket = join(world.dir, "proxy");
    const point = (to: string) => world.store().db.query(`update session_sockets set socket = ? where ${named}`).run(to, session);
    point(socket);
    this.restore = () => void point(row!.socket);
    this.server = Bun.serve<Wire>({
      unix: socket,
      fetch: (request, server) => (server.upgrade(request, { data: new Wire(upstream) }) ? undefined : new Response("no", { status: 400 })),
      websocket: {
        open: (client) => client.data.begin((text) => void client.send(text)),
        message: (client, text) => void client.data.pass(String(text), this),
        close: (client) => client.data.end(),
      },
    });
  }

  /** From now on they come to it directly again. */
  async stop(): Promise<void> {
    this.restore();
    await this.server.stop(true);
  }
}

class Wire {
  private readonly line: WebSocket;
  private readonly open: Promise<void>;
  private sent: Promise<void>;
  private held: string[] | null = null;
  private toUs: (text: string) => void = () => {};

  constructor(upstream: string) {
    this.line = new WebSocket(upstream);
    this.open = new Promise((resolve) => (this.line.onopen = () => resolve()));
    this.sent = this.open;
  }

  begin(toUs: (text: string) => void): void {
    this.toUs = toUs;
    this.line.onmessage = ({ data }) => (this.held === null ? toUs(String(data)) : void this.held.push(String(data)));
  }

  /** Hands on what we sent, in order. */
  pass(text: string, proxy: ServedProxy): void {
    const { method = null } = JSON.parse(text);
    this.sent = this.sent.then(async () => {
      const { meanwhile } = proxy;
      if (meanwhile?.of !== method) return this.line.send(text);
      proxy.meanwhile = null;
      this.held = [];
      await meanwhile!.act();
      this.line.send(text);
      for (const each of this.held) this.toUs(each);
      this.held = null;
    });
  }

  end(): void {
    this.line.close();
  }
}
