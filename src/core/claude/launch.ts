/** The words that Claude Code is started with. */
import type { Agent, LaunchChoice, ModelChoice, PermissionChoice, PlainChoice } from "../agent/agent.ts";
import { Failure } from "../failure.ts";
import { typeable } from "./typing.ts";

/** What `--permission-mode` takes (2.1.332). */
export const permissionModes: readonly string[] = ["manual", "acceptEdits", "plan", "dontAsk", "auto", "bypassPermissions"];

/** Codex's two words for what may be done without asking, sandbox and approval, as one mode. */
const pairs: Readonly<Record<string, string>> = {
  "danger-full-access never": "bypassPermissions",
  "workspace-write on-request": "manual",
  "read-only never": "plan",
  "read-only on-request": "plan",
};

/**
 * The permission mode that the choice means.
 * @throws Failure when its words mean none
 */
function permissionModeOf({ sandbox, approval, permissionMode }: PermissionChoice): string {
  const hint = `--permission-mode takes ${permissionModes.join(", ")}`;
  if (permissionMode !== null) {
    if (permissionModes.includes(permissionMode)) return permissionMode;
    throw new Failure(`Claude Code knows no permission mode ${JSON.stringify(permissionMode)}`, { hint });
  }
  const mode = pairs[`${sandbox} ${approval}`];
  if (mode !== undefined) return mode;
  throw new Failure(`Claude Code has no permission mode for --sandbox ${sandbox} with --ask-for-approval ${approval}`, {
    hint: `say it in its own word with --permission-mode MODE: ${permissionModes.join(", ")}`,
  });
}

/** Any mode but the one that asks nobody. */
export const confined: Agent["confined"] = ({ sandbox, approval, permissionMode }) =>
  (permissionMode ?? pairs[`${sandbox} ${approval}`]) !== "bypassPermissions";

/** @throws Failure also for a session of root's that is to ask nobody, which the program refuses outside a sandbox (2.1.332) */
export const checkPermissions: Agent["checkPermissions"] = (choice, { env, root }) => {
  if (permissionModeOf(choice) !== "bypassPermissions" || !root || env.IS_SANDBOX === "1") return;
  throw new Failure("Claude Code does not run as root without asking before it acts (bypassPermissions)", {
    hint: "start it as another user, with less: --permission-mode acceptEdits, or set IS_SANDBOX=1 where the machine itself is the sandbox",
  });
};

/**
 * A prompt stays one: behind `--` it is no flag and no value of the flag before it. A single word could be a command of the program's even
 * there, and has a blank in front. What the composer would take for more than a text it takes from here, too.
 */
function promptWords(prompt: string | null): string[] {
  if (prompt === null) return [];
  const typed = typeable(prompt);
  return ["--", /^\S+\s*$/.test(typed) ? ` ${typed}` : typed];
}

const modelWords = ({ model, effort }: Partial<ModelChoice>): string[] => [
  ...(model == null ? [] : [`--model=${model}`]),
  ...(effort == null ? [] : [`--effort=${effort}`]),
];

/** Without it a session that asks nobody holds every message of its inbox back, until a person has looked at each. */
const inbox = { crossSessionInbound: "accept" };

const settingsWords = (settings: object): string[] => ["--settings", JSON.stringify(settings)];

/** @throws Failure when the choice has no permission mode */
export function launchArguments(choice: LaunchChoice): string[] {
  const mode = permissionModeOf(choice);
  return [
    ...(choice.sessionId === null ? [] : ["--session-id", choice.sessionId]),
    "--permission-mode",
    mode,
    // A session that was told to ask nobody asks at its start whether that was meant.
    ...settingsWords(mode === "bypassPermissions" ? { skipDangerousModePermissionPrompt: true, ...inbox } : inbox),
    ...modelWords(choice),
    ...promptWords(choice.prompt),
  ];
}

/** The folder is the one that it is started in: there is no flag for another. */
export const plainArguments = ({ flags, prompt, ...choice }: PlainChoice): string[] => [
  ...(flags.some((flag) => /^--settings(=|$)/.test(flag)) ? [] : settingsWords(inbox)),
  ...modelWords(choice),
  ...flags,
  ...promptWords(prompt),
];

/** Those that say which session it is: another one is gone on with now, or the same. */
const OF_SESSION = /^(--session-id|--resume|-r)(=.*)?$/s;

export function resumeArguments(sessionId: string, started: readonly string[] | null): string[] {
  const flags = started?.slice(1) ?? [];
  const kept = flags.filter((flag, at) => {
    const before = OF_SESSION.exec(flags[at - 1] ?? "");
    return !OF_SESSION.test(flag) && (before === null || before[2] !== undefined || flag.startsWith("-"));
  });
  return [...kept, "--resume", sessionId];
}
