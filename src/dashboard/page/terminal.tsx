/** A session's terminal in the page: it shows what happens there, and takes keys only after one click, visibly so. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "./do.ts";
import { Modal, shape, type TerminalProps } from "./parts.tsx";
import { type ScreenSize, TerminalScreen } from "./xterm.ts";
import type { TerminalNews } from "../terminals.ts";

type State = "connecting" | "watching" | "typing" | "lost" | "ended";

/** A terminal that nobody looks at is let go after this time, and taken up when the page is shown again. */
const REST_AFTER_MS = 30_000;
const TRY_AGAIN_MS = [500, 1000, 2000, 5000, 10_000];

export function Terminal({ session, cols, rows }: TerminalProps) {
  const box = useRef<HTMLDivElement>(null);
  const line = useRef<Line | null>(null);
  const [state, setState] = useState<State>("connecting");
  const [why, setWhy] = useState("");
  const [large, setLarge] = useState(false);
  const [history, setHistory] = useState(false);
  useEffect(() => {
    const own = new Line(session, box.current!, (next, reason) => {
      setState(next);
      setWhy(reason);
    });
    line.current = own;
    return () => own.close();
  }, [session]);
  const typing = state === "typing";
  return (
    <div class={`terminal ${state}${large ? " large" : ""}`} role="group" aria-label={`Terminal of ${session}`}>
      <div class="terminal-bar">
        <span class="terminal-state" role="status">
          {typing ? (
            <>
              <strong>You are typing into {session}.</strong> <kbd>Ctrl</kbd> <kbd>Shift</kbd> <kbd>Esc</kbd> hands back.
            </>
          ) : state === "watching" ? (
            "Watching. No key goes through."
          ) : state === "ended" ? (
            why
          ) : state === "lost" ? (
            "The connection was lost. Trying again…"
          ) : (
            "Connecting…"
          )}
        </span>
        <span class="actions">
          {state === "ended" && (
            <button type="button" onClick={() => line.current?.again()}>
              Connect again
            </button>
          )}
          <button type="button" onClick={() => setHistory(true)} disabled={state === "ended"}>
            Scroll back
          </button>
          <button type="button" aria-pressed={large} onClick={() => setLarge(!large)}>
            {large ? "Smaller" : "Larger"}
          </button>
          {typing ? (
            <button type="button" class="primary" onClick={() => line.current?.release()}>
              Hand back
            </button>
          ) : (
            <button type="button" class="primary" disabled={state !== "watching"} onClick={() => line.current?.take()}>
              Take over
            </button>
          )}
        </span>
      </div>
      <div class="terminal-box" ref={box} style={{ aspectRatio: shape(cols, rows) }} />
      {history && <History session={session} close={() => setHistory(false)} />}
    </div>
  );
}

/** The connection behind one terminal; it comes back by itself, and then only watches. */
class Line {
  private readonly screen: TerminalScreen;
  private socket: WebSocket | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;
  private ended = false;
  private closed = false;
  private typing = false;
  private rests = false;
  private resting: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly session: string,
    box: HTMLElement,
    private readonly tell: (state: State, why: string) => void,
  ) {
    this.screen = new TerminalScreen(
      box,
      {
        keys: (keys) => this.send({ type: "keys", keys }),
        resized: (size: ScreenSize) => this.send({ type: "resize", ...size }),
        release: () => this.release(),
      },
      { scrollback: 0, label: `Terminal of ${session}` },
    );
    document.addEventListener("visibilitychange", this.shown);
    this.open();
  }

  /** Whoever types is not cut off by looking at another page. */
  private readonly shown = (): void => {
    clearTimeout(this.resting);
    if (document.hidden) {
      this.resting = setTimeout(() => {
        if (this.typing) return;
        this.rests = true;
        this.socket?.close();
      }, REST_AFTER_MS);
    } else if (this.rests) {
      this.rests = false;
      this.open();
    }
  };

  take(): void {
    this.send({ type: "take", ...this.screen.proposal() });
  }

  release(): void {
    this.send({ type: "release" });
  }

  again(): void {
    this.ended = false;
    this.tries = 0;
    this.tell("connecting", "");
    this.open();
  }

  close(): void {
    this.closed = true;
    document.removeEventListener("visibilitychange", this.shown);
    clearTimeout(this.resting);
    clearTimeout(this.timer);
    this.socket?.close();
    this.screen.close();
  }

  private send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private open(): void {
    const socket = new WebSocket(`ws://${location.host}${location.pathname}api/terminal?session=${encodeURIComponent(this.session)}`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === "string") this.hear(JSON.parse(data) as TerminalNews);
      else this.screen.write(new Uint8Array(data));
    };
    socket.onclose = () => {
      this.typing = false;
      if (this.closed || this.ended || this.rests) return;
      this.tell("lost", "");
      this.timer = setTimeout(() => this.open(), TRY_AGAIN_MS[Math.min(this.tries, TRY_AGAIN_MS.length - 1)]);
      this.tries += 1;
    };
  }

  private hear(news: TerminalNews): void {
    if (news.type === "ended") {
      this.ended = true;
      return this.tell("ended", news.why);
    }
    this.tries = 0;
    this.typing = news.type === "typing";
    if (news.type === "watching") this.screen.watch(news);
    else this.screen.type();
    this.tell(news.type, "");
  }
}

/** What has scrolled away, frozen as it was when it was opened. */
function History({ session, close }: { session: string; close: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const [empty, setEmpty] = useState(false);
  useEffect(() => {
    let screen: TerminalScreen | undefined;
    let here = true;
    void ask<{ text: string }>(`api/history?session=${encodeURIComponent(session)}`).then((answer) => {
      if (!here) return;
      if (!answer) return setEmpty(true);
      const lines = answer.text.replace(/\n+$/, "").split("\n");
      screen = new TerminalScreen(
        box.current!,
        { keys: () => {}, resized: () => {}, release: () => {} },
        { scrollback: lines.length + 100, label: `History of ${session}`, readAloud: true },
      );
      screen.watch({ cols: 160, rows: 36 });
      screen.write(lines.join("\r\n"));
      screen.scrollToEnd();
    });
    return () => {
      here = false;
      screen?.close();
    };
  }, [session]);
  return (
    <Modal title={`What scrolled away in ${session}`} close={close}>
      {empty && <p class="dim">There is nothing to show.</p>}
      <div class="terminal-box history" ref={box} />
    </Modal>
  );
}
