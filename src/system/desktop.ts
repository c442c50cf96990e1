/** What a person sees on the desktop, by the program that each system has for it. */
import { type Env, which } from "./processes/environment.ts";
import { runProgram, troubleOf } from "./processes/run.ts";

/** Notices are short: what is longer is cut by the desktop, too. */
const MOST = 400;

/** The texts come as arguments behind the script, and are never part of it. */
const SCRIPT = "on run {head, body}\ndisplay notification body with title head\nend run\n";

/** Their bodies may hold marks of a page (Desktop Notifications Specification, Markup). */
const plain = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Shows it. @returns why it could not be shown; null: it was handed over */
export async function showOnDesktop(env: Env, head: string, body: string): Promise<string | null> {
  const cut = body.length > MOST ? `${body.slice(0, MOST)}…` : body;
  const mac = process.platform === "darwin";
  const program = mac ? "osascript" : "notify-send";
  if (which(program, env) === null) return `${program} is not on PATH`;
  const ran = mac
    ? await runProgram([program, "-", head, cut], { env, stdin: SCRIPT })
    : await runProgram([program, "--app-name=conveyor", "--", head, plain(cut)], { env });
  return ran.code === 0 ? null : troubleOf(ran);
}
