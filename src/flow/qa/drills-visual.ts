/** The drill of the visual template, with a made picture or one that an installed browser takes. */
import type { Context } from "../../context.ts";
import type { JsonObject } from "../../core/json.ts";
import { screenshot, type Shot } from "../../system/processes/headless-browser.ts";
import { PngWriter } from "../../system/files/png-file.ts";
import { withScratch } from "../../system/files/scratch.ts";
import { stageFile, writeWhole } from "../../system/files/whole-file.ts";
import { type Drill, type Setting, templateFacts } from "./drill.ts";

const SIZE = { width: 2, height: 2 };
const PIXELS = [
  [18, 24, 38],
  [44, 92, 152],
  [218, 226, 236],
  [246, 248, 251],
] as const;

const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>Four pixels</title>
<style>body { margin: 0 } i { position: absolute; width: 1px; height: 1px }</style>
${PIXELS.map(([r, g, b], at) => `<i style="left: ${at % 2}px; top: ${at >> 1}px; background: rgb(${r}, ${g}, ${b})"></i>`).join("\n")}
`;

/** Shows that a browser can be used. @throws Failure saying what is missing; nothing of a drill is written before */
export const tryBrowser = (cx: Context): Promise<Shot> =>
  withScratch("conveyor-qa-", async (folder) => {
    const page = `${folder}/page.html`;
    writeWhole(page, PAGE);
    return screenshot(cx.env, page, SIZE);
  });

async function writePixels(path: string): Promise<void> {
  const file = stageFile(path);
  try {
    const writer = new PngWriter(file, SIZE.width, SIZE.height);
    for (let y = 0; y < SIZE.height; y++)
      await writer.row(Uint8Array.from(PIXELS.slice(y * 2, y * 2 + 2).flatMap((pixel) => [...pixel, 255])));
    await writer.end();
    file.place();
  } finally {
    file.discard();
  }
}

/** The candidate as a browser shows it. */
async function browserCandidate(drill: Drill, setting: Setting): Promise<{ candidate: string; facts: Record<string, unknown> }> {
  const html = drill.writeArtifact(setting, "candidate_html", "candidate.html", PAGE);
  const shot = await screenshot(drill.cx.env, html, SIZE);
  const candidate = drill.writeArtifact(setting, "candidate_screenshot", "candidate-browser.png", shot.png);
  const browser = { backend: shot.backend, html_path: html, screenshot_path: candidate, viewport: `${SIZE.width}x${SIZE.height}` };
  return { candidate, facts: { browser, browser_capture: browser } };
}

async function madeCandidate(drill: Drill, setting: Setting): Promise<{ candidate: string; facts: Record<string, unknown> }> {
  const candidate = drill.artifactPath(setting, "candidate_screenshot", "candidate.png");
  await writePixels(candidate);
  return { candidate, facts: {} };
}

const ALL = ["reference_artifact", "candidate_screenshot", "visual_diff_report", "diff_below_threshold", "adversarial_check"];

/** No evidence, then a bare attempt to disprove, then a structured one. */
export async function visualTemplate(drill: Drill, browser: boolean): Promise<Record<string, unknown>> {
  const suffix = browser ? "generic-loop-template-browser" : "generic-loop-template";
  const prefix = browser ? "browser_" : "";
  const seed = browser ? "qa-run-generic-template-browser-seed" : "qa-run-generic-template-seed";
  const setting = await drill.bind(suffix, { template: "visual_diff_loop", max: 4, seed });
  await drill.ask(setting, `${prefix}visual_template_blocks_before_visual_evidence`, `qa-run-${suffix}-missing`, {
    reason: "missing_required_evidence",
    missing: ALL,
  });

  const reference = drill.artifactPath(setting, "reference_artifact", "reference.png");
  await writePixels(reference);
  const { candidate, facts } = browser ? await browserCandidate(drill, setting) : await madeCandidate(drill, setting);
  await drill.evidence(setting, "reference_artifact", "--artifact-path", reference, "--correlation-id", "qa-run-template-reference");
  await drill.evidence(setting, "candidate_screenshot", "--artifact-path", candidate, "--correlation-id", "qa-run-template-candidate");
  const { diff } = await drill.must(
    ...[
      "loop-evidence",
      "visual-diff",
      setting.task,
      "--loop-run",
      setting.runId,
      "--iteration",
      "1",
      "--reference",
      reference,
      "--candidate",
      candidate,
      "--threshold",
      "0",
    ],
    ...[
      "--diff-output",
      drill.artifactPath(setting, "diff", "diff.png"),
      "--report-output",
      drill.artifactPath(setting, "visual_diff_report", "visual-diff-report.json"),
    ],
    ...["--correlation-id", "qa-run-template-visual-diff"],
  );
  drill.expect(
    (diff as JsonObject).below_threshold === true,
    "visual_diff",
    `the candidate differs from the reference: ${JSON.stringify(diff)}`,
  );
  await drill.bareClaim(setting);
  await drill.ask(setting, `${prefix}unstructured_adversarial_check_still_blocks`, `qa-run-${suffix}-unstructured-adversarial`, {
    reason: "missing_adversarial_check_evidence",
    missing: ["adversarial_check"],
  });
  await drill.disprove(setting, `qa-run-${suffix}-structured-adversarial`);
  await drill.ask(setting, `${prefix}structured_visual_evidence_retry_delivers`, `qa-run-${suffix}-structured-allowed`, "delivered");
  return { ...templateFacts(setting), visual_diff: diff, ...facts };
}
