/** The page's files, ready to be sent: compressed once, named by their content so that a browser never shows an old one. */
import { bundledPage } from "../system/files/page-bundle.ts" with { type: "macro" };

interface Asset {
  readonly type: string;
  readonly etag: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
}

const TYPES: Readonly<Record<string, string>> = { js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8" };
const files = new Map<string, string>(Object.entries(bundledPage("dashboard/page/page.tsx")));
const made = new Map<string, Asset>();

/** The file of this name, or null. Only names of the bundle exist: nothing is looked up on disk. */
export function assetOf(name: string): Asset | null {
  const ready = made.get(name);
  if (ready) return ready;
  const text = files.get(name);
  if (text === undefined) return null;
  const plain = new TextEncoder().encode(text);
  const asset: Asset = {
    type: TYPES[name.split(".").at(-1)!] ?? "application/octet-stream",
    etag: `"${Bun.hash(plain).toString(36)}"`,
    plain,
    gzip: Bun.gzipSync(plain),
  };
  made.set(name, asset);
  return asset;
}

/** The one HTML page. `nonce` lets the terminal make its style rules; there is no inline script. */
export const shell = (nonce: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Conveyor</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="assets/page.css">
<script type="module" src="assets/page.js" nonce="${nonce}"></script>
</head>
<body><div id="app"></div><noscript>This page needs JavaScript.</noscript></body>
</html>
`;

/** A page without script or data, for a browser that has no key. */
export const notice = (title: string, text: string, refresh = ""): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">${refresh === "" ? "" : `<meta http-equiv="refresh" content="0; url=${refresh}">`}<title>${title}</title></head>
<body><h1>${title}</h1><p>${text}</p></body>
</html>
`;
