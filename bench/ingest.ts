/** How long `ingest` takes for a rollout of 20,000 records, and what a repeat costs: `bench/ingest.ts [PROGRAM …]`. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { programOf } from "./program.ts";

const EVENTS = 20_000;
const ROUNDS = 5;
const id = "11111111-1111-4111-8111-111111111111";

/** Records in the proportions of a working session: mostly tool calls and their output, some talk, token counts, turns. */
function record(n: number): string {
  const timestamp = new Date(Date.parse("2026-05-11T14:00:00.000Z") + n * 100).toISOString();
  const event = (payload: object) => JSON.stringify({ timestamp, ordinal: n, type: "event_msg", payload });
  const item = (payload: object) => JSON.stringify({ timestamp, ordinal: n, type: "response_item", payload });
  const used = {
    input_tokens: n * 100,
    cached_input_tokens: n * 50,
    output_tokens: n * 10,
    reasoning_output_tokens: n,
    total_tokens: n * 110,
  };
  switch (n % 10) {
    case 0:
      return event({ type: "task_started", turn_id: `turn-${n}`, started_at: n });
    case 1:
      return event({
        type: "item_completed",
        turn_id: `turn-${n}`,
        item: { type: "UserMessage", id: `u-${n}`, content: [{ type: "text", text: "Please go on with the next step." }] },
      });
    case 2:
    case 5:
      return item({
        type: "function_call",
        id: `fc_${n}`,
        name: "exec_command",
        arguments: JSON.stringify({ cmd: "grep -rn something src", yield_time_ms: 1000 }),
        call_id: `call_${n}`,
      });
    case 3:
    case 6:
      return item({
        type: "function_call_output",
        call_id: `call_${n}`,
        output: `Process exited with code 0\nOutput:\n${"src/file.ts:12: a line that was found\n".repeat(12)}`,
      });
    case 4:
    case 7:
      return event({
        type: "token_count",
        info: { total_token_usage: used, last_token_usage: used, model_context_window: 272000 },
        rate_limits: null,
      });
    case 8:
      return event({
        type: "item_completed",
        turn_id: `turn-${n}`,
        item: { type: "AgentMessage", id: `m-${n}`, content: [{ type: "Text", text: "Done with this step; the tests pass. ".repeat(4) }] },
      });
    default:
      return event({ type: "task_complete", turn_id: `turn-${n}`, last_agent_message: "Done.", duration_ms: 500 });
  }
}

const meta = JSON.stringify({
  timestamp: "2026-05-11T14:00:00.000Z",
  type: "session_meta",
  payload: { id, cwd: "/srv/project", originator: "codex_cli", cli_version: "0.169.0" },
});
const body = `${[meta, ...Array.from({ length: EVENTS - 1 }, (_, n) => record(n))].join("\n")}\n`;

const program = programOf(process.argv.slice(2));
const times = { first: [] as number[], nothing: [] as number[], one: [] as number[] };
for (let round = 0; round < ROUNDS; round += 1) {
  const dir = mkdtempSync(join(tmpdir(), "conveyor-bench-"));
  try {
    const folder = join(dir, "codex/sessions/2026/05/11");
    mkdirSync(folder, { recursive: true });
    const rollout = join(folder, `rollout-2026-05-11T14-00-00-${id}.jsonl`);
    writeFileSync(rollout, body);
    const env = { ...process.env, HOME: dir, CODEX_HOME: join(dir, "codex"), WORKERCTL_STATE_ROOT: join(dir, "state") };
    const timed = (...argv: string[]): number => {
      const begin = performance.now();
      const done = Bun.spawnSync([...program, ...argv], { env, cwd: dir });
      if (done.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${done.stderr.toString()}`);
      return performance.now() - begin;
    };
    timed("register-worker", "--name", "w1", "--pid", String(process.pid), "--codex-session", rollout, "--cwd", dir);
    times.first.push(timed("ingest", "w1"));
    times.nothing.push(timed("ingest", "w1"));
    appendFileSync(rollout, `${record(9)}\n`);
    times.one.push(timed("ingest", "w1"));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
const median = (list: number[]): string => `${list.sort((a, b) => a - b)[list.length >> 1]!.toFixed(0)} ms`;
console.log(
  `${program.join(" ")}: ${EVENTS} records (${(body.length / 1e6).toFixed(1)} MB) ${median(times.first)}, nothing new ${median(times.nothing)}, one more ${median(times.one)}`,
);
