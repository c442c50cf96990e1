/** Dialogs that ask for what an action needs, send it, and stay open when it was refused. */
import { useId, useState } from "preact/hooks";
import { act } from "./do.ts";
import { Modal } from "./parts.tsx";

interface Field {
  readonly name: string;
  readonly label: string;
  readonly kind?: "text" | "long" | "choice" | "check";
  readonly choices?: readonly (readonly [value: string, label: string])[];
  /** Of a check: `true` is set. */
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
  const [values, setValues] = useState<Record<string, string>>(() =>
    Object.fromEntries(form.fields.map((field) => [field.name, field.value ?? field.choices?.[0]?.[0] ?? ""])),
  );
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<{ said: string; hint: string | null } | null>(null);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const given = Object.fromEntries(
      form.fields.flatMap(({ name, kind, optional }): [string, unknown][] => {
        const value = values[name]!;
        return kind === "check" ? [[name, value === "true"]] : value.trim() === "" && optional ? [] : [[name, value]];
      }),
    );
    const answer = await act(form.action, { ...form.fixed, ...given });
    setBusy(false);
    if (!answer.done) return setRefusal(answer);
    close();
    form.done?.(answer.result);
  };
  return (
    <Modal title={form.title} close={close}>
      <form onSubmit={send}>
        {form.warning && <p class={form.danger ? "warning danger" : "warning"}>{form.warning}</p>}
        {form.fields.map((field, index) => (
          <FieldInput
            key={field.name}
            field={field}
            id={`${base}-${field.name}`}
            value={values[field.name]!}
            first={index === 0}
            set={(value) => setValues({ ...values, [field.name]: value })}
          />
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

function FieldInput({
  field,
  id,
  value,
  first,
  set,
}: {
  field: Field;
  id: string;
  value: string;
  first: boolean;
  set: (value: string) => void;
}) {
  const typed = (event: Event): void => set((event.target as HTMLInputElement).value);
  const help = field.help && (
    <p class="dim" id={`${id}-help`}>
      {field.help}
    </p>
  );
  const common = { id, autoFocus: first, ...(field.help && { "aria-describedby": `${id}-help` }) };
  if (field.kind === "check") {
    return (
      <div class="field check">
        <input
          {...common}
          type="checkbox"
          checked={value === "true"}
          onChange={(event) => set(String((event.target as HTMLInputElement).checked))}
        />
        <div>
          <label for={id}>{field.label}</label>
          {help}
        </div>
      </div>
    );
  }
  return (
    <div class="field">
      <label for={id}>
        {field.label}
        {field.optional && <span class="dim"> (optional)</span>}
      </label>
      {field.kind === "long" ? (
        <textarea {...common} rows={3} value={value} onInput={typed} required={!field.optional} />
      ) : field.kind === "choice" ? (
        <select {...common} value={value} onChange={typed}>
          {field.choices!.map(([choice, label]) => (
            <option key={choice} value={choice}>
              {label}
            </option>
          ))}
        </select>
      ) : (
        <input {...common} type="text" value={value} onInput={typed} required={!field.optional} autoComplete="off" spellcheck={false} />
      )}
      {help}
    </div>
  );
}
