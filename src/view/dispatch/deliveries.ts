/** Deliveries as JSON and as lines for a person. */
import type { DeliveryStep } from "../../core/delivery/delivery.ts";

/** What a list shows of one delivery. */
interface DeliveryLine {
  readonly id: string;
  readonly origin: string;
  readonly session: string;
  readonly state: string;
  readonly transport: string | null;
  readonly proof: string;
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly error: string | null;
  /** What was said together; null: one message. */
  readonly digest:
    readonly { readonly notification_id: number; readonly signal_type: string; readonly task: string; readonly state: string }[] | null;
}

/** `time<TAB>state<TAB>transport<TAB>proof<TAB>session<TAB>origin<TAB>id`; behind the origin how many messages it said together. */
export const deliveryLine = (each: DeliveryLine): string =>
  [
    ...[each.created_at, each.state, each.transport ?? "-", each.proof, each.session],
    ...[`${each.origin}${each.digest === null ? "" : ` (${each.digest.length} messages)`}`, each.id],
  ].join("\t");

/** The whole story of one delivery. */
export function deliveryStory(each: DeliveryLine, steps: readonly DeliveryStep[]): string {
  const told = steps.map(({ at, step, detail }) => {
    const facts = Object.entries(detail).map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`);
    return `  ${at}  ${step}${facts.length === 0 ? "" : `: ${facts.join(", ")}`}`;
  });
  return [
    `${each.id}: ${each.origin} to ${each.session}, ${each.state} (proof ${each.proof}, by ${each.transport ?? "no rung"})`,
    ...(each.digest ?? []).map(
      ({ notification_id, signal_type, task, state }) => `  #${notification_id} ${signal_type} of task ${task}: ${state}`,
    ),
    ...told,
    ...(each.error === null ? [] : [`  ${each.error}`]),
  ].join("\n");
}
