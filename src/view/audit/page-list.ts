/** The entries as a list: of many thousands only those in sight are elements. */
import { el, instantText } from "./page-dom.ts";
import { LANE_NAMES, type Placed } from "./page-lanes.ts";

const HEIGHT = 30;
const SPARE = 8;
/** So many are printed; the page says when there are more. */
const PRINTED = 20_000;

const MOOD_MARKS = { good: "●", bad: "✕", open: "○", plain: "·" } as const;

export class EntryList {
  readonly element: HTMLElement;
  private readonly body: HTMLElement;
  private readonly printed = el("div", { class: "printed" });
  private items: readonly Placed[] = [];
  private selected: Placed | null = null;

  /** @param days the entries are of more than one day, so that a time of day does not tell */
  constructor(
    private readonly days: boolean,
    private readonly choose: (item: Placed) => void,
  ) {
    this.body = el("div", { class: "rows" });
    this.element = el("section", { class: "list", "aria-label": "Entries", tabindex: 0 }, this.body, this.printed);
    this.element.addEventListener("scroll", () => this.render());
    this.element.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.render()).observe(this.element);
    addEventListener("beforeprint", () => this.fillPrinted());
    addEventListener("afterprint", () => this.printed.replaceChildren());
  }

  show(items: readonly Placed[]): void {
    this.items = items;
    this.body.style.height = `${items.length * HEIGHT}px`;
    this.render();
  }

  select(item: Placed | null): void {
    this.selected = item;
    const at = item ? this.items.indexOf(item) * HEIGHT : -1;
    const { scrollTop, clientHeight } = this.element;
    if (at >= 0 && (at < scrollTop || at > scrollTop + clientHeight - HEIGHT)) this.element.scrollTop = at - clientHeight / 2;
    this.render();
  }

  private key(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (step === undefined || this.items.length === 0) return;
    const from = this.selected ? this.items.indexOf(this.selected) : step > 0 ? -1 : 0;
    this.choose(this.items[Math.min(Math.max(from + step, 0), this.items.length - 1)]!);
    event.preventDefault();
  }

  private row(item: Placed): HTMLElement {
    return el(
      "button",
      {
        class: `entry ${item.mood}${item === this.selected ? " selected" : ""}`,
        type: "button",
        "aria-current": item === this.selected,
        onclick: () => this.choose(item),
      },
      el("time", {}, item.at === null ? "" : this.days ? instantText(item.at).slice(5, 19) : instantText(item.at).slice(11)),
      el("span", { class: "mark", "aria-label": item.mood }, MOOD_MARKS[item.mood]),
      el("span", { class: "lane" }, LANE_NAMES[item.lane]),
      el("span", { class: "kind" }, item.kind.replaceAll("_", " ")),
      el("span", { class: "title" }, item.title),
    );
  }

  private render(): void {
    const first = Math.max(0, Math.floor(this.element.scrollTop / HEIGHT) - SPARE);
    const last = Math.min(this.items.length, Math.ceil((this.element.scrollTop + this.element.clientHeight) / HEIGHT) + SPARE);
    this.body.replaceChildren(
      ...this.items.slice(first, last).map((item, n) => {
        const row = this.row(item);
        row.style.top = `${(first + n) * HEIGHT}px`;
        return row;
      }),
    );
  }

  /** Printed is everything that is shown, not only what is in sight. */
  private fillPrinted(): void {
    const rows = this.items.slice(0, PRINTED).map((item) => this.row(item));
    const left = this.items.length - rows.length;
    this.printed.replaceChildren(...rows, ...(left > 0 ? [el("p", {}, `${left} more entries are not printed.`)] : []));
  }
}
