/** Which page is shown, kept in the address, so that back, reload and links work. */
import { useEffect, useState } from "preact/hooks";

export interface Route {
  /** Task id or name; null: the overview. */
  readonly task: string | null;
  readonly tab: string | null;
}

const read = (): Route => {
  const query = new URLSearchParams(location.search);
  return { task: query.get("task"), tab: query.get("tab") };
};

const listeners = new Set<() => void>();
window.addEventListener("popstate", () => listeners.forEach((each) => each()));

export const address = ({ task, tab }: Partial<Route>): string =>
  task ? `${location.pathname}?task=${encodeURIComponent(task)}${tab ? `&tab=${encodeURIComponent(tab)}` : ""}` : location.pathname;

/** Shows another page; `replace` leaves no step to go back to. */
export function go(route: Partial<Route>, replace = false): void {
  history[replace ? "replaceState" : "pushState"](null, "", address(route));
  if (!replace) window.scrollTo(0, 0);
  for (const each of listeners) each();
}

export function useRoute(): Route {
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const listener = (): void => setRoute(read());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return route;
}

/** A click that the page handles itself; with a modifier the browser opens a new tab as always. */
export const follow =
  (route: Partial<Route>) =>
  (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(route);
  };
