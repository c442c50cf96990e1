/** What needs a person in one session: what it asks, what stands in front of it, and how its turn ended. */
import { failureWords } from "../agent/failed-turn.ts";
import type { AskChoice } from "../agent/protocol.ts";
import type { Dialog, PageName } from "../agent/screen.ts";
import { oneLine } from "../plain-text.ts";
import { instant } from "../time.ts";
import type { About, Draft, ItemAction, Kind } from "./item.ts";
import type { FreeSituation, SideAsk, SideState } from "./situation.ts";

/** Pages that wait for a person, by what they are about; what no page is named for asks something else about the program. */
const PAGES: Readonly<Partial<Record<PageName, Kind>>> = {
  folder_trust: "trust",
  sign_in: "login",
  api_key: "login",
  rate_limit: "limit",
  update_offer: "dialog",
  server_features: "dialog",
  bypass_warning: "dialog",
  settings_warning: "dialog",
  rewind: "dialog",
  command_approval: "question",
  question: "question",
  plan_approval: "question",
  held_message: "question",
  choice: "question",
};

/** Where an answer reaches it from here: its server or terminal is there, and it is with the conversation on record. */
const hears = ({ alive, turn, moved }: SideState): boolean => alive !== false && turn !== "crashed" && moved === null;

const nothing = { command: null, file: null, choices: null, resets_at: null } as const;

/** The command that shows its terminal. */
const open = ({ name, role }: SideState, about: About): ItemAction => ({
  label: "open its terminal",
  command: about === null ? ["conveyor", "open", name] : ["conveyor", `open-${role}`, about.name],
});

/** A choice as `answer` takes it for certain: what is no plain yes or no, by its place. */
const placed = ({ word }: AskChoice, index: number): string => (word === "yes" || word === "no" ? word : `${index + 1}.`);

/** Not where only a key would do it, and which one is not certain. */
const canChoose = ({ served, dialog }: SideState, index: number): boolean =>
  served || dialog === null || dialog.answers[index]?.keys != null;

function ofAsk(side: SideState, ask: SideAsk, about: About): Draft {
  const { id, kind, question, command, choices, takes_text, asked_at } = ask;
  const answers = choices.flatMap((choice, index) =>
    canChoose(side, index) ? { label: oneLine(choice.label), command: ["conveyor", "answer", id, placed(choice, index)] } : [],
  );
  const inWords = takes_text ? [{ label: "answer in words", command: ["conveyor", "answer", id, "--text", "TEXT"] }] : [];
  const isFile = kind === "file";
  return {
    ...nothing,
    kind: "question",
    key: id,
    lasting: true,
    session: side.name,
    agent: side.agent,
    text: `${side.name} asks: ${oneLine(question)}${command === null ? "" : ` ${isFile ? "" : "$ "}${oneLine(command)}`}`,
    command: isFile ? null : command,
    file: isFile ? command : null,
    choices,
    since: asked_at,
    actions: [...answers, ...inWords, open(side, about)],
  };
}

const choicesOf = ({ choices, answers }: Dialog): AskChoice[] =>
  choices.map((label, index) => ({ word: answers[index]?.word ?? label, label }));

/** What a page in front of it asks that nobody has on record; null when none does, or it has been on record and was answered. */
function ofPage(side: SideState, about: About): Draft | null {
  const { id, name, agent, page, dialog, recorded, limit } = side;
  const kind = (page === null ? undefined : PAGES[page]) ?? (dialog === null ? undefined : "dialog");
  if (kind === undefined || (kind === "question" && recorded && side.asks.length === 0)) return null;
  const question = dialog === null || dialog.question === "" ? "" : `: ${oneLine(dialog.question)}`;
  const subject = dialog?.subject ?? null;
  return {
    kind,
    key: `${kind} ${id} ${page}`,
    lasting: false,
    session: name,
    agent,
    text: `${name} asks${question || " something"}`,
    command: dialog?.kind === "file" ? null : subject,
    file: dialog?.kind === "file" ? subject : null,
    choices: dialog === null || dialog.choices.length === 0 ? null : choicesOf(dialog),
    since: null,
    resets_at: kind === "limit" ? limit.resets_at : null,
    actions: [open(side, about)],
  };
}

/** Brings it back on its own conversation; who was stopped is not revived, and started again as `reconcile` tells. */
const back = ({ stopped }: SideState, about: About): ItemAction =>
  stopped
    ? { label: "see how it is started again", command: ["conveyor", "reconcile"] }
    : {
        label: "bring it back on its conversation",
        command: ["conveyor", "revive", ...(about === null ? ["--all"] : [about.name])],
      };

function ofTurn(side: SideState, about: About): Draft | null {
  const { name, agent, alive, turn, turnEvent, turnBroken, turnError, turnAt, limit, limitOver } = side;
  const base = { ...nothing, lasting: true, session: name, agent, since: turnAt };
  if (turn === "crashed")
    return {
      ...base,
      kind: "crashed",
      key: `crashed:${turnEvent}`,
      text: `${name} died in the middle of a turn`,
      actions: [back(side, about)],
    };
  // The same fact, once it was revived: nothing says to it what it is to do.
  if (turn === "aborted" && turnBroken)
    return {
      ...base,
      kind: "crashed",
      key: `crashed:${turnEvent}`,
      text: `${name}'s last turn was cut off, and it does not go on by itself`,
      actions: [{ label: "say how it is to go on", command: ["conveyor", "session-nudge", name, "TEXT"] }, open(side, about)],
    };
  if (turn !== "failed" || turnError === null) return null;
  // It works for nobody and has ended: what failed stands in nobody's way.
  if (about === null && alive === false) return null;
  // The same fact for a while: a person was told of it, and is not told again that its limit has done what they heard it would.
  const kind = limit.limited || limitOver ? "limit" : turnError.kind === "auth" ? "login" : "failed";
  return {
    ...base,
    kind,
    key: `${kind}:${turnEvent}`,
    text: `${name}'s turn failed: ${failureWords(limit.limited ? { ...turnError, resets_at: limit.resets_at } : turnError, turnAt)}${limitOver ? ", which is over" : ""}`,
    resets_at: kind === "limit" ? limit.resets_at : null,
    actions: [
      about === null
        ? { label: "see its last records", command: ["conveyor", "tail", name] }
        : { label: "look at the task", command: ["conveyor", "cycle", about.name] },
      open(side, about),
      ...(kind === "limit" ? [{ label: "see how much of the limits is used", command: ["conveyor", "limits"] }] : []),
    ],
  };
}

/** What is no longer there, or somewhere else. */
function ofPlace(side: SideState, about: About): Draft | null {
  const { id, name, agent, pid, alive, stopped, moved, movedAt } = side;
  const base = { ...nothing, session: name, agent };
  if (alive === false)
    return about === null
      ? null
      : {
          ...base,
          kind: "gone",
          key: `gone ${id} ${pid}`,
          lasting: false,
          text: stopped ? `${name} was stopped, and its task is open` : `${name} no longer runs`,
          // When it ended nobody told; its last turn may have rested for hours by then.
          since: null,
          actions: [back(side, about)],
        };
  if (moved === null) return null;
  return {
    ...base,
    kind: "moved",
    key: `moved:${id}:${movedAt}`,
    lasting: true,
    text: `${name}'s pane shows another conversation: nothing is said to it until that is on record`,
    since: movedAt,
    actions: [{ label: "take it on record", command: moved }],
  };
}

/** What it asks, on record and on a page in front of it, where an answer reaches it. */
export function askDrafts(side: SideState, about: About): Draft[] {
  const page = ofPage(side, about);
  const asks = hears(side) ? side.asks.map((ask) => ofAsk(side, ask, about)) : [];
  // The page that shows what is asked says the same once more.
  return page === null || (asks.length > 0 && page.kind === "question") ? asks : [...asks, page];
}

/** Everything in one session that needs a person. A dead one is told of once. */
export function sessionDrafts(side: SideState, about: About): Draft[] {
  const page = ofPage(side, about);
  const turn = ofTurn(side, about);
  if (side.asks.length > 0 && hears(side)) return askDrafts(side, about);
  if (turn?.kind === "crashed") return [turn];
  // The page that says so lies over the same fact.
  if (page !== null && turn?.kind === page.kind) return [{ ...turn, actions: [...page.actions, ...turn.actions.slice(0, 1)] }];
  const [first] = [page, ofPlace(side, about), turn].filter((draft) => draft !== null);
  return first === undefined ? [] : [first];
}

/** The same of a session that works for nobody: also that a worker has come to the end of its turn, and no manager hears of it. */
export function freeDrafts({ side, freeSince }: FreeSituation): Draft[] {
  const drafts = sessionDrafts(side, null);
  return drafts.length > 0 ? drafts : turnEnded(side, freeSince, null);
}

/** That the turn of a worker without a manager has ended, after it was set free. */
export function turnEnded(side: SideState, freeSince: string | null, about: About): Draft[] {
  const { name, agent, role, alive, turn, turnEvent, turnAt } = side;
  const ended = role === "worker" && alive !== false && (turn === "completed" || turn === "aborted");
  if (!ended || (instant(turnAt) ?? 0) <= (instant(freeSince) ?? Number.NEGATIVE_INFINITY)) return [];
  return [
    {
      ...nothing,
      kind: "turn_ended",
      key: `turn_ended:${turnEvent}`,
      lasting: true,
      session: name,
      agent,
      text: `${name} has ended its turn, and no manager hears of it`,
      since: turnAt,
      actions: [{ label: "see its last records", command: ["conveyor", "tail", name] }, open(side, about)],
    },
  ];
}
