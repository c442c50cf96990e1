/** Finishing a task: every gate with how it stands, which of them to hold it to, and what will be stopped. */
import { useEffect, useId, useState } from "preact/hooks";
import type { FinishGate, GateName } from "../../flow/tasks/finish-gates.ts";
import type { Card } from "../cards.ts";
import { act, ask } from "./do.ts";
import { Modal } from "./parts.tsx";

export function FinishDialog({ card, close }: { card: Card; close: () => void }) {
  const { task, worker, manager } = card;
  const base = useId();
  const [gates, setGates] = useState<readonly FinishGate[] | null>(null);
  const [held, setHeld] = useState<ReadonlySet<GateName>>(new Set(["criteria"]));
  const [stops, setStops] = useState({ worker: false, manager: false });
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  useEffect(() => {
    void ask<FinishGate[]>(`api/gates?task=${encodeURIComponent(task.id)}`).then((all) => {
      setGates(all ?? []);
      setHeld(new Set<GateName>(["criteria", ...(all ?? []).filter((gate) => gate.demanded).map((gate) => gate.name)]));
    });
  }, [task.id]);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const answer = await act("finish", {
      task: task.id,
      gates: [...held],
      reason,
      stopWorker: stops.worker,
      stopManager: stops.manager,
      capture: stops.worker || stops.manager,
    });
    setBusy(false);
    if (answer.done) return close();
    setRefusal(answer.hint ? `${answer.said}\n${answer.hint}` : answer.said);
  };
  const shut = (gates ?? []).filter((gate) => held.has(gate.name) && !gate.open);
  const ends = [stops.worker ? worker?.name : undefined, stops.manager ? manager?.name : undefined].filter((name) => name !== undefined);
  const hold = (name: GateName, on: boolean): void => setHeld(new Set(on ? [...held, name] : [...held].filter((each) => each !== name)));
  return (
    <Modal title={`Finish ${task.name}`} close={close}>
      <form onSubmit={send}>
        <fieldset aria-busy={gates === null}>
          <legend>Only if</legend>
          {(gates ?? []).map((gate) => (
            <div class="field check" key={gate.name}>
              <input
                id={`${base}-${gate.name}`}
                type="checkbox"
                checked={held.has(gate.name)}
                disabled={gate.demanded && gate.name === "acks"}
                onChange={(event) => hold(gate.name, (event.target as HTMLInputElement).checked)}
                aria-describedby={`${base}-${gate.name}-why`}
              />
              <div>
                <label for={`${base}-${gate.name}`}>
                  {gate.asks}
                  {gate.demanded && <span class="dim"> (configured for this task)</span>}
                </label>
                <p id={`${base}-${gate.name}-why`} class={gate.open ? "gate-open" : "gate-shut"}>
                  {gate.open ? "✓" : "○"} {gate.why}
                </p>
              </div>
            </div>
          ))}
        </fieldset>
        <fieldset>
          <legend>Then</legend>
          {worker && (
            <Stop
              id={`${base}-worker`}
              label={`end the terminal of ${worker.name}, the worker`}
              on={stops.worker}
              set={(on) => setStops({ ...stops, worker: on })}
            />
          )}
          {manager && card.leads.length === 0 && (
            <Stop
              id={`${base}-manager`}
              label={`end the terminal of ${manager.name}, the manager`}
              on={stops.manager}
              set={(on) => setStops({ ...stops, manager: on })}
            />
          )}
          <div class="field">
            <label for={`${base}-reason`}>
              Reason <span class="dim">(optional)</span>
            </label>
            <input
              id={`${base}-reason`}
              type="text"
              value={reason}
              onInput={(event) => setReason((event.target as HTMLInputElement).value)}
            />
          </div>
        </fieldset>
        <p class={ends.length > 0 ? "warning danger" : "warning"}>
          {shut.length > 0
            ? `This will be refused, because not everything holds: ${shut.map((gate) => gate.why).join("; ")}.`
            : ends.length > 0
              ? `${ends.join(" and ")} will be stopped, after what the terminals show is kept.`
              : "The task is closed and its binding ends. Both sessions go on running."}
        </p>
        {refusal && (
          <p class="warning danger" role="alert">
            {refusal}
          </p>
        )}
        <footer>
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class={ends.length > 0 ? "primary danger" : "primary"} disabled={busy}>
            {busy ? "Working…" : "Finish"}
          </button>
        </footer>
      </form>
    </Modal>
  );
}

const Stop = ({ id, label, on, set }: { id: string; label: string; on: boolean; set: (on: boolean) => void }) => (
  <div class="field check">
    <input id={id} type="checkbox" checked={on} onChange={(event) => set((event.target as HTMLInputElement).checked)} />
    <label for={id}>{label}</label>
  </div>
);
