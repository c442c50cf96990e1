/** The timeline: lanes, a scale of time, tokens; zoomed by wheel, buttons and keys, moved by dragging. */
import type { Mood, TokenPoint } from "../../core/audit/timeline.ts";
import { el, instantText } from "./page-dom.ts";
import { extent, type LaneBox, LANE_NAMES, laneBoxes, type Placed } from "./page-lanes.ts";

const GUTTER = 92;
const AXIS = 26;
const ROW = 16;
const GAP = 10;
const TOKENS = 64;
const MARK = 9;
const NEAR = 6;
const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5,
  1728e5, 6048e5, 2592e6,
];

interface View {
  from: number;
  to: number;
}

export class TimelineCanvas {
  readonly element: HTMLCanvasElement;
  private readonly all: View;
  private view: View;
  private boxes: LaneBox[] = [];
  private selected: Placed | null = null;
  private readonly most: number;
  private drag: { x: number; view: View; moved: boolean } | null = null;
  private frame = 0;

  constructor(
    private readonly items: readonly Placed[],
    private readonly tokens: readonly TokenPoint[],
    private shown: (item: Placed) => boolean,
    private readonly choose: (item: Placed | null) => void,
  ) {
    this.all = extent(items, tokens);
    this.view = { ...this.all };
    this.most = tokens.reduce((most, { total }) => Math.max(most, total), 1);
    this.element = el("canvas", {
      class: "timeline",
      tabindex: 0,
      role: "img",
      "aria-label": "Timeline. Plus and minus zoom, arrows move, 0 shows everything.",
    });
    this.listen();
    new ResizeObserver(() => this.layout()).observe(this.element);
  }

  /** Shows only items that `shown` accepts; others are drawn faint. */
  filter(shown: (item: Placed) => boolean): void {
    this.shown = shown;
    this.draw();
  }

  select(item: Placed | null): void {
    this.selected = item;
    if (item?.at != null && (item.at < this.view.from || item.at > this.view.to)) {
      const half = (this.view.to - this.view.from) / 2;
      this.view = { from: item.at - half, to: item.at + half };
    }
    this.draw();
  }

  zoom(factor: number, at = (this.view.from + this.view.to) / 2): void {
    const span = Math.min(Math.max((this.view.to - this.view.from) * factor, 10), (this.all.to - this.all.from) * 4);
    const share = (at - this.view.from) / (this.view.to - this.view.from);
    this.view = { from: at - span * share, to: at + span * (1 - share) };
    this.layout();
  }

  fit(): void {
    this.view = { ...this.all };
    this.layout();
  }

  private move(share: number): void {
    const by = (this.view.to - this.view.from) * share;
    this.view = { from: this.view.from + by, to: this.view.to + by };
    this.draw();
  }

  private x(at: number): number {
    return GUTTER + ((at - this.view.from) / (this.view.to - this.view.from)) * (this.element.clientWidth - GUTTER);
  }

  private time(x: number): number {
    return this.view.from + ((x - GUTTER) / (this.element.clientWidth - GUTTER)) * (this.view.to - this.view.from);
  }

  /** Rows depend on the zoom: what stands apart needs only one. */
  private layout(): void {
    const width = Math.max(this.element.clientWidth - GUTTER, 50);
    this.boxes = laneBoxes(this.items, ((MARK + 1) / width) * (this.view.to - this.view.from));
    const height = AXIS + this.boxes.reduce((sum, box) => sum + box.rows * ROW + GAP, 0) + (this.tokens.length ? TOKENS : 0) + 4;
    if (this.element.style.height !== `${height}px`) this.element.style.height = `${height}px`;
    this.draw();
  }

  private listen(): void {
    const canvas = this.element;
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
          this.move((event.deltaX || event.deltaY) / canvas.clientWidth);
        else this.zoom(1.0015 ** event.deltaY, this.time(event.offsetX));
        event.preventDefault();
      },
      { passive: false },
    );
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.drag = { x: event.offsetX, view: { ...this.view }, moved: false };
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.drag) return void (canvas.title = this.hit(event.offsetX, event.offsetY)?.title ?? "");
      const by = ((this.drag.x - event.offsetX) / (canvas.clientWidth - GUTTER)) * (this.drag.view.to - this.drag.view.from);
      this.drag.moved ||= Math.abs(this.drag.x - event.offsetX) > 3;
      this.view = { from: this.drag.view.from + by, to: this.drag.view.to + by };
      this.draw();
    });
    canvas.addEventListener("pointerup", (event) => {
      if (this.drag && !this.drag.moved) this.choose(this.hit(event.offsetX, event.offsetY));
      this.drag = null;
    });
    canvas.addEventListener("dblclick", (event) => this.zoom(0.4, this.time(event.offsetX)));
    const keys: Record<string, () => void> = {
      "+": () => this.zoom(0.7),
      "=": () => this.zoom(0.7),
      "-": () => this.zoom(1.4),
      "0": () => this.fit(),
      ArrowLeft: () => this.move(-0.1),
      ArrowRight: () => this.move(0.1),
    };
    canvas.addEventListener("keydown", (event) => {
      const act = keys[event.key];
      if (!act || event.ctrlKey || event.metaKey) return;
      act();
      event.preventDefault();
    });
  }

  private hit(x: number, y: number): Placed | null {
    let best: Placed | null = null;
    let distance = NEAR;
    this.each((item, left, right, top) => {
      if (y < top - 2 || y > top + ROW || !this.shown(item)) return;
      const away = x < left ? left - x : x > right ? x - right : 0;
      if (away < distance) [best, distance] = [item, away];
    });
    return best;
  }

  private each(visit: (item: Placed, left: number, right: number, top: number) => void): void {
    let top = AXIS;
    for (const box of this.boxes) {
      for (const item of box.items) {
        if ((item.end ?? item.at!) < this.view.from || item.at! > this.view.to) continue;
        const left = this.x(item.at!);
        visit(item, left, Math.max(left + MARK, item.end === null ? 0 : this.x(item.end)), top + item.row * ROW);
      }
      top += box.rows * ROW + GAP;
    }
  }

  draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.paint());
  }

  /** Draws at once. */
  paint(): void {
    const canvas = this.element;
    const [width, height, scale] = [canvas.clientWidth, canvas.clientHeight, window.devicePixelRatio || 1];
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext("2d")!;
    pen.scale(scale, scale);
    const style = getComputedStyle(canvas);
    const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
    pen.font = `12px ${style.fontFamily}`;
    pen.textBaseline = "middle";
    this.paintAxis(pen, width, height, colour);
    pen.save();
    pen.beginPath();
    pen.rect(GUTTER, 0, width - GUTTER, height);
    pen.clip();
    // Of many marks in one place only the first is drawn, but never a failure or the chosen one left out.
    const drawn = new Map<number, number>();
    this.each((item, left, right, top) => {
      if (right <= (drawn.get(top) ?? 0) && item.mood !== "bad" && item !== this.selected) return;
      drawn.set(top, right);
      this.paintItem(pen, item, left, right, top, colour);
    });
    this.paintTokens(pen, height, colour);
    pen.restore();
    this.paintNames(pen, height, colour);
  }

  private paintItem(
    pen: CanvasRenderingContext2D,
    item: Placed,
    left: number,
    right: number,
    top: number,
    colour: (name: string) => string,
  ): void {
    const moods: Record<Mood, string> = { good: colour("good"), bad: colour("bad"), open: colour("open"), plain: colour("plain") };
    pen.globalAlpha = this.shown(item) ? 1 : 0.12;
    pen.fillStyle = pen.strokeStyle = moods[item.mood];
    const [width, tall] = [Math.max(right - left - 1, 2), ROW - 5];
    pen.beginPath();
    pen.roundRect(left, top, width, tall, 3);
    // Not by colour alone: what is open is hollow, what went wrong is crossed.
    if (item.mood === "open") pen.stroke();
    else pen.fill();
    if (item.mood === "bad") {
      pen.strokeStyle = colour("ground");
      pen.beginPath();
      pen.moveTo(left + 2, top + 2);
      pen.lineTo(left + MARK - 3, top + tall - 2);
      pen.moveTo(left + MARK - 3, top + 2);
      pen.lineTo(left + 2, top + tall - 2);
      pen.stroke();
    }
    if (item === this.selected) {
      pen.strokeStyle = colour("ink");
      pen.lineWidth = 2;
      pen.strokeRect(left - 2, top - 2, width + 4, tall + 4);
      pen.lineWidth = 1;
    }
    pen.globalAlpha = 1;
  }

  private paintAxis(pen: CanvasRenderingContext2D, width: number, height: number, colour: (name: string) => string): void {
    const span = this.view.to - this.view.from;
    const step = STEPS.find((each) => (each / span) * (width - GUTTER) > 90) ?? STEPS.at(-1)!;
    pen.fillStyle = colour("faint");
    pen.strokeStyle = colour("line");
    for (let at = Math.ceil(this.view.from / step) * step; at <= this.view.to; at += step) {
      const x = Math.round(this.x(at)) + 0.5;
      pen.beginPath();
      pen.moveTo(x, AXIS - 6);
      pen.lineTo(x, height);
      pen.stroke();
      const text = instantText(at);
      pen.fillText(step >= 864e5 ? text.slice(0, 10) : step >= 1000 ? text.slice(11, 19) : text.slice(11), x + 3, 10);
    }
  }

  private paintTokens(pen: CanvasRenderingContext2D, height: number, colour: (name: string) => string): void {
    if (!this.tokens.length) return;
    for (const [lane, name] of [
      ["worker", "ink"],
      ["manager", "faint"],
    ] as const) {
      const points = this.tokens.filter((point) => point.lane === lane);
      if (!points.length) continue;
      pen.strokeStyle = colour(name);
      pen.beginPath();
      let y = height - 6;
      pen.moveTo(this.x(points[0]!.at), y);
      for (const { at, total } of points) {
        pen.lineTo(this.x(at), y);
        y = height - 6 - (total / this.most) * (TOKENS - 18);
        pen.lineTo(this.x(at), y);
      }
      pen.stroke();
    }
  }

  private paintNames(pen: CanvasRenderingContext2D, height: number, colour: (name: string) => string): void {
    pen.fillStyle = colour("ground");
    pen.fillRect(0, 0, GUTTER - 4, height);
    pen.fillStyle = colour("faint");
    pen.fillText(instantText(this.view.from).slice(0, 10), 4, 10);
    pen.fillStyle = colour("ink");
    let top = AXIS;
    for (const { lane, rows } of this.boxes) {
      pen.fillText(LANE_NAMES[lane], 4, top + 6);
      top += rows * ROW + GAP;
    }
    if (!this.tokens.length) return;
    pen.fillText("Tokens", 4, height - TOKENS + 12);
    pen.fillStyle = colour("faint");
    pen.fillText(`to ${this.most.toLocaleString("en")}`, 4, height - TOKENS + 28);
  }
}
