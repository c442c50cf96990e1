/** Actions on what was agreed: criteria and decisions. */
import * as v from "valibot";
import { CRITERION_SOURCES } from "../../core/tasks/criteria.ts";
import { DECISIONS } from "../../core/tasks/decision.ts";
import { addCriterion, setCriterion } from "../../store/tasks/criteria.ts";
import { recordDecision } from "../../store/tasks/decisions.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { type Action, action, filled } from "./action.ts";

export const contractActions: Readonly<Record<string, Action>> = {
  "add-criterion": action(
    v.strictObject({
      task: filled(200),
      criterion: filled(4000),
      status: v.picklist(["proposed", "accepted"]),
      source: v.optional(v.picklist(CRITERION_SOURCES), "user_requested"),
    }),
    ({ store }, input) => {
      const { criterion, created } = addCriterion(store, needTask(store, input.task).id, {
        criterion: input.criterion,
        status: input.status,
        source: input.source,
      });
      return created
        ? { said: `Criterion ${criterion.id} was added as ${criterion.status}.`, wrote: [`acceptance_criteria ${criterion.id}`] }
        : { said: `This criterion is on the list already: ${criterion.id}, ${criterion.status}.` };
    },
  ),

  "judge-criterion": action(
    v.strictObject({
      task: filled(200),
      id: v.pipe(v.number(), v.integer(), v.minValue(1)),
      status: v.picklist(["accepted", "satisfied", "deferred", "rejected"]),
      proof: v.optional(v.string()),
      rationale: v.optional(v.string()),
    }),
    ({ store }, input) => {
      const given = {
        ...(input.proof?.trim() && { proof: input.proof.trim() }),
        ...(input.rationale?.trim() && { rationale: input.rationale.trim() }),
      };
      const criterion = setCriterion(store, needTask(store, input.task), input.id, input.status, given);
      return {
        said: `Criterion ${criterion.id} is ${criterion.status}.`,
        wrote: [`acceptance_criteria ${criterion.id} → ${criterion.status}`],
      };
    },
  ),

  decide: action(v.strictObject({ task: filled(200), decision: v.picklist(DECISIONS), reason: filled(4000) }), ({ store }, input) => {
    const decision = recordDecision(store, needTask(store, input.task), {
      decision: input.decision,
      reason: input.reason,
      payload: { via: "dashboard" },
    });
    return { said: `The decision to ${decision.decision} is on record.`, wrote: [`manager_decisions ${decision.id}`] };
  }),
};
