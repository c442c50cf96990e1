/** The drills about limits, missing evidence and templates. */
import { prettyJson } from "../../core/json.ts";
import { quoteCommand } from "../../core/shell.ts";
import { type Asset, readAsset } from "../../system/files/assets.ts";
import { runProgram } from "../../system/processes/run.ts";
import { withScratch } from "../../system/files/scratch.ts";
import { writeWhole } from "../../system/files/whole-file.ts";
import { type Drill, templateFacts } from "./drill.ts";

type Facts = Record<string, unknown>;

const missing = (...types: string[]) => ({
  reason: types.length === 1 ? `missing_${types[0]}_evidence` : "missing_required_evidence",
  missing: types,
});

/** The limit, missing evidence, and a preset with four gates. */
export async function guardrails(drill: Drill): Promise<Facts> {
  const seed = "qa-run-seed";
  const limit = await drill.bind("max-iteration", { max: 1, seed });
  await drill.ask(limit, "max_iteration_blocks_before_worker_delivery", "qa-run-max-block", {
    reason: "max_iterations_reached",
    missing: [],
  });

  const gated = await drill.bind("missing-evidence", { max: 3, gates: ["ci_green", "adversarial_check"], seed });
  await drill.ask(
    gated,
    "missing_evidence_blocks_before_worker_delivery",
    "qa-run-missing-evidence",
    missing("ci_green", "adversarial_check"),
  );
  await drill.evidence(gated, "ci_green", "--status", "green");
  await drill.disprove(gated, "qa-run-evidence-adversarial");
  await drill.ask(gated, "fresh_retry_delivers_after_structured_evidence", "qa-run-evidence-allowed", "delivered");

  const preset = await drill.bind("preset", { max: 3, template: "pr_ci_merge_loop", seed });
  await drill.ask(
    preset,
    "preset_requires_pr_ci_merge_and_adversarial_evidence",
    "qa-run-preset-missing",
    missing("pr_url", "ci_green", "merge", "adversarial_check"),
  );
  for (const type of ["pr_url", "ci_green", "merge"]) await drill.evidence(preset, type);
  await drill.disprove(preset, "qa-run-preset-adversarial");
  await drill.ask(preset, "preset_retry_delivers_after_all_required_evidence", "qa-run-preset-allowed", "delivered");
  return { adversarial_review_gate: await reviewGate(drill) };
}

const GUARD = "exit 78 when it is called from inside a review (CODEX_REVIEW_HELPER_LEVEL is 1)";

/** The skill that comes with this program; null in a build that was made without it. */
function packagedReview(): Asset | null {
  try {
    return readAsset("skills/codex-review");
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return null;
    throw error;
  }
}

/** Whether the packaged review script is sound: its syntax, and its guard against reviewing itself. A gate without the script says so. */
async function reviewGate(drill: Drill): Promise<Facts> {
  const asset = packagedReview();
  const script = asset?.files.find(({ path }) => path === "scripts/codex-review");
  if (!asset || !script) return { codex_review_helper: null, recursion_guard_expected: GUARD, syntax_check: null, recursion_check: null };
  return withScratch("conveyor-qa-", async (folder) => {
    const path = `${folder}/codex-review`;
    writeWhole(path, script.bytes);
    const run = async (argv: string[], expected: number, env = {}) => {
      const { code } = await runProgram(argv, { env: { ...drill.cx.env, ...env }, cwd: folder, timeoutMs: 10_000 });
      const command = quoteCommand(argv);
      drill.expect(code === expected, "adversarial_review_gate", `${command} ended with ${code}, not ${expected}`);
      return { command, returncode: expected };
    };
    return {
      codex_review_helper: `${asset.source}/${script.path}`,
      recursion_guard_expected: GUARD,
      syntax_check: await run(["sh", "-n", path], 0),
      recursion_check: await run(["sh", path, "--dry-run"], 78, { CODEX_REVIEW_HELPER_LEVEL: "1", CODEX_REVIEW_ALLOW_NESTED: undefined }),
    };
  });
}

/** Coverage without, with a bare and with a structured attempt to disprove. */
export async function testCoverage(drill: Drill): Promise<Facts> {
  const suffix = "test-coverage-loop";
  const setting = await drill.bind(suffix, { template: "test_coverage_loop", max: 3, seed: "qa-run-test-coverage-seed" });
  await drill.ask(
    setting,
    "test_coverage_template_blocks_before_coverage_evidence",
    `qa-run-${suffix}-missing`,
    missing("test_coverage", "adversarial_check"),
  );
  const summary = { command: "bun test --coverage", coverage_percent: 87.5, status: "pass" };
  const path = drill.writeArtifact(setting, "coverage_report", "coverage-summary.json", `${prettyJson(summary)}\n`);
  await drill.evidence(
    setting,
    "test_coverage",
    "--artifact-path",
    path,
    "--metadata-json",
    JSON.stringify({ coverage_percent: summary.coverage_percent }),
  );
  await drill.bareClaim(setting);
  await drill.ask(
    setting,
    "test_coverage_unstructured_adversarial_check_still_blocks",
    `qa-run-${suffix}-unstructured-adversarial`,
    missing("adversarial_check"),
  );
  await drill.disprove(setting, `qa-run-${suffix}-structured-adversarial`);
  await drill.ask(setting, "structured_test_coverage_retry_delivers", `qa-run-${suffix}-structured-allowed`, "delivered");
  return templateFacts(setting);
}

/** A build, then the clean-up after it. */
export async function buildClear(drill: Drill): Promise<Facts> {
  const setting = await drill.bind("build-clear-loop", { template: "build_then_clear", max: 2, seed: "qa-run-build-clear-seed" });
  await drill.ask(
    setting,
    "build_clear_blocks_before_build_or_cleanup_evidence",
    "qa-run-build-clear-missing",
    missing("build_passed", "cleanup"),
  );
  const build = drill.writeArtifact(
    setting,
    "build_receipt",
    "build-passed.json",
    `${prettyJson({ command: "bun run build", result: "pass", status: "build_passed" })}\n`,
  );
  await drill.evidence(setting, "build_passed", "--artifact-path", build);
  await drill.ask(setting, "build_clear_still_blocks_before_cleanup_evidence", "qa-run-build-clear-build-only", missing("cleanup"));
  const cleanup = drill.writeArtifact(
    setting,
    "cleanup_receipt",
    "cleanup.json",
    `${prettyJson({ cleanup_policy: "clear", result: "pass", status: "cleanup" })}\n`,
  );
  await drill.evidence(setting, "cleanup", "--artifact-path", cleanup);
  await drill.ask(setting, "build_clear_retry_delivers_after_build_and_cleanup_evidence", "qa-run-build-clear-allowed", "delivered");
  return templateFacts(setting);
}
