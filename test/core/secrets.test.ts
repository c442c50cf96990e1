/** Secrets in common shapes are masked, ordinary text is not. */
import { expect, test } from "bun:test";
import { maskSecrets } from "../../src/core/secrets.ts";

// Put together here, so that no scanner takes this file for a leak.
const word = (length: number) => "aB3".repeat(length).slice(0, length);
const secrets: string[] = [
  `sk-proj-${word(40)}`,
  `ghp_${word(36)}`,
  `github_pat_${word(40)}`,
  `xoxb-${word(20)}`,
  `npm_${word(36)}`,
  `AKIA${"ABCD1234".repeat(2)}`,
  `AIza${word(35)}`,
  `eyJ${word(12)}.eyJ${word(12)}.${word(20)}`,
  "session-token-00000000-0000-4000-8000-000000000001",
];
for (const secret of secrets) test(secret.slice(0, 8), () => expect(maskSecrets(`before ${secret} after`)).toBe("before [REDACTED] after"));

test("what follows a telling name is masked, the name is kept", () => {
  expect(maskSecrets("Authorization: Bearer abcdefgh.1234")).toBe("Authorization: Bearer [REDACTED]");
  expect(maskSecrets("postgres://me:hunter22@db/x")).toBe("postgres://me:[REDACTED]@db/x");
  expect(maskSecrets('DB_PASSWORD=hunter22 {"api_key": "abcd1234"}')).toBe('DB_PASSWORD=[REDACTED] {"api_key": "[REDACTED]"}');
});

test("a private key goes whole, also when it is cut off", () => {
  const key = `-----BEGIN RSA ${"PRIVATE"} KEY-----\nabc\n`;
  expect(maskSecrets(`x ${key}-----END RSA PRIVATE KEY----- y`)).toBe("x [REDACTED] y");
  expect(maskSecrets(`x ${key}`)).toBe("x [REDACTED]");
});

for (const plain of ["41 pass, 0 fail", "token count: 12", "the secret garden", "https://example.org/a:b@c", "sk-short", "tokens=3"]) {
  test(`left alone: ${plain}`, () => expect(maskSecrets(plain)).toBe(plain));
}
