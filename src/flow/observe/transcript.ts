/** Captures the terminal of one role of a task and keeps what is new on it: the source is checked to be the one on record first. */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { agentOf, agents } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import { DEFAULT_AGENT, type Role } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import { lineCount, sizeInstead } from "../../core/text-size.ts";
import { segmentByMode, type TranscriptMode } from "../../core/observe/transcript-delta.ts";
import { tx } from "../../store/store.ts";
import { type LegacySource, transcriptSource, type TranscriptSource } from "../../store/observe/transcript-sources.ts";
import { addSegment, addTerminalCapture, previousCapture, type SegmentSummary } from "../../store/observe/transcripts.ts";
import { listPanes, type Pane } from "../../system/terminal/panes.ts";
import { type PaneView, placeIn, viewPane } from "../reach/pane.ts";
import { compatSubject, sessionSubject } from "../reach/subject.ts";
import type { TaskScene } from "../scene.ts";

export interface TranscriptOptions {
  readonly mode: TranscriptMode;
  readonly lines: number;
  /** Who asked: `transcript_capture`, `finish_task_pre_stop` … */
  readonly source: string;
}

export interface TranscriptCapture {
  readonly role: Role;
  readonly task: { readonly id: string; readonly name: string; readonly state: string };
  /** null where registered sessions are bound. */
  readonly binding_id: string | null;
  readonly observation_id: number;
  readonly capture: {
    readonly id: number;
    readonly source: string;
    readonly history_lines: number;
    readonly line_count: number;
    readonly content_sha256: string;
    readonly classifier: Record<string, unknown>;
    readonly output: string;
  };
  readonly transcript_segment: SegmentSummary | null;
  readonly party: {
    readonly id: string;
    readonly name: string;
    readonly state: string;
    readonly tmux_session: string;
    readonly tmux_pane_id: string;
  };
}

/** @throws Failure naming every way in which the terminal is not the one on record, or that there is none */
export async function captureTranscript(scene: TaskScene, role: Role, options: TranscriptOptions): Promise<TranscriptCapture> {
  const { cx, store, task } = scene;
  const source = transcriptSource(store, task.id, role);
  if (!source)
    throw new Failure(`task ${JSON.stringify(task.name)} has no ${role}`, {
      hint: `${cx.program} bind --task ${quoteWord(task.name)} --worker NAME --manager NAME`,
    });
  const pane = await checkedPane(cx, source, role);
  const agent = source.kind === "session" ? agentOf(source.session) : agents[DEFAULT_AGENT];
  const view = await viewPane(cx, agent, pane, options.lines);
  return tx(store, () => record(scene, role, source, agent, view, options));
}

async function checkedPane(cx: Context, source: TranscriptSource, role: Role): Promise<Pane> {
  const place =
    source.kind === "session"
      ? sessionSubject(source.session)
      : { name: source.name, tmuxSession: source.tmux_session, paneId: source.tmux_pane_id };
  const panes = place.tmuxSession === null ? [] : await listPanes(cx.env);
  const placed = await placeIn(cx, panes, place);
  const kind = source.kind === "manager" ? "manager" : "tmux";
  const wrong = [
    ...(source.kind === "worker" ? configMismatches(cx, source) : []),
    ...(placed.pane ? [] : [placed.why === "moved" ? `${kind}_pane_mismatch` : `${kind}_session_missing`]),
  ];
  if (placed.pane && wrong.length === 0) return placed.pane;
  const reason = placed.pane ? "" : ` (${placed.reason})`;
  throw new Failure(`the terminal of ${role} ${JSON.stringify(place.name)} is not the one on record: ${wrong.join(", ")}${reason}`, {
    hint: `${cx.program} sessions --state all`,
  });
}

/** Where config.json and the row of a worker disagree. */
function configMismatches(cx: Context, source: LegacySource): string[] {
  const worker = compatSubject(cx.stateRoot, source.name);
  const token = worker?.identityToken ?? null;
  return [
    ...(token === null ? ["config_identity_token_missing"] : token === source.identity_token ? [] : ["identity_token_mismatch"]),
    ...(worker && worker.tmuxSession !== source.tmux_session ? ["tmux_session_mismatch"] : []),
    ...(worker?.paneId && source.tmux_pane_id && worker.paneId !== source.tmux_pane_id ? ["config_pane_mismatch"] : []),
  ];
}

/** An age at which nothing is fresh. */
const NEVER_FRESH = { statusAge: 1e9, busyWaitSeconds: 0 };

function record(
  { store, task }: TaskScene,
  role: Role,
  source: TranscriptSource,
  agent: Agent,
  { pane, text, page, screen }: PaneView,
  options: TranscriptOptions,
): TranscriptCapture {
  const startup = agent.screen.startup(text);
  const classifier = { busy_wait: agent.screen.waitOf(screen, text, NEVER_FRESH), page, startup: [startup.state, startup.reason] };
  const sha256 = new Bun.CryptoHasher("sha256").update(text).digest("hex");
  const previous = previousCapture(store, task.id, role);
  const party = source.kind === "session" ? source.session : source;
  const captured = addTerminalCapture(store, {
    taskId: task.id,
    role,
    workerId: source.kind === "worker" ? source.id : null,
    managerId: source.kind === "manager" ? source.id : null,
    tmuxSession: pane.session,
    paneId: pane.paneId,
    historyLines: options.lines,
    content: text,
    sha256,
    lineCount: lineCount(text),
    classifier,
    source: options.source,
  });
  const unchanged = previous?.content_sha256 === sha256 && options.mode !== "metadata";
  const segment = unchanged ? null : segmentByMode(options.mode, previous?.content ?? null, text);
  const of = {
    taskId: task.id,
    role,
    mode: options.mode,
    captureId: captured.id,
    previousId: previous?.id ?? null,
    sha256,
    capturedAt: captured.capturedAt,
  };
  return {
    role,
    task: { id: task.id, name: task.name, state: task.state },
    binding_id: source.kind === "session" ? null : source.binding_id,
    observation_id: captured.observationId,
    capture: {
      id: captured.id,
      source: options.source,
      history_lines: options.lines,
      line_count: lineCount(text),
      content_sha256: sha256,
      classifier,
      output: text,
    },
    transcript_segment: segment && addSegment(store, of, segment),
    party: { id: party.id, name: party.name, state: party.state, tmux_session: pane.session, tmux_pane_id: pane.paneId },
  };
}

/** A capture as it is printed: the party under its role, and the screen only on demand. */
export function shownTranscript({ party, capture, ...rest }: TranscriptCapture, includeContent: boolean): Record<string, unknown> {
  const { output, ...facts } = capture;
  return { ...rest, [rest.role]: party, capture: { ...facts, ...(includeContent ? { output } : sizeInstead("output", output)) } };
}
