/** Draws docs/demo.svg from a real run of the demonstration: `npm run demo:picture` (builds, then needs tmux and git). */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../build.ts";
import type { DemoResult } from "../src/core/qa/demo.ts";

const WIDTH = 900;
const LINE = 21;
const TOP = 72;
/** What fits on a line in the widest of the fonts. */
const COLUMNS = 84;
const COLOURS: Record<string, string> = { demo: "#c9d1d9", worker: "#79c0ff", manager: "#d2a8ff", dispatch: "#ffa657", nobody: "#8b949e" };

interface Line {
  readonly at: string;
  readonly who: string;
  readonly what: string;
}

/** The lines that a watched demonstration prints. Acknowledgements are JSON that no line could show: they are left out. */
export const linesOf = (stderr: string): Line[] =>
  [...stderr.matchAll(/^ *([\d.]+s) {2}(\w+) +(.*)$/gm)]
    .map(([, at, who, what]) => ({ at: at!, who: who!, what: what! }))
    .filter(({ what }) => !what.startsWith("runs: printf '%s' '{"));

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const cut = (text: string): string => (text.length > COLUMNS ? `${text.slice(0, COLUMNS - 1)}…` : text);

function drawn({ at, who, what }: Line, row: number): string {
  const [kind, rest] = what.startsWith("✓ ")
    ? ["step", what]
    : what.startsWith("runs: ")
      ? ["run", `$ ${what.slice(6)}`]
      : what.startsWith("says: ")
        ? ["say", `“${what.slice(6)}”`]
        : ["run", `$ ${what}`];
  const y = TOP + row * LINE;
  return `<text y="${y}"><tspan x="64" class="at">${at}</tspan><tspan x="80" fill="${COLOURS[who] ?? COLOURS.demo}">${escaped(who)}</tspan><tspan x="162" class="${kind}">${escaped(cut(rest))}</tspan></text>`;
}

/** The run as a terminal that can be read on light and dark pages. It holds no script and nothing from elsewhere. */
export function picture(lines: readonly Line[], result: Pick<DemoResult, "seconds" | "codex">): string {
  const end = TOP + lines.length * LINE + 10;
  const height = end + 24;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">
<title id="title">conveyor demo: one agent session supervises another until the work is proven</title>
<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}.at{fill:#8b949e;text-anchor:end}.step{fill:#56d364;font-weight:600}.run{fill:#b1bac4}.say{fill:#e6edf3;font-style:italic}.plain{fill:#e6edf3}</style>
<rect x=".5" y=".5" width="${WIDTH - 1}" height="${height - 1}" rx="10" fill="#0d1117" stroke="#6e7681"/>
<circle cx="22" cy="20" r="6" fill="#ff5f57"/><circle cx="42" cy="20" r="6" fill="#febc2e"/><circle cx="62" cy="20" r="6" fill="#28c840"/>
<text y="46" x="24" class="plain">$ conveyor demo</text>
${lines.map(drawn).join("\n")}
<text y="${end}" x="24" class="plain">Done in ${result.seconds} s with ${escaped(result.codex ?? "Codex")}.</text>
</svg>
`;
}

if (import.meta.main) {
  const env = { ...process.env, PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH}` };
  const run = Bun.spawnSync([join(root, "dist", "conveyor"), "demo", "--json"], { env, stdout: "pipe", stderr: "pipe" });
  if (run.exitCode !== 0) throw new Error(`the demonstration did not come to its end:\n${run.stderr}`);
  writeFileSync(join(root, "docs", "demo.svg"), picture(linesOf(run.stderr.toString()), JSON.parse(run.stdout.toString())));
}
