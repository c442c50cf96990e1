import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  await w.ok("tasks --create t1 --goal G");
});
afterEach(() => w.close());

const events = () => w.rows("select 1 from events where type = 'manager_config_recorded'").length;

test("without settings a configuration is made once and then only read", async () => {
  const made = await w.ok("manager-config t1");
  expect(made).toMatchObject({
    supervision_mode: "guided",
    revision: 1,
    require_acks: false,
    objective: null,
    nudge_on_completion: "ask-operator",
  });
  expect(await w.ok("manager-config t1")).toEqual(made);
  expect(await w.ok("manager-config t1 --mode guided")).toEqual(made);
  expect(events()).toBe(1);
});

test("an unknown permission is refused with its likely spelling and grants nothing", async () => {
  const { exit, stderr } = await w.run("manager-config t1 --permit repo.open_prs");
  expect(exit).toBe(2);
  expect(stderr).toContain("Did you mean repo.open_pr?");
  for (const name of ["open_pr", "repo", "fly"]) expect((await w.run(["manager-config", "t1", "--permit", name])).exit).toBe(2);
  expect(events()).toBe(0);
});

test("settings can be taken back", async () => {
  await w.ok("manager-config t1 --require-acks --guideline g --objective o --tool x --allow-worker-compact-clear");
  const { config } = {
    config: await w.ok("manager-config t1 --no-require-acks --clear guidelines --clear objective --clear permissions --tool y"),
  };
  expect(config).toMatchObject({
    require_acks: false,
    guidelines: [],
    objective: null,
    tools: ["y"],
    revision: 2,
    permissions: { worker_session: [] },
  });
  expect((await w.run("manager-config t1 --require-acks --no-require-acks")).exit).toBe(2);
});

test("the ten questions carry what is stored", async () => {
  await w.ok(["manager-config", "t1", "--tool", "gh", "--epilogue", "draft-pr", "--require-acks"]);
  const { questions, fallback_collection } = await w.ok("manager-config t1 --questions");
  expect(fallback_collection).toBe("conveyor manager-config t1 --interactive");
  expect(questions.map((question: { id: string }) => question.id)).toEqual([
    "supervision_mode",
    "objective",
    "guidelines",
    "acceptance_criteria",
    "reference_paths",
    "permissions",
    "tools",
    "epilogues",
    "nudge_on_completion",
    "require_acks",
  ]);
  expect(
    questions.filter((question: { help?: string }) => question.help === undefined).map((question: { id: string }) => question.id),
  ).toEqual(["permissions", "epilogues", "nudge_on_completion"]);
  expect(questions[6].default).toEqual(["gh"]);
  expect(questions[7]).toMatchObject({
    kind: "choice_list",
    choices: ["draft-pr", "record-handoff", "run-tools", "subagent-review"],
    default: ["draft-pr"],
  });
  expect(questions[8].choices).toEqual(["ask-operator", "auto-proceed", "auto-review", "off"]);
  expect(questions[9]).toMatchObject({ kind: "boolean", default: true });
});

const interview = (...lines: string[]) => ({ stdin: `${lines.join("\n")}\n` });

test("twelve lines answer the interview; prompts go to stderr", async () => {
  const done = await w.run(
    "manager-config t1 --interactive",
    interview("strict", "Ship it", "a, b", "tests pass", "", "yes", "", "TRUE", "bun, gh,bun", "run-tools,draft-pr", "auto-review", "y"),
  );
  expect(done.exit).toBe(0);
  expect(done.stderr).toContain("[guided]");
  expect(done.json()).toMatchObject({
    supervision_mode: "strict",
    objective: "Ship it",
    guidelines: ["a", "b"],
    acceptance_criteria: ["tests pass"],
    reference_paths: [],
    tools: ["bun", "gh"],
    epilogues: ["run-tools", "draft-pr"],
    nudge_on_completion: "auto-review",
    require_acks: true,
    permissions: { repo: ["open_pr"], worker_session: ["clear", "compact"] },
  });
  const again = await w.ok(
    "manager-config t1 --interactive --permit context.fetch_prs",
    interview("", "", "", "", "", "no", "1", "nope", "", "", "", "0"),
  );
  expect(again).toMatchObject({
    supervision_mode: "strict",
    guidelines: ["a", "b"],
    require_acks: false,
    revision: 2,
    permissions: { context: ["fetch_prs"], repo: ["merge_green_pr"], worker_session: [] },
  });
});

test("wrong words, too few answers and no answers store nothing and say what to do", async () => {
  const blank = (i: number, text: string) => interview(...Array.from({ length: 12 }, (_, at) => (at === i ? text : "")));
  for (const wrong of [blank(0, "hard"), blank(9, "run-tools, dance"), blank(10, "auto")])
    expect((await w.run("manager-config t1 --interactive", wrong)).exit).toBe(1);
  expect((await w.run("manager-config t1 --interactive", interview("strict", "o"))).stderr).toContain("after 2 of 12 answers");
  const none = await w.run("manager-config t1 --interactive");
  expect(none.exit).toBe(1);
  expect(none.stderr).toContain("--help");
  expect(await w.run("manager-config t1 --interactive", { tty: true })).toMatchObject({ exit: 1, stdout: "" });
  expect(events()).toBe(0);
});
