/**
 * The rules by which a person is told of things: a file each in a folder of that person's own, `$XDG_CONFIG_HOME/conveyor/notify`, and
 * never beside any records, since a rule names a program that is run.
 */
import { lstatSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { ruleIn, type Rule } from "../core/attention/notify.ts";
import { Failure, reasonOf } from "../core/failure.ts";
import { prettyJson } from "../core/json.ts";
import { isFile } from "./files/folders.ts";
import { writeWhole } from "./files/whole-file.ts";
import type { Env } from "./processes/environment.ts";

/**
 * Where a person's settings of ours lie. A relative XDG_CONFIG_HOME counts as none (XDG Base Directory, 0.8): it would lead
 * below a project.
 */
function configFolder(env: Env): string {
  const given = env.XDG_CONFIG_HOME ?? "";
  return join(isAbsolute(given) ? given : join(env.HOME || homedir(), ".config"), "conveyor");
}

const rulesFolder = (env: Env): string => join(configFolder(env), "notify");
const fileOf = (env: Env, id: string): string => join(rulesFolder(env), `${id}.json`);

/** Whoever else may write there decides what is run. @throws Failure that says so */
function needOwn(path: string): void {
  const found = statSync(path);
  const why =
    process.getuid !== undefined && found.uid !== process.getuid()
      ? "belongs to another user"
      : (found.mode & 0o022) !== 0
        ? "may be written by others"
        : null;
  if (why === null) return;
  throw new Failure(`no rule of notify is used: ${path} ${why}`, { hint: `look at what stands there, then: chmod go-w ${path}` });
}

/** As far as they are there. @throws Failure as {@link needOwn} */
function needOwnFolders(env: Env): boolean {
  for (const folder of [configFolder(env), rulesFolder(env)]) {
    if (statSync(folder, { throwIfNoEntry: false }) === undefined) return false;
    needOwn(folder);
  }
  return true;
}

const noRule = (path: string): Failure =>
  new Failure(`${path} holds no rule of notify`, { hint: `take it away and add the rule again: rm -r ${path}` });

/** All rules, the oldest first. @throws Failure naming the file when one is not that person's own, or is no rule */
export function readRules(env: Env): Rule[] {
  if (!needOwnFolders(env)) return [];
  const rules: Rule[] = [];
  for (const name of readdirSync(rulesFolder(env))) {
    // What is being written beside its place has another name.
    if (!/^notify-[^.]+\.json$/.test(name)) continue;
    const path = join(rulesFolder(env), name);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) continue;
    // A pipe would be waited for, and a link that leads nowhere is none either.
    if (!isFile(path)) throw noRule(path);
    needOwn(path);
    const rule = ruleIn(contentOf(path));
    if (rule === null || `${rule.id}.json` !== name) throw noRule(path);
    rules.push(rule);
  }
  return rules.sort((a, b) => (a.added_at < b.added_at ? -1 : 1));
}

function contentOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw new Failure(`${path} could not be read: ${reasonOf(error)}`, { cause: error });
  }
}

/** @throws Failure when it cannot be written, or where others may write */
export function addRule(env: Env, rule: Rule): string {
  needOwnFolders(env);
  const path = fileOf(env, rule.id);
  writeWhole(path, `${prettyJson(rule)}\n`);
  return path;
}

export const removeRule = (env: Env, { id }: Pick<Rule, "id">): void => rmSync(fileOf(env, id), { force: true });

/** @throws Failure when there is no rule of this id */
export function needRule(env: Env, id: string, program: string): Rule {
  const rule = readRules(env).find((each) => each.id === id);
  if (rule === undefined) throw new Failure(`no rule is called ${JSON.stringify(id)}`, { hint: `${program} notify list` });
  return rule;
}
