/** A command to run next, as it is printed: it names the database when that is not the one it would find by itself. */
import type { Context } from "../../context.ts";
import { quoteCommand } from "../../core/shell.ts";
import type { Store } from "../../store/store.ts";

/** What a command to run next has to be given so that it finds these records: nothing where it would find them by itself. */
export const recordsWords = (cx: Pick<Context, "storePath">, store: Store): string[] =>
  store.path === cx.storePath() ? [] : ["--path", store.path];

export const nextCommand = (cx: Pick<Context, "program" | "storePath">, store: Store, ...words: string[]): string =>
  quoteCommand([cx.program, ...words, ...recordsWords(cx, store)]);
