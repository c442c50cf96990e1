/** One thing that waits for a person. */
import type { Wait } from "../../core/dashboard/attention.ts";
import type { Task } from "../../core/tasks/task.ts";
import { act } from "./do.ts";
import { Command, Said, Time } from "./parts.tsx";
import { address, follow } from "./route.ts";

const TABS: Partial<Record<Wait["kind"], string>> = {
  uncertain: "messages",
  failed: "messages",
  blocked: "messages",
  evidence: "criteria",
  proposed: "criteria",
  criteria: "criteria",
};

/** @param named with the task's name as a link, where several tasks are listed */
export function WaitLine({ wait, task, named = false }: { wait: Wait; task: Pick<Task, "id" | "name">; named?: boolean }) {
  const route = { task: task.id, tab: TABS[wait.kind] ?? null };
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
      {!named && wait.command && <Command text={wait.command} />}
      {wait.item !== null && (
        <button type="button" class="quiet" onClick={() => void act("dismiss", { task: task.id, item: wait.item })}>
          Seen
        </button>
      )}
    </li>
  );
}
