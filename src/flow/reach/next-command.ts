/** A command to run next, as it is printed: it names the database when that is not the one it would find by itself. */
import type { Context } from "../../context.ts";
import { quoteCommand } from "../../core/shell.ts";
import type { Store } from "../../store/store.ts";

export const nextCommand = (cx: Pick<Context, "program" | "storePath">, store: Store, ...words: string[]): string =>
  quoteCommand([cx.program, ...words, ...(store.path === cx.storePath() ? [] : ["--path", store.path])]);
