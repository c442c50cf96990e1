/** Messages as chains of what led to what: command, attempts, delivery, proof, the cycle that took it up, the decision there. */
import type { ComponentChildren } from "preact";
import type { Chain } from "../../store/dashboard/chains.ts";
import { verdict } from "./delivery.tsx";
import { Empty, Pill, Said, type Tone, Time } from "./parts.tsx";

export const Chains = ({ chains }: { chains: readonly Chain[] }) =>
  chains.length === 0 ? (
    <Empty>
      No message has been sent for this task yet. Completions of the worker, messages and loop iterations show up here with their proof.
    </Empty>
  ) : (
    <ol class="chains">
      {chains.map((chain) => (
        <li key={chain.key}>
          <header>
            <h3>{chain.what.replaceAll("_", " ")}</h3>
            <span class="dim">
              <Time at={chain.at} />
              {chain.correlation && <code title="Correlation id">{chain.correlation}</code>}
            </span>
          </header>
          {chain.text && (
            <p class="quote">
              <Said text={chain.text} most={200} />
            </p>
          )}
          <ol class="chain">
            {steps(chain).map((step, index) => (
              <li key={index} class={step.tone}>
                <span class="label">{step.label}</span>
                <span>{step.body}</span>
              </li>
            ))}
          </ol>
        </li>
      ))}
    </ol>
  );

interface Step {
  readonly label: string;
  readonly tone: Tone;
  readonly body: ComponentChildren;
}

const COMMAND_TONES: Readonly<Record<string, Tone>> = {
  succeeded: "good",
  failed: "bad",
  blocked: "now",
  attempted: "busy",
  pending: "soon",
};

function steps({ command, attempts, notification, delivery, cycle, decision }: Chain): Step[] {
  const list: Step[] = [];
  if (command)
    list.push({
      label: "Command",
      tone: COMMAND_TONES[command.state] ?? "plain",
      body: (
        <Worded
          tone={COMMAND_TONES[command.state] ?? "plain"}
          word={command.state}
          more={command.error ?? (command.permission ? `needs ${command.permission}` : null)}
        />
      ),
    });
  for (const attempt of attempts) {
    const tone = COMMAND_TONES[attempt.state] ?? "soon";
    list.push({
      label: `Attempt ${list.filter((step) => step.label.startsWith("Attempt")).length + 1}`,
      tone,
      body: <Worded tone={tone} word={attempt.state} more={`by ${attempt.dispatcher_id}`} />,
    });
  }
  if (notification) {
    const [tone, word, why] = verdict({
      state: notification.state,
      mode: notification.delivery_mode,
      proof: null,
      consumed: notification.consumed_at !== null,
      started: notification.side_effect_started === 1,
      completed: notification.side_effect_completed === 1,
    });
    list.push({
      label: "Delivery",
      tone,
      body: <Worded tone={tone} word={word} more={`${notification.source} → ${notification.target}`} title={why} />,
    });
  }
  if (delivery) {
    const tone: Tone = delivery.proof === "seen" ? "good" : delivery.proof === "pending" ? "soon" : "plain";
    const word = delivery.proof === "seen" ? "seen in the rollout" : delivery.proof === "pending" ? "not seen yet" : "cannot be had there";
    list.push({
      label: "Proof",
      tone,
      body: <Worded tone={tone} word={word} more={delivery.transport ? `by ${delivery.transport.replaceAll("_", " ")}` : null} />,
    });
  }
  if (cycle)
    list.push({
      label: "Taken up",
      tone: cycle.state === "failed" ? "bad" : "good",
      body: <Worded tone="plain" word={`cycle ${cycle.id}`} more={cycle.state} />,
    });
  if (decision)
    list.push({ label: "Decision", tone: "good", body: <Worded tone="plain" word={decision.decision} more={decision.reason} /> });
  return list;
}

const Worded = ({ tone, word, more, title }: { tone: Tone; word: string; more?: string | null; title?: string }) => (
  <>
    <Pill tone={tone} {...(title && { title })}>
      {word}
    </Pill>
    {more && (
      <span class="dim">
        <Said text={more} most={140} />
      </span>
    )}
  </>
);
