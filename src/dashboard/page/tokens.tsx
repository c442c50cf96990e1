/**
 * Token use over time: one line for each session, drawn as steps, with the numbers beside it for who cannot see it. Besides, how much of
 * their limits the accounts have used, and how a task stands to its budget. What nobody told is unknown.
 */
import { useState } from "preact/hooks";
import type { ReportedAccount, ReportedWindow, TaskLimits } from "../../store/attention/report.ts";
import { Command, clockTime, Empty, Pill, Time } from "./parts.tsx";
import type { TokenLine } from "../tokens.ts";

const W = 720;
const H = 220;
const EDGE = { left: 56, right: 12, top: 12, bottom: 26 };

interface Frame {
  readonly from: number;
  readonly to: number;
  readonly top: number;
}

const short = (n: number): string => (n >= 1e6 ? `${(n / 1e6).toFixed(1)}M` : n >= 1e3 ? `${Math.round(n / 1e3)}k` : String(n));

/** The next round number above. */
function roundUp(n: number): number {
  const unit = 10 ** Math.floor(Math.log10(Math.max(1, n)));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * unit).find((each) => each >= n) ?? 10 * unit;
}

export function Tokens({ lines }: { lines: readonly TokenLine[] }) {
  const [at, setAt] = useState<number | null>(null);
  const drawn = lines.filter((line) => line.points.length > 0);
  if (drawn.length === 0) return <Empty>No token counts have been read yet. They come with the turns of both sessions.</Empty>;
  const times = drawn.flatMap((line) => line.points.map(([time]) => Date.parse(time)));
  const [from, last] = [Math.min(...times), Math.max(...times)];
  const frame: Frame = {
    from,
    to: Math.max(last, from + 60_000),
    top: roundUp(Math.max(...drawn.flatMap((line) => line.points.map(([, total]) => total)), 1)),
  };
  const x = (time: number): number => EDGE.left + ((time - frame.from) / (frame.to - frame.from)) * (W - EDGE.left - EDGE.right);
  const y = (total: number): number => H - EDGE.bottom - (total / frame.top) * (H - EDGE.top - EDGE.bottom);
  const point = (event: PointerEvent): void => {
    const box = (event.currentTarget as SVGElement).getBoundingClientRect();
    const inside = ((event.clientX - box.left) / box.width) * W;
    setAt(frame.from + ((inside - EDGE.left) / (W - EDGE.left - EDGE.right)) * (frame.to - frame.from));
  };
  const shownAt = at === null ? frame.to : Math.min(Math.max(at, frame.from), frame.to);
  return (
    <figure class="tokens">
      <svg viewBox={`0 0 ${W} ${H}`} aria-hidden="true" onPointerMove={point} onPointerLeave={() => setAt(null)}>
        {[0, 0.25, 0.5, 0.75, 1].map((part) => (
          <g key={part}>
            <line class="grid" x1={EDGE.left} x2={W - EDGE.right} y1={y(frame.top * part)} y2={y(frame.top * part)} />
            <text x={EDGE.left - 8} y={y(frame.top * part) + 4} text-anchor="end">
              {short(frame.top * part)}
            </text>
          </g>
        ))}
        {[frame.from, (frame.from + frame.to) / 2, frame.to].map((time, index) => (
          <text key={index} x={x(time)} y={H - 6} text-anchor={["start", "middle", "end"][index]}>
            {clockTime(new Date(time).toISOString())}
          </text>
        ))}
        {drawn.map((line) => (
          <path key={line.name} class={line.role} d={path(line, x, y)} />
        ))}
        {at !== null && <line class="cursor" x1={x(shownAt)} x2={x(shownAt)} y1={EDGE.top} y2={H - EDGE.bottom} />}
      </svg>
      <figcaption>
        <table>
          <caption>Tokens used {at === null ? "so far" : `by ${clockTime(new Date(shownAt).toISOString())}`}</caption>
          <tbody>
            {drawn.map((line) => (
              <tr key={line.name}>
                <th scope="row">
                  <span class={`swatch ${line.role}`} aria-hidden="true" /> <bdi>{line.name}</bdi>
                </th>
                <td>{(line.points.findLast(([time]) => Date.parse(time) <= shownAt)?.[1] ?? 0).toLocaleString()}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </figcaption>
    </figure>
  );
}

function path(line: TokenLine, x: (time: number) => number, y: (total: number) => number): string {
  const corners = line.points.map(([time, total]) => [x(Date.parse(time)), y(total)] as const);
  return corners
    .map(([px, py], index) => (index === 0 ? `M${px.toFixed(1)} ${py.toFixed(1)}` : `H${px.toFixed(1)}V${py.toFixed(1)}`))
    .join("");
}

const Window = ({ window, before }: { window: ReportedWindow; before: string }) => (
  <li class="line">
    <span>
      {before} <bdi>{window.limit_id === "" ? window.window : `${window.limit_id} ${window.window}`}</bdi>
    </span>
    <span>{window.used_percent === null ? "unknown" : `${Math.round(window.used_percent)} % used`}</span>
    {window.resets_at !== null && (
      <span class="dim">
        full again <Time at={window.resets_at} plain />
      </span>
    )}
    <span class="dim">
      told <Time at={window.told_at} /> by <bdi>{window.told_by}</bdi>
    </span>
  </li>
);

const Unknown = ({ before }: { before: string }) => (
  <li class="line">
    <span>{before}</span>
    <span>unknown</span>
  </li>
);

/** For the overview. */
export const Limits = ({ accounts }: { accounts: readonly ReportedAccount[] }) => (
  <section aria-labelledby="limits">
    <h2 id="limits">Limits</h2>
    <ul class="plain">
      {accounts.map(({ agent, home, windows, sessions }) => (
        <li key={`${agent} ${home}`}>
          <p>
            {agent} <bdi class="dim">{home === "" ? "unknown home" : home}</bdi>
          </p>
          <ul class="plain">
            {windows.length === 0 && <Unknown before="every window:" />}
            {windows.map((window) => (
              <Window key={`${window.limit_id} ${window.window}`} window={window} before="" />
            ))}
            {sessions
              .filter(({ limited }) => limited)
              .map(({ session, resets_at, parked }) => (
                <li key={session} class="line">
                  <Pill tone="now">limited</Pill>
                  <bdi class="name">{session}</bdi>
                  <span class="dim">{resets_at === null ? "nobody told until when" : <Time at={resets_at} plain />}</span>
                  {parked > 0 && <span class="dim">{parked} parked</span>}
                </li>
              ))}
          </ul>
        </li>
      ))}
    </ul>
  </section>
);

function tokensWords({ budget, tokens_used, tokens_cached }: NonNullable<TaskLimits["budget"]>): string {
  const most = budget?.tokens == null ? "" : ` of ${budget.tokens.toLocaleString()}`;
  return `${tokens_used.toLocaleString()}${most} tokens, ${tokens_cached.toLocaleString()} more were cached`;
}

/** For the page of a task. */
export function LimitsOfTask({ limits, budget, task }: TaskLimits & { readonly task: string }) {
  return (
    <section aria-labelledby="limits-task">
      <h3 id="limits-task">Limits and budget</h3>
      <ul class="plain">
        {(["worker", "manager"] as const).flatMap((role) =>
          limits[role].windows.length === 0
            ? [<Unknown key={role} before={role} />]
            : limits[role].windows.map((window) => (
                <Window key={`${role} ${window.limit_id} ${window.window}`} window={window} before={role} />
              )),
        )}
      </ul>
      {budget === null ? (
        <Empty commands={[`conveyor budget ${task} --tokens N`]}>The task has no budget.</Empty>
      ) : (
        <p>
          <Pill tone={budget.over ? "soon" : "plain"}>{budget.over ? "over budget" : "within budget"}</Pill> {tokensWords(budget)}
          {budget.budget?.window_percent != null && `; at most ${budget.budget.window_percent} % of a window`}{" "}
          <Command text={`conveyor budget ${task}`} />
        </p>
      )}
    </section>
  );
}
