/** What the page asks the server to do and to show once, and the receipts of that. */
import type { Receipt, Refused } from "../actions/actions.ts";

type Answer = Receipt | Refused;

export interface Note {
  readonly id: number;
  readonly answer: Answer;
}

const listeners = new Set<(notes: readonly Note[]) => void>();
let notes: readonly Note[] = [];
let serial = 0;

const KEPT = 4;
const SHOWN_MS = 12_000;

function set(next: readonly Note[]): void {
  notes = next;
  for (const each of listeners) each(notes);
}

/** Calls with the notes to show, now and whenever they change. */
export function onNotes(listener: (notes: readonly Note[]) => void): () => void {
  listeners.add(listener);
  listener(notes);
  return () => void listeners.delete(listener);
}

export const forgetNote = (id: number): void => set(notes.filter((note) => note.id !== id));

/** Shows an answer for a while; a refusal stays until it is put away. */
export function note(answer: Answer): void {
  serial += 1;
  const id = serial;
  set([...notes, { id, answer }].slice(-KEPT));
  if (answer.done) setTimeout(() => forgetNote(id), SHOWN_MS);
}

/** Asks for an action and shows its receipt. Never throws: what goes wrong is a refusal. */
export async function act(name: string, input: unknown): Promise<Answer> {
  let answer: Answer;
  try {
    const response = await fetch(`api/do/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-conveyor": "1" },
      body: JSON.stringify(input),
    });
    answer =
      response.headers.get("content-type") === "application/json"
        ? ((await response.json()) as Answer)
        : { done: false, said: (await response.text()).trim(), hint: null };
  } catch {
    answer = { done: false, said: "The dashboard does not answer.", hint: "conveyor dashboard" };
  }
  note(answer);
  return answer;
}

/** Reads something once; null when there is no such thing or no answer. */
export async function ask<T>(path: string): Promise<T | null> {
  try {
    const response = await fetch(path);
    return response.ok ? ((await response.json()) as T) : null;
  } catch {
    return null;
  }
}
