/** Making elements in the browser: texts are always texts, never markup. */

type Props = Readonly<Record<string, string | number | boolean | ((event: never) => void) | undefined>>;

/** An element with attributes (`class`, `aria-label`), listeners (`onclick`) and children. False and undefined attributes are left out. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: (Node | string | null)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value as unknown as EventListener);
    else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** What is embedded in the page under this id. */
export const embedded = <T>(id: string): T => JSON.parse(document.getElementById(id)!.textContent!) as T;

/** A length of time as people say it. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** An instant in UTC, as the records have it. */
export const instantText = (at: number | null): string =>
  at === null ? "no time" : new Date(at).toISOString().replace("T", " ").replace("Z", "");
