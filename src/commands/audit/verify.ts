/** `verify`: is an export still what was exported. */
import { basename, dirname } from "node:path";
import { flag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { MANIFEST } from "../../core/audit/manifest.ts";
import { printLines } from "../../flow/audit/print.ts";
import { verifyExport } from "../../flow/audit/verify-export.ts";
import { exportLines } from "../../view/audit/verify.ts";

export default verb(
  {
    about:
      "Checks an export of `export-task`, a directory or an archive, on any machine and without a database: every file against the " +
      "manifest, every row of the audit against its seal, and the chain of seals to its end. Exits with 1 and names what was changed. " +
      "Whoever can change an export can also write a new manifest, so note the end of the chain elsewhere and give it with --head.",
    examples: [
      ["verify /tmp/login-fix.zip", "is the archive whole"],
      [
        "verify /tmp/login-fix --head 5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
        "and does it hold what was noted then",
      ],
    ],
    positionals: { file: word("the directory, its manifest.json, or the archive") },
    flags: {
      head: text("an end of the audit chain that was noted earlier; it must be part of the chain", { value: "HASH", filled: true }),
      json: flag("print JSON"),
    },
  },
  (args, cx: Context) => {
    const path = cx.path(args.file);
    const report = verifyExport(basename(path) === MANIFEST ? dirname(path) : path, args.head);
    if (args.json) cx.json(report);
    else printLines(cx, exportLines(report));
    return report.ok ? 0 : 1;
  },
);
