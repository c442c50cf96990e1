/** Where a flow plays: what its functions hand on to one another, as one. */
import type { Context } from "../context.ts";
import type { Task } from "../core/tasks/task.ts";
import type { Pairing } from "../store/sessions/bindings.ts";
import type { Store } from "../store/store.ts";
import type { Subject } from "./reach/subject.ts";

/** The machine and the records. */
export interface Scene {
  readonly cx: Context;
  readonly store: Store;
}

/** A scene about a task. */
export interface TaskScene extends Scene {
  readonly task: Task;
}

/** A scene about a bound task and the two that work on it. */
export interface PairedScene extends TaskScene {
  readonly pairing: Pairing;
}

/** A scene about a worker or session, registered or not. */
export interface SubjectScene extends Scene {
  readonly subject: Subject;
}
