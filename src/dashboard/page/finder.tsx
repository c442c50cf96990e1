/** Sessions that work for nobody, and picking one that runs on this machine and is not registered. */
import { useEffect, useState } from "preact/hooks";
import type { FoundSession } from "../../flow/sessions/found-sessions.ts";
import { ask as read } from "./do.ts";
import type { Party } from "../cards.ts";
import type { Form } from "./forms.tsx";
import { Empty, Modal, Pill, Said, Time } from "./parts.tsx";
import type { Dialog } from "./task-forms.ts";

function Finder({ close, ask }: { close: () => void; ask: (form: Dialog) => void }) {
  const [found, setFound] = useState<readonly FoundSession[] | null>(null);
  useEffect(() => {
    void read<FoundSession[]>("api/found").then((sessions) => setFound(sessions ?? []));
  }, []);
  return (
    <Modal title="Running Codex sessions" close={close}>
      {found === null ? (
        <p class="dim" aria-busy="true">
          Looking…
        </p>
      ) : found.length === 0 ? (
        <Empty>
          No session runs here that is not registered already. A session shows up with its first turn: type something into it, then look
          again.
        </Empty>
      ) : (
        <ul class="plain found">
          {found.map((session) => (
            <li key={session.threadId}>
              <p>
                <bdi class="name">{session.cwd ?? "unknown folder"}</bdi>{" "}
                <span class="dim">
                  {session.agent} · {session.tmuxSession ? `tmux ${session.tmuxSession}` : "no terminal"} · begun{" "}
                  <Time at={session.startedAt} />
                </span>
              </p>
              {session.firstWords && (
                <p>
                  <Said text={session.firstWords} most={120} />
                </p>
              )}
              <button type="button" disabled={session.pid === null} onClick={() => ask(registration(session))}>
                Register
              </button>
            </li>
          ))}
        </ul>
      )}
    </Modal>
  );
}

const registration = (session: FoundSession): Form => ({
  title: "Register this session",
  action: "register",
  fixed: { thread: session.threadId, pid: session.pid, tmuxSession: session.tmuxSession, paneId: session.paneId },
  fields: [
    {
      name: "role",
      label: "Role",
      kind: "choice",
      choices: [
        ["worker", "worker: it does the work"],
        ["manager", "manager: it supervises"],
      ],
    },
    { name: "name", label: "Name", value: session.tmuxSession ?? "" },
  ],
  button: "Register",
});

/** The sessions that work for nobody. */
export function Unbound({ sessions, ask }: { sessions: readonly Party[]; ask: (form: Dialog) => void }) {
  const [finding, setFinding] = useState(false);
  return (
    <section aria-labelledby="unbound">
      <header class="bar">
        <h2 id="unbound">
          Free sessions <span class="count">{sessions.length}</span>
        </h2>
        <button type="button" onClick={() => setFinding(true)}>
          Find running Codex
        </button>
      </header>
      {sessions.length === 0 ? (
        <Empty commands={["conveyor register-worker --name NAME --self"]}>
          Every registered session works on a task. To register one, run this inside it, or pick it with the button above.
        </Empty>
      ) : (
        <ul class="plain">
          {sessions.map((session) => (
            <li key={session.id} class="line">
              <bdi class="name">{session.name}</bdi> <Pill>{session.role}</Pill>
              <span class={session.alive === false ? "bad" : "dim"}>
                {session.alive === false ? "not running" : <bdi>{session.cwd}</bdi>}
              </span>
              <button
                type="button"
                class="quiet"
                onClick={() =>
                  ask({
                    title: `Forget ${session.name}?`,
                    action: "deregister",
                    fixed: { session: session.name },
                    fields: [],
                    button: "Mark as gone",
                    danger: true,
                    warning: `The session ${session.name} is taken off the record. Its process and its terminal go on.`,
                  })
                }
              >
                Forget
              </button>
            </li>
          ))}
        </ul>
      )}
      {finding && <Finder close={() => setFinding(false)} ask={ask} />}
    </section>
  );
}
