/** Secrets in common shapes, masked in texts that are kept or handed on: keys, tokens, passwords, credentials in addresses. */

const MASK = "[REDACTED]";

/** Shapes that are a secret as a whole. */
const WHOLE: readonly RegExp[] = [
  /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[\s\S]*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----|$)/g,
  /\b(?:sk|rk|pk)[-_](?:[A-Za-z0-9]+[-_])*[A-Za-z0-9]{16,}\b/g,
  /\bgh[pousr]_[A-Za-z0-9]{20,}\b/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}\b/g,
  /\bglpat-[A-Za-z0-9_-]{16,}\b/g,
  /\bxox[abeprs]-[A-Za-z0-9-]{10,}\b/g,
  /\bnpm_[A-Za-z0-9]{30,}\b/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bAIza[A-Za-z0-9_-]{35}\b/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g,
  /\b(?:session-token|workerctl)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g,
];

/** What stands before a secret; the first group is kept. */
const AFTER: readonly RegExp[] = [
  /\b((?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}/gi,
  /(:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/g,
  /\b((?:[A-Za-z0-9]+[_-])*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)["']?\s*[:=]\s*["']?)[^\s"',;&]{4,}/gi,
];

/** The text with every secret of a known shape replaced by `[REDACTED]`. What it does not know it lets pass: no proof that a text holds none. */
export function maskSecrets(text: string): string {
  const masked = WHOLE.reduce((all, shape) => all.replace(shape, MASK), text);
  return AFTER.reduce((all, shape) => all.replace(shape, `$1${MASK}`), masked);
}
