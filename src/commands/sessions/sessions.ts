/** `sessions`: the registered sessions and how each can be reached. */
import { choice, flag, jsonFlag, pathFlag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { REDACTED, ROLES } from "../../core/sessions/session.ts";
import { printedSession, whereIs } from "../../flow/observe/whereabouts.ts";
import { reachable } from "../../flow/reach/reachable.ts";
import { listSessions } from "../../store/sessions/list.ts";

export default verb(
  {
    about:
      "Prints the registered sessions as JSON, in the order of registration, each " +
      "with how messages reach it. Without --state: those that are not gone.",
    examples: [
      ["sessions --role worker", "the workers"],
      ["sessions --state all --redact-identity-token", "everything, fit to be shown"],
    ],
    flags: {
      role: choice("only this role", ROLES),
      state: choice("active, gone, or all", ["active", "gone", "all"]),
      includeLegacy: flag("also sessions with neither process nor rollout, from older databases"),
      name: text("only this session", { repeat: true }),
      redactIdentityToken: flag("hide the identity tokens"),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const options = { program: cx.program, ...(args.path === undefined ? {} : { path: cx.storePath(args.path) }) };
    const store = cx.store(args.path);
    const rows = listSessions(store, {
      state: args.state,
      role: args.role,
      names: args.name.filter(Boolean),
      includeLegacy: args.includeLegacy,
    });
    const found = await Promise.all(rows.map((row) => whereIs(cx, store, row)));
    cx.json(
      found.map((row) => ({
        ...printedSession(cx, row),
        ...(args.redactIdentityToken ? { identity_token: REDACTED } : {}),
        communication: reachable(row, options),
      })),
    );
  },
);
