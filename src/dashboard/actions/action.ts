/** How one action of the page is declared: the shape of its input, and what it does. */
import * as v from "valibot";
import type { Scene } from "../../flow/scene.ts";

interface Outcome {
  readonly said: string;
  readonly wrote?: readonly string[];
  readonly result?: unknown;
}

export interface ActionScene extends Scene {
  /** Database file, when one was named. */
  readonly path: string | undefined;
}

export interface Action {
  readonly input: v.GenericSchema;
  run(scene: ActionScene, input: never): Outcome | Promise<Outcome>;
}

/** Declares an action with the type of its input. */
export const action = <const S extends v.GenericSchema>(
  input: S,
  run: (scene: ActionScene, input: v.InferOutput<S>) => Outcome | Promise<Outcome>,
): Action => ({ input, run });

/** A text that is not blank, of at most `most` characters. */
export const filled = (most = 20_000) => v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(most));
