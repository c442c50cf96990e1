/** How large a text is, told in place of the text itself. */

/** Bytes in UTF-8. */
export const byteCount = (text: string): number => new TextEncoder().encode(text).length;

/** Lines, ended by any of the three line breaks; text after the last break is one more. */
export function lineCount(text: string): number {
  const breaks = text.match(/\r\n|\r|\n/g)?.length ?? 0;
  return breaks + (text !== "" && !/[\r\n]$/.test(text) ? 1 : 0);
}

/** `{<key>_redacted, <key>_byte_count, <key>_line_count}`: what stands in a result where `text` was. */
export const sizeInstead = (key: string, text: string): Record<string, true | number> => ({
  [`${key}_redacted`]: true,
  [`${key}_byte_count`]: byteCount(text),
  [`${key}_line_count`]: lineCount(text),
});
