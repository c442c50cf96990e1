/** Secrets in common shapes, masked in texts that are kept or handed on: keys, tokens, passwords, credentials in addresses. */

import { isObject } from "./json.ts";
import { REDACTED } from "./sessions/session.ts";

/** A cheap look whether there can be anything to find. */
const SUSPECT =
  /private key|[srp]k[-_]|gh[pousr]_|github_pat|glpat|xox|npm_|AKIA|ASIA|AIza|eyJ|token|workerctl-|bearer|basic|:\/\/|passw|passphrase|secret|key/i;

/** Shapes that are a secret as a whole. Repetitions are bounded, so that no text takes long. */
const WHOLE: readonly RegExp[] = [
  /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[\s\S]*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----|$)/g,
  /\b(?:sk|rk|pk)[-_](?:[A-Za-z0-9]{1,40}[-_]){0,4}[A-Za-z0-9]{16,}\b/g,
  /\bgh[pousr]_[A-Za-z0-9]{20,}\b/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}\b/g,
  /\bglpat-[A-Za-z0-9_-]{16,}\b/g,
  /\bxox[abeprs]-[A-Za-z0-9-]{10,}\b/g,
  /\bnpm_[A-Za-z0-9]{30,}\b/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bAIza[A-Za-z0-9_-]{35}\b/g,
  /\beyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]*/g,
  /\b(?:session-token|workerctl)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g,
];

/** What stands before a secret; the first group is kept. */
const AFTER: readonly RegExp[] = [
  /\b((?:Bearer|Basic)\s{1,9})[A-Za-z0-9._~+/=-]{8,}/gi,
  /(:\/\/[^\s/:@]{0,200}:)[^\s/@]{1,500}(?=@)/g,
  /\b((?:[A-Za-z0-9]{1,40}[_-]){0,4}(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)["']?\s{0,9}[:=]\s{0,9}["']?)(?!\[REDACTED\])[^\s"',;&]{4,}/gi,
];

/**
 * The text with every secret of a known shape replaced by `[REDACTED]`. What it does not know it lets pass: no proof that a text holds
 * none.
 */
export function maskSecrets(text: string): string {
  if (!SUSPECT.test(text)) return text;
  const masked = WHOLE.reduce((all, shape) => all.replace(shape, REDACTED), text);
  return AFTER.reduce((all, shape) => all.replace(shape, `$1${REDACTED}`), masked);
}

/** Members whose text is a secret, whatever it looks like. */
const SECRET_KEY = /^(?:\w{1,40}_)?(?:password|passwd|passphrase|secret|token|api_?key|access_key|private_key)$|^authorization$|^cookie$/i;

/** A mask for whole values that counts the texts in which something was masked. */
export class SecretMask {
  count = 0;

  text(text: string): string {
    const masked = maskSecrets(text);
    if (masked !== text) this.count++;
    return masked;
  }

  /** The value with every text in it masked; keys stay as they are. */
  value(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((member) => this.value(member));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.member(key, member)]));
  }

  private member(key: string, value: unknown): unknown {
    if (typeof value !== "string" || value === "" || value === REDACTED || !SECRET_KEY.test(key)) return this.value(value);
    this.count++;
    return REDACTED;
  }
}
