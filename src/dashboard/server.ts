/** The server of the page: loopback only, everything embedded, every door behind the gate. */
import type { Server } from "bun";
import type { Context } from "../context.ts";
import { Failure } from "../core/failure.ts";
import { authority, pageUrl } from "../core/loopback.ts";
import { attended } from "../flow/attention/attend.ts";
import { NoticeWatch } from "../flow/attention/notice-watch.ts";
import { watchCommits } from "../flow/commits.ts";
import { requirePlace } from "../store/place.ts";
import { findTask } from "../store/tasks/tasks.ts";
import { listenerOf } from "../system/processes/listener.ts";
import { answer } from "./api.ts";
import { Actions } from "./actions/actions.ts";
import { Gate, safeHeaders } from "./gate.ts";
import { Live } from "./live.ts";
import { Machine } from "./machine.ts";
import { Reading } from "./reading.ts";
import { MAX_TERMINALS, type TerminalData, Terminals, type TerminalSocket } from "./terminals.ts";
import { TokenLines } from "./tokens.ts";
import { Views } from "./views.ts";

interface DashboardOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly task: string | undefined;
  /** Database file as given. */
  readonly path: string | undefined;
  /** Told of what goes wrong while nobody is asking. */
  problem(message: string): void;
  /** Told once, when the records are no longer at their path and there is nothing left to show. */
  lost(failure: Failure): void;
}

export interface Dashboard {
  /** The address with its key. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const BODY_LIMIT = 256 * 1024;

/**
 * Starts to serve.
 * @param cx for actions; @param reader a context of its own for looking, so that its own connection notices what actions commit
 * @throws Failure when the port is taken, naming by whom, or the task is unknown
 */
export async function serveDashboard(cx: Context, reader: Context, options: DashboardOptions): Promise<Dashboard> {
  const store = reader.store(options.path);
  if (options.task !== undefined && !findTask(store, options.task))
    throw new Failure(`unknown task ${JSON.stringify(options.task)}`, { hint: `${cx.program} tasks` });
  let live: Live;
  const machine = new Machine(
    reader,
    store,
    () => attended(store),
    () => live.refresh(),
    options.problem,
  );
  const views = new Views(reader, store, machine.look, new TokenLines(store));
  const reading = new Reading(cx, cx.store(options.path), options.problem);
  live = new Live(views.build, (any) => {
    machine.watch(any);
    reading.watch(any);
  });
  let notices: NoticeWatch | null = null;
  const commits = watchCommits(store, () => {
    notices?.ring();
    try {
      requirePlace(store);
      live.refresh();
    } catch (error) {
      if (!(error instanceof Failure)) return options.problem((error as Error).message);
      commits.close();
      options.lost(error);
    }
  });
  const terminals = new Terminals(cx, cx.store(options.path));
  const actions = new Actions(cx, options.path);
  let gate: Gate;

  const fetch = async (request: Request, server: Server<TerminalData>): Promise<Response | undefined> => {
    const refusal = gate.refuse(request);
    if (refusal) return plain(refusal.status, refusal.why);
    const url = new URL(request.url);
    if (gate.inside(url.pathname) === "/api/terminal" && request.headers.get("upgrade")?.toLowerCase() === "websocket") {
      const no = !gate.knows(request) ? { status: 401, why: "no key" } : gate.refuseSocket(request);
      if (no) return plain(no.status, no.why);
      if (terminals.count >= MAX_TERMINALS) return plain(429, "too many terminals are open");
      if (server.upgrade(request, { data: { session: url.searchParams.get("session") ?? "", state: null } })) return undefined;
      return plain(400, "no WebSocket");
    }
    return answer({ cx: reader, store, gate, live, actions, timeout: () => server.timeout(request, 0) }, request, url);
  };

  const server = await listen(cx, options, {
    fetch,
    websocket: {
      maxPayloadLength: BODY_LIMIT,
      backpressureLimit: 8 << 20,
      closeOnBackpressureLimit: true,
      idleTimeout: 120,
      open: (socket: TerminalSocket) => void terminals.join(socket).catch((error: Error) => options.problem(`terminal: ${error.message}`)),
      message: (socket: TerminalSocket, message: string | Buffer) => terminals.hear(socket, message),
      close: (socket: TerminalSocket) => terminals.leave(socket),
    },
    error: (error: Error) => {
      options.problem(`the page met an error: ${error.message}`);
      return plain(500, "internal error");
    },
  });
  const port = server.port!;
  gate = new Gate(port);
  notices = new NoticeWatch({ cx, store: cx.store(options.path) }, options.problem);
  return {
    url: pageUrl(options.host, port, { task: options.task, token: gate.token }),
    port,
    async close() {
      // The doors first: a page that comes back now would start again what is being ended.
      await server.stop(true);
      terminals.close();
      commits.close();
      live.close();
      reading.watch(false);
      await Promise.all([machine.close(), notices?.close()]);
    },
  };
}

const plain = (status: number, why: string): Response =>
  new Response(`${why}\n`, { status, headers: { ...safeHeaders("localhost"), "content-type": "text/plain; charset=utf-8" } });

async function listen(
  cx: Context,
  { host, port }: DashboardOptions,
  handlers: Omit<Bun.Serve.Options<TerminalData>, "hostname" | "port">,
): Promise<Server<TerminalData>> {
  try {
    return Bun.serve<TerminalData>({
      ...handlers,
      hostname: host,
      port,
      development: false,
      maxRequestBodySize: BODY_LIMIT,
      idleTimeout: 30,
      reusePort: false,
    } as Bun.Serve.Options<TerminalData>);
  } catch (error) {
    if ((error as { code?: string }).code !== "EADDRINUSE")
      throw new Failure(`cannot listen on ${authority(host, port)}: ${(error as Error).message}`);
    const owner = await listenerOf(port, cx.env);
    const by = owner ? ` by process ${owner.pid}${owner.command ? `: ${owner.command}` : ""}` : "";
    throw new Failure(`port ${port} is taken${by}`, { hint: `${cx.program} dashboard --port ${port === 65535 ? port - 1 : port + 1}` });
  }
}
