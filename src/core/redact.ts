/** What agents said and what their commands printed, taken out of a record; sizes stay. */
import { isObject, type Json } from "./json.ts";
import { sizeInstead } from "./text-size.ts";

const contentKeys: ReadonlySet<string> = new Set([
  ...["content", "message", "output", "segment_text", "text"],
  // The same words under other names.
  ...["last_agent_message", "arguments", "stdout", "stderr", "aggregated_output", "formatted_output", "input"],
]);

/** A copy without the texts that stand under such keys at any depth; under the same keys, anything that is not a text is walked. */
export function withoutContent(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutContent);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]): [string, Json][] =>
      typeof member === "string" && contentKeys.has(key) ? Object.entries(sizeInstead(key, member)) : [[key, withoutContent(member)]],
    ),
  );
}
