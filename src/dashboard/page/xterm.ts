/** xterm.js set up for hostile output: nothing it prints opens, copies or styles anything, and keys go nowhere until they may. */
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";

export interface ScreenSize {
  readonly cols: number;
  readonly rows: number;
}

const FONT = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace';
const TYPING_FONT = 13;
/** Of the box, above and below. */
const PADDING = 16;
const SMALLEST_FONT = 6;
const LARGEST_FONT = 15;
const MOUSE_MODES = [9, 1000, 1001, 1002, 1003, 1005, 1006, 1015, 1016];

const dark = { background: "#15171a", foreground: "#d9dce1", cursor: "#d9dce1", selectionBackground: "#3d5a80" };

/**
 * The page's policy refuses styles that come as text. Rules that xterm makes at run time are given the page's nonce, and what it
 * writes into style attributes of its characters goes through the object model, which the policy trusts.
 */
function allowStyles(): void {
  const nonce = document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce ?? "";
  const create = document.createElement.bind(document);
  document.createElement = ((name: string, options?: ElementCreationOptions) => {
    const element = create(name, options);
    if (name === "style") element.nonce = nonce;
    return element;
  }) as typeof document.createElement;
  HTMLSpanElement.prototype.setAttribute = function (name: string, value: string): void {
    if (name === "style") this.style.cssText = value;
    else Element.prototype.setAttribute.call(this, name, value);
  };
}
allowStyles();

let ratio: number | undefined;
/** Width of one character for a font size of 1. */
function cellRatio(): number {
  if (ratio === undefined) {
    const context = document.createElement("canvas").getContext("2d")!;
    context.font = `100px ${FONT}`;
    ratio = context.measureText("W".repeat(50)).width / 5000;
  }
  return ratio;
}

export class TerminalScreen {
  private readonly terminal: Terminal;
  private readonly fit = new FitAddon();
  private typing = false;
  private observer: ResizeObserver | undefined;
  private size: ScreenSize = { cols: 80, rows: 24 };

  /**
   * @param box element to fill; @param options.readAloud for screen readers: only for what stands still, or everything that moves is read
   * out
   * @param handlers `keys`: typed while that is allowed; `resized`: the size that fits while typing; `release`: the person wants to stop
   * typing
   */
  constructor(
    private readonly box: HTMLElement,
    private readonly handlers: { keys(keys: string): void; resized(size: ScreenSize): void; release(): void },
    options: { scrollback: number; label: string; readAloud?: boolean },
  ) {
    this.terminal = new Terminal({
      fontFamily: FONT,
      fontSize: TYPING_FONT,
      theme: dark,
      scrollback: options.scrollback,
      disableStdin: true,
      cursorBlink: false,
      allowProposedApi: false,
      linkHandler: { activate: () => {}, allowNonHttpProtocols: false },
      minimumContrastRatio: 4.5,
      screenReaderMode: options.readAloud ?? false,
    });
    this.terminal.loadAddon(this.fit);
    // The clipboard is a person's: programs neither write nor read it (OSC 52), nor do they set the page's title.
    for (const code of [0, 1, 2, 52]) this.terminal.parser.registerOscHandler(code, () => true);
    // While watching, the mouse selects text; it is not the program's.
    for (const final of ["h", "l"]) {
      this.terminal.parser.registerCsiHandler(
        { prefix: "?", final },
        (params) => !this.typing && params.some((mode) => MOUSE_MODES.includes(mode as number)),
      );
    }
    this.terminal.attachCustomKeyEventHandler((event) => {
      if (this.typing && event.ctrlKey && event.shiftKey && event.key === "Escape") {
        if (event.type === "keydown") handlers.release();
        return false;
      }
      // While watching, every key stays the page's: Tab moves on, Ctrl+C copies.
      return this.typing;
    });
    this.terminal.onData((keys) => this.typing && handlers.keys(keys));
    this.terminal.open(box);
    this.terminal.textarea?.setAttribute("aria-label", options.label);
    this.observer = new ResizeObserver(() => this.fitBox());
    this.observer.observe(box);
  }

  write(bytes: Uint8Array | string): void {
    this.terminal.write(bytes);
  }

  /** Shows a session of this size, as large as the box allows. */
  watch(size: ScreenSize): void {
    this.typing = false;
    this.size = size;
    this.terminal.options.disableStdin = true;
    this.terminal.options.cursorBlink = false;
    this.terminal.reset();
    this.fitBox();
  }

  /** Gives the size for typing in comfort. */
  proposal(): ScreenSize {
    this.terminal.options.fontSize = TYPING_FONT;
    const size = this.fit.proposeDimensions();
    return { cols: Math.max(40, size?.cols ?? 80), rows: Math.max(12, size?.rows ?? 24) };
  }

  /** From now on keys are sent. */
  type(): void {
    this.typing = true;
    this.terminal.options.disableStdin = false;
    this.terminal.options.cursorBlink = true;
    this.terminal.reset();
    this.fitBox();
    this.terminal.focus();
  }

  scrollToEnd(): void {
    this.terminal.scrollToBottom();
  }

  close(): void {
    this.observer?.disconnect();
    this.terminal.dispose();
  }

  private fitBox(): void {
    if (this.box.clientWidth === 0) return;
    if (this.typing) {
      this.box.style.height = "";
      const size = this.proposal();
      if (size.cols !== this.terminal.cols || size.rows !== this.terminal.rows) this.terminal.resize(size.cols, size.rows);
      return this.handlers.resized(size);
    }
    const { cols, rows } = this.size;
    const wide = (this.box.clientWidth - 20) / (cols * cellRatio());
    this.terminal.options.fontSize = Math.max(SMALLEST_FONT, Math.min(LARGEST_FONT, Math.floor(wide * 10) / 10));
    this.terminal.resize(cols, rows);
    // Rows are whole pixels high, so the box takes the height that came of it.
    const screen = this.terminal.element?.querySelector<HTMLElement>(".xterm-screen");
    if (screen) this.box.style.height = `${screen.offsetHeight + PADDING}px`;
  }
}
