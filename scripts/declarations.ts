/** All commands with their declarations, for what is generated from them: reference, man page, client types. */
import type { Spec } from "../src/args/spec.ts";
import { actionsOf, findVerb, isGroup, listed } from "../src/verbs.ts";

export interface Declared {
  /** As typed: one word, or group and action. */
  readonly name: string;
  /** The heading it stands under in the top help page. */
  readonly group: string;
  readonly summary: string;
  readonly spec: Spec;
}

/** In the order of the top help page; the actions of a group stand in its place. */
export async function declarations(): Promise<Declared[]> {
  const entries = listed().flatMap(({ name, group, summary }) =>
    isGroup(name)
      ? actionsOf(name).map((action) => ({ name: `${name} ${action.name}`, group, summary: action.summary }))
      : [{ name, group, summary }],
  );
  return Promise.all(entries.map(async (entry) => ({ ...entry, spec: (await findVerb(entry.name)!.load!()).default.spec })));
}
