/** The talk of commands that run long (dispatch, dashboard, demo): kinds of consola, written to stderr by a reporter of our own. */
import { createConsola, LogLevels } from "consola/core";
import type { Context } from "../context.ts";

/** What such a command says while it goes on, a line at a time. */
export interface Talk {
  /** A line as it stands. */
  log(line: string): void;
  /** Something went wrong, and it goes on all the same: with the speaker's name in front. */
  warn(message: string): void;
  /** Something went on: with the time of day in front, and only where somebody watches a terminal. */
  info(what: string): void;
}

/**
 * The voice of one command. What it gives belongs to stdout, and the error that ends it is printed by `run`.
 * Of consola its core alone: that costs 0.3 ms at a start, the whole of it 18 to 28, most of it for colours and prompts that are not used.
 * @param speaker what stands before a warning: the program's name, with the command's
 */
export function talkOf(cx: Context, speaker: string): Talk {
  const prefix = { log: () => "", warn: () => `${speaker}: `, info: () => `${cx.now().slice(11, 19)} ` };
  return createConsola({
    level: cx.outside.tty.err ? LogLevels.info : LogLevels.log,
    // Else the sixth of equal lines within a second is kept back, and with the end of the process lost.
    throttleMin: Number.POSITIVE_INFINITY,
    reporters: [{ log: ({ type, args }) => cx.err(`${prefix[type as keyof Talk]()}${args[0]}`) }],
  });
}
