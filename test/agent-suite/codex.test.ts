/**
 * The suite of what every agent must do, run for the real Codex of today: whole by its protocol, which is the default, and by its terminal. How
 * a turn fails is read from its record alike, however it was begun: that part runs once.
 */
import { CodexSuiteWorld } from "./codex-world.ts";
import { agentSuite } from "./suite.ts";

agentSuite("Codex by protocol", () => new CodexSuiteWorld());
agentSuite("Codex by its terminal", () => new CodexSuiteWorld("tmux"), "failing");
