/** Whether the session this runs in can be supervised or supervise: its tmux session, its programs, its skills. */
import { join } from "node:path";
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { allAgents, chosenAgent } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import { quoteCommand } from "../../core/shell.ts";
import { which } from "../../system/processes/environment.ts";
import { homeOfAgent } from "../../system/agent/agents.ts";
import { isExecutable, isFile } from "../../system/files/folders.ts";
import { sessionLine } from "../../system/agent/kinship.ts";
import { listProcesses } from "../../system/processes/processes.ts";
import { listPanes, type Pane } from "../../system/terminal/panes.ts";
import { hasSession } from "../../system/terminal/sessions.ts";
import type { Check, Report } from "./doctor.ts";
import { agentsAround, type Identity, identifySelf } from "../sessions/identify.ts";

/** The pane whose own process is an ancestor of this command. TMUX alone may be somebody else's: a daemon hands on that of its starter. */
async function ownPane(cx: Context): Promise<{ pane: Pane | null; denied: string | null }> {
  if (!cx.env.TMUX) return { pane: null, denied: null };
  try {
    const panes = await listPanes(cx.env);
    const line = await sessionLine(process.pid, (await listProcesses(cx.env)) ?? [], cx.env);
    return { pane: panes.find((pane) => line.includes(pane.pid)) ?? null, denied: null };
  } catch (error) {
    if (error instanceof Failure) return { pane: null, denied: error.message };
    throw error;
  }
}

async function live(cx: Context, session: string): Promise<{ ok: boolean; error?: string }> {
  try {
    return { ok: await hasSession(cx.env, session) };
  } catch (error) {
    if (error instanceof Failure) return { ok: false, error: error.message };
    throw error;
  }
}

/** What `register-… --self` would take, or why it would refuse; and whose session that is. */
async function wouldRegister(cx: Context): Promise<{ readonly agent: Agent | null; readonly self: Record<string, unknown> }> {
  try {
    const found: Identity = await identifySelf(cx);
    const self = {
      ok: true,
      codex_session_id: found.threadId,
      codex_session_path: found.rolloutPath,
      pid: found.pid,
      cwd: found.cwd,
      tmux_session: found.pane?.session ?? null,
      tmux_pane_id: found.pane?.paneId ?? null,
    };
    return { agent: found.agent, self };
  } catch (error) {
    if (error instanceof Failure) return { agent: null, self: { ok: false, reason: error.message } };
    throw error;
  }
}

const NEEDED = ["workerctl_on_path", "tmux_on_path", "inside_tmux", "current_tmux_session_live"];

/** @param given tmux session to ask about, instead of the one around this process */
export async function doctorSelf(cx: Context, given: string | undefined): Promise<Report> {
  const { pane, denied } = await ownPane(cx);
  const session = given ?? pane?.session ?? null;
  const found = await wouldRegister(cx);
  // Outside of any session it is asked before one is started.
  const agent = found.agent ?? agentsAround(cx, allAgents)[0] ?? chosenAgent(cx.env);
  const skills = join(homeOfAgent(agent, cx.env), "skills");
  const manage = join(skills, "manage-codex-workers", "SKILL.md");
  const review = join(skills, "codex-review", "SKILL.md");
  const helper = join(skills, "codex-review", "scripts", "codex-review");
  const program = which("conveyor", cx.env) ?? which("workerctl", cx.env);
  const liveness = session === null ? null : await live(cx, session);
  const access = denied ?? liveness?.error ?? null;
  const checks: Check[] = [
    { name: "workerctl_on_path", ok: program !== null, path: program },
    { name: "workerctl_script", ok: program !== null, path: program },
    { name: "tmux_on_path", ok: which("tmux", cx.env) !== null, path: which("tmux", cx.env) },
    { name: `${agent.key}_on_path`, ok: which(agent.program, cx.env) !== null, path: which(agent.program, cx.env) },
    { name: "inside_tmux", ok: session !== null, session },
    { name: "manage_skill_installed", ok: isFile(manage), path: manage },
    { name: "codex_review_skill_installed", ok: isFile(review), path: review },
    { name: "codex_review_helper_installed", ok: isExecutable(helper), path: helper },
    ...(access === null ? [] : [{ name: "tmux_access", ok: false, error: access }]),
    ...(liveness === null ? [] : [{ name: "current_tmux_session_live", ...liveness, session }]),
    ...(program === null ? [] : [{ name: "workerctl_executable", ok: isExecutable(program), path: program }]),
  ];
  const failed = checks.filter((check) => !check.ok).map((check) => check.name);
  const supported = checks.every((check) => check.ok || !NEEDED.includes(check.name));
  const register = quoteCommand([
    cx.program,
    "register-worker",
    "--name",
    "NAME",
    "--self",
    ...(session === null ? [] : ["--tmux-session", session]),
  ]);
  return {
    ok: supported,
    supported,
    agent: agent.key,
    checks,
    current_session: session,
    tmux_believed: cx.env.TMUX ? pane !== null : null,
    self: found.self,
    command_template: register,
    follow_up: [register, `${cx.program} bind --task TASK --worker WORKER --manager MANAGER`, `${cx.program} cycle TASK`],
    why_or_why_not: supported
      ? `this session can be registered and pushed to${failed.length ? `; not there: ${failed.join(", ")}` : ""}`
      : `failed: ${failed.join(", ")}; a manager may still register without tmux and poll its inbox`,
    codex_app_inbox_guidance: `without tmux, register with --self and poll: ${cx.program} manager-inbox TASK --consume-next --wait --timeout 60 --json`,
    command_context_note: "run these commands in the session that is to be registered, with the same state root as the other side",
    skill_path: manage,
    codex_review_skill_path: review,
    codex_review_helper_path: helper,
    workerctl_invocation: program,
  };
}
