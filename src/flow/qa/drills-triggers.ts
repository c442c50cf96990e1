/** The drill of the controlled phrases: what each makes, blocks and lets through. */
import type { JsonObject } from "../../core/json.ts";
import { LOOP_TRIGGERS } from "../../core/loops/triggers.ts";
import type { Drill, Setting } from "./drill.ts";

const PROSE = "Please try to disprove it at some point.";
const phrase = (name: string): string => LOOP_TRIGGERS.find((trigger) => trigger.name === name)!.canonical_phrase;

async function classify(drill: Drill): Promise<Record<string, unknown>> {
  const name = "trigger_classification_matches_controlled_phrases";
  const ask = (prompt: string) => drill.must("loop-triggers", "--classify", prompt, "--json");
  const classifications: JsonObject[] = [];
  for (const trigger of LOOP_TRIGGERS) {
    const answer = await ask(trigger.canonical_phrase);
    const matched = (answer.matched_trigger as JsonObject | null)?.name;
    drill.expect(
      matched === trigger.name,
      name,
      `${JSON.stringify(trigger.canonical_phrase)} matched ${JSON.stringify(matched)}, not ${trigger.name}`,
    );
    classifications.push(answer);
  }
  const negative = await ask(PROSE);
  drill.expect(negative.matched === false, name, `${JSON.stringify(PROSE)} matched`);
  drill.passed({
    name,
    controlled_triggers: LOOP_TRIGGERS.map(({ name: own, canonical_phrase, intent }, at) => ({
      name: own,
      canonical_phrase,
      intent,
      matched: classifications[at]!.matched,
      matched_name: (classifications[at]!.matched_trigger as JsonObject).name,
    })),
    negative_control: { matched: negative.matched, prompt: negative.prompt },
  });
  return { trigger_classifications: classifications, negative_control: negative };
}

/** The phrase makes a policy; its gate blocks, and opens for a fresh request once there is proof. */
async function gates(drill: Drill): Promise<void> {
  const setting = await drill.bind("adversarial-triggers-loop", { gates: ["adversarial_check"], max: 3 });
  const { current_iteration, max_iterations, required_before_continue } = setting.metadata;
  drill.passed({
    name: "loop_gate_trigger_creates_policy",
    correlation_id: "nl-loop-gate-policy",
    trigger: phrase("loop-gate-trigger"),
    run: { id: setting.runId, current_iteration, max_iterations, required_before_continue },
  });
  await drill.ask(setting, "iteration_gate_blocks_before_adversarial_proof", "nl-iteration-gate-missing-proof", {
    reason: "missing_adversarial_check_evidence",
    missing: ["adversarial_check"],
  });
  await drill.disprove(setting, "nl-iteration-gate-adversarial-proof");
  await drill.ask(
    setting,
    "iteration_gate_allows_fresh_retry_after_structured_proof",
    "nl-iteration-gate-allowed",
    "delivered",
    async (item) => ({ worker_inbox: await consume(drill, setting, item) }),
  );
}

async function consume(drill: Drill, setting: Setting, item: JsonObject): Promise<unknown> {
  const { consumed } = (await drill.must("worker-inbox", setting.task, "--consume-next", "--json")) as { consumed: JsonObject | null };
  drill.expect(
    consumed?.id === item.notification_id,
    "iteration_gate_allows_fresh_retry_after_structured_proof",
    `the worker took ${JSON.stringify(consumed?.id)}, not ${String(item.notification_id)}`,
  );
  return consumed;
}

async function finishGate(drill: Drill): Promise<void> {
  const name = "finish_gate_requires_structured_adversarial_proof";
  const task = await drill.task("adversarial-triggers-finish");
  const finish = () => drill.conveyor("finish-task", task, "--require-adversarial-proof", "--reason", "QA drill");
  const premature = await finish();
  drill.expect(premature.returncode === 1, name, `finishing without proof ended with ${premature.returncode}: ${premature.stderr.trim()}`);
  const evidence = {
    evidence_type: "adversarial_check",
    correlation_id: "nl-finish-gate-proof",
    status: "pass",
    failure_mode: "the task is closed unproven",
    check: "tried to finish it before",
    result: "the gate refused",
  };
  await drill.must(
    "criteria",
    task,
    "--add",
    "--criterion",
    "Somebody tried to disprove it",
    "--source",
    "manager_inferred",
    "--status",
    "satisfied",
    "--evidence-json",
    JSON.stringify(evidence),
  );
  const after = await finish();
  drill.expect(after.returncode === 0, name, `finishing with proof ended with ${after.returncode}: ${after.stderr.trim()}`);
  drill.passed({ name, trigger: phrase("finish-gate-trigger"), premature_finish: premature, after_proof: after, evidence });
}

async function workerProof(drill: Drill): Promise<void> {
  const name = "worker_directed_trigger_records_worker_proposed_proof";
  const setting = await drill.bind("adversarial-triggers-worker", { gates: ["adversarial_check"], max: 2 });
  const { criterion, evidence } = (await drill.disprove(setting, "nl-worker-directed-proof", "--source", "worker_proposed")) as {
    criterion: JsonObject;
    evidence: JsonObject;
  };
  drill.expect(criterion.source === "worker_proposed", name, `the proof's source is ${String(criterion.source)}`);
  drill.passed({ name, trigger: phrase("worker-directed-trigger"), evidence: { ...evidence, source: criterion.source } });
}

const NEGATIVE_CRITERIA = [
  "A test fails when the fix is taken back",
  "Input that was wrong before is refused, and a test shows it",
  "Nothing that worked before stops working: the whole suite passes",
];

async function managerCriteria(drill: Drill): Promise<void> {
  const name = "acceptance_criteria_trigger_records_negative_manager_criteria";
  const { task } = await drill.bind("adversarial-triggers-criteria", { gates: ["adversarial_check"], max: 2 });
  for (const criterion of NEGATIVE_CRITERIA)
    await drill.must("criteria", task, "--add", "--criterion", criterion, "--source", "manager_inferred", "--status", "accepted");
  const { criteria } = (await drill.must("criteria", task, "--list", "--status", "accepted")) as { criteria: JsonObject[] };
  const own = criteria.filter(({ source }) => source === "manager_inferred");
  drill.expect(own.length === NEGATIVE_CRITERIA.length, name, `${own.length} accepted criteria of the manager are on record`);
  drill.passed({
    name,
    trigger: phrase("acceptance-criteria-trigger"),
    criteria: own.map(({ id, criterion, source, status }) => ({ id, criterion, source, status })),
    manager_inferred_criteria_count: own.length,
  });
}

export async function adversarialTriggers(drill: Drill): Promise<Record<string, unknown>> {
  const facts = await classify(drill);
  await gates(drill);
  await finishGate(drill);
  await workerProof(drill);
  await managerCriteria(drill);
  return facts;
}
