/** Digests of texts and bytes. */

/** SHA-256 in hexadecimal. */
export const sha256 = (text: string): string => new Bun.CryptoHasher("sha256").update(text).digest("hex");

/** The same in base64, as pages name what may run in them. */
export const sha256Base64 = (text: string): string => new Bun.CryptoHasher("sha256").update(text).digest("base64");

/** SHA-256 of what comes piece by piece, with its size. */
export class Digest {
  private readonly hasher = new Bun.CryptoHasher("sha256");
  bytes = 0;

  add(piece: Uint8Array): void {
    this.bytes += piece.length;
    this.hasher.update(piece);
  }

  /** In hexadecimal; nothing can be added afterwards. */
  end(): string {
    return this.hasher.digest("hex");
  }
}
