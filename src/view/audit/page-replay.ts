/** The replay page in the browser: puts timeline, list and details together, with search, filters and themes. */
import type { TimelineHead, TimelineItem, TokenPoint } from "../../core/audit/timeline.ts";
import { TimelineCanvas } from "./page-canvas.ts";
import { Details } from "./page-details.ts";
import { el, embedded, instantText } from "./page-dom.ts";
import { extent, type Placed, placed } from "./page-lanes.ts";
import { EntryList } from "./page-list.ts";
import "./page-replay.css";

const head = embedded<TimelineHead>("head");
const items = placed(embedded<TimelineItem[]>("items"));
const tokens = embedded<TokenPoint[]>("tokens").sort((a, b) => a.at - b.at);

const hidden = new Set<string>();
let words: string[] = [];
const fits = (item: Placed): boolean => !hidden.has(item.kind) && words.every((word) => item.words.includes(word));

const canvas = new TimelineCanvas(items, tokens, fits, choose);
const { from, to } = extent(items, tokens);
const list = new EntryList(instantText(from).slice(0, 10) !== instantText(to).slice(0, 10), choose);
const details = new Details(items, choose);
const counter = el("output", { class: "counter" });

function choose(item: Placed | null): void {
  canvas.select(item);
  list.select(item);
  details.show(item);
}

function refresh(): void {
  const visible = items.filter(fits);
  canvas.filter(fits);
  list.show(visible);
  counter.textContent = visible.length === items.length ? `${items.length} entries` : `${visible.length} of ${items.length} entries`;
}

const search = el("input", {
  type: "search",
  placeholder: "Search",
  "aria-label": "Search the entries",
  oninput: () => {
    words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    refresh();
  },
});

function kindSwitch(kind: string): HTMLElement {
  const count = items.filter((item) => item.kind === kind).length;
  const button = el("button", { type: "button", class: "kind-switch", "aria-pressed": "true" }, `${kind.replaceAll("_", " ")} ${count}`);
  button.addEventListener("click", () => {
    if (!hidden.delete(kind)) hidden.add(kind);
    button.setAttribute("aria-pressed", String(!hidden.has(kind)));
    refresh();
  });
  return button;
}

function nextTheme(): void {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  canvas.draw();
}

const button = (text: string, label: string, act: () => void): HTMLElement =>
  el("button", { type: "button", "aria-label": label, title: label, onclick: act }, text);

const facts = [
  `${head.task.state}`,
  `records until ${instantText(Date.parse(head.state_at))} UTC`,
  ...(head.chain_head ? [`audit chain ${head.chain_head.slice(0, 16)}…`] : []),
];
document.getElementById("page")!.append(
  el(
    "header",
    {},
    el("h1", {}, head.task.name),
    el("p", { class: "goal" }, head.task.goal),
    el("p", { class: "facts", title: head.chain_head ?? "" }, facts.join(" · ")),
  ),
  el(
    "nav",
    { class: "tools", "aria-label": "Tools" },
    search,
    button("−", "Zoom out", () => canvas.zoom(1.6)),
    button("+", "Zoom in", () => canvas.zoom(0.6)),
    button("Fit", "Show everything", () => canvas.fit()),
    button("Theme", "Light or dark", nextTheme),
    button("Print", "Print what is shown", () => print()),
    counter,
  ),
  el("nav", { class: "kinds", "aria-label": "Kinds" }, ...[...new Set(items.map(({ kind }) => kind))].sort().map(kindSwitch)),
  canvas.element,
  el("main", {}, list.element, details.element),
);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => canvas.draw());
// A canvas keeps its colours when it is printed: paper is light.
addEventListener("beforeprint", () => {
  document.documentElement.classList.add("paper");
  canvas.paint();
});
addEventListener("afterprint", () => {
  document.documentElement.classList.remove("paper");
  canvas.paint();
});
refresh();
