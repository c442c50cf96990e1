/** `criteria`: the acceptance ledger of a task. */
import { choice, flag, integer, json, jsonFlag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { CRITERION_SOURCES, CRITERION_STATUSES, type Criterion, summariseCriteria } from "../../core/tasks/criteria.ts";
import { evidenceProblems } from "../../core/tasks/evidence.ts";
import { UsageError } from "../../core/failure.ts";
import type { JsonObject } from "../../core/json.ts";
import { withProofs } from "../../flow/loops/machine-proof.ts";
import { addCriterion, listCriteria, setCriterion } from "../../store/tasks/criteria.ts";
import { needTask } from "../../store/tasks/tasks.ts";

const VERDICTS = { accept: "accepted", satisfy: "satisfied", defer: "deferred", reject: "rejected" } as const;

export default verb(
  {
    about:
      "Lists the acceptance criteria of a task, adds one, or moves one to another status. An accepted criterion is open until it is " +
      "satisfied, deferred or rejected; finish-task can require that none is. The same text from the same source is one criterion.",
    examples: [
      ["criteria login-fix --list --status accepted", "what is still open"],
      [
        "criteria login-fix --add --criterion 'Sessions survive a restart' --source user_requested --status accepted",
        "add what must be shown",
      ],
      ["criteria login-fix --satisfy 3 --proof 'bun test: 41 pass'", "settle one, with its proof"],
    ],
    positionals: { task: word("task id or name") },
    flags: {
      list: flag("list criteria; --status filters"),
      add: flag("add one; needs --criterion and --source"),
      accept: integer("set this criterion to accepted", { value: "ID" }),
      satisfy: integer("set this criterion to satisfied", { value: "ID" }),
      defer: integer("set this criterion to deferred", { value: "ID" }),
      reject: integer("set this criterion to rejected", { value: "ID" }),
      status: choice("with --list: only this status, may be repeated; with --add: the first status (proposed)", CRITERION_STATUSES, {
        repeat: true,
      }),
      criterion: text("with --add: what must be true", { value: "TEXT" }),
      source: choice("with --add: who asks for it", CRITERION_SOURCES),
      proof: text("what shows it; replaces the stored proof"),
      rationale: text("why; replaces the stored rationale"),
      evidenceJson: json("evidence, a JSON object; replaces the stored evidence, but for a machine's proof, beside which it is stored", {
        value: "JSON",
      }),
      replaceProof: flag("with --evidence-json: put it in the place of a machine's proof, too"),
      json: jsonFlag,
      path: pathFlag,
    },
    exclusive: [{ of: ["list", "add", "accept", "satisfy", "defer", "reject"], required: true }],
  },
  async (args, cx: Context) => {
    const move = (["accept", "satisfy", "defer", "reject"] as const).find((key) => args[key] !== undefined);
    const criterion = args.criterion?.trim();
    if (args.add && !criterion) throw new UsageError("--add needs --criterion with some text");
    if (args.add && args.source === undefined) throw new UsageError(`--add needs --source, one of ${CRITERION_SOURCES.join(", ")}`);
    if (args.add && args.status.length > 1) throw new UsageError("--add takes --status only once");
    if (move && args.status.length > 0) throw new UsageError(`--${move} sets the status itself and takes no --status`);

    if (args.replaceProof && !(move && args.evidenceJson)) throw new UsageError("--replace-proof goes with --evidence-json and a verdict");

    const store = cx.store(args.path);
    const task = needTask(store, args.task);
    const given = { proof: args.proof, rationale: args.rationale };
    const evidence = args.evidenceJson as JsonObject | undefined;
    let affected: Criterion | undefined;
    if (args.add) {
      const added = addCriterion(store, task.id, {
        ...given,
        evidence,
        criterion: criterion!,
        source: args.source!,
        status: args.status[0],
      });
      affected = added.criterion;
      if (!added.created)
        cx.err(`note: criterion ${affected.id} of this text and source was there already (${affected.status}); nothing was changed`);
    } else if (move) {
      affected = setCriterion(store, task, args[move]!, VERDICTS[move], {
        ...given,
        ...(args.replaceProof ? { evidence } : { shown: evidence }),
      });
      if (!args.replaceProof && evidence && affected.evidence.person_evidence)
        cx.err(
          `note: criterion ${affected.id} keeps its machine's proof, the evidence given stands beside it; --replace-proof replaces it`,
        );
    }
    for (const problem of args.evidenceJson ? evidenceProblems(args.evidenceJson) : [])
      cx.err(`warning: this is no adversarial proof yet: ${problem}`);
    if (affected && (task.state === "done" || task.state === "failed"))
      cx.err(`warning: task ${JSON.stringify(task.name)} is ${task.state} already`);

    const all = listCriteria(store, task.id);
    const shown = args.list && args.status.length > 0 ? all.filter((row) => args.status.includes(row.status)) : all;
    cx.json({
      task: { id: task.id, name: task.name },
      criteria: await withProofs(cx, store, shown),
      summary: summariseCriteria(all),
      affected_criterion: affected,
    });
  },
);
