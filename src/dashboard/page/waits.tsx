/** One thing that waits for a person. */
import { type Item, isPutAway } from "../../core/attention/item.ts";
import { quoteCommand } from "../../core/shell.ts";
import { act } from "./do.ts";
import { Command, Said, Time } from "./parts.tsx";
import { address, follow, type Route } from "./route.ts";

const TABS: Partial<Record<Item["kind"], string>> = {
  uncertain: "messages",
  failed: "messages",
  blocked: "messages",
  stale_proof: "criteria",
  proposals: "criteria",
};

/** Where a thing can be looked at: its task; null for a session that works for nobody. */
const routeOf = ({ task_id, kind }: Item): Route | null => (task_id === null ? null : { task: task_id, tab: TABS[kind] ?? null });

/** @param named with its task's name as a link, where several tasks are listed */
export function WaitLine({ wait, named = false }: { wait: Item; named?: boolean }) {
  const { weight, text, since, task, task_id, session, actions } = wait;
  const whole = wait.command ?? wait.file;
  const route = routeOf(wait);
  return (
    <li class={`wait ${weight}`}>
      <span class="mark" aria-hidden="true">
        {weight === "now" ? "!" : "·"}
      </span>
      <span class="words">
        {named && route !== null && (
          <a href={address(route)} onClick={follow(route)} class="name" data-row>
            <bdi>{task}</bdi>
          </a>
        )}
        {named && route === null && (
          <span class="name">
            <bdi>{session}</bdi>
          </span>
        )}
        <span>
          <span class="hidden">{weight === "now" ? "Pressing: " : ""}</span>
          <Said text={text} />
        </span>
        {since && (
          <span class="dim">
            <Time at={since} />
          </span>
        )}
        {whole !== null && !text.endsWith(whole) && (
          <pre class="whole" tabIndex={0} aria-label="All that it is about">
            <bdi>{whole}</bdi>
          </pre>
        )}
      </span>
      {(!named || route === null) && (
        <span class="leads">
          {actions.map(({ label, command }) => (
            <span class="lead" key={label}>
              <span class="dim">
                <bdi>{label}</bdi>
              </span>
              <Command text={quoteCommand(command)} />
            </span>
          ))}
        </span>
      )}
      {task_id !== null && isPutAway(wait) && (
        <button type="button" class="quiet" onClick={() => void act("dismiss", { task: task_id, item: wait.id })}>
          Seen
        </button>
      )}
    </li>
  );
}
