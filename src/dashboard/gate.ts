/**
 * Who may speak to the page. Any program and any web page of this machine can reach a loopback port, so every request, event stream and
 * WebSocket passes here first: the right Host (against DNS rebinding), no foreign Origin, a cookie that only the printed address gives.
 * What is counted is counted for those alone who have shown that they are let in: whatever a stranger does, nothing of the operator's is
 * used up by it.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { authority, LOOPBACK } from "../core/loopback.ts";
import { Rate } from "./rate.ts";

/** Header that a form or a foreign page cannot send without being asked first (CORS preflight), which is never answered. */
const ACTION_HEADER = "x-conveyor";

const MAX_BROWSERS = 32;

interface Refusal {
  readonly status: number;
  readonly why: string;
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
const same = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

export class Gate {
  /** Stands in the printed address; good as long as this server runs. */
  readonly token = randomBytes(32).toString("base64url");
  /**
   * Everything but the entrance lies below this path, and so does the cookie. Browsers send cookies to every port of a host: without
   * it, any server of another user on this machine could collect ours from whoever visits it.
   */
  readonly base = `/${randomBytes(12).toString("base64url")}/`;
  private readonly cookieName: string;
  private readonly hosts: ReadonlySet<string>;
  private readonly browsers = new Set<string>();
  /** Of browsers that were let in. A stranger is turned away at less cost than counting would save. */
  private readonly requests: Rate;
  /** Wrong keys only. They cannot be guessed; the bucket tells whoever tries that it is seen, and the right key passes it by. */
  private readonly wrongKeys: Rate;
  private readonly actions: Rate;

  constructor(port: number, clock: () => number = () => performance.now()) {
    this.cookieName = `conveyor-${port}`;
    this.hosts = new Set(LOOPBACK.map((host) => authority(host, port)));
    this.requests = new Rate(400, 200, clock);
    this.wrongKeys = new Rate(20, 0.5, clock);
    this.actions = new Rate(30, 5, clock);
  }

  /**
   * What holds for every request, with or without the cookie; null: it may go on. A request is counted last, when it has the cookie and
   * no foreign page sent it: browsers give our cookie to pages of other ports of this machine, too, since those are the same site.
   */
  refuse(request: Request): Refusal | null {
    const { headers, method } = request;
    const host = headers.get("host")?.toLowerCase() ?? "";
    if (!this.hosts.has(host)) return { status: 421, why: "this server answers to loopback names only" };
    if (method !== "GET" && method !== "POST") return { status: 405, why: "only GET and POST" };
    const origin = headers.get("origin");
    if (origin !== null && origin !== `http://${host}`) return { status: 403, why: "a foreign page asked" };
    const site = headers.get("sec-fetch-site");
    const opensPage =
      method === "GET" &&
      headers.get("sec-fetch-mode") === "navigate" &&
      headers.get("sec-fetch-dest") === "document" &&
      ["/", this.base].includes(new URL(request.url).pathname);
    if (site !== null && site !== "same-origin" && site !== "none" && !opensPage) return { status: 403, why: "a foreign page asked" };
    if (this.knows(request) && !this.requests.take()) return { status: 429, why: "too many requests" };
    return null;
  }

  /** Further conditions of what changes something. */
  refuseAction({ headers }: Request): Refusal | null {
    if (headers.get("origin") === null) return { status: 403, why: "an action needs an Origin" };
    if (headers.get(ACTION_HEADER) !== "1") return { status: 403, why: `an action needs the header ${ACTION_HEADER}` };
    if (headers.get("content-type")?.split(";")[0]!.trim().toLowerCase() !== "application/json")
      return { status: 415, why: "an action is JSON" };
    if (!this.actions.take()) return { status: 429, why: "too many actions at once" };
    return null;
  }

  /** Further conditions of a WebSocket, which no CORS rule protects. */
  refuseSocket({ headers }: Request): Refusal | null {
    return headers.get("origin") === null ? { status: 403, why: "a WebSocket needs an Origin" } : null;
  }

  /** Takes the token of the printed address and gives the cookie for it, or says no. */
  enter(token: string): string | Refusal {
    if (!same(token, this.token))
      return this.wrongKeys.take()
        ? { status: 401, why: "the key in this address is not, or no longer, the right one" }
        : { status: 429, why: "too many wrong keys" };
    const value = randomBytes(32).toString("base64url");
    this.browsers.add(value);
    if (this.browsers.size > MAX_BROWSERS) this.browsers.delete(this.browsers.values().next().value!);
    return `${this.cookieName}=${value}; Path=${this.base}; HttpOnly; SameSite=Strict`;
  }

  /** The path below the base, with its slash; null for anything outside. */
  inside(pathname: string): string | null {
    return pathname.startsWith(this.base) ? pathname.slice(this.base.length - 1) : null;
  }

  /** Whether the request carries a cookie that this server gave. */
  knows({ headers }: Request): boolean {
    const prefix = `${this.cookieName}=`;
    const given = (headers.get("cookie") ?? "")
      .split(";")
      .map((part) => part.trim())
      .filter((part) => part.startsWith(prefix));
    return given.some((part) => this.browsers.has(part.slice(prefix.length)));
  }
}

/** Headers of every answer. `nonce` only for the page itself. */
export function safeHeaders(host: string, nonce?: string): Record<string, string> {
  // Older Safari does not count WebSockets as its own; an address in brackets cannot be written in a policy.
  const sockets = host.startsWith("[") ? "" : ` ws://${host}`;
  const style = nonce === undefined ? "'self'" : `'self' 'nonce-${nonce}'`;
  return {
    "content-security-policy":
      `default-src 'none'; script-src 'self'; style-src ${style}; img-src 'self' data:; font-src 'self'; connect-src 'self'${sockets}; ` +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), clipboard-read=()",
    "cache-control": "no-store",
  };
}
