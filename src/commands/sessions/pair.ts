/** `pair`: starts a worker and its manager on a task, bound and dispatched. */
import { choice, flag, json, pathFlag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { changeOfFlags, EPILOGUE_STEPS, NUDGE_MODES, SUPERVISION_MODES } from "../../core/tasks/manager-config.ts";
import { PERMISSION_NAMES } from "../../core/tasks/permissions.ts";
import { BESIDE_ID, besideCommand, startBeside } from "../../flow/sessions/beside.ts";
import { isDispatching } from "../../flow/reach/dispatchers.ts";
import { nextCommand } from "../../flow/reach/next-command.ts";
import { resumeFlags, resumeWords } from "../../flow/dispatch/resume-flags.ts";
import { ledTasks } from "../../flow/crew/lead.ts";
import { pair } from "../../flow/sessions/pair.ts";
import { checkPair, planOf, plannedSides } from "../../flow/sessions/pair-check.ts";
import { launchFlags, roleFlags, timeoutSeconds } from "../../flow/sessions/start-session.ts";
import { worktreeFlags, worktreeWish } from "../../flow/worktrees/flags.ts";
import { undertake } from "../../flow/sessions/undertaking.ts";
import { isThere } from "../../system/files/text-file.ts";

export default verb(
  {
    about:
      "Starts a worker and a manager session in tmux, puts both on record, binds them on the task, opens a run " +
      "and starts a Dispatch that carries messages between them, and ends by itself ten minutes after the last binding has. The task " +
      "is created when a goal is given. It takes some ten seconds for each side. What can be " +
      "refused is refused before anything is started; when a start fails, the message says what runs and how to go on. " +
      "Interrupted, it ends what it began; killed, the same command goes on from there. With --crew a manager that runs gets this " +
      "worker too: only the worker is started, and the manager is told once what it now also supervises.",
    examples: [
      [
        'pair --task login-fix --task-goal "Login works again" --task-prompt "Fix the login test" --worker-name w1 --manager-name m1',
        "everything at once",
      ],
      [
        "pair --task login-fix --worker-name w1 --manager-name m1 --worker-agent claude --manager-agent codex",
        "Claude Code works, Codex supervises",
      ],
      ['pair --crew --task docs --task-goal "The docs are true" --worker-name w2 --manager-name m1', "m1, which runs, leads w2 too"],
      ["pair --task login-fix --worker-name w1 --manager-name m1 --dry-run", "what would be started"],
      [
        "pair --task login-fix --worker-name w1 --manager-name m1 --worktree",
        "the worker in a git worktree, on the branch conveyor/login-fix",
      ],
    ],
    flags: {
      task: text("task by id or name; with --task-goal it is created when there is none", { required: true, filled: true }),
      workerName: text("name of the worker session", { required: true, filled: true, value: "NAME" }),
      managerName: text("name of the manager session", { required: true, filled: true, value: "NAME" }),
      crew: flag("the manager may run already, and lead others: it leads this worker too"),
      cwd: text("folder in which both work; else the current one", { value: "FOLDER", filled: true }),
      taskPrompt: text("first words to the worker", { value: "TEXT", filled: true }),
      taskGoal: text("goal of the task", { value: "TEXT", filled: true }),
      taskSummary: text("summary of a task that is created", { value: "TEXT" }),
      managerMode: choice("how closely to supervise", SUPERVISION_MODES),
      managerObjective: text("what the manager makes sure of"),
      managerGuideline: text("a rule for the worker", { repeat: true }),
      managerAcceptance: text("an acceptance criterion, accepted from the start", { repeat: true }),
      managerReference: text("a file, folder or page to know", { repeat: true }),
      managerPermit: choice("grant a permission", PERMISSION_NAMES, { repeat: true, value: "PERMISSION" }),
      managerTool: text("a tool the worker is expected to use", { repeat: true }),
      managerEpilogue: choice("a step required before finishing", EPILOGUE_STEPS, { repeat: true }),
      managerNudgeOnCompletion: choice("what happens when the worker completes a turn", NUDGE_MODES),
      managerRequireAcks: flag("cycles and finishing need both acknowledgements"),
      managerAllowPr: flag("grant repo.open_pr"),
      managerAllowMergeGreen: flag("grant repo.merge_green_pr"),
      managerAllowWorkerCompactClear: flag("grant worker_session.compact and worker_session.clear"),
      managerPermissionsJson: json("permissions to set after the others", { value: "JSON" }),
      ...launchFlags,
      ...roleFlags,
      ...worktreeFlags,
      timeoutSeconds: timeoutSeconds(60),
      path: pathFlag,
      noDispatch: flag("start no Dispatch"),
      ...resumeFlags,
      dispatcherId: text("name of the dispatcher that is started unless it lives", { default: BESIDE_ID, value: "ID", filled: true }),
      dryRun: flag("print what would be started, or refuse what would be refused; touch nothing"),
      json: flag("print JSON (as it always does)"),
    },
  },
  async (args, cx: Context) => {
    const command = args.noDispatch ? null : besideCommand(cx, args.dispatcherId, args.path, resumeWords(args));
    const plan = { ensure_dispatch: !args.noDispatch, dispatch_command: command };
    const config = changeOfFlags({
      mode: args.managerMode,
      objective: args.managerObjective,
      guideline: args.managerGuideline,
      acceptance: args.managerAcceptance,
      reference: args.managerReference,
      permit: args.managerPermit,
      tool: args.managerTool,
      epilogue: args.managerEpilogue,
      nudgeOnCompletion: args.managerNudgeOnCompletion,
      requireAcks: args.managerRequireAcks,
      allowPr: args.managerAllowPr,
      allowMergeGreen: args.managerAllowMergeGreen,
      allowWorkerCompactClear: args.managerAllowWorkerCompactClear,
      permissionsJson: args.managerPermissionsJson,
    });
    const input = { ...args, cwd: cx.path(args.cwd ?? cx.cwd), config, wish: worktreeWish(args) };
    if (args.dryRun) {
      // Where no records are, none are made, and nothing stands in the way.
      const there = isThere(cx.storePath(args.path));
      const planned = there
        ? await checkPair({ cx, store: cx.store(args.path), input })
        : { leader: null, plan: await planOf({ cx, input }, null) };
      const { leader } = planned;
      const told = {
        ...plan,
        ...plannedSides({ cx, input }, planned),
        crew: leader && { tasks: ledTasks(cx.store(args.path), leader.id) },
      };
      return cx.json({ task: args.task, worker: args.workerName, manager: args.managerName, ...told });
    }
    const store = cx.store(args.path);
    const scene = { cx, store };
    const { paired, pid } = await undertake(cx, async (under) => {
      const done = await pair(scene, under, input);
      const missing = command !== null && !(await isDispatching(cx, store, args.dispatcherId));
      under.check();
      const started = missing ? await startBeside(cx, store, command, (each) => under.startsBeside("Dispatch", each)) : null;
      return { paired: done, pid: started };
    });
    cx.json({ ...paired, ...plan, dispatch: { command, ensure: !args.noDispatch, started: pid !== null, pid } });
    if (!cx.outside.tty.err) return;
    const next = (...words: string[]): string => nextCommand(cx, store, ...words);
    cx.err(`${args.managerName} leads ${args.workerName} on task ${paired.task.name}`);
    for (const [what, command] of [
      ["how all stand", next("crew", args.managerName)],
      ["what needs you", next("attention")],
      ["the worker's terminal", next("open-worker", paired.task.name)],
    ])
      cx.err(`  ${what}: ${command}`);
  },
);
