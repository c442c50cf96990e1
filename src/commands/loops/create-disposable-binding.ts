/** `create-disposable-binding`: a task with two sessions of the Codex app that pull their messages, bound and ready. */
import { flag, integer, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { type DisposableCall, gatesOf, replayCommands, workerHandoff } from "../../core/loops/disposable-binding.ts";
import { UsageError } from "../../core/failure.ts";
import { loopMetadata } from "../../core/loops/loop-run.ts";
import { EVIDENCE_TYPES, LOOP_TEMPLATE_NAMES, needLoopTemplate } from "../../core/loops/templates.ts";
import { communication, type Session } from "../../core/sessions/session.ts";
import { createDisposableBinding, defaultFolder } from "../../flow/loops/disposable-binding.ts";

export default verb(
  {
    about:
      "Creates, in one step, what two Codex app sessions without tmux need to work together: the " +
      "task (unless it exists), two registered sessions with rollout files of their own, their " +
      "binding and, with a template or a gate, a loop run. Both sides then poll their inboxes.",
    examples: [
      ["create-disposable-binding login-fix --goal 'Users can log in again'", "a task with two sessions that poll"],
      [
        "create-disposable-binding shots --template visual_diff_loop --run-name pixels --json",
        "with a loop whose gates come from a template",
      ],
      ["create-disposable-binding fix --required-before-continue tests_passed --adversarial", "with gates of one's own"],
    ],
    positionals: { task: word("name or id of the task; created when there is none") },
    flags: {
      goal: text("what is to be reached, for a new task"),
      summary: text("a longer description, for a new task"),
      worker: text("name of the worker session (default: TASK-worker)", { value: "NAME", filled: true }),
      manager: text("name of the manager session (default: TASK-manager)", { value: "NAME", filled: true }),
      sessionDir: text("folder of the two rollout files (default: disposable-sessions beside the database)", {
        value: "DIR",
        filled: true,
      }),
      cwd: text("folder in which both sessions work (default: the current one)", { value: "DIR", filled: true }),
      template: text(`make a loop run from this template: ${LOOP_TEMPLATE_NAMES.join(", ")}`, {
        value: "NAME",
        suggest: LOOP_TEMPLATE_NAMES,
      }),
      runName: text("name of the loop run (default: TASK-ralph-loop- and the time)", { value: "NAME", filled: true }),
      maxIterations: integer("how many iterations at most (default: the template's, else 2)"),
      currentIteration: integer("the iteration the worker is in now", { default: 1 }),
      seedPromptSha256: text("digest of the prompt that every iteration starts from", { value: "SHA256" }),
      requiredBeforeContinue: text("evidence that must exist before the next iteration, beyond the template's", {
        repeat: true,
        value: "TYPE",
        suggest: EVIDENCE_TYPES,
      }),
      adversarial: flag("also require an adversarial_check before the next iteration"),
      cleanupPolicy: text("what happens to the worker's context between iterations; a template brings its own", { default: "clear" }),
      path: pathFlag,
      json: flag("print JSON"),
    },
  },
  (args, cx: Context) => {
    const { task: name, template, maxIterations, currentIteration, seedPromptSha256, cleanupPolicy } = args;
    if (name.trim() === "") throw new UsageError("task must not be empty");
    const gates = gatesOf(args.requiredBeforeContinue, args.adversarial);
    const looped = template !== undefined || gates.length > 0;
    if (!looped) warnOfRunOptions(cx, args);
    const metadata = loopMetadata({
      template: template === undefined ? undefined : needLoopTemplate(template),
      gates,
      maxIterations,
      currentIteration,
      seedPromptSha256,
      cleanupPolicy,
      source: "create-disposable-binding",
    });
    const store = cx.store(args.path);
    const call: DisposableCall = {
      ...args,
      worker: args.worker ?? `${name}-worker`,
      manager: args.manager ?? `${name}-manager`,
      sessionDir: args.sessionDir === undefined ? defaultFolder(store.path) : cx.path(args.sessionDir),
      cwd: cx.path(args.cwd ?? "."),
      path: store.path,
    };
    const { task, created, binding, worker, manager, run } = createDisposableBinding(store, {
      task: name,
      goal: args.goal?.trim() || `Disposable binding for ${name}`,
      summary: args.summary ?? null,
      worker: call.worker,
      manager: call.manager,
      folder: call.sessionDir,
      cwd: call.cwd,
      ...(looped ? { run: { name: args.runName, metadata } } : {}),
    });
    const side = (session: Session) => ({
      id: session.id,
      name: session.name,
      rollout_path: session.codex_session_path,
      tmux_session: null,
      communication: communication(session, { program: cx.program, task: task.name, path: store.path }),
    });
    const sides = { worker: side(worker), manager: side(manager) };
    const workerPoll = sides.worker.communication.poll_command!;
    const managerPoll = sides.manager.communication.poll_command!;
    const replay = replayCommands({
      program: cx.program,
      call: { ...call, task: task.name },
      run: run && { id: run.id, current: currentIteration },
      workerPoll,
      managerPoll,
    });
    const handoff = workerHandoff({ task: task.name, run: run?.name ?? null, poll: workerPoll });
    if (args.json) {
      return cx.json({
        task: { id: task.id, name: task.name, state: task.state, created },
        binding: { id: binding.id },
        ...sides,
        run,
        db_path: store.path,
        replay_commands: replay,
        worker_handoff: handoff,
      });
    }
    cx.out(`task: ${task.name} (${task.state}${created ? ", created" : ""})`);
    cx.out(`worker: ${worker.name}\t${worker.codex_session_path}`);
    cx.out(`manager: ${manager.name}\t${manager.codex_session_path}`);
    if (run) cx.out(`run: ${run.name}\t${run.id}`);
    cx.out(`\nTo repeat it and walk through it:\n${replay.map((line) => `  ${line}`).join("\n")}`);
    cx.out(`\nFor the worker:\n${handoff}`);
  },
);

/** The first option that is about a run, when none is made; it says so, since 0.1.0 took it without a word. */
function warnOfRunOptions(
  cx: Context,
  args: {
    runName?: string | undefined;
    maxIterations?: number | undefined;
    currentIteration: number;
    seedPromptSha256?: string | undefined;
    cleanupPolicy: string;
  },
): void {
  const stray =
    (args.runName !== undefined && "--run-name") ||
    (args.maxIterations !== undefined && "--max-iterations") ||
    (args.currentIteration !== 1 && "--current-iteration") ||
    (args.seedPromptSha256 !== undefined && "--seed-prompt-sha256") ||
    (args.cleanupPolicy !== "clear" && "--cleanup-policy");
  if (stray)
    cx.err(`warning: ${stray} is about a loop run, and none is made without --template, --required-before-continue or --adversarial`);
}
