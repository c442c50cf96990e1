/** `loop-status`: how one loop run stands, from the records alone. */
import { flag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { compactJson } from "../../core/json.ts";
import { decideGate } from "../../core/loops/gate.ts";
import { oneLine } from "../../core/plain-text.ts";
import { machineProofs } from "../../flow/loops/machine-proof.ts";
import { listCriteria } from "../../store/tasks/criteria.ts";
import { loopProgress, needLoopRun } from "../../store/loops/runs.ts";
import { loopCounts } from "../../store/loops/status.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Says how a loop run stands: its policy, the commands, messages, evidence and telemetry that belong " +
      "to it, what went wrong, what is missing for the next iteration, and what to do now. Reads only.",
    examples: [
      ["loop-status login-fix --run coverage", "for a person"],
      ["loop-status login-fix --run coverage --json", "for a script, with what the next iteration still needs"],
    ],
    positionals: { task: word("name or id of the task") },
    flags: {
      run: text("the loop run of this task, by id or name", { required: true, value: "RUN" }),
      json: flag("print JSON"),
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    const task = needTask(store, args.task);
    const loop = needLoopRun(store, task, args.run);
    const { run, policy } = loop;
    const counts = loopCounts(store, run);
    const { reached, delivered, next } = loopProgress(store, loop);
    const criteria = listCriteria(store, task.id);
    const gate = decideGate({ policy, requested: next, reached, delivered, criteria });
    const own = criteria.filter(({ evidence }) => evidence.ralph_loop_run_id === run.id);
    const proofs = await machineProofs(cx, store, own);
    const typesWhere = (holds: (id: number) => boolean) =>
      [...new Set(own.filter(({ id }) => holds(id)).map(({ evidence }) => String(evidence.evidence_type)))].sort();
    const stale = typesWhere((id) => proofs.get(id)?.state === "stale");
    const alerts = Object.values(counts.failures).filter((count) => count > 0).length;
    const recommendation =
      alerts > 0 ? "inspect_failures" : counts.workerUnconsumed > 0 ? "worker_should_consume_inbox" : "ready_for_manager_review";
    const consumed = counts.telemetry.dispatch_inbox_consumed ?? 0;
    const status = {
      task: { id: task.id, name: task.name, state: task.state },
      run: { id: run.id, name: run.name, status: run.status },
      policy: {
        template: policy.template,
        current_iteration: policy.current_iteration,
        max_iterations: policy.max_iterations,
        required_before_continue: policy.required_before_continue,
        cleanup_policy: policy.cleanup_policy,
        reached_iteration: reached,
        delivered_iterations: delivered,
        next_iteration: next,
        blocked_reason: gate.reason,
        missing_evidence: gate.missing,
      },
      commands: counts.commands,
      notifications: counts.notifications,
      inbox: { worker_unconsumed: counts.workerUnconsumed },
      evidence: { ...counts.evidence, machine_proven: typesWhere((id) => proofs.has(id)), stale },
      telemetry: {
        total: Object.values(counts.telemetry).reduce((all, n) => all + n, 0),
        by_event_type: counts.telemetry,
        dispatch_inbox_consumed: consumed,
      },
      failures: { alerts, ...counts.failures },
      recommendation,
    };
    if (args.json) return cx.json(status);
    const blocked =
      gate.reason === null
        ? ""
        : `, iteration ${next} blocked: ${gate.reason}${gate.missing.length ? ` (${gate.missing.join(", ")})` : ""}`;
    cx.out(oneLine(`task: ${task.name} (${task.state})`));
    cx.out(oneLine(`run: ${run.name} (${run.status})`));
    cx.out(
      oneLine(
        `policy: ${policy.template ?? "custom"} ${policy.current_iteration}/${policy.max_iterations}${reached > policy.current_iteration ? `, reached ${reached}` : ""}${blocked}${stale.length ? `, stale evidence: ${stale.join(", ")}` : ""}`,
      ),
    );
    cx.out(`commands: ${compactJson(counts.commands.states)}`);
    cx.out(`notifications: ${counts.notifications.delivered}/${counts.notifications.total} delivered`);
    cx.out(`worker_unconsumed: ${counts.workerUnconsumed}`);
    cx.out(`dispatch_inbox_consumed: ${consumed}`);
    cx.out(`failures: ${compactJson(status.failures)}`);
    cx.out(`recommendation: ${recommendation}`);
  },
);
