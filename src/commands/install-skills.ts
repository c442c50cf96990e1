/** `install-skills`: puts the bundled skills where an agent finds them. */
import { join } from "node:path";
import { choice, flag, text, verb } from "../args/spec.ts";
import type { Context } from "../context.ts";
import { Failure } from "../core/failure.ts";
import { quoteWord } from "../core/shell.ts";
import { readAsset } from "../system/assets.ts";
import { compareFolder, realFolder, replaceFolder } from "../system/files/replace-folder.ts";

const SKILLS = ["manage-codex-workers", "codex-review"] as const;

/** `<home>/skills`; refused when a link there leads out of the home. */
function skillsOf(home: string): string {
  const folder = join(home, "skills");
  const real = realFolder(folder);
  if (`${real}/`.startsWith(`${realFolder(home)}/`)) return folder;
  throw new Failure(`${folder} is a link that leads out of ${home}, to ${real}; nothing was written`, {
    hint: `conveyor install-skills --dir ${quoteWord(real)}`,
  });
}

export default verb(
  {
    about:
      "Installs the bundled skills manage-codex-workers and codex-review into $CODEX_HOME/skills (else ~/.codex/skills). " +
      "A skill that is identical is left alone, one that differs is replaced whole; links are replaced, never followed.",
    examples: [
      ["install-skills", "for Codex"],
      ["install-skills --agent claude", "for Claude Code, in ~/.claude/skills"],
      ["install-skills --dry-run --json", "what would change"],
    ],
    flags: {
      codexHome: text("Codex's home instead of $CODEX_HOME or ~/.codex", { value: "DIR", filled: true }),
      agent: choice("whose skills folder", ["codex", "claude"], { default: "codex" }),
      dir: text("the skills folder itself, for any other agent", { value: "DIR", filled: true }),
      dryRun: flag("say what would be done and write nothing"),
      json: flag("print JSON"),
    },
    exclusive: [{ of: ["codexHome", "dir"] }],
  },
  (args, cx: Context) => {
    const codexHome = cx.path(args.codexHome ?? (cx.env.CODEX_HOME || "~/.codex"));
    const home = args.agent === "claude" && args.codexHome === undefined ? cx.path(cx.env.CLAUDE_CONFIG_DIR || "~/.claude") : codexHome;
    const folder = args.dir === undefined ? skillsOf(home) : cx.path(args.dir);
    const skills = SKILLS.map((name) => {
      const { source, files } = readAsset(`skills/${name}`);
      const target = join(folder, name);
      const action = (args.dryRun ? compareFolder : replaceFolder)(target, files);
      return { name, source, target, action };
    });
    if (args.json) {
      return cx.json({
        codex_home: codexHome,
        agent: args.agent,
        directory: folder,
        dry_run: args.dryRun,
        installed: args.dryRun ? [] : [...SKILLS],
        skills,
      });
    }
    for (const { name, target, action } of skills) cx.out(`${name}\t${args.dryRun ? `would be ${action}` : action}\t${target}`);
  },
);
