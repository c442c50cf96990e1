/** How large a text is, told in place of the text itself. */
import { isObject, type Json } from "./json.ts";

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

/** What agents said and what their commands printed stands in a record under these. */
const contentKeys: ReadonlySet<string> = new Set([
  ...["content", "message", "output", "segment_text", "text"],
  // The same words under other names.
  ...["last_agent_message", "arguments", "stdout", "stderr", "aggregated_output", "formatted_output", "input"],
]);

/** A copy with sizes in place of the texts that stand under such keys at any depth; under the same keys, anything that is not a text is walked. */
export function withoutContent(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutContent);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]): [string, Json][] =>
      typeof member === "string" && contentKeys.has(key) ? Object.entries(sizeInstead(key, member)) : [[key, withoutContent(member)]],
    ),
  );
}
