/** The suite of what every agent must do, run for the real Codex of today. */
import { CodexSuiteWorld } from "./codex-world.ts";
import { agentSuite } from "./suite.ts";

agentSuite("Codex", () => new CodexSuiteWorld());
