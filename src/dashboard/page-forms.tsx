/** Dialogs that ask for what an action needs, send it, and stay open when it was refused. */
import { useId, useState } from "preact/hooks";
import { act } from "./page-do.ts";
import { Modal } from "./page-parts.tsx";

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly kind?: "text" | "long" | "choice";
  readonly choices?: readonly (readonly [value: string, label: string])[];
  readonly value?: string;
  readonly optional?: boolean;
  readonly help?: string;
}

export interface Form {
  readonly title: string;
  /** The action it sends. */
  readonly action: string;
  /** Sent with what was typed. */
  readonly fixed?: Readonly<Record<string, unknown>>;
  readonly fields: readonly Field[];
  readonly button: string;
  /** What will happen, in so many words; for what cannot be undone it names what ends. */
  readonly warning?: string;
  readonly danger?: boolean;
  /** Called with the receipt's result after success. */
  done?(result: unknown): void;
}

export function FormDialog({ form, close }: { form: Form; close: () => void }) {
  const base = useId();
  const [values, setValues] = useState<Record<string, string>>(() => Object.fromEntries(form.fields.map((field) => [field.name, field.value ?? field.choices?.[0]?.[0] ?? ""])));
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<{ said: string; hint: string | null } | null>(null);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const given = Object.fromEntries(Object.entries(values).filter(([name, value]) => value.trim() !== "" || !form.fields.find((field) => field.name === name)?.optional));
    const answer = await act(form.action, { ...form.fixed, ...given });
    setBusy(false);
    if (!answer.done) return setRefusal(answer);
    close();
    form.done?.(answer.result);
  };
  const set = (name: string) => (event: Event) => setValues({ ...values, [name]: (event.target as HTMLInputElement).value });
  return (
    <Modal title={form.title} close={close}>
      <form onSubmit={send}>
        {form.warning && <p class={form.danger ? "warning danger" : "warning"}>{form.warning}</p>}
        {form.fields.map((field, index) => (
          <div class="field" key={field.name}>
            <label for={`${base}-${field.name}`}>
              {field.label}
              {field.optional && <span class="dim"> (optional)</span>}
            </label>
            {field.kind === "long" ? (
              <textarea id={`${base}-${field.name}`} rows={4} value={values[field.name]} onInput={set(field.name)} required={!field.optional} autoFocus={index === 0} />
            ) : field.kind === "choice" ? (
              <select id={`${base}-${field.name}`} value={values[field.name]} onChange={set(field.name)} autoFocus={index === 0}>
                {field.choices!.map(([value, label]) => (
                  <option key={value} value={value}>
                    {label}
                  </option>
                ))}
              </select>
            ) : (
              <input id={`${base}-${field.name}`} type="text" value={values[field.name]} onInput={set(field.name)} required={!field.optional} autoComplete="off" spellcheck={false} autoFocus={index === 0} />
            )}
            {field.help && <p class="dim">{field.help}</p>}
          </div>
        ))}
        {refusal && (
          <p class="warning danger" role="alert">
            {refusal.said}
            {refusal.hint && <code>{refusal.hint}</code>}
          </p>
        )}
        <footer>
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class={form.danger ? "primary danger" : "primary"} disabled={busy}>
            {busy ? "Working…" : form.button}
          </button>
        </footer>
      </form>
    </Modal>
  );
}
