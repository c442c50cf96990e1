/** What is known of one entry, and what belongs to it. */
import { duration, el, instantText } from "./page-dom.ts";
import { LANE_NAMES, type Placed } from "./page-lanes.ts";

const RELATED = 50;

export class Details {
  readonly element = el("aside", { class: "details", "aria-live": "polite", "aria-label": "Details" });
  private readonly byTie = new Map<string, Placed[]>();

  constructor(
    items: readonly Placed[],
    private readonly choose: (item: Placed) => void,
  ) {
    for (const item of items) {
      for (const tie of item.ties) {
        const known = this.byTie.get(tie);
        if (known) known.push(item);
        else this.byTie.set(tie, [item]);
      }
    }
    this.show(null);
  }

  show(item: Placed | null): void {
    if (!item) return this.element.replaceChildren(el("p", { class: "hint" }, "Choose something on the timeline or in the list."));
    const facts: [string, string][] = [
      ["Time (UTC)", instantText(item.at)],
      ...(item.end !== null && item.at !== null && item.end > item.at
        ? ([["Until", `${instantText(item.end)} (${duration(item.end - item.at)})`]] as [string, string][])
        : []),
      ["Lane", LANE_NAMES[item.lane]],
      ["Kind", item.kind.replaceAll("_", " ")],
      ...item.ties.map((tie): [string, string] => ["Belongs to", tie]),
    ];
    this.element.replaceChildren(
      el("h2", { class: item.mood }, item.title),
      el("dl", {}, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
      ...this.relatedTo(item),
      el("h3", {}, "Record"),
      el("pre", {}, JSON.stringify(item.details, null, 2)),
    );
  }

  private relatedTo(item: Placed): HTMLElement[] {
    const related = [...new Set(item.ties.flatMap((tie) => this.byTie.get(tie)!))]
      .filter((other) => other !== item)
      .sort((a, b) => a.index - b.index);
    if (related.length === 0) return [];
    const links = related
      .slice(0, RELATED)
      .map((other) =>
        el(
          "li",
          {},
          el(
            "button",
            { type: "button", class: "link", onclick: () => this.choose(other) },
            `${instantText(other.at).slice(11, 19)} ${other.title}`,
          ),
        ),
      );
    const more = related.length > RELATED ? [el("p", {}, `and ${related.length - RELATED} more`)] : [];
    return [el("h3", {}, "Related"), el("ul", {}, ...links), ...more];
  }
}
