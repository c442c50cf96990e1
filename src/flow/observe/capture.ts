/** Captures the terminal of a worker or session: the screen, what changed since the last one, the rows and the files. */
import { agentOf } from "../../core/agent/agents.ts";
import type { PageName, Screen } from "../../core/agent/screen.ts";
import { byteCount, lineCount } from "../../core/text-size.ts";
import { instant } from "../../core/time.ts";
import { addCapture, type CaptureMeta, latestCapture } from "../../store/observe/captures.ts";
import { tx } from "../../store/store.ts";
import { readCompatJson, stageCompatJson, stageTranscript } from "../../system/compat-worker.ts";
import type { Pane } from "../../system/terminal/panes.ts";
import { placing } from "../../system/files/whole-file.ts";
import { viewPane } from "../reach/pane.ts";
import type { SubjectScene } from "../scene.ts";

interface Captured {
  readonly text: string;
  readonly page: PageName;
  readonly screen: Screen;
  readonly meta: CaptureMeta;
  readonly byte_count: number;
  readonly line_count: number;
  readonly transcript_path: string;
}

/** The newest capture on record; one that only the files know counts when the database has none. */
export function lastCapture({ cx, store, subject }: SubjectScene): CaptureMeta | null {
  const stored = latestCapture(store, subject.name);
  if (stored) return stored;
  const meta = readCompatJson(cx.stateRoot, subject.name, "capture-meta.json");
  if (typeof meta?.sha256 !== "string" || typeof meta.captured_at !== "string" || instant(meta.captured_at) === null) return null;
  return {
    sha256: meta.sha256,
    captured_at: meta.captured_at,
    changed_at: typeof meta.changed_at === "string" && instant(meta.changed_at) !== null ? meta.changed_at : meta.captured_at,
    history_lines: typeof meta.history_lines === "number" ? meta.history_lines : 0,
  };
}

/** Reads the pane and records it. @throws Failure when the screen cannot be read or the records refuse it */
export async function capture(scene: SubjectScene, pane: Pane, lines: number): Promise<Captured> {
  const { cx, store, subject } = scene;
  const view = await viewPane(cx, agentOf(subject), pane, lines);
  const text = view.text.replace(/\n+$/, "");
  const counts = { byteCount: byteCount(text), lineCount: lineCount(text) };
  const sha256 = new Bun.CryptoHasher("sha256").update(text).digest("hex");
  const worker = {
    name: subject.name,
    tmuxSession: pane.session,
    paneId: pane.paneId,
    identityToken: subject.identityToken,
    cwd: subject.cwd,
  };
  const transcript = stageTranscript(cx.stateRoot, subject.name, text);
  const meta = placing([transcript], (placeTranscript) =>
    tx(store, () => {
      const stored = addCapture(store, worker, {
        content: text,
        sha256,
        historyLines: lines,
        previous: lastCapture(scene),
        ...counts,
      });
      placing([stageCompatJson(cx.stateRoot, subject.name, "capture-meta.json", stored)], (place) => place());
      placeTranscript();
      return stored;
    }),
  );
  const { page, screen } = view;
  return { text, page, screen, meta, byte_count: counts.byteCount, line_count: counts.lineCount, transcript_path: transcript.path };
}
