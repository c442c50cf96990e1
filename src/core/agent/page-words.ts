/** What stands on an agent's screen, as a part of a sentence for a person. */
import type { PageName, Screen } from "./screen.ts";

const words: Readonly<Record<PageName, string>> = {
  copy_mode: "tmux's copy mode is on",
  folder_trust: "AGENT asks whether to trust the folder",
  api_key: "AGENT asks whether to use the API key of its environment",
  bypass_warning: "AGENT asks whether it may really run without asking",
  settings_warning: "AGENT warns of its settings",
  update_offer: "AGENT offers an update",
  rate_limit: "AGENT warns of its rate limit",
  sign_in: "AGENT asks for a sign-in",
  server_features: "AGENT says that its background server has other settings",
  command_approval: "AGENT asks for an approval",
  question: "AGENT asks a question",
  plan_approval: "AGENT asks whether its plan is good",
  held_message: "AGENT asks whether to take a message",
  rewind: "AGENT asks how far back to go",
  choice: "AGENT shows a choice",
  search: "AGENT searches its history",
  transcript: "the transcript is being browsed",
  overlay: "AGENT shows something over the composer",
  draft: "text stands in the composer",
  leaving: "one more key ends AGENT",
  queued_input: "messages wait for the next tool call",
  working: "AGENT works",
  starting: "AGENT is still coming up",
  idle: "the composer is empty",
  blank: "the screen is blank",
  unknown: "the screen is none that is known",
};

/** @param label what the agent is called */
export const screenWords =
  (label: string) =>
  ({ page }: Screen): string =>
    words[page].replace("AGENT", label);
