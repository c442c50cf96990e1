/** How much of their limits the accounts have used, and how a task stands to its budget. What nobody told is unknown. */
import type { ReportedAccount, ReportedWindow, TaskLimits } from "../../store/attention/report.ts";
import { Command, Empty, Pill, Time } from "./parts.tsx";

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
          <Pill tone={budget.over ? "soon" : "plain"}>{budget.over ? "over budget" : "within budget"}</Pill>{" "}
          {budget.tokens_used.toLocaleString()}
          {budget.budget?.tokens != null && ` of ${budget.budget.tokens.toLocaleString()}`} tokens, {budget.tokens_cached.toLocaleString()}{" "}
          more were cached
          {budget.budget?.window_percent != null && `; at most ${budget.budget.window_percent} % of a window`}{" "}
          <Command text={`conveyor budget ${task}`} />
        </p>
      )}
    </section>
  );
}
