/** The demonstration with Claude Code on either side, whole and with the real programs, whatever the environment would make of them. */
import { afterAll, expect, test } from "bun:test";
import { describeClaude, program } from "../claude-world.ts";
import { World } from "../harness.ts";
import { LONG } from "../long.ts";

const world = new World();
world.realTime = true;
afterAll(() => world.close());

/** What would make another of either agent: another model, the inside of a session. */
const steered = {
  ANTHROPIC_API_KEY: "sk-ant-api03-of-somebody-else-0123456789",
  ANTHROPIC_BASE_URL: "http://127.0.0.1:9",
  CLAUDE_CODE_USE_BEDROCK: "1",
  CLAUDE_CODE_SESSION_ID: "11111111-1111-4111-8111-111111111111",
  CLAUDE_PID: "1",
  CODEX_THREAD_ID: "22222222-2222-4222-8222-222222222222",
  CONVEYOR_AGENT: "nobody",
};

const pairs = [
  {
    worker: "claude",
    manager: "codex",
    world: "a private Claude Code home and Codex home, state root, tmux server and git project",
    pair: "pair: a Claude Code worker with a transcript and a Codex manager with a rollout",
    proofs: { worker: "transcript", manager: "rollout" },
    launch: { worker: "tmux", manager: "protocol" },
  },
  {
    worker: "codex",
    manager: "claude",
    world: "a private Codex home and Claude Code home, state root, tmux server and git project",
    pair: "pair: a Codex worker with a rollout and a Claude Code manager with a transcript",
    proofs: { worker: "rollout", manager: "transcript" },
    launch: { worker: "protocol", manager: "tmux" },
  },
  {
    worker: "claude",
    manager: "claude",
    world: "a private Claude Code home, state root, tmux server and git project",
    pair: "pair: two Claude Code sessions, each with a transcript of its own",
    proofs: { worker: "transcript", manager: "transcript" },
    launch: { worker: "tmux", manager: "tmux" },
  },
];

describeClaude("the demonstration with Claude Code", () => {
  // Two of the same show nothing that the mixed ones do not, but that they are two.
  test.each(pairs.filter(({ worker, manager }) => LONG !== null || worker !== manager))(
    "a $worker worker and a $manager manager come to the end, proven both ways, and nothing is left",
    async ({ worker, manager, world: begun, pair, proofs, launch }) => {
      const env = { ...steered, PATH: `${program}:${world.env.PATH}` };
      const result = await world.ok(`demo --json --worker-agent ${worker} --manager-agent ${manager}`, { env });
      const version = (agent: string) => expect.stringMatching(agent === "codex" ? /^codex-cli / : / \(Claude Code\)$/);
      expect(result).toMatchObject({
        ok: true,
        failed: null,
        folder: null,
        launch,
        agents: { worker: { agent: worker, version: version(worker) }, manager: { agent: manager, version: version(manager) } },
        codex: [worker, manager].includes("codex") ? version("codex") : null,
      });
      expect(result.steps.map((step: { name: string }) => step.name)).toEqual([
        begun,
        pair,
        "the manager looks and accepts a criterion",
        `the worker's first turn ends; Dispatch tells the manager, proven in its ${proofs.manager}`,
        "the gate holds: finishing is refused while a criterion is open",
        `the manager's words reach the worker, proven in its ${proofs.worker}`,
        `the worker's second turn ends; Dispatch tells the manager, proven in its ${proofs.manager}`,
        "the criterion is satisfied with evidence",
        "the task is done",
        "the manager's last turn ends",
        "the work stands: the file is changed and its check passes",
        "nothing runs afterwards",
      ]);
    },
    180_000,
  );
});
