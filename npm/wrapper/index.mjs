/** A typed client: starts the binary for one command and gives its parsed JSON. Works in Node and Bun. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { binary } from "./binary.mjs";

/** Per command: the names of its positionals in order, and whether it knows --json. Made from the declarations. */
const commands = JSON.parse(readFileSync(new URL("commands.json", import.meta.url), "utf8"));

/** A command that did not exit with 0. `report` is what it printed as JSON, if it did. */
export class ConveyorError extends Error {
  constructor(command, exitCode, stderr, report) {
    super(stderr.split("\n").find((line) => line !== "" && !/^(usage|hint):|^\s/.test(line)) ?? `${command} ended with ${exitCode}`);
    Object.assign(this, { name: "ConveyorError", command, exitCode, stderr, report });
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function words(command, { rest, ...values }) {
  const { positionals, json, last } = commands[command];
  const flags = Object.entries(json ? { json: true, ...values } : values).flatMap(([key, value]) => {
    if (positionals.includes(key) || key === last || value === undefined || value === false) return [];
    const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === true) return [flag];
    return [value].flat().map((one) => `${flag}=${typeof one === "object" ? JSON.stringify(one) : one}`);
  });
  const named = positionals.flatMap((key) => values[key] ?? []).map(String);
  if (last && values[last])
    return [
      ...command.split(" "),
      ...flags,
      ...named,
      `--${last.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      ...values[last],
    ];
  return [...command.split(" "), ...flags, "--", ...named];
}

export function run(command, values = {}, { cwd, env = process.env, stdin = "", signal, timeout } = {}) {
  if (!commands[command]) return Promise.reject(new TypeError(`conveyor has no command ${JSON.stringify(command)}`));
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...env, BUN_BE_BUN: undefined, BUN_OPTIONS: undefined }, signal, timeout, maxBuffer: 2 ** 30 };
    const child = execFile(binary(env), words(command, values), options, (error, stdout, stderr) => {
      if (!error) resolve(parsed(stdout));
      else if (typeof error.code === "number")
        reject(new ConveyorError(command, error.code, stderr, stdout === "" ? undefined : parsed(stdout)));
      else reject(error);
    });
    child.stdin.on("error", () => {}); // it may end without reading
    child.stdin.end(stdin);
  });
}
