/** The program that is measured. */
import { join } from "node:path";
import { root } from "../build.ts";

/** The words that start it: those given, else what `npm run build` has left. */
export const programOf = (given: readonly string[]): readonly string[] => (given.length > 0 ? given : [join(root, "dist", "conveyor")]);
