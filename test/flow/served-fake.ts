/** A server of a session that does what the real one cannot be made to do: die at this very moment, and tell what it was asked. */
import { join } from "node:path";
import { event, line, type Rollout, rollout, THREAD } from "../rollout.ts";
import type { World } from "../harness.ts";

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, any>;
  readonly result?: unknown;
}

/** Begun long before that of the session. */
const OLDER = "00000000-1111-4111-8111-111111111111";

export class FakeServer {
  /** The methods it was asked for, in order, and `answer` for an answer to what it asks. */
  readonly asked: string[] = [];
  connections = 0;
  /** Ends it when it is true of something that it was asked. */
  dies: (method: string) => boolean = () => false;
  /** It says nothing any more from the moment on that this is true of something it was asked. */
  hangs: (method: string) => boolean = () => false;
  private silent = false;
  /** As many connections as there were at once. */
  atOnce = 0;
  private open = 0;
  turn: "inProgress" | "completed" = "completed";
  /** Conversations that its person has begun since. */
  later: readonly string[] = [];
  /** What it asks is a question with these choices. */
  options: readonly string[] | null = null;
  /** What it was answered. */
  answer: unknown = null;
  /** What stands in the record of the step that it asked about, once it was answered so; null: nothing. */
  writes: (answer: any) => string | null = (answer) => {
    if (answer.answers !== undefined) return returned(JSON.stringify(answer));
    return returned(answer.decision === "accept" ? RAN : DECLINED);
  };
  private readonly server;

  constructor(
    readonly socket: string,
    /** Whether it asks something. */
    private asks: boolean,
    readonly pane: Bun.Subprocess,
    readonly record: Rollout,
  ) {
    this.server = Bun.serve({
      unix: socket,
      fetch: (request, server) => (server.upgrade(request, { data: undefined }) ? undefined : new Response("no", { status: 400 })),
      websocket: {
        open: () => {
          this.connections++;
          this.atOnce = Math.max(this.atOnce, ++this.open);
        },
        close: () => void this.open--,
        message: (client, text) => {
          const message = JSON.parse(String(text)) as Message;
          const method = message.method ?? "answer";
          this.silent ||= this.hangs(method);
          if (method !== "initialized") this.asked.push(method);
          if (this.silent) return;
          if (this.dies(method)) return client.terminate();
          if (message.id !== undefined && message.method !== undefined)
            client.send(JSON.stringify({ id: message.id, result: this.result(method, message.params ?? {}) }));
          if (method === "answer") {
            this.answer = message.result;
            this.asks = false;
            const params = { threadId: THREAD.worker, requestId: message.id };
            this.record.append(this.writes(message.result) ?? "");
            client.send(JSON.stringify({ method: "serverRequest/resolved", params }));
          }
          if (method === "thread/resume" && this.asks) client.send(JSON.stringify(this.approval()));
        },
      },
    });
  }

  private result(method: string, params: Record<string, any>): unknown {
    const status = this.asks ? { type: "active", activeFlags: ["waitingOnApproval"] } : { type: "idle" };
    if (method === "thread/loaded/list") return { data: [THREAD.worker, OLDER, ...this.later], nextCursor: null };
    if (method === "thread/turns/list") return { data: [{ id: "turn-1", status: this.turn }] };
    const id = params.threadId ?? THREAD.worker;
    return { thread: { id, path: "/nowhere", cwd: "/", ephemeral: false, threadSource: "user", status } };
  }

  private approval(): unknown {
    if (this.options !== null) {
      const question = { id: "q", question: "How many?", options: this.options.map((label) => ({ label, description: label })) };
      const params = { threadId: THREAD.worker, turnId: "turn-1", itemId: "item-1", questions: [question] };
      return { id: 0, method: "item/tool/requestUserInput", params };
    }
    const params = { threadId: THREAD.worker, turnId: "turn-1", itemId: "item-1", command: "touch it", cwd: "/", reason: null };
    return { id: 0, method: "item/commandExecution/requestApproval", params };
  }

  async stop(): Promise<void> {
    this.pane.kill("SIGKILL");
    await this.server.stop(true);
  }
}

export const RAN = "Chunk ID: a1b2c3\nWall time: 0.1 seconds\nProcess exited with code 0\nOutput:\n";
export const DECLINED = 'exec_command failed: CreateProcess { message: "Rejected(\\"rejected by user\\")" }';
export const CUT_OFF = "Wall time: 0.1 seconds\naborted by user";
/** What the call returned that it had asked about. */
export const returned = (output: string): string => line("response_item", { type: "function_call_output", call_id: "item-1", output });
export const turnOver = event({ type: "task_complete", turn_id: "turn-1" });

/** Registers `w1` as if it had been started with a server of its own. */
export async function servedByFake(world: World, { asks }: { asks: boolean }): Promise<FakeServer> {
  const record = await rollout(world);
  // What stands in its pane.
  const pane = Bun.spawn(["sleep", "600"]);
  const started = await world.ok(["register-worker", "--name", "w1", "--pid", String(pane.pid), "--codex-session", record.path]);
  const socket = join(world.dir, "served");
  world.store().db.query("insert into session_sockets (session_id, socket) values (?, ?)").run(started.session_id, socket);
  return new FakeServer(socket, asks, pane, record);
}
