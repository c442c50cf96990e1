/** What waits for a person in a task, in plain words, told from the records and from what the machine shows. */
import type { Dialog, PageName } from "../agent/screen.ts";
import type { AgentAsk } from "../agent/protocol.ts";
import { failureWords, type TurnError } from "../agent/failed-turn.ts";
import type { Role } from "../sessions/session.ts";
import { oneLine } from "../plain-text.ts";
import { quoteWord } from "../shell.ts";
import type { Turn } from "../sessions/worker-state.ts";

/** What a side asks by its agent's protocol. */
export interface SideAsk extends Pick<AgentAsk, "question" | "command" | "choices"> {
  readonly id: string;
  readonly takes_text: boolean;
  readonly asked_at: string;
}

/** One side of a pair as it stands now. */
export interface SideState {
  readonly name: string;
  readonly role: Role;
  /** Whether its process or terminal is there; null when nothing is recorded that could be asked. */
  readonly alive: boolean | null;
  readonly turn: Turn;
  readonly turnError: TurnError | null;
  readonly turnAt: string | null;
  readonly page: PageName | null;
  readonly dialog: Dialog | null;
  readonly asks: readonly SideAsk[];
  /** Its pane shows another conversation: the command that takes that one on record. */
  readonly moved: string | null;
}

export interface Trouble {
  readonly id: string;
  readonly what: string;
  readonly state: string;
  readonly at: string;
  readonly error: string | null;
}

export interface TaskSituation {
  readonly task: { readonly id: string; readonly name: string; readonly state: string };
  readonly sides: readonly SideState[];
  readonly bound: boolean;
  readonly openCriteria: number;
  readonly proposedCriteria: number;
  readonly staleEvidence: number;
  readonly uncertain: readonly Trouble[];
  readonly failed: readonly Trouble[];
  readonly queued: number;
  /** Some Dispatch is alive. */
  readonly dispatch: boolean;
  readonly dismissed: readonly string[];
}

export interface Wait {
  /** Names the thing for dismissing it; null: it goes away by itself once it is dealt with. */
  readonly item: string | null;
  readonly kind:
    | "question"
    | "dialog"
    | "crashed"
    | "turn_failed"
    | "gone"
    | "moved"
    | "uncertain"
    | "failed"
    | "blocked"
    | "dispatch"
    | "evidence"
    | "proposed"
    | "criteria"
    | "unbound";
  /** `now`: work stands still until somebody does something; `soon`: worth a look. */
  readonly weight: "now" | "soon";
  readonly text: string;
  readonly since: string | null;
  /** The next command for who prefers a shell. */
  readonly command: string | null;
}

const dialogPages: readonly PageName[] = [
  "folder_trust",
  "update_offer",
  "rate_limit",
  "sign_in",
  "server_features",
  "command_approval",
  "choice",
];

/** The pages on which an agent shows what it asks by its protocol. */
const askPages: readonly (PageName | null)[] = ["command_approval", "choice"];

/** Where an answer reaches it from here: its server is there, and follows this conversation. */
const hears = ({ alive, turn, moved }: SideState): boolean => alive !== false && turn !== "crashed" && moved === null;

function ofAsk({ name, role, asks }: SideState, ask: SideAsk, task: string): Wait {
  const about = ask.command === null ? "" : ` $ ${oneLine(ask.command)}`;
  const answerable = ask.choices.length > 0 || ask.takes_text;
  return {
    item: null,
    kind: "question",
    weight: "now",
    text: `${name} asks: ${oneLine(ask.question)}${about}`,
    since: ask.asked_at,
    command: answerable ? `conveyor answer ${quoteWord(asks.length === 1 ? name : ask.id)}` : `conveyor open-${role} ${task}`,
  };
}

function ofSide(side: SideState, task: string): Wait[] {
  const { name, role } = side;
  if (side.asks.length > 0 && hears(side)) {
    const shown = side.page === null || askPages.includes(side.page) ? [] : ofSide({ ...side, asks: [] }, task);
    return [...side.asks.map((ask) => ofAsk(side, ask, task)), ...shown];
  }
  if (side.dialog !== null || (side.page !== null && dialogPages.includes(side.page))) {
    const question = side.dialog?.question ?? "";
    return [
      {
        item: null,
        kind: "dialog",
        weight: "now",
        text: `${name} asks${question === "" ? " something" : `: ${question}`}`,
        since: side.turnAt,
        command: `conveyor open-${role} ${task}`,
      },
    ];
  }
  if (side.turn === "crashed")
    return [
      {
        item: null,
        kind: "crashed",
        weight: "now",
        text: `${name} died in the middle of a turn`,
        since: side.turnAt,
        command: "conveyor reconcile",
      },
    ];
  if (side.alive === false)
    return [{ item: null, kind: "gone", weight: "now", text: `${name} no longer runs`, since: side.turnAt, command: "conveyor reconcile" }];
  if (side.moved !== null) {
    const text = `${name}'s pane shows another conversation: nothing is said to it until that is on record`;
    return [{ item: null, kind: "moved", weight: "now", text, since: side.turnAt, command: side.moved }];
  }
  if (side.turnError !== null)
    return [
      {
        item: null,
        kind: "turn_failed",
        weight: "now",
        text: `${name}'s turn failed: ${failureWords(side.turnError, side.turnAt)}`,
        since: side.turnAt,
        command: `conveyor cycle ${task}`,
      },
    ];
  return [];
}

const count = (n: number, one: string, many: string): string => (n === 1 ? `1 ${one}` : `${n} ${many}`);

/** Everything that waits, the most pressing first. */
export function attention(s: TaskSituation): Wait[] {
  const task = quoteWord(s.task.name);
  const waits: Wait[] = s.sides.flatMap((side) => ofSide(side, task));
  for (const { id, what, at, error } of s.uncertain) {
    waits.push({
      item: id,
      kind: "uncertain",
      weight: "now",
      text: `${what} was sent, but nothing proves that it arrived${error ? `: ${error}` : ""}`,
      since: at,
      command: `conveyor commands --task ${task} --attempts`,
    });
  }
  for (const { id, what, state, at, error } of s.failed) {
    waits.push({
      item: id,
      kind: state === "blocked" ? "blocked" : "failed",
      weight: "now",
      text: `${what} ${state === "blocked" ? "is blocked" : "failed"}${error ? `: ${error}` : ""}`,
      since: at,
      command: `conveyor commands --task ${task} --attempts`,
    });
  }
  if (s.bound && !s.dispatch) {
    waits.push({
      item: null,
      kind: "dispatch",
      weight: s.queued > 0 ? "now" : "soon",
      text:
        s.queued > 0
          ? `${count(s.queued, "message waits", "messages wait")}, and no Dispatch is running`
          : "no Dispatch is running, so the manager hears of nothing by itself",
      since: null,
      command: "conveyor dispatch --watch",
    });
  }
  if (!s.bound && s.task.state === "managed")
    waits.push({
      item: null,
      kind: "unbound",
      weight: "soon",
      text: "nobody is bound to it any more",
      since: null,
      command: `conveyor bind --task ${task} --worker NAME --manager NAME`,
    });
  if (s.staleEvidence > 0)
    waits.push({
      item: null,
      kind: "evidence",
      weight: "soon",
      text: `${count(s.staleEvidence, "criterion has", "criteria have")} a machine's proof that no longer fits the tree`,
      since: null,
      command: `conveyor criteria ${task} --list`,
    });
  if (s.proposedCriteria > 0)
    waits.push({
      item: null,
      kind: "proposed",
      weight: "soon",
      text: `${count(s.proposedCriteria, "criterion is", "criteria are")} proposed and not yet judged`,
      since: null,
      command: `conveyor criteria ${task} --list`,
    });
  if (s.openCriteria > 0)
    waits.push({
      item: null,
      kind: "criteria",
      weight: "soon",
      text: `${count(s.openCriteria, "accepted criterion is", "accepted criteria are")} open`,
      since: null,
      command: `conveyor criteria ${task} --list`,
    });
  return waits.filter((wait) => wait.item === null || !s.dismissed.includes(wait.item));
}
