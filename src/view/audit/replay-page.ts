/** The replay as one HTML page: everything in it, nothing fetched, nothing that was written by others obeyed. */
import { compactJson } from "../../core/json.ts";
import { quote } from "../../core/audit/replay.ts";
import type { TimelineHead, TimelineItem, TokenPoint } from "../../core/audit/timeline.ts";

interface PageParts {
  readonly script: string;
  readonly style: string;
  /** SHA-256 of the two in base64: the page allows nothing else to run. */
  readonly scriptHash: string;
  readonly styleHash: string;
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** JSON that cannot end the element it stands in. */
const embedded = (value: unknown): string => compactJson(value).replaceAll("<", "\\u003c");

function* list(id: string, members: Iterable<unknown>): Generator<string> {
  yield `<script type="application/json" id="${id}">[`;
  let first = true;
  for (const member of members) {
    yield `${first ? "" : ",\n"}${embedded(member)}`;
    first = false;
  }
  yield "]</script>\n";
}

/** The document, piece by piece. */
export function* replayPage(
  head: TimelineHead,
  items: Iterable<TimelineItem>,
  tokens: Iterable<TokenPoint>,
  parts: PageParts,
): Generator<string> {
  const title = escaped(quote(`${head.task.name}: what happened`));
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-${parts.scriptHash}'; style-src 'sha256-${parts.styleHash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${parts.style}</style>
</head>
<body>
<noscript>This page draws itself with its own script, and needs JavaScript for it. Nothing is loaded from anywhere.</noscript>
<div id="page"></div>
<script type="application/json" id="head">${embedded(head)}</script>
`;
  yield* list("items", items);
  yield* list("tokens", tokens);
  yield `<script type="module">${parts.script}</script>\n</body>\n</html>\n`;
}
