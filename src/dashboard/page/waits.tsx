/** One thing that waits for a person. */
import { type Item, isPutAway } from "../../core/attention/item.ts";
import { quoteCommand } from "../../core/shell.ts";
import type { Task } from "../../core/tasks/task.ts";
import { act } from "./do.ts";
import { Command, Said, Time } from "./parts.tsx";
import { address, follow } from "./route.ts";

const TABS: Partial<Record<Item["kind"], string>> = {
  uncertain: "messages",
  failed: "messages",
  blocked: "messages",
  stale_proof: "criteria",
  proposals: "criteria",
};

/** @param named with the task's name as a link, where several tasks are listed */
export function WaitLine({ wait, task, named = false }: { wait: Item; task: Pick<Task, "id" | "name">; named?: boolean }) {
  const route = { task: task.id, tab: TABS[wait.kind] ?? null };
  const [first] = wait.actions;
  return (
    <li class={`wait ${wait.weight}`}>
      <span class="mark" aria-hidden="true">
        {wait.weight === "now" ? "!" : "·"}
      </span>
      <span class="words">
        {named && (
          <a href={address(route)} onClick={follow(route)} class="name" data-row>
            <bdi>{task.name}</bdi>
          </a>
        )}
        <span>
          <span class="hidden">{wait.weight === "now" ? "Pressing: " : ""}</span>
          <Said text={wait.text} />
        </span>
        {wait.since && (
          <span class="dim">
            <Time at={wait.since} />
          </span>
        )}
      </span>
      {!named && first && <Command text={quoteCommand(first.command)} />}
      {isPutAway(wait) && (
        <button type="button" class="quiet" onClick={() => void act("dismiss", { task: task.id, item: wait.id })}>
          Seen
        </button>
      )}
    </li>
  );
}
