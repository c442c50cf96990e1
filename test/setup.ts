/** Loaded before every test file: real processes (tmux, Codex, Chromium) need more than the usual five seconds on a busy machine. */
import { setDefaultTimeout } from "bun:test";

setDefaultTimeout(60_000);
