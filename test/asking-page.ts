/**
 * A program that draws a page of Claude Code 2.1.332 which asks whether a command may run, the next one at SIGUSR1 and the first at
 * SIGUSR2, at the same place with the same choices. It notes what it draws, and each key with the page that it went into.
 */
import { appendFileSync, writeSync } from "node:fs";

const [log = "", ...commands] = process.argv.slice(2);
const note = (line: string): void => appendFileSync(log, `${line}\n`);
let at = 0;

function draw(next: number): void {
  at = next;
  const page = [
    "─".repeat(119),
    " Bash command",
    "╌".repeat(119),
    ` ${commands[at]}`,
    "╌".repeat(119),
    " Do you want to proceed?",
    " ❯ 1. Yes",
    "   2. No",
    "",
    " Esc to cancel · Tab to amend",
  ];
  writeSync(1, `\u001b[2J\u001b[H${page.join("\r\n")}\u001b[7;2H`);
  note(`drawn ${at}`);
}

process.stdin.setRawMode(true);
process.stdin.on("data", (keys) => note(`key ${at} ${keys}`));
process.on("SIGUSR1", () => draw(at + 1));
process.on("SIGUSR2", () => draw(0));
draw(0);
