/** Digests of texts. */

/** SHA-256 in hexadecimal. */
export const sha256 = (text: string): string => new Bun.CryptoHasher("sha256").update(text).digest("hex");
